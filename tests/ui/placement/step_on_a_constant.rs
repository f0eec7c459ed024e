use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    const BEGIN: u8 = 0;

    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
