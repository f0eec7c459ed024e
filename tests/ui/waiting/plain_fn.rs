use workflow_runtime::prelude::*;

#[data]
struct Pay;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn ask(&self, _: Start, _person: Asker, _orders: Inbox<Pay>) -> Stop {
        Stop(())
    }
}

fn main() {}
