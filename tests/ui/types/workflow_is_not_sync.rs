//! One error, whatever the steps are and whatever uses the workflow.

use std::cell::Cell;

use workflow_runtime::prelude::*;

#[event]
struct Line;

#[prompt(response = bool)]
struct More;

struct Flow {
    lines: Cell<u32>,
}

#[workflow]
impl Flow {
    #[step]
    async fn read(&self, _: Start, lines: Emitter<Line>) {
        self.lines.set(1);
        drop(lines);
    }

    #[step]
    fn count(&self, _: Vec<Line>, context: &Context<Self>) -> InputRequired<More> {
        self.lines.set(context.attempt());
        InputRequired::new(More)
    }

    #[step(blocking)]
    fn end(&self, _: HumanResponse<More>) -> Stop<u32> {
        Stop(self.lines.get())
    }

    #[step]
    async fn skip(&self, _: Signal<u32>) {}
}

async fn count() -> Result<u32, RunError> {
    let run = Flow { lines: Cell::new(0) }.run(());
    if let Ok(ask) = run.pending().one::<More>() {
        drop(run.respond(&ask, true).await);
    }
    drop(run.send(7u32).await);
    run.await
}

fn main() {}
