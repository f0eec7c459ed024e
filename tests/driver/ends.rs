//! However a run ends, its stream ends with exactly one terminal event, and its handle says the same.

use std::error::Error;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{StepErrorKind, WaitingJoin};

use crate::flows::{Go, Log, Race, Shop};

/// Reads a stream to its end. The terminal event must be the only one of its kind.
async fn all<W: Workflow>(run: &Run<W>) -> Vec<RunEventKind<W>> {
    let mut events = run.events();
    let mut kinds = Vec::new();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        assert!(
            !kinds.last().is_some_and(RunEvent::is_terminal),
            "an event after the terminal one: {event:?}"
        );
        kinds.push(event);
    }
    assert!(kinds.last().is_some_and(RunEvent::is_terminal), "the stream ended without a terminal event");
    kinds.into_iter().map(|event| event.kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_completed_run_ends_with_its_output() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 7).await.unwrap();
    assert!(matches!(all(&run).await.last(), Some(RunEventKind::Completed { output: 21 })));
    assert_eq!(run.await, Ok(21));
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_as_it_was_however_late_somebody_reads() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 7).await.unwrap();
    (&run).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    // Comes too late, and changes nothing.
    run.respond(&ask, 8).await.unwrap_err();
    run.cancel("too late").await;
    let mut events = run.events();
    let (mut before, mut last) = (None, None);
    while let Some(event) = events.next().await {
        before = last.replace(event.unwrap());
    }
    let (before, last) = (before.unwrap(), last.unwrap());
    assert!(matches!(last.kind, RunEventKind::Completed { output: 21 }));
    assert_eq!((last.tick, last.at), (before.tick, before.at));
    assert_eq!(last.number, before.number + 1);
}

#[derive(Debug)]
struct NoConnection(std::io::Error);

impl std::fmt::Display for NoConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no connection")
    }
}

impl Error for NoConnection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

struct Fails;

#[workflow]
impl Fails {
    #[step]
    async fn fetch(&self, _: Start) -> Result<Stop, NoConnection> {
        Err(NoConnection(std::io::Error::other("cable")))
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_nobody_has_read_has_its_number() {
    let run = Fails.run(());
    (&run).await.unwrap_err();
    let again = Fails.resume(run.snapshot().unwrap()).unwrap();
    let first = again.events().next().await.unwrap().unwrap();
    let mut events = run.events();
    let mut last = 0;
    while let Some(event) = events.next().await {
        last = event.unwrap().number;
    }
    assert_eq!(first.number, last + 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_names_the_step_and_carries_the_error_with_its_sources() {
    let run = Fails.run(());
    let events = all(&run).await;
    assert!(matches!(&events[..], [.., RunEventKind::StepFailed { .. }, RunEventKind::Failed { .. }]));
    let id = run.id().clone();
    let error = run.await.unwrap_err();
    assert_eq!(error.to_string(), format!("step `fetch` of run {id} failed"));
    let cause = error.source().unwrap();
    assert_eq!(cause.to_string(), "no connection");
    assert_eq!(cause.source().unwrap().to_string(), "cable");
    let RunError::Failed { error, .. } = error else { panic!("{error:?}") };
    assert!(error.source().unwrap().is::<NoConnection>(), "the author's error itself");
}

struct Panics;

#[workflow]
impl Panics {
    #[step]
    fn at_once(&self, Start(late): Start<bool>) -> Go {
        assert!(late, "not {}", "today");
        Go
    }

    #[step]
    async fn later(&self, _: Go) -> Stop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        panic!("too late");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_step_with_its_message_and_nothing_else() {
    for (late, step, message) in
        [(false, "at_once", "panicked: not today"), (true, "later", "panicked: too late")]
    {
        let RunError::Failed { step: failed, error, .. } = Panics.run(late).await.unwrap_err() else {
            panic!()
        };
        assert_eq!((&*failed, error.message()), (step, message));
        assert_eq!(error.kind(), StepErrorKind::Panicked);
    }
}

struct DropPanics;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("boom");
    }
}

#[workflow]
impl DropPanics {
    #[step]
    async fn step(&self, Start(bomb): Start<bool>) -> Stop {
        let _bomb = bomb.then(|| Bomb);
        tokio::task::yield_now().await;
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_destructor_of_a_step_fails_the_step() {
    let RunError::Failed { error, .. } = DropPanics.run(true).await.unwrap_err() else { panic!() };
    assert_eq!(error.message(), "panicked: boom");
    assert_eq!(DropPanics.run(false).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_told_when_everything_else_is_gone() {
    let log = Log::default();
    let run = Race { log: log.clone() }.run(());
    assert_eq!(run.await.as_deref(), Ok("fast"));
    assert_eq!(log.lines(), ["slow is gone"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_has_stopped_its_steps_when_cancel_returns() {
    let log = Log::default();
    let run = Race { log: log.clone() }.run(());
    tokio::time::sleep(Duration::from_millis(1)).await;
    run.cancel("enough").await;
    assert_eq!(log.lines(), ["slow is gone"]);
    assert!(run.is_over());
    assert!(matches!(all(&run).await.last(), Some(RunEventKind::Cancelled { reason }) if reason == "enough"));
    let id = run.id().clone();
    assert_eq!(run.await.unwrap_err().to_string(), format!("run {id} was cancelled: enough"));
}

#[tokio::test(start_paused = true)]
async fn cancelling_a_run_that_has_ended_changes_nothing() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 1).await.unwrap();
    (&run).await.unwrap();
    run.cancel("late").await;
    assert_eq!(run.await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_run_says_so() {
    let (run, _) = Shop::default().asking().await;
    run.suspend().await.unwrap();
    assert!(matches!(all(&run).await.last(), Some(RunEventKind::Suspended)));
    assert!(matches!(run.await, Err(RunError::Suspended { .. })));
}

#[event]
struct Left;
#[event]
struct Right;

struct HalfJoin;

#[workflow]
impl HalfJoin {
    #[step]
    fn left(&self, _: &Start) -> Left {
        Left
    }

    #[step]
    fn right(&self, _: &Start) -> Option<Right> {
        None
    }

    #[step]
    fn both(&self, _: Left, _: Right) -> Stop {
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_in_which_nothing_can_happen_any_more_fails_at_once_and_says_what_is_missing() {
    let run = HalfJoin.run(());
    let RunError::Stalled(stalled) = run.await.unwrap_err() else { panic!() };
    let [WaitingJoin { step, arrived, missing, .. }] = &stalled.waiting[..] else { panic!("{stalled:?}") };
    assert_eq!(
        (&**step, &arrived[..], &missing[..]),
        ("both", &["Left".to_owned()][..], &["Right".to_owned()][..])
    );
    assert_eq!(
        stalled.to_string(),
        format!(
            "run {} stalled: nothing can happen any more and no step has stopped it; step `both` has `Left` and \
             waits for `Right`",
            stalled.run
        )
    );
}

#[test]
fn a_runtime_that_shuts_down_suspends_its_runs() {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = runtime.block_on(async {
        let run = Race { log: log.clone() }.run(());
        tokio::task::yield_now().await;
        run
    });
    drop(runtime);
    assert_eq!(log.lines(), ["slow is gone"]);
    let elsewhere = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    elsewhere.block_on(async {
        assert!(matches!((&run).await, Err(RunError::Suspended { .. })));
        let again = Race { log }.resume(run.snapshot().unwrap()).unwrap();
        assert_eq!(again.await.as_deref(), Ok("fast"));
    });
}
