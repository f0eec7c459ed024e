use workflow_runtime::prelude::*;

#[event]
struct A;

#[event]
struct B;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn generic<T>(&self, _: Start, _: T) -> A {
        A
    }

    #[step]
    const fn constant(&self, _: &A) -> B {
        B
    }

    #[step]
    unsafe fn dangerous(&self, _: B) -> Stop {
        Stop(())
    }
}

fn main() {}
