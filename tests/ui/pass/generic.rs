//! A workflow with type and const parameters, and events that mention them.

use std::fmt::Debug;

use workflow_runtime::prelude::*;
use workflow_runtime::Saved;

trait Llm: Send + Sync + 'static {
    type Message: Saved + Clone + Debug + Send + Sync + 'static;

    fn complete(&self, prompt: &str) -> Self::Message;
}

#[event]
struct Asked<M> {
    message: M,
}

#[event]
struct Batch<M, const N: usize> {
    messages: Vec<M>,
}

#[prompt(response = bool)]
struct Confirm {
    text: String,
}

#[prompt(response = M)]
struct Improve<M> {
    draft: M,
}

struct Agent<L, const N: usize>
where
    L: Llm,
{
    llm: L,
}

#[workflow]
impl<L, const N: usize> Agent<L, N>
where
    L: Llm,
{
    #[step]
    async fn ask(&self, Start(prompt): Start<String>) -> Batch<L::Message, N> {
        Batch { messages: (0..N).map(|_| self.llm.complete(&prompt)).collect() }
    }

    #[step]
    fn split(&self, batch: &Batch<L::Message, N>) -> Vec<Asked<L::Message>> {
        batch.messages.iter().cloned().map(|message| Asked { message }).collect()
    }

    #[step]
    fn gather(&self, all: Vec<Asked<<L as Llm>::Message>>) -> InputRequired<Confirm> {
        InputRequired::new(Confirm { text: format!("{} of {}", all.len(), Self::count()) })
    }

    #[step]
    fn confirmed(&self, answer: HumanResponse<Confirm>) -> OneOf<Stop<usize>, InputRequired<Improve<L::Message>>> {
        if answer.response {
            OneOf::new(Stop(N))
        } else {
            OneOf::new(InputRequired::new(Improve { draft: self.llm.complete("improve") }))
        }
    }

    #[step]
    fn improved(&self, answer: HumanResponse<Improve<L::Message>>) -> Stop<usize> {
        Stop(format!("{:?}", answer.response).len())
    }

    fn count() -> usize {
        N
    }
}

struct Echo;

impl Llm for Echo {
    type Message = String;

    fn complete(&self, prompt: &str) -> String {
        prompt.to_owned()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(Agent::<Echo, 2>::GRAPH.name, "Agent");
    let run = Agent::<_, 3> { llm: Echo }.run("hello".to_owned());
    let mut events = run.events();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        if let Some(ask) = event.ask::<Confirm>() {
            assert_eq!(ask.prompt.text, "3 of 3");
            run.respond(&ask, false).await.unwrap();
        } else if let Some(ask) = event.ask::<Improve<String>>() {
            run.respond(&ask, "better".to_owned()).await.unwrap();
        }
    }
    assert_eq!(run.await.unwrap(), "\"better\"".len());
}
