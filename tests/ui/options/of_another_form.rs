use workflow_runtime::prelude::*;

#[prompt(response = 5, validate = "fine")]
struct Sure;

struct Flow;

#[workflow(name = 5, state = "Counts", progress = 1, prompts = "Questions", crate = "flow", register = || Flow)]
impl Flow {
    #[step(workers(4), timeout("1s"), retry(3), was(begin), cancel_rest = "yes")]
    async fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step(blocking = true, catches = begin, skip = "reachability")]
    fn other(&self, _: Start) {}

    #[step(blocking(), catches("begin"), retry = Retry::exponential("1s" 3))]
    fn third(&self, _: Start) {}

    #[step(retry = Retry::fixed("1s") +)]
    fn fourth(&self, _: Start) {}
}

fn main() {}
