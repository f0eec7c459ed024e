use workflow_runtime::prelude::*;

#[prompt(response = bool, timeout = "1h")]
struct Sure;

struct Flow;

#[workflow(name = "flow", workers = 4, response = bool)]
impl Flow {
    #[step(name = "first")]
    fn begin(&self, _: Start) -> InputRequired<Sure> {
        InputRequired::new(Sure)
    }

    #[step(state = u8, crate = workflow_runtime, validate = fine)]
    fn end(&self, _: HumanResponse<Sure>) -> Stop {
        Stop(())
    }
}

fn main() {}
