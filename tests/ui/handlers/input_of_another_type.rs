use workflow_runtime::prelude::*;

#[event]
struct Page;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn fetch(&self, _: Start) -> Page {
        Page
    }

    #[step]
    fn parse(&self, _: Page) -> Result<Stop, String> {
        Err("no".to_owned())
    }

    #[step(catches(fetch, parse))]
    fn give_up(&self, _: StepFailed<Page>) -> Stop {
        Stop(())
    }
}

fn main() {}
