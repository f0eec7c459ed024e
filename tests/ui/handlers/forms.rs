use workflow_runtime::prelude::*;

#[event]
struct Task;

#[event]
struct Done;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn split(&self, _: Start) -> Vec<Task> {
        vec![Task]
    }

    #[step]
    fn work(&self, _: Task) -> Done {
        Done
    }

    #[step]
    fn all(&self, _: Vec<Result<Done, StepFailed<Task>>>) -> Stop {
        Stop(())
    }

    #[step]
    fn other_error(&self, _: Vec<Result<Done, String>>) -> Stop {
        Stop(())
    }

    #[step]
    fn gathered(&self, _: StepFailed<Vec<Done>>) -> Stop {
        Stop(())
    }

    #[step]
    fn with_another(&self, _: StepFailed, _: Task) -> Stop {
        Stop(())
    }

    #[step]
    fn either(&self, _: OneOf<StepFailed, Task>) -> Stop {
        Stop(())
    }

    #[step]
    fn borrowed(&self, _: &StepFailed) -> Stop {
        Stop(())
    }
}

fn main() {}
