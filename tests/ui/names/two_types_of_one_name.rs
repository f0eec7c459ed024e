use workflow_runtime::prelude::*;

mod a {
    #[workflow_runtime::event]
    pub struct Done;
}

mod b {
    #[workflow_runtime::event]
    pub struct Done;
}

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> a::Done {
        a::Done
    }

    #[step]
    async fn end(&self, _: b::Done) -> Stop {
        Stop(())
    }
}

fn main() {}
