use workflow_runtime::prelude::*;

struct Flow;

impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
