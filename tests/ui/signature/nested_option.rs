use workflow_runtime::prelude::*;

#[event]
struct A;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Option<Option<A>> {
        None
    }

    #[step]
    fn unit(&self, _: &A) -> Result<Option<()>, String> {
        Ok(None)
    }

    #[step]
    fn bare(&self, _: &A) -> Result {
        Stop(())
    }
}

fn main() {}
