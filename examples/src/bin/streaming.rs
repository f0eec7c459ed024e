//! Shows progress while a step is still working.
//!
//! ```text
//! cargo run --bin streaming
//! ```

use std::error::Error;
use std::time::Duration;

use workflow_runtime::prelude::*;

/// What a step tells while it works. It has no effect on the run.
#[data]
struct Copied {
    file: String,
    percent: u8,
}

#[event]
struct Copy {
    files: Vec<String>,
}

struct Backup {
    pace: Duration,
}

#[workflow(progress = Copied)]
impl Backup {
    #[step]
    fn list(&self, _: Start) -> Copy {
        Copy { files: vec!["letters.txt".to_owned(), "photos.zip".to_owned()] }
    }

    #[step]
    async fn copy(&self, work: Copy, ctx: &Context<Self>) -> Stop<usize> {
        for file in &work.files {
            for percent in [0, 50, 100] {
                ctx.publish(Copied { file: file.clone(), percent });
                tokio::time::sleep(self.pace).await;
            }
        }
        Stop(work.files.len())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let run = Backup { pace: Duration::from_millis(100) }.run(());
    let mut events = run.events();
    while let Some(event) = events.next().await {
        match event?.kind {
            RunEventKind::StepStarted { step, .. } => println!("{step} starts"),
            RunEventKind::Progress { value, .. } => println!("  {} {:>3} %", value.file, value.percent),
            RunEventKind::StepFinished { step, .. } => println!("{step} is done"),
            _ => {}
        }
    }
    println!("{} files are safe.", run.await?);
    Ok(())
}
