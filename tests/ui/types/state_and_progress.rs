use workflow_runtime::prelude::*;

struct Tally;

#[derive(Clone)]
struct Percent;

struct Flow;

#[workflow(state = Tally, progress = Vec<Percent>)]
impl Flow {
    #[step]
    fn begin(&self, _: Start, context: &Context<Self>) -> Stop {
        context.publish(vec![Percent]);
        context.update(|_| {});
        Stop(())
    }
}

async fn count() -> Result<(), RunError> {
    let run = Flow.run(());
    drop(run.state());
    run.await
}

fn main() {}
