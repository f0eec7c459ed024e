use workflow_runtime::prelude::*;

#[prompt(response = Answer)]
struct Sure;

#[derive(Clone)]
struct Answer;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> InputRequired<Sure> {
        InputRequired::new(Sure)
    }

    #[step]
    fn end(&self, _: HumanResponse<Sure>) -> Stop {
        Stop(())
    }
}

fn main() {}
