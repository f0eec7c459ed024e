//! Snapshots of real runs, and what taking them up does.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{ResumeError, SnapshotError};

use crate::flows::{Counter, HowMany, Log, Race, Shop, Split};

fn through_json(snapshot: Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_run_is_finished_elsewhere_without_running_anything_twice() {
    let shop = Shop::default();
    let (run, _) = shop.asking().await;
    let id = run.id().clone();
    let snapshot = through_json(run.suspend().await.unwrap());
    drop(run);

    let run = shop.clone().resume(snapshot).unwrap();
    assert_eq!(*run.id(), id);
    let ask = run.pending().one::<HowMany>().unwrap();
    run.respond(&ask, 5).await.unwrap();
    assert_eq!(run.await, Ok(15));
    assert_eq!(shop.priced.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_loop_over_the_events_serves_a_resumed_run_as_well() {
    let (run, _) = Shop::default().asking().await;
    let before = run.events_after(0);
    let run = Shop::default().resume(run.suspend().await.unwrap()).unwrap();
    drop(before);
    let mut events = run.events();
    while let Some(event) = events.next().await {
        if let Some(ask) = event.unwrap().ask::<HowMany>() {
            run.respond(&ask, 5).await.unwrap();
        }
    }
    assert_eq!(run.await, Ok(15));
}

#[tokio::test(start_paused = true)]
async fn a_copy_goes_its_own_way() {
    let (run, ask) = Shop::default().asking().await;
    let copy = Shop::default().resume(through_json(run.snapshot().unwrap())).unwrap();
    run.respond(&ask, 1).await.unwrap();
    assert_eq!(run.await, Ok(3));
    copy.respond(&ask, 2).await.unwrap();
    assert_eq!(copy.await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_was_running_runs_again_from_its_input() {
    let run = Split.run(10);
    tokio::time::sleep(Duration::from_millis(5)).await;
    let snapshot = through_json(run.suspend().await.unwrap());
    let resumed = Split.resume(snapshot).unwrap();
    let mut started = 0;
    let mut events = resumed.events();
    while let Some(event) = events.next().await {
        started += u32::from(matches!(event.unwrap().kind, RunEventKind::StepStarted { step: "work", .. }));
    }
    assert_eq!(resumed.await, Ok(45));
    assert!((4..=5).contains(&started), "those of more than 5 ms: {started}");
}

#[tokio::test(start_paused = true)]
async fn suspending_stops_the_steps_before_it_returns() {
    let log = Log::default();
    let run = Race { log: log.clone() }.run(());
    tokio::time::sleep(Duration::from_millis(1)).await;
    run.suspend().await.unwrap();
    assert_eq!(log.lines(), ["slow is gone"]);
}

#[tokio::test(start_paused = true)]
async fn the_stream_goes_on_with_its_numbers() {
    let (run, _) = Shop::default().asking().await;
    let mut last = 0;
    let mut events = run.events();
    let snapshot = run.suspend().await.unwrap();
    while let Some(event) = events.next().await {
        last = event.unwrap().number;
    }
    let run = Shop::default().resume(snapshot).unwrap();
    let first = run.events_after(last).next().await.unwrap().unwrap();
    assert_eq!(first.number, last + 1);
}

#[tokio::test(start_paused = true)]
async fn a_completed_run_has_nothing_to_save() {
    let run = Split.run(0);
    (&run).await.unwrap();
    assert!(matches!(run.snapshot(), Err(SnapshotError::Completed { .. })));
    assert!(matches!(run.suspend().await, Err(SnapshotError::Completed { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_workflow_is_refused() {
    let (run, _) = Shop::default().asking().await;
    let refused = Split.resume(run.suspend().await.unwrap()).unwrap_err();
    assert!(matches!(refused, ResumeError::OtherWorkflow { .. }), "{refused:?}");
}

struct Flaky {
    calls: Counter,
    before: Counter,
}

#[event]
struct Fetch;

#[workflow]
impl Flaky {
    #[step]
    fn begin(&self, _: Start) -> Fetch {
        self.before.count();
        Fetch
    }

    #[step]
    async fn fetch(&self, _: Fetch) -> Result<Stop<u32>, String> {
        self.calls.count();
        if self.calls.value() < 3 { Err("busy".to_owned()) } else { Ok(Stop(self.calls.value())) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_is_continued_from_the_failed_step() {
    let (calls, before) = (Counter::default(), Counter::default());
    let flow = || Flaky { calls: calls.clone(), before: before.clone() };
    let first = flow().run(());
    assert!(matches!((&first).await, Err(RunError::Failed { .. })));
    let second = flow().resume(through_json(first.suspend().await.unwrap())).unwrap();
    assert!(matches!((&second).await, Err(RunError::Failed { .. })));
    let third = flow().resume(through_json(second.snapshot().unwrap())).unwrap();
    assert_eq!(third.await, Ok(3));
    assert_eq!(before.value(), 1);
}

struct Unsaved;

#[data]
struct Odd {
    #[serde(serialize_with = "fails")]
    n: u32,
}

fn fails<S>(_: &u32, _: S) -> Result<S::Ok, S::Error>
where
    S: workflow_runtime::__private::serde::Serializer,
{
    Err(workflow_runtime::__private::serde::ser::Error::custom("numbers are secret"))
}

#[workflow]
impl Unsaved {
    #[step]
    async fn wait(&self, Start(odd): Start<Odd>) -> Stop<u32> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Stop(odd.n)
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_serialise_is_an_error_and_the_run_goes_on() {
    let run = Unsaved.run(Odd { n: 3 });
    let error = run.snapshot().unwrap_err();
    assert_eq!(error.to_string(), format!("event `Start<Odd>` of run {} does not serialise", run.id()));
    assert_eq!(run.await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_run_fits_in_a_few_hundred_bytes() {
    let (run, _) = Shop::default().asking().await;
    let json = run.suspend().await.unwrap().to_json();
    assert!(json.len() <= 400, "{} bytes: {json}", json.len());
}
