use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn short(&self, _: Start<String>) -> Stop<u64> {
        Stop(0)
    }

    #[step]
    fn long(&self, Start(text): Start<String>) -> Stop<String> {
        Stop(text)
    }
}

fn main() {}
