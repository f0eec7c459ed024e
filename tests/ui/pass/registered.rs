//! The function may be called anything.

use workflow_runtime::Registry;
use workflow_runtime::prelude::*;

struct Flow;

#[workflow(register = build)]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn build() -> Flow {
    Flow
}

fn main() {
    let registry = Registry::collect().unwrap();
    assert!(registry.get("Flow").unwrap().build_as::<Flow>().is_some());
}
