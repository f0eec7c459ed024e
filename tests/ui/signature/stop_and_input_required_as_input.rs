use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Stop, InputRequired> {
        OneOf::new(Stop(()))
    }

    #[step]
    fn after(&self, _: Stop) {}

    #[step]
    fn asked(&self, _: InputRequired<Text>) {}
}

fn main() {}
