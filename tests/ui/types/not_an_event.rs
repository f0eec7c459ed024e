//! Reported at each place, and only this: not that it lacks serde and `Clone`, too.

use workflow_runtime::prelude::*;

struct Draft;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Draft {
        Draft
    }

    #[step]
    fn end(&self, _: &Draft) -> Stop {
        Stop(())
    }
}

fn main() {}
