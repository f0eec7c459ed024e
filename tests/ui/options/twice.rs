use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step(workers = 2, was = "a", workers = 3)]
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
