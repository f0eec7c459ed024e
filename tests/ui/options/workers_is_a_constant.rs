use workflow_runtime::prelude::*;

const WORKERS: u32 = 0;



struct Flow;

#[workflow]
impl Flow {
    #[step(workers = WORKERS)]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
