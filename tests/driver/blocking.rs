//! Steps that block their thread.

use std::sync::{Mutex, mpsc};

use workflow_runtime::prelude::*;

use crate::flows::{Go, Log};

struct Slow {
    /// Ends the step when something comes; otherwise it goes on for ever.
    release: Mutex<mpsc::Receiver<()>>,
    log: Log,
}

#[workflow]
impl Slow {
    #[step]
    fn begin(&self, _: Start) -> Go {
        Go
    }

    /// Blocks until it is released or notices that it was cancelled.
    #[step(blocking)]
    fn block(&self, _: Go, ctx: &Context<Self>) -> Stop<bool> {
        self.log.add("blocks");
        while !ctx.is_cancelled() {
            if self.release.lock().unwrap().recv_timeout(std::time::Duration::from_millis(1)).is_ok() {
                return Stop(true);
            }
        }
        self.log.add("noticed");
        Stop(false)
    }
}

#[tokio::test]
async fn a_step_that_blocks_does_not_block_the_runtime() {
    let (release, wait) = mpsc::channel();
    let run = Slow { release: Mutex::new(wait), log: Log::default() }.run(());
    // This test has one thread: it gets here, and on, only if the step does not block it.
    tokio::task::yield_now().await;
    assert!(run.snapshot().is_ok());
    release.send(()).unwrap();
    assert_eq!(run.await, Ok(true));
}

#[tokio::test]
async fn a_step_that_blocks_is_told_that_it_was_cancelled_and_waited_for() {
    let (_release, wait) = mpsc::channel();
    let log = Log::default();
    let run = Slow { release: Mutex::new(wait), log: log.clone() }.run(());
    while log.lines().is_empty() {
        tokio::task::yield_now().await;
    }
    run.cancel("enough").await;
    assert_eq!(log.lines(), ["blocks", "noticed"]);
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

struct Helper {
    log: Log,
}

#[workflow]
impl Helper {
    #[step]
    async fn with_helper(&self, _: Start, ctx: &Context<Self>) -> Stop {
        let (cancelled, log) = (ctx.cancelled(), self.log.clone());
        tokio::spawn(async move {
            cancelled.await;
            log.add("helper stops");
        });
        std::future::pending().await
    }
}

#[tokio::test]
async fn what_a_step_has_started_hears_that_it_was_cancelled() {
    let log = Log::default();
    let run = Helper { log: log.clone() }.run(());
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    run.cancel("enough").await;
    while log.lines().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.lines(), ["helper stops"]);
}
