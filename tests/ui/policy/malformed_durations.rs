use workflow_runtime::prelude::*;

#[event]
struct Page;

struct Flow;

#[workflow]
impl Flow {
    #[step(timeout = "10 seconds")]
    async fn fetch(&self, _: Start) -> Page {
        Page
    }

    #[step(retry = Retry::exponential("200").cap("1s"))]
    async fn parse(&self, _: Page) -> Result<Stop, String> {
        Err("no".to_owned())
    }
}

fn main() {}
