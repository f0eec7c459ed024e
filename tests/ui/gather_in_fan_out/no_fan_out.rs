use workflow_runtime::prelude::*;

#[event]
struct Task;

#[event]
struct Done;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Task {
        Task
    }

    #[step]
    fn work(&self, _: Task) -> Done {
        Done
    }

    #[step]
    fn collect(&self, all: Vec<Done>) -> Stop<usize> {
        Stop(all.len())
    }
}

fn main() {}
