use workflow_runtime::prelude::*;

#[event]
struct Line;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn read(&self, _: Start, _: &mut Emitter<Line>) {}

    #[step]
    async fn what(&self, _: Line, _: Emitter) -> Stop {
        Stop(())
    }
}

fn main() {}
