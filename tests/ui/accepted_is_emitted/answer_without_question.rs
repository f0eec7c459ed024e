use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure;

#[event]
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

    #[step]
    fn answered(&self, _: HumanResponse<Sure>) -> Stop {
        Stop(())
    }
}

fn main() {}
