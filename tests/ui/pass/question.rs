//! Two steps with a question between them.

use workflow_runtime::prelude::*;

struct Greet;

#[workflow]
impl Greet {
    #[step]
    fn ask(&self, _: Start) -> InputRequired {
        InputRequired::text("What is your name?")
    }

    #[step]
    async fn greet(&self, answer: HumanResponse) -> Stop<String> {
        Stop(format!("Hello, {}!", answer.response))
    }
}

fn main() {
    assert_eq!(Greet::GRAPH.steps.len(), 2);
    let _ = GreetPrompt::Text(Text { message: String::new() });
}
