use workflow_runtime::prelude::*;

#[event]
struct A;

#[event]
struct B;

#[event]
struct C;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn by_mut(&mut self, _: Start) -> A {
        A
    }

    #[step]
    fn by_value(self, _: A) -> B {
        B
    }

    #[step]
    fn boxed(self: Box<Self>, _: B) -> C {
        C
    }

    #[step]
    fn end(&self, _: C) -> Stop {
        Stop(())
    }
}

fn main() {}
