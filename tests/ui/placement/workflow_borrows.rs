use workflow_runtime::prelude::*;

struct Flow<'a> {
    name: &'a str,
}

#[workflow]
impl<'a> Flow<'a> {
    #[step]
    fn begin(&self, _: Start) -> Stop<usize> {
        Stop(self.name.len())
    }
}

fn main() {}
