use workflow_runtime::prelude::*;

struct Poke;

struct Push;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    fn poked(&self, _: &Signal<Poke>) {}

    #[step]
    fn pushed(&self, _: Signal<Push>) {}
}

fn main() {}
