//! The smallest program with a workflow: how large is it?

use workflow_runtime::prelude::*;

struct Double;

#[workflow]
impl Double {
    #[step]
    async fn double(&self, Start(n): Start<u64>) -> Stop<u64> {
        Stop(n * 2)
    }
}

#[tokio::main]
async fn main() -> Result<(), RunError> {
    let args = std::env::args().count() as u64;
    println!("{}", Double.run(args).await?);
    Ok(())
}
