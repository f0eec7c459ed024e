use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn fetch(&self, _: Start) -> Result<Stop, String> {
        Err("no".to_owned())
    }

    #[step(catches(fetsh))]
    fn give_up(&self, _: StepFailed) -> Stop {
        Stop(())
    }

    #[step(catches(publish))]
    fn apologise(&self, _: StepFailed) -> Stop {
        Stop(())
    }
}

fn main() {}
