use workflow_runtime::prelude::*;

struct Flow;

struct Other;

#[workflow(register = build)]
impl Flow {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn build() -> Other {
    Other
}

fn main() {}
