use workflow_runtime::prelude::*;

#[prompt(response, validate)]
struct Sure;

struct Flow;

#[workflow(name, state, progress, prompts, crate, register)]
impl Flow {
    #[step(workers, timeout, retry, catches, max_recoveries, take, cancel_rest, was, skip)]
    async fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step(retry = , skip(), catches())]
    async fn other(&self, _: Start) {}
}

fn main() {}
