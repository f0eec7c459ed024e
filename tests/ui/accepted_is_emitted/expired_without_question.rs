use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    fn late(&self, _: Expired<Sure>) -> Stop {
        Stop(())
    }
}

fn main() {}
