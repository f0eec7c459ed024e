use workflow_runtime::prelude::*;

struct Flow;

trait Steps {
    fn begin(&self, _: Start) -> Stop;
}

#[workflow]
impl Steps for Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
