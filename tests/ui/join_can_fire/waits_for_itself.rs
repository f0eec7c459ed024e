use workflow_runtime::prelude::*;

#[event]
struct Seed;

#[event]
struct Loop;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Seed {
        Seed
    }

    #[step]
    fn join(&self, _: Seed, _: Loop) -> OneOf<Loop, Stop> {
        OneOf::new(Stop(()))
    }
}

fn main() {}
