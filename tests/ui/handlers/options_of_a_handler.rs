use workflow_runtime::prelude::*;

#[event]
struct Page;

struct Flow;

#[workflow]
impl Flow {
    #[step(max_recoveries = 3)]
    fn fetch(&self, _: Start) -> Result<Page, String> {
        Err("no".to_owned())
    }

    #[step(catches(fetch))]
    fn parse(&self, _: Page) -> Stop {
        Stop(())
    }
}

fn main() {}
