use workflow_runtime::prelude::*;

struct Other;

#[workflow]
impl Other {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn begin(&self, _: Start, context: &Context<Other>) -> Stop {
        drop(context.attempt());
        Stop(())
    }
}

fn main() {}
