use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn greet(&self, Start(name): Start<String>) -> Result<String, StepError> {
        Ok(format!("Hello, {name}!"))
    }
}

fn main() {}
