use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn optional(&self, _: Option<A>) {}

    #[step]
    fn result(&self, _: Result<A, String>) {}

    #[step]
    fn either(&self, _: OneOf<Vec<A>, Start>) {}

    #[step]
    fn lists(&self, _: Vec<Vec<A>>) {}

    #[step]
    fn options(&self, _: Vec<Option<A>>) {}

    #[step]
    fn failures(&self, _: Vec<Result<A, String>>) {}

    #[step]
    fn starts(&self, _: Vec<Start>) {}
}

fn main() {}
