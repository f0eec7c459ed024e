use workflow_runtime::prelude::*;

#[event]
struct Done;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Done, Done> {
        OneOf::A(Done)
    }

    #[step]
    fn join(&self, _: Done, _: &crate::Done) -> Stop {
        Stop(())
    }

    #[step]
    fn either(&self, _: OneOf<Done, &Done>) {}
}

fn main() {}
