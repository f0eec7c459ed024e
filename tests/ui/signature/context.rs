use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn owned(&self, _: Start, _: Context<Self>) -> Stop {
        Stop(())
    }

    #[step]
    fn changed(&self, _: Start, _: &mut Context<Self>) {}

    #[step]
    fn twice(&self, _: &Context<Self>, _: Start, _: &Context<Self>) {}
}

fn main() {}
