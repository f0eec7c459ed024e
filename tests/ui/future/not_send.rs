use std::rc::Rc;

use workflow_runtime::prelude::*;

struct Flow;

async fn nothing() {}

#[workflow]
impl Flow {
    #[step]
    async fn count(&self, _: Start) -> Stop<u8> {
        let number = Rc::new(1);
        nothing().await;
        Stop(*number)
    }
}

fn main() {}
