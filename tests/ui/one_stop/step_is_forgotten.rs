use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> A {
        A
    }

    /// Takes what no step emits, and so is none.
    fn helper(&self, _: u32) -> Stop {
        Stop(())
    }

    fn last(&self, _: &A) -> Result<Stop, StepError> {
        Ok(self.helper(1))
    }
}

fn main() {}
