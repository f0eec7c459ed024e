use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start, #[cfg(unix)] _: &Context<Self>) -> Stop {
        Stop(())
    }
}

fn main() {}
