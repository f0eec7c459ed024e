//! One mistake in one signature is one error.

use workflow_runtime::prelude::*;

#[event]
struct Draft(u32);

#[prompt(response = bool)]
struct Publish;

struct Flow;

#[workflow(prompts = Questions)]
impl Flow {
    #[step]
    fn write(&self, Start(pages): Start<u32>) -> (Draft, Draft) {
        (Draft(pages), Draft(pages))
    }

    #[step]
    fn ask(&self, _: Draft) -> InputRequired<Publish> {
        InputRequired::new(Publish)
    }

    #[step]
    fn publish(&self, answer: HumanResponse<Publish>) -> Stop<bool> {
        Stop(answer.response)
    }
}

/// Everything that uses the workflow goes on to compile.
async fn publish() -> Result<bool, RunError> {
    let flow = Flow;
    let _: (Draft, Draft) = flow.write(Start(7));
    let run = flow.run(7);
    if let Ok(ask) = run.pending().one::<Publish>() {
        drop(run.respond(&ask, true).await);
    }
    let _ = |questions: Questions| match questions {
        Questions::Publish(Publish) => {}
    };
    run.await
}

fn main() {}
