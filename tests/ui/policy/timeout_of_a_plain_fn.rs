use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step(timeout = "10s")]
    fn compute(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
