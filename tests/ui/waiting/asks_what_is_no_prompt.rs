use workflow_runtime::prelude::*;

#[data]
struct Sure;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn ask(&self, _: Start, person: Asker<Sure>) -> Stop {
        drop(person);
        Stop(())
    }
}

fn main() {}
