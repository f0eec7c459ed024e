use workflow_runtime::prelude::*;

#[event]
struct Plan;

#[event]
struct Task;

#[event]
struct Done;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Plan {
        Plan
    }

    #[step]
    fn split(&self, _: &Plan) -> Vec<Task> {
        vec![Task]
    }

    #[step]
    fn work(&self, _: Task) -> Done {
        Done
    }

    #[step]
    fn check(&self, _: &Plan, _: Done) -> Option<Stop> {
        None
    }
}

fn main() {}
