use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn double(&self, number: u32) -> Stop<u32> {
        Stop(number * 2)
    }
}

fn main() {}
