//! One mistake in one type is one error at each mention in a signature, whatever is generated from it and whatever else
//! uses the workflow.

use workflow_runtime::prelude::*;

struct Draft(u32);

#[derive(Clone)]
struct Order;

#[prompt(response = Verdict)]
struct Publish;

struct Verdict;

struct Flow;

#[workflow(prompts = Questions)]
impl Flow {
    #[step]
    async fn write(&self, Start(_): Start<Order>, context: &Context<Self>) -> Result<Vec<Draft>, StepError> {
        Ok(vec![Draft(context.attempt())])
    }

    #[step]
    fn ask(&self, drafts: Vec<Draft>) -> OneOf<InputRequired<Publish>, Stop<bool>> {
        if drafts.is_empty() { OneOf::new(Stop(false)) } else { OneOf::new(InputRequired::new(Publish)) }
    }

    #[step]
    async fn publish(&self, answer: HumanResponse<Publish>) -> Stop<bool> {
        drop(answer.response);
        Stop(true)
    }
}

/// Everything that uses the workflow goes on to compile.
async fn publish() -> Result<bool, RunError> {
    let run = Flow.run(Order);
    if let Ok(ask) = run.pending().one::<Publish>() {
        drop(run.respond(&ask, Verdict).await);
    }
    let _ = |questions: Questions| match questions {
        Questions::Publish(Publish) => {}
    };
    run.await
}

fn main() {}
