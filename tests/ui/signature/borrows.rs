use workflow_runtime::prelude::*;

#[event]
struct A;

#[event]
struct B;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start<&str>) -> &A {
        &A
    }

    #[step]
    fn change(&self, _: &mut A) -> B {
        B
    }

    #[step]
    fn named(&'static self, _: &'static B) -> Stop {
        Stop(())
    }

    #[step]
    fn choice(&self, _: &OneOf<A, B>) {}

    #[step]
    fn list(&self, _: &Vec<A>) {}
}

fn main() {}
