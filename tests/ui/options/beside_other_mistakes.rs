//! Values of options are looked at even where the workflow has mistakes of another kind.

use workflow_runtime::prelude::*;

const MANY: u64 = 3;

struct Flow;

#[workflow]
impl Flow {
    #[step(retrys = 3, timeout = "10 parsecs", workers = MANY)]
    async fn begin(&self, _: Start) -> (Stop, Stop) {
        (Stop(()), Stop(()))
    }

    #[step(retry = 3, timeout = 10)]
    async fn late(&self, _: Signal<u8>) {}
}

fn main() {}
