use workflow_runtime::prelude::*;

#[event]
struct Line;

#[event]
struct Page;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn read(&self, _: Start, _: Emitter<OneOf<Line, Page>>) {}

    #[step]
    fn end(&self, _: Line) -> Stop {
        Stop(())
    }
}

fn main() {}
