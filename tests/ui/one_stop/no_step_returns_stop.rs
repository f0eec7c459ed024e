use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn log(&self, _: Start) {}
}

fn main() {}
