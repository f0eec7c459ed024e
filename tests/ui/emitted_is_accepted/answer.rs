use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<InputRequired, Stop> {
        OneOf::new(Stop(()))
    }
}

fn main() {}
