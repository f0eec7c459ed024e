//! Each parameter is reported once, however the answer stands in it.

use workflow_runtime::prelude::*;

#[data]
struct Sure;

#[event]
struct Draft;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Vec<OneOf<Draft, InputRequired<Sure>>> {
        Vec::new()
    }

    #[step]
    fn borrowed(&self, answer: &HumanResponse<Sure>) {
        let _ = answer;
    }

    #[step]
    async fn either(&self, _: OneOf<&Draft, &HumanResponse<Sure>>) {}

    #[step]
    fn gathered(&self, answers: Vec<HumanResponse<Sure>>) {
        drop(answers);
    }

    #[step]
    fn gathered_with_failures(&self, _: Vec<Result<OneOf<Draft, HumanResponse<Sure>>, StepFailed>>) -> Stop {
        Stop(())
    }
}

fn main() {}
