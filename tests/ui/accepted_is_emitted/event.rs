use workflow_runtime::prelude::*;

#[event]
struct Draft;

#[event]
struct Approved;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Draft {
        Draft
    }

    #[step]
    fn end(&self, _: Draft) -> Stop {
        Stop(())
    }

    #[step]
    fn publish(&self, _: OneOf<Approved, Draft>) -> Stop {
        Stop(())
    }
}

fn main() {}
