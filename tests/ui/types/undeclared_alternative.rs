use workflow_runtime::prelude::*;

#[event]
struct Left;

#[event]
struct Right;

#[event]
struct Other;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Left, Right> {
        OneOf::new(Other)
    }

    #[step]
    fn end(&self, _: OneOf<Left, Right>) -> Stop {
        Stop(())
    }
}

fn main() {}
