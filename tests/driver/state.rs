//! What the steps of a run share.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{MisfitReason, ResumeError, StepErrorKind};

use crate::flows::{Done, Task};

#[data]
#[derive(Debug, Default, PartialEq)]
struct Tally {
    count: u64,
    names: Vec<String>,
}

/// Many steps count at once, and one of them asks in the middle.
struct Counting;

#[workflow(state = Tally)]
impl Counting {
    #[step]
    fn split(&self, Start(n): Start<u64>, ctx: &Context<Self>) -> Vec<Task> {
        ctx.update(|tally| tally.names.push("split".to_owned()));
        (0..n).map(|n| Task { n }).collect()
    }

    #[step]
    async fn work(&self, task: Task, ctx: &Context<Self>) -> Result<Done, String> {
        ctx.update(|tally| tally.count += 1);
        tokio::time::sleep(Duration::from_millis(task.n)).await;
        ctx.update(|tally| tally.count += 100);
        if task.n == 13 { Err("unlucky".to_owned()) } else { Ok(Done { n: task.n }) }
    }

    #[step]
    fn ask(&self, all: Vec<Done>, ctx: &Context<Self>) -> InputRequired {
        InputRequired::text(format!("{} of {}", ctx.state().count, all.len()))
    }

    #[step]
    fn end(&self, _: HumanResponse, ctx: &Context<Self>) -> Stop<u64> {
        ctx.update(|tally| tally.names.push("end".to_owned()));
        Stop(ctx.state().count)
    }
}

async fn asking(run: &Run<Counting>) -> Ask<Text> {
    let mut events = run.events();
    while let Some(event) = events.next().await {
        if let Some(ask) = event.unwrap().ask::<Text>() {
            return ask;
        }
    }
    panic!("nothing was asked: {:?}", run.await);
}

#[tokio::test(start_paused = true)]
async fn parallel_steps_neither_lose_nor_double_a_change() {
    let run = Counting.run(10);
    let ask = asking(&run).await;
    assert_eq!(ask.prompt.message, "1010 of 10");
    run.respond(&ask, String::new()).await.unwrap();
    assert_eq!((&run).await, Ok(1_010));
    assert_eq!(run.state().names, ["split", "end"], "the stopping step's own change counts");
}

#[tokio::test(start_paused = true)]
async fn the_state_survives_a_snapshot_and_interrupted_steps_count_once() {
    let run = Counting.run(10);
    tokio::time::sleep(Duration::from_millis(5)).await;
    let json = run.suspend().await.unwrap().to_json();
    let run = Counting.resume(Snapshot::from_json(&json).unwrap()).unwrap();
    let ask = asking(&run).await;
    assert_eq!(ask.prompt.message, "1010 of 10");
    assert_eq!(*run.state(), Tally { count: 1_010, names: vec!["split".to_owned()] });
    run.cancel("test").await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_changes_nothing() {
    let run = Counting.run(14);
    assert!((&run).await.is_err());
    assert_eq!(run.state().count, 13 * 101);
}

struct Careless;

#[workflow(state = Tally)]
impl Careless {
    #[step]
    fn step(&self, _: Start, ctx: &Context<Self>) -> Stop {
        ctx.update(|tally| tally.count += 1);
        ctx.update(|tally| assert!(tally.count > 5, "too few"));
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_panics_fails_the_step_and_tears_nothing() {
    let run = Careless.run(());
    let RunError::Failed { error, .. } = (&run).await.unwrap_err() else { panic!() };
    assert_eq!((error.kind(), error.message()), (StepErrorKind::Panicked, "panicked: too few"));
    assert_eq!(run.state().count, 0);
}

#[tokio::test(start_paused = true)]
async fn a_saved_state_that_cannot_be_read_is_refused() {
    let run = Counting.run(2);
    asking(&run).await;
    let json = run.suspend().await.unwrap().to_json().replace("\"count\":202", "\"count\":\"many\"");
    let refused = Counting.resume(Snapshot::from_json(&json).unwrap()).unwrap_err();
    let ResumeError::DoesNotFit { misfits, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(&misfits[0].reason, MisfitReason::OtherState { .. }), "{misfits:?}");
}

/// Each task counts once, fails at first, and takes its time; the first ten are enough.
#[derive(Clone)]
struct Enough;

#[workflow(state = Tally)]
impl Enough {
    #[step]
    fn split(&self, Start(n): Start<u64>) -> Vec<Task> {
        (0..n).map(|n| Task { n }).collect()
    }

    #[step(workers = 8, retry = Retry::fixed("10ms"))]
    async fn work(&self, task: Task, ctx: &Context<Self>) -> Result<Done, String> {
        ctx.update(|tally| tally.count += 1);
        tokio::time::sleep(Duration::from_millis(1 + task.n % 3)).await;
        if ctx.attempt() == 1 { Err("busy".to_owned()) } else { Ok(Done { n: task.n }) }
    }

    #[step(take = 10)]
    fn enough(&self, _: Vec<Done>) -> InputRequired {
        InputRequired::text("enough?")
    }

    #[step]
    fn end(&self, _: HumanResponse, ctx: &Context<Self>) -> Stop<u64> {
        Stop(ctx.state().count)
    }
}

#[tokio::test(start_paused = true)]
async fn parallel_changes_count_once_under_retries_cancels_and_restores() {
    for every in 1..=30 {
        let mut run = Enough.run(40);
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(every)).await;
            let json = serde_json::to_string(&run.suspend().await.unwrap()).unwrap();
            run = Enough.resume(serde_json::from_str(&json).unwrap()).unwrap();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let ask = run.pending().one::<Text>().unwrap();
        run.respond(&ask, String::new()).await.unwrap();
        assert_eq!(run.await.unwrap(), 10, "interrupted three times, every {every} ms");
    }
}
