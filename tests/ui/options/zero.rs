use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step(workers = 0)]
    fn begin(&self, _: Start) -> Vec<A> {
        vec![A]
    }

    #[step(take = 0)]
    fn end(&self, _: Vec<A>) -> Stop {
        Stop(())
    }
}

fn main() {}
