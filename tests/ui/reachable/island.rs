use workflow_runtime::prelude::*;

#[event]
struct Ping;

#[event]
struct Pong;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    fn ping(&self, _: Pong) -> Ping {
        Ping
    }

    #[step]
    fn pong(&self, _: Ping) -> OneOf<Pong, Stop> {
        OneOf::new(Pong)
    }
}

fn main() {}
