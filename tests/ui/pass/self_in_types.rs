//! `Self` in the types of a signature is the workflow.

use workflow_runtime::prelude::*;

#[event]
struct For<W> {
    value: u8,
    #[serde(skip)]
    workflow: std::marker::PhantomData<fn() -> W>,
}

trait Unit {
    type Amount;
}

#[derive(Clone)]
struct Flow;

impl Unit for Flow {
    type Amount = u8;
}

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, Start(value): Start<<Self as Unit>::Amount>) -> For<Self> {
        For { value, workflow: std::marker::PhantomData }
    }

    #[step]
    fn end(&self, ev: For<Self>) -> Stop<<Self as Unit>::Amount> {
        Stop(ev.value)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(&*Flow::GRAPH.events[1].name, "For<Flow>");
    assert_eq!(Flow.run(3).await.unwrap(), 3);
}
