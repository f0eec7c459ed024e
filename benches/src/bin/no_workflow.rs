//! The same program without a workflow.

#[tokio::main]
async fn main() -> Result<(), tokio::task::JoinError> {
    let args = std::env::args().count() as u64;
    println!("{}", tokio::spawn(async move { args * 2 }).await?);
    Ok(())
}
