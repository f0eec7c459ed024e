use workflow_runtime::prelude::*;

#[event]
struct Draft;

#[event]
struct Rejected;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Draft, Rejected> {
        OneOf::new(Draft)
    }

    #[step]
    fn end(&self, _: Draft) -> Stop {
        Stop(())
    }
}

fn main() {}
