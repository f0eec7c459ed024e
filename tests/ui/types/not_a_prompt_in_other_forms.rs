//! Each mention is reported, at the mention, and nothing else is.

use workflow_runtime::Asker;
use workflow_runtime::prelude::*;

struct Sure;

#[derive(Clone)]
struct Certain;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> InputRequired<Sure> {
        InputRequired::new(Sure)
    }

    #[step]
    async fn answered(&self, answer: HumanResponse<Sure>, person: Asker<Certain>) -> Stop {
        drop((answer.prompt, person));
        Stop(())
    }

    #[step]
    async fn late(&self, question: Expired<Sure>) -> Stop {
        drop(question);
        Stop(())
    }
}

fn main() {}
