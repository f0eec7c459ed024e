use workflow_runtime::prelude::*;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn by_id(&self, Start(id): Start<u64>) -> Stop<u64> {
        Stop(id)
    }

    #[step]
    fn by_name(&self, Start(name): Start<String>) -> Stop<u64> {
        Stop(name.len() as u64)
    }
}

fn main() {}
