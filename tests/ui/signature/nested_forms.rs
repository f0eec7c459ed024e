use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Vec<Option<A>> {
        vec![]
    }

    #[step]
    fn results(&self, _: A) -> Vec<Result<A, String>> {
        vec![]
    }

    #[step]
    fn stops(&self, _: A) -> Vec<Stop> {
        vec![]
    }

    #[step]
    fn lists(&self, _: A) -> Vec<Vec<A>> {
        vec![]
    }

    #[step]
    fn inside(&self, _: A) -> OneOf<Option<A>, Stop> {
        OneOf::new(Stop(()))
    }

    #[step]
    fn wrong_way(&self, _: A) -> Option<Result<A, String>> {
        None
    }

    #[step]
    fn choice(&self, _: A) -> OneOf<OneOf<A>, ()> {
        OneOf::new(())
    }
}

fn main() {}
