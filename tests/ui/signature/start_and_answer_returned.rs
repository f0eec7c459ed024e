use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, start: Start) -> OneOf<Start, HumanResponse> {
        OneOf::new(start)
    }
}

fn main() {}
