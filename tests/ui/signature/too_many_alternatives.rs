use workflow_runtime::prelude::*;

#[event]
struct A;

#[event]
struct B;

#[event]
struct C;

#[event]
struct D;

#[event]
struct E;

#[event]
struct F;

#[event]
struct G;

#[event]
struct H;

#[event]
struct I;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> OneOf<A, B, C, D, E, F, G, H, I> {
        todo!()
    }

    #[step]
    fn end(&self, _: OneOf<A, B, C, D, E, F, G, H>) -> Stop {
        Stop(())
    }
}

fn main() {}
