use workflow_runtime::prelude::*;

#[data]
struct Poke;

#[data]
struct Push;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }

    #[step]
    fn poked(&self, _: Signal<Poke>) {}
}

async fn outside(run: Run<Flow>) -> Result<(), Box<dyn std::error::Error>> {
    run.send(Poke).await?;
    run.send(Push).await?;
    Ok(())
}

fn main() {}
