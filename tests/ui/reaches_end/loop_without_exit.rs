use workflow_runtime::prelude::*;

#[event]
struct Draft;

#[event]
struct Review;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Draft, Stop> {
        OneOf::new(Draft)
    }

    #[step]
    fn review(&self, _: Draft) -> Review {
        Review
    }

    #[step]
    fn revise(&self, _: Review) -> Draft {
        Draft
    }
}

fn main() {}
