use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> A {
        A
    }

    #[step(take = 1)]
    fn end(&self, _: A) -> Stop {
        Stop(())
    }
}

fn main() {}
