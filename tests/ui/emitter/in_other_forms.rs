use workflow_runtime::prelude::*;

#[event]
struct Line;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn several(&self, _: Start, lines: Vec<Emitter<Line>>, more: Option<Emitter<Line>>) -> Stop {
        drop((lines, more));
        Stop(())
    }

    #[step]
    async fn given(&self, _: &Line) -> Emitter<Line> {
        todo!()
    }

    #[step]
    async fn list(&self, _: &Line, lines: Emitter<Vec<Line>>, perhaps: Emitter<Option<Line>>) {
        drop((lines, perhaps));
    }

    #[step]
    async fn stop(&self, _: &Line, end: Emitter<Stop>, pair: Emitter<(Line, Line)>) {
        drop((end, pair));
    }
}

fn main() {}
