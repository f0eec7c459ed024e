use workflow_runtime::prelude::*;

#[event]
struct Poke;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> InputRequired {
        InputRequired::text("?")
    }

    #[step]
    async fn answered(&self, _: HumanResponse, asker: Asker, pokes: Inbox<Poke>) -> Stop {
        Stop(())
    }
}

fn main() {}
