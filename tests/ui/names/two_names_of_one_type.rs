use workflow_runtime::prelude::*;

#[event]
struct Done;

type Finished = Done;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Done, Vec<Finished>> {
        OneOf::new(Done)
    }

    #[step]
    fn done(&self, _: Done) -> Stop {
        Stop(())
    }

    #[step]
    fn finished(&self, _: Finished) {}
}

fn main() {}
