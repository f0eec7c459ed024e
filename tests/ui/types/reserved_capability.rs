use workflow_runtime::prelude::*;

mod mine {
    pub struct Emitter<T>(pub T);

    pub struct Context<T>(pub T);

    pub struct Asker<Q>(pub Q);

    pub struct Inbox<T>(pub T);
}

#[prompt(response = bool)]
struct Sure;

#[event]
struct Note;

#[event]
struct Line;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn read(&self, _: Start, _: mine::Emitter<Line>) {}

    #[step]
    async fn wait(&self, _: &Line, _: mine::Asker<Sure>, _: mine::Inbox<Note>) {}

    #[step]
    fn end(&self, _: Line, _: &mine::Context<Self>) -> Stop {
        Stop(())
    }
}

fn main() {}
