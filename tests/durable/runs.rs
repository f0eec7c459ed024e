//! What holds of every run in a store.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Filter, RunStatus, Store};
use workflow_runtime::{RequestId, Runner, RunnerError, StepErrorKind};
use workflow_store::SqliteStore;

use crate::flows::{Sum, Sure, hosting, soon};

async fn memory() -> Arc<dyn Store> {
    Arc::new(SqliteStore::in_memory().await.unwrap())
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// The question of a run, when it is asked.
async fn asked(run: &Run<Sum>) -> Ask<Sure> {
    let mut events = run.events();
    loop {
        let event = soon(events.next()).await.expect("the run ended without a question").unwrap();
        if let Some(ask) = event.ask::<Sure>() {
            return ask;
        }
    }
}

/// Waits until the store says that of a run.
async fn stands(store: &Arc<dyn Store>, run: &RunId, status: RunStatus) {
    let mut watch = store.watch(workflow_runtime::store::Interest::Run(run.clone()));
    soon(async {
        while store.show(run).await.unwrap().is_none_or(|it| it.run.status != status) {
            watch.changed().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_with_a_store_does_what_one_without_does() {
    let flow = Sum::default();
    flow.failures.store(1, std::sync::atomic::Ordering::SeqCst);
    let runner = hosting(&flow, &memory().await).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 10).await.unwrap();
    let ask = asked(&run).await;
    run.respond(&ask, true).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "45 true 10");
}

#[tokio::test]
async fn starting_is_idempotent_by_id() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let same = runner.start::<Sum>("sum", 3).await.unwrap();
    assert_eq!(same.id(), run.id());
    let other = runner.start::<Sum>("sum", 4).await.unwrap_err();
    assert!(matches!(other, RunnerError::OtherInput { .. }), "{other:?}");
    let ask = asked(&same).await;
    run.respond(&ask, false).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 false 3");
    let later = runner.start::<Sum>("sum", 3).await.unwrap();
    assert_eq!(soon(later).await.unwrap(), "3 false 3", "it has ended, and is not started again");
    assert_eq!(flow.log.count("split"), 1);
}

#[tokio::test]
async fn a_run_that_only_waits_leaves_memory_and_comes_back_on_its_answer() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await;
    let id = run.id().clone();
    assert_eq!(runner.in_memory(), 1, "somebody looks at it");
    drop(run);
    stands(&store, &id, RunStatus::Waiting).await;
    soon(async {
        while store.show(&id).await.unwrap().unwrap().run.lease.is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let listed = store.list(&Filter::default(), None, 10).await.unwrap();
    assert_eq!(listed.runs[0].questions[0].prompt.get(), r#"{"Sure":{"total":3}}"#);
    let refused = runner.respond_json(id.clone(), RequestId(99), &json("true"), None).await.unwrap_err();
    assert!(matches!(refused, RunnerError::Refused { .. }), "{refused:?}");
    soon(runner.respond_json(id.clone(), ask.id, &json("true"), Some("once"))).await.unwrap();
    soon(runner.respond_json(id.clone(), ask.id, &json("true"), Some("once"))).await.unwrap();
    stands(&store, &id, RunStatus::Completed).await;
    let shown = runner.show(id).await.unwrap();
    assert_eq!(shown.outcome.unwrap().get(), "\"3 true 3\"");
    assert_eq!(flow.log.lines(), ["split", "work 0", "work 1", "work 2", "add", "end"]);
}

#[tokio::test]
async fn what_was_running_is_taken_up_by_the_next_process() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 5).await.unwrap();
    let ask = asked(&run).await;
    soon(runner.shutdown(Duration::ZERO)).await;
    assert!(matches!(soon(&run).await, Err(RunError::Suspended { .. })));
    let next = hosting(&flow, &store).start().await.unwrap();
    let run = soon(next.attach::<Sum>("sum")).await.unwrap();
    run.respond(&ask, true).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "10 true 5");
    assert_eq!(flow.log.count("split"), 1);
    assert_eq!(flow.log.count("add"), 1);
}

#[tokio::test]
async fn a_runner_without_a_store_hosts_runs_under_one_limit() {
    let flow = Sum::default();
    let runner = Runner::builder().workflow(flow.clone()).limit(2).start().await.unwrap();
    let runs: Vec<_> = futures(&runner, 20).await;
    for run in runs {
        let ask = asked(&run).await;
        runner.respond_json(run.id().clone(), ask.id, &json("true"), None).await.unwrap();
        assert_eq!(soon(run).await.unwrap(), "45 true 10");
    }
}

#[tokio::test]
async fn what_needs_a_store_says_so_where_there_is_none() {
    let runner = Runner::builder().workflow(Sum::default()).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 10).await.unwrap();
    let refusals = [
        runner.submit::<Sum>("other", 10).await.err(),
        runner.show("sum").await.err(),
        runner.fork("sum", 1, "fork").await.err(),
        runner.resume("sum").await.err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Some(RunnerError::NoStore)), "{refusal:?}");
    }
    // What does not need one goes on.
    asked(&run).await;
    assert!(matches!(runner.attach::<Sum>("other").await, Err(RunnerError::NoSuchRun { .. })));
}

