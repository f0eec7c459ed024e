use workflow_runtime::prelude::*;

#[event]
struct Draft;

#[event]
struct Review;

#[event]
struct Lost;

#[event]
struct Never;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<Draft, Lost> {
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

    #[step]
    fn publish(&self, _: Never) -> Stop {
        Stop(())
    }
}

fn main() {}
