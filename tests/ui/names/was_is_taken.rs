use workflow_runtime::prelude::*;

#[event]
struct Draft;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Draft {
        Draft
    }

    #[step(was = "begin")]
    fn end(&self, _: Draft) -> Stop {
        Stop(())
    }
}

fn main() {}
