use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step(workers = -1)]
    fn begin(&self, _: Start) -> Vec<A> {
        vec![A]
    }

    #[step(take = 1.5, workers = "4")]
    fn some(&self, _: Vec<A>) -> Stop {
        Stop(())
    }

    #[step(max_recoveries = 5_000_000_000)]
    fn failed(&self, _: StepFailed) -> Stop {
        Stop(())
    }
}

fn main() {}
