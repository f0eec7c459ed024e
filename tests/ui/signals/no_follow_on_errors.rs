use workflow_runtime::prelude::*;

#[data]
struct Poke;

struct Flow;

#[workflow]
impl Flow {
    #[step(catches(begin))]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    fn poked(&self, _: Signal<Poke>) {}
}

async fn outside(run: Run<Flow>) -> Result<(), Box<dyn std::error::Error>> {
    run.send(Poke).await?;
    Ok(())
}

fn main() {}
