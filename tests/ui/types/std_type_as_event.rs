use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> String {
        String::new()
    }

    #[step]
    fn end(&self, _: String) -> Stop {
        Stop(())
    }
}

fn main() {}
