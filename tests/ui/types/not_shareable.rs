use std::cell::RefCell;

use workflow_runtime::prelude::*;

#[data]
struct Order {
    notes: RefCell<String>,
}

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start<Order>) -> Stop {
        Stop(())
    }
}

fn main() {}
