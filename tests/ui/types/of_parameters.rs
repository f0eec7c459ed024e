//! What is wrong with types that mention a parameter of the block is reported once, too.

use workflow_runtime::prelude::*;

trait Llm: Send + Sync + 'static {
    type Message;
}

struct Agent<L> {
    llm: L,
}

#[workflow]
impl<L: Llm> Agent<L> {
    #[step]
    async fn begin(&self, _: Start) -> L::Message {
        unimplemented!()
    }

    #[step]
    async fn end(&self, _: L::Message) -> Stop<L> {
        unimplemented!()
    }
}

async fn talk<L: Llm>(agent: Agent<L>) {
    let _ = &agent.llm;
}

fn main() {}
