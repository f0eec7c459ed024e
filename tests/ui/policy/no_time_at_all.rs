use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step(timeout = "0s")]
    async fn fetch(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
