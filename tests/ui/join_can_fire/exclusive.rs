use workflow_runtime::prelude::*;

#[event]
struct Left;

#[event]
struct Right;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Left, Right> {
        OneOf::new(Left)
    }

    #[step]
    fn join(&self, _: Left, _: Right) -> Stop {
        Stop(())
    }
}

fn main() {}
