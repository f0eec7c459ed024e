//! A workflow that a `macro_rules!` writes, inside a function.

use workflow_runtime::prelude::*;

#[event]
struct Middle;

macro_rules! flow {
    ($name:ident, $middle:ty) => {
        struct $name;

        #[workflow]
        impl $name {
            #[step]
            fn begin(&self, _: Start) -> $middle {
                Middle
            }

            #[step]
            async fn end(&self, _: &$middle) -> Stop {
                Stop(())
            }
        }
    };
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    flow!(Flow, Middle);
    Flow.run(()).await.unwrap();
}
