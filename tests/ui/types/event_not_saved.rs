use workflow_runtime::prelude::*;

#[derive(Clone, Event)]
struct Draft;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Draft {
        Draft
    }

    #[step]
    fn end(&self, _: Draft) -> Stop {
        Stop(())
    }
}

fn main() {}
