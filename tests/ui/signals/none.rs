use workflow_runtime::prelude::*;

#[data]
struct Poke;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

async fn outside(run: Run<Flow>) -> Result<(), Box<dyn std::error::Error>> {
    run.send(Poke).await?;
    Ok(())
}

fn main() {}
