use workflow_runtime::prelude::*;

#[event]
struct Left;

#[event]
struct Right;

type Next = OneOf<Left, Right>;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Next {
        OneOf::new(Left)
    }

    #[step]
    fn end(&self, _: OneOf<Left, Right>) -> Stop {
        Stop(())
    }
}

fn main() {}
