use workflow_runtime::prelude::*;

struct Flow;

#[workflow(nam = "x", promts = Asked)]
impl Flow {
    #[step(retrys = 3, worker = 2, parallel, skip(dead_ends, nothing))]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
