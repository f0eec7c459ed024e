use workflow_runtime::prelude::*;

#[data]
struct Pay;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn serve(&self, _: Start, orders: Inbox<Pay>) -> Stop {
        orders.next().await;
        Stop(())
    }

    #[step]
    fn paid(&self, _: Signal<Pay>) -> Stop {
        Stop(())
    }
}

fn main() {}
