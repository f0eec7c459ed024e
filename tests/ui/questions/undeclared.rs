use workflow_runtime::Ask;
use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Publish;

#[prompt(response = bool)]
struct Retract;

struct NoQuestion;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> InputRequired<Publish> {
        InputRequired::new(Publish)
    }

    #[step]
    fn end(&self, _: HumanResponse<Publish>) -> Stop {
        Stop(())
    }
}

async fn outside(run: Run<Flow>, retract: &Ask<Retract>) -> Result<(), Box<dyn std::error::Error>> {
    run.respond(retract, true).await?;
    run.pending().all::<NoQuestion>();
    while let Some(event) = run.events().next().await {
        event?.ask::<Retract>();
    }
    Ok(())
}

fn main() {}
