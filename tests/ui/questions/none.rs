use workflow_runtime::Ask;
use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Publish;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

async fn outside(run: Run<Flow>, publish: &Ask<Publish>) -> Result<(), Box<dyn std::error::Error>> {
    run.respond(publish, true).await?;
    Ok(())
}

fn main() {}
