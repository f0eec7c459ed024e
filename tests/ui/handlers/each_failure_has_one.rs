use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn fetch(&self, _: Start) -> Result<Stop, String> {
        Err("no".to_owned())
    }

    #[step(catches(fetch))]
    fn first(&self, _: StepFailed) -> Stop {
        Stop(())
    }

    #[step(catches(fetch, first))]
    fn second(&self, _: StepFailed) -> Stop {
        Stop(())
    }

    #[step]
    fn rest(&self, _: StepFailed) -> Stop {
        Stop(())
    }

    #[step]
    fn other_rest(&self, _: StepFailed) -> Stop {
        Stop(())
    }
}

fn main() {}
