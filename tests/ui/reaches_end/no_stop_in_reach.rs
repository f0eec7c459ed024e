use workflow_runtime::prelude::*;

#[event]
struct Draft;

#[event]
struct Other;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Draft {
        Draft
    }

    #[step]
    fn file(&self, _: Draft) {}

    #[step(skip(reachability))]
    fn end(&self, _: Other) -> OneOf<Other, Stop> {
        OneOf::new(Stop(()))
    }
}

fn main() {}
