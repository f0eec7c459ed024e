//! `#[cfg]` and `#[cfg_attr]` on steps.

use workflow_runtime::prelude::*;

#[event]
struct Middle;

struct Flow;

#[workflow]
impl Flow {
    /// Begins.
    #[cfg(not(any()))]
    #[step]
    fn begin(&self, _: Start) -> Middle {
        Middle
    }

    #[cfg(any())]
    #[step]
    fn begin(&self, _: Start) -> DoesNotExist {}

    #[cfg_attr(any(), step(no, such, option))]
    #[cfg_attr(not(any()), step(workers = 3), doc = "Ends.")]
    async fn end(&self, _: Middle) -> OneOf<Stop<u8>, InputRequired> {
        OneOf::new(Stop(Self::helper()))
    }

    #[step]
    #[cfg(not(any()))]
    fn answered(&self, answer: HumanResponse) -> Stop<u8> {
        Stop(u8::try_from(answer.response.len()).unwrap_or(0))
    }

    #[cfg(not(any()))]
    fn helper() -> u8 {
        7
    }

    #[cfg(any())]
    fn helper() -> u8 {
        8
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let steps: Vec<_> = Flow::GRAPH.steps.iter().map(|step| (&*step.name, &*step.docs, step.options.workers)).collect();
    assert_eq!(steps, [("begin", "Begins.", None), ("end", "Ends.", Some(3)), ("answered", "", None)]);
    assert_eq!(Flow.run(()).await.unwrap(), 7);
    let _ = |prompt: FlowPrompt| match prompt {
        FlowPrompt::Text(text) => text.message,
    };
}
