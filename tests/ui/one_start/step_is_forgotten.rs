use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    async fn begin(&self, Start(_): Start<u32>, _: &Context<Self>) -> Option<A> {
        None
    }

    #[step]
    fn last(&self, _: A) -> Stop {
        Stop(())
    }
}

fn main() {}
