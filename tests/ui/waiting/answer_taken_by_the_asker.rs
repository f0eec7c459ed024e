use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn ask(&self, _: Start, person: Asker<Sure>) -> Result<Stop, AskError> {
        person.ask(Sure).await?;
        Ok(Stop(()))
    }

    #[step]
    fn answered(&self, _: HumanResponse<Sure>) -> Stop {
        Stop(())
    }
}

fn main() {}
