use workflow_runtime::prelude::*;

struct Broken;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Result<Stop, Broken> {
        Err(Broken)
    }
}

fn main() {}
