use std::time::Duration;

use workflow_runtime::prelude::*;

#[event]
struct Page;

struct Flow;

#[workflow]
impl Flow {
    #[step(retry = 3)]
    async fn fetch(&self, _: Start) -> Page {
        Page
    }

    #[step(timeout = Duration::from_secs(10))]
    async fn parse(&self, _: Page) -> Stop {
        Stop(())
    }
}

fn main() {}
