use workflow_runtime::prelude::*;

#[derive(Clone)]
struct Order;

#[derive(Clone)]
struct Receipt;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start<Order>) -> Stop<Receipt> {
        Stop(Receipt)
    }
}

fn main() {}
