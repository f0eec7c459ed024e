use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    async fn tick(&self, _: &Context<Self>) {}
}

fn main() {}
