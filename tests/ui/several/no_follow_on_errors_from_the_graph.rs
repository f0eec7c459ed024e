//! One mistake in the graph is one error.

use workflow_runtime::prelude::*;

#[event]
struct Draft(u32);

#[event]
struct Unused;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn write(&self, Start(pages): Start<u32>) -> OneOf<Draft, Unused> {
        OneOf::new(Draft(pages))
    }

    #[step]
    fn publish(&self, draft: Draft) -> Stop<u32> {
        Stop(draft.0)
    }
}

async fn publish() -> Result<u32, RunError> {
    Flow.run(7).await
}

fn main() {}
