use workflow_runtime::prelude::*;

mod mine {
    pub struct Emitter<T>(pub T);

    pub struct Context<T>(pub T);
}

#[event]
struct Line;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn read(&self, _: Start, _: mine::Emitter<Line>) {}

    #[step]
    fn end(&self, _: Line, _: &mine::Context<Self>) -> Stop {
        Stop(())
    }
}

fn main() {}
