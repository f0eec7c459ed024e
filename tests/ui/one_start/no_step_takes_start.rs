use workflow_runtime::prelude::*;

#[event]
struct Draft;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn write(&self, _: Draft) -> Draft {
        Draft
    }

    #[step]
    fn end(&self, _: Draft) -> Stop {
        Stop(())
    }
}

fn main() {}
