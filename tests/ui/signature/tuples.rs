use workflow_runtime::prelude::*;

#[event]
struct A;

#[event]
struct B;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> (A, B) {
        (A, B)
    }

    #[step]
    fn end(&self, _: (A, B)) -> Stop {
        Stop(())
    }

    #[step]
    fn unit(&self, _: ()) {}
}

fn main() {}
