//! One event under several paths is one event.

use workflow_runtime::prelude::*;

mod events {
    #[workflow_runtime::event]
    pub struct Done(pub u8);

    #[workflow_runtime::prompt(response = u8)]
    pub struct More;
}

use events::{Done, More};

struct Flow;

#[workflow_runtime::workflow]
impl crate::Flow {
    #[workflow_runtime::step]
    fn begin(&self, _: workflow_runtime::Start<()>) -> events::Done {
        Done(1)
    }

    #[step]
    fn both(&self, done: crate::events::Done) -> InputRequired<crate::events::More> {
        drop(done);
        InputRequired::new(More)
    }

    #[step]
    fn borrowed(&self, done: &Done) {
        let _ = done;
    }

    #[step]
    async fn answered(&self, answer: workflow_runtime::HumanResponse<More>) -> std::result::Result<workflow_runtime::Stop<u8>, String> {
        Ok(workflow_runtime::Stop(answer.response))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let names: Vec<_> = Flow::GRAPH.events.iter().map(|event| &*event.name).collect();
    assert_eq!(names, ["Start", "Done", "InputRequired<More>", "HumanResponse<More>", "Stop<u8>"]);
}
