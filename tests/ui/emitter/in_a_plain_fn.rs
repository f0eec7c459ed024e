use workflow_runtime::prelude::*;

#[event]
struct Line;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn read(&self, _: Start, _: Emitter<Line>) {}

    #[step]
    fn end(&self, _: Line) -> Stop {
        Stop(())
    }
}

fn main() {}
