use workflow_runtime::prelude::*;

struct Flow<T>(T);

fn build() -> Flow<u8> {
    Flow(0)
}

#[workflow(register = build)]
impl<T> Flow<T> {
    #[step]
    fn begin(&self, _: Start) -> Stop {
        Stop(())
    }
}

fn main() {}
