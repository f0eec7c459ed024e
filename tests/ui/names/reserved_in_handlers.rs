use workflow_runtime::prelude::*;

mod mine {
    pub struct StepFailed;

    pub struct Expired;

    pub struct Signal<T>(pub T);
}

#[event]
struct Poke;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn ask(&self, _: Start) -> InputRequired {
        InputRequired::text("?")
    }

    #[step]
    fn answered(&self, _: HumanResponse) -> Result<Stop, String> {
        Ok(Stop(()))
    }

    #[step]
    fn late(&self, _: mine::Expired) -> Stop {
        Stop(())
    }

    #[step]
    fn poked(&self, _: mine::Signal<Poke>) {}

    #[step]
    fn failed(&self, _: mine::StepFailed) -> Stop {
        Stop(())
    }
}

fn main() {}