async fn futures(runner: &Runner, count: u32) -> Vec<Run<Sum>> {
    let mut runs = Vec::new();
    for n in 0..count {
        runs.push(runner.start::<Sum>(format!("sum-{n}"), 10).await.unwrap());
    }
    runs
}

#[event]
struct Piece {
    #[serde(serialize_with = "fails")]
    n: u32,
}

fn fails<S: serde::Serializer>(_: &u32, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("numbers are secret"))
}

/// Sends what cannot be stored, after it has waited or at once.
struct Secretive;

#[workflow]
impl Secretive {
    #[step]
    async fn send(&self, Start(later): Start<bool>, mut out: Emitter<Piece>) {
        if later {
            tokio::task::yield_now().await;
        }
        out.send(Piece { n: 1 }).await;
    }

    #[step]
    fn take(&self, piece: Piece) -> Stop<u32> {
        Stop(piece.n)
    }
}

#[tokio::test]
async fn what_a_step_sends_and_cannot_be_stored_fails_the_step_and_hangs_nobody() {
    let runner = Runner::builder().workflow(Secretive).store(memory().await).start().await.unwrap();
    for (id, later) in [("at once", false), ("later", true)] {
        let run = runner.start::<Secretive>(id, later).await.unwrap();
        let RunError::Failed { step, error, .. } = soon(run).await.unwrap_err() else { panic!() };
        assert_eq!((&*step, error.kind()), ("send", StepErrorKind::Misused));
        assert_eq!(error.message(), "`Piece` does not serialise: numbers are secret");
    }
}

#[event]
struct Loud {
    #[serde(serialize_with = "panics")]
    n: u32,
}

fn panics<S: serde::Serializer>(_: &u32, _: S) -> Result<S::Ok, S::Error> {
    panic!("numbers are secret")
}

/// Returns what panics when it is stored.
struct Indiscreet;

#[workflow]
impl Indiscreet {
    #[step]
    async fn tell(&self, Start(later): Start<bool>) -> Loud {
        if later {
            tokio::task::yield_now().await;
        }
        Loud { n: 1 }
    }

    #[step]
    fn hear(&self, loud: Loud) -> Stop<u32> {
        Stop(loud.n)
    }
}

#[tokio::test]
async fn a_panic_while_an_event_is_written_down_fails_the_step_and_hangs_nobody() {
    let runner = Runner::builder().workflow(Indiscreet).store(memory().await).start().await.unwrap();
    for (id, later) in [("at once", false), ("later", true)] {
        let run = runner.start::<Indiscreet>(id, later).await.unwrap();
        let RunError::Failed { step, error, .. } = soon(run).await.unwrap_err() else { panic!() };
        assert_eq!((&*step, error.kind()), ("tell", StepErrorKind::Panicked));
        assert!(error.message().contains("numbers are secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_submitted_run_is_started_by_whoever_hosts_it() {
    let (flow, store) = (Sum::default(), memory().await);
    let here = hosting(&flow, &store).start().await.unwrap();
    assert!(here.submit::<Sum>("sum", 3).await.unwrap());
    assert!(!here.submit::<Sum>("sum", 3).await.unwrap());
    assert!(matches!(here.submit::<Sum>("sum", 4).await, Err(RunnerError::OtherInput { .. })));
    let id = RunId::from("sum");
    stands(&store, &id, RunStatus::Waiting).await;
    let client = Runner::builder().store(Arc::clone(&store)).start().await.unwrap();
    let question = client.show(id.clone()).await.unwrap().run.questions[0].request;
    soon(client.respond_json(id.clone(), question, &json("true"), None)).await.unwrap();
    stands(&store, &id, RunStatus::Completed).await;
    assert_eq!(flow.log.count("split"), 1);
}

#[tokio::test]
async fn a_fork_goes_its_own_way_and_one_of_a_run_that_has_ended_is_refused() {
    let (flow, store) = (Sum::default(), memory().await);
    let runner = hosting(&flow, &store).start().await.unwrap();
    let run = runner.start::<Sum>("sum", 3).await.unwrap();
    let ask = asked(&run).await;
    let waiting_at = store.show(run.id()).await.unwrap().unwrap().run.position;
    run.respond(&ask, true).await.unwrap();
    assert_eq!(soon(run).await.unwrap(), "3 true 3");
    runner.fork("sum", waiting_at, "other").await.unwrap();
    stands(&store, &RunId::from("other"), RunStatus::Waiting).await;
    soon(runner.respond_json("other", ask.id, &json("false"), None)).await.unwrap();
    stands(&store, &RunId::from("other"), RunStatus::Completed).await;
    assert_eq!(runner.show("other").await.unwrap().outcome.unwrap().get(), "\"3 false 3\"");
    assert_eq!(runner.show("sum").await.unwrap().outcome.unwrap().get(), "\"3 true 3\"");
    assert_eq!(flow.log.count("split"), 1);
    let last = runner.show("sum").await.unwrap().run.position;
    let refused = runner.fork("sum", last, "third").await.unwrap_err();
    assert!(matches!(refused, RunnerError::NotRunning { status: RunStatus::Completed, .. }), "{refused:?}");
}
