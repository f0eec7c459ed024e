use workflow_runtime::prelude::*;

struct Sure;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> InputRequired<Sure> {
        InputRequired::new(Sure)
    }

    #[step]
    async fn end(&self, answer: HumanResponse<Sure>) -> Stop {
        drop(answer);
        Stop(())
    }
}

fn main() {}
