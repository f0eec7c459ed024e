use workflow_runtime::prelude::*;

struct Flow;

#[workflow(name = Flow, "x")]
impl Flow {
    #[step(workers, was = begin, cancel_rest = yes, skip)]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step = "fast"]
    fn other(&self, _: Start) {}
}

fn main() {}
