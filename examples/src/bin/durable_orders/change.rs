//! Answers questions about orders and forks orders, whoever serves them.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::{RequestId, Runner};

use crate::orders::Decision;
use crate::serve::GRACE;
use crate::{Existing, Work};

/// How long somebody who serves may take, before this process does it.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) async fn answer(
    existing: &Existing,
    run: &str,
    request: u64,
    answer: &str,
    work: &Work,
) -> Result<ExitCode, Box<dyn Error>> {
    let decision = serde_json::value::to_raw_value(&decision(answer)?)?;
    let store = existing.open().await?;
    // A runner that hosts nothing takes nothing up; it only passes on what is said.
    let sender = Runner::builder().store(Arc::clone(&store) as _).start().await?;
    let answered = sender.respond_json(run, RequestId(request), &decision, None);
    tokio::pin!(answered);
    let (done, by_itself) = tokio::select! {
        biased;
        done = &mut answered => (done, false),
        () = tokio::time::sleep(PATIENCE) => {
            // It does not matter if somebody serves and is only slow: the order is in one hand.
            let runner = work.runner(&existing.file, &store)?.start().await?;
            let done = answered.await;
            runner.shutdown(GRACE).await;
            (done, true)
        }
    };
    sender.shutdown(Duration::ZERO).await;
    store.close().await?;
    done?;
    writeln!(io::stdout(), "{run} has taken the answer.")?;
    if by_itself {
        eprintln!("Nobody seems to serve {}; `serve` goes on with the order.", existing.file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn decision(answer: &str) -> Result<Decision, String> {
    let (word, rest) = answer.trim().split_once(char::is_whitespace).unwrap_or((answer.trim(), ""));
    match (word, rest.trim()) {
        ("yes", "") => Ok(Decision::Approve),
        // Whether there is a reason is for the question to judge.
        ("no", reason) => Ok(Decision::Reject { reason: reason.to_owned() }),
        _ => Err(format!("`{answer}` is no answer: yes, or no REASON")),
    }
}

pub(crate) async fn fork(
    existing: &Existing,
    run: &str,
    position: u64,
    new_id: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let store = existing.open().await?;
    let runner = Runner::builder().store(Arc::clone(&store) as _).start().await?;
    let forked = runner.fork(run, position, new_id).await;
    runner.shutdown(Duration::ZERO).await;
    store.close().await?;
    forked?;
    writeln!(io::stdout(), "{new_id} begins as {run} was after position {position}.")?;
    Ok(ExitCode::SUCCESS)
}
