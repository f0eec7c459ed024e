use workflow_runtime::prelude::*;

struct Pay;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    async fn serve(&self, _: Start, orders: Inbox<Pay>) -> Stop {
        orders.next().await;
        Stop(())
    }
}

fn main() {}
