use workflow_runtime::prelude::*;
use workflow_runtime::{Expired, Signal};

#[event]
struct Poke;

struct Flow;

#[workflow(state = u32)]
impl Flow {
    #[step(retry = 3, timeout = "10s", blocking)]
    fn begin(&self, _: Start) -> InputRequired {
        InputRequired::text("?")
    }

    #[step]
    fn answered(&self, _: OneOf<HumanResponse, Expired>) -> Stop {
        Stop(())
    }

    #[step]
    fn poked(&self, _: Signal<Poke>) {}
}

fn main() {}
