//! A mistake in a workflow is no reason to be silent about the rest of the module, or about what stands in its steps.

use workflow_runtime::prelude::*;

struct Order {
    count: Nmuber,
}

struct Flow;

#[workflow(nam = "x")]
impl Flow {
    #[step(retrys = 3)]
    fn begin(&self, _: Start<Oder>) -> Stop {
        let count: u8 = "many";
        unheard_of(count);
        Stop(())
    }
}

fn main() {}
