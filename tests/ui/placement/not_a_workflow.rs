use workflow_runtime::prelude::*;

struct Flow;

impl Flow {
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

async fn outside() {
    drop(Flow.run(()).await);
}

fn main() {}
