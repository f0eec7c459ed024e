//! `Box<dyn Event>` is left to the compiler: the report would stand beside the others once they are gone.

use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> impl Event {
        A
    }

    #[step]
    fn object(&self, _: Box<dyn Event>) -> [A; 2] {
        [A, A]
    }

    #[step]
    fn object_itself(&self, _: &dyn Event) {}

    #[step]
    fn slice(&self, _: &[A]) -> fn() {
        || ()
    }

    #[step]
    fn never(&self, _: A) -> ! {
        panic!()
    }
}

fn main() {}
