//! What happened in a stored run, as it is told from its journal.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a test fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use workflow_runtime::engine::{Command, Emitted, Engine, InvocationId, Invoke, Json, Tick, Verdict};
use workflow_runtime::graph::build::{AlternativeDecl, Builder, ReturnsDecl, StepDecl, ToolDecl};
use workflow_runtime::graph::{Graph, Param, ParamForm, PointId};
use workflow_runtime::journal::{
    self, AttemptResult, InspectError, MemberReport, PartReport, Raw, ReplayError, RunReport, StepReport,
};
use workflow_runtime::store::{Append, Due, Lease, NewRun, Record, Store, StoreError};
use workflow_runtime::{RunId, Snapshot, Status, StepError, Time};
use workflow_store::SqliteStore;

/// `split: Start -> Vec<Task>`, `work: Task -> Done` by one worker, which sends `Note`s, and
/// `all: Vec<Result<Done, StepFailed>> -> Stop`; with `more`, a step that takes each `Done` as well.
fn graph(more: bool) -> Graph {
    let mut builder = Builder::new("Tasks");
    let (start, task, done) = (builder.start("()"), builder.event("Task"), builder.event("Done"));
    let (note, stop) = (builder.event("Note"), builder.stop("()"));
    let one = |event| Param::new(ParamForm::One, [event]);
    let returns = |alternatives| ReturnsDecl { fallible: false, optional: false, alternatives };
    let nothing = || ReturnsDecl { fallible: false, optional: true, alternatives: Vec::new() };

    let mut split = StepDecl::new("split");
    split.params.push(one(start));
    split.returns = returns(vec![AlternativeDecl::Many(vec![task])]);
    let mut work = StepDecl::new("work");
    work.params.push(one(task));
    work.tools.push(ToolDecl::Emitter(vec![note]));
    work.options.workers = Some(1);
    work.returns = returns(vec![AlternativeDecl::One(done)]);
    let mut all = StepDecl::new("all");
    all.params.push(Param::new(ParamForm::Gather { failures: true }, [done]));
    all.returns = returns(vec![AlternativeDecl::One(stop)]);
    let mut notes = StepDecl::new("notes");
    notes.params.push(one(note));
    notes.returns = nothing();
    for step in [split, work, all, notes] {
        builder.step(step);
    }
    if more {
        let mut also = StepDecl::new("also");
        also.params.push(one(done));
        also.returns = nothing();
        builder.step(also);
    }
    builder.build()
}

/// A run as a driver would have it: an engine, and everything that happens in it in the store.
struct Run {
    store: SqliteStore,
    id: RunId,
    engine: Engine<Raw>,
    graph: Arc<Graph>,
    running: Vec<Invoke<Raw>>,
    minutes: u64,
    position: u64,
}

impl Run {
    async fn create() -> Self {
        let store = SqliteStore::in_memory().await.unwrap();
        let (graph, id) = (Arc::new(graph(false)), RunId::from("run"));
        let fingerprint = journal::fingerprint(&graph);
        store.put_graph(&fingerprint, journal::graph_json(&graph)).await.unwrap();
        let new = NewRun {
            run: id.clone(),
            workflow: "Tasks".to_owned(),
            fingerprint,
            input: json(0),
            input_key: "0".to_owned(),
            at: Time(0),
            due: Due::Now,
            tags: BTreeMap::new(),
            lease: Some(Lease { owner: "me".to_owned(), until: Time(1) }),
        };
        store.create(new).await.unwrap();
        let engine = Engine::new(Arc::clone(&graph));
        Self { store, id, engine, graph, running: Vec::new(), minutes: 0, position: 0 }
    }

    /// A process takes the run up, by that graph.
    async fn take_up(&mut self, graph: Graph) {
        self.graph = Arc::new(graph);
        let fingerprint = journal::fingerprint(&self.graph);
        self.store.put_graph(&fingerprint, journal::graph_json(&self.graph)).await.unwrap();
        let snapshot = Snapshot::take(&self.id, &self.engine, 1).unwrap();
        self.engine = snapshot.restore(Arc::clone(&self.graph)).unwrap().engine;
        self.running.clear();
        self.tick(Tick::Resumed, Some(fingerprint)).await;
    }

    async fn tick(&mut self, tick: Tick<Raw>, fingerprint: Option<String>) {
        self.minutes += 1;
        let at = Time(self.minutes);
        let body = journal::body(&self.graph, &tick).unwrap();
        let mut commands = Vec::new();
        self.engine.handle(at, tick, &mut commands).unwrap();
        for command in commands {
            match command {
                Command::Run(invoke) => self.running.push(invoke),
                Command::Abort { invocation } => self.running.retain(|it| it.invocation != invocation),
                _ => {}
            }
        }
        self.position += 1;
        let body = journal::record(body, self.engine.state().last_id(), None);
        let records = vec![Record { position: self.position, at, key: None, fingerprint, body }];
        let append = Append { records, ..Append::new(self.id.clone(), 1, self.position - 1, at) };
        self.store.append(vec![append]).await.unwrap().remove(0).unwrap();
    }

    async fn start(&mut self) {
        let input = self.event("Start", 0);
        self.tick(Tick::Started { input }, None).await;
    }

    async fn finish(&mut self, step: &str, emitted: Emitted<Raw>) {
        let (invocation, attempt) = self.take(step);
        self.tick(Tick::Finished { invocation, attempt, emitted }, None).await;
    }

    async fn fail(&mut self, step: &str, why: &str, verdict: Verdict) {
        let (invocation, attempt) = self.take(step);
        let error = StepError::new(why);
        self.tick(Tick::Failed { invocation, attempt, error, verdict }, None).await;
    }

    fn take(&mut self, step: &str) -> (InvocationId, u32) {
        let step = self.graph.step_named(step).unwrap();
        let place = self.running.iter().position(|it| it.step == step).unwrap();
        let Invoke { invocation, attempt, .. } = self.running.remove(place);
        (invocation, attempt)
    }

    fn event(&self, name: &str, value: u32) -> Raw {
        Raw { event: self.graph.event_named(name).unwrap(), json: Json(json(value)) }
    }

    fn many(&self, step: &str, events: Vec<Raw>) -> Emitted<Raw> {
        Emitted::Many(self.point(step), events)
    }

    fn point(&self, step: &str) -> PointId {
        let step = self.graph.step_named(step).unwrap();
        let place = self.graph.points.iter().position(|point| point.step == step).unwrap();
        PointId(place.try_into().unwrap())
    }

    async fn report(&self) -> RunReport {
        journal::inspect(&self.store, &self.id).await.unwrap()
    }
}

fn json(value: u32) -> Box<RawValue> {
    to_raw_value(&value).unwrap()
}

/// `work 1.0 (Task 7): 4..5 failed, 6.. running`
fn told(step: &StepReport) -> String {
    let attempts = step.attempts.iter().map(|attempt| {
        let result = match &attempt.result {
            AttemptResult::Running => "running".to_owned(),
            AttemptResult::Finished { emitted } => {
                let emitted = emitted.iter().map(|it| format!(" {} {}", it.event, it.value.0.get()));
                format!("finished{}", emitted.collect::<String>())
            }
            AttemptResult::Failed { error, retry_at: None } => format!("failed {error}"),
            AttemptResult::Failed { error, retry_at: Some(at) } => {
                format!("failed {error}, again at {}", at.0)
            }
            AttemptResult::Interrupted => "interrupted".to_owned(),
            AttemptResult::Cancelled => "cancelled".to_owned(),
            _ => unreachable!(),
        };
        let sent = attempt.sent.iter().map(|it| format!("sent {} {}, ", it.event, it.value.0.get()));
        let ended = attempt.ended_at.map_or_else(String::new, |at| at.0.to_string());
        let sent = sent.collect::<String>();
        format!("[{}] {}..{ended} {sent}{result}", attempt.attempt, attempt.started_at.0)
    });
    let input = step.input.iter().map(|part| match part {
        PartReport::One(one) => format!("{} {}", one.event, one.value.0.get()),
        PartReport::All(members) => {
            let members = members.iter().map(|member| match member {
                MemberReport::Event(one) => format!("{} {}", one.event, one.value.0.get()),
                MemberReport::Failure(failure) => format!("!{}", failure.error),
            });
            format!("[{}]", members.collect::<Vec<_>>().join(", "))
        }
        PartReport::Failed { failure, .. } => format!("!{}", failure.step),
    });
    let (input, attempts) = (input.collect::<Vec<_>>(), attempts.collect::<Vec<_>>());
    let head = format!("{} {}.{} ({})", step.step, step.depth, step.index, input.join(" & "));
    format!("{head}: {}", attempts.join("; "))
}

fn all_told(report: &RunReport) -> Vec<String> {
    report.steps.iter().map(told).collect()
}

#[tokio::test]
async fn inputs_outputs_and_attempts_of_each_step_are_told_in_order() {
    let mut run = Run::create().await;
    assert_eq!(all_told(&run.report().await), [] as [&str; 0]);
    run.start().await;
    let tasks = (7..=9).map(|n| run.event("Task", n)).collect();
    run.finish("split", run.many("split", tasks)).await;
    let (invocation, attempt, point) = (run.running[0].invocation, 1, run.point("work"));
    let sent = |place, event| Tick::Sent { invocation, attempt, point, place, event };
    run.tick(sent(0, run.event("Note", 1)), None).await;
    run.finish("notes", Emitted::None).await;

    let report = run.report().await;
    assert_eq!((report.status.clone(), report.position), (Status::Running, 4));
    assert_eq!(
        all_told(&report),
        [
            "split 0.0 (Start 0): [1] 1..2 finished Task 7 Task 8 Task 9",
            "work 1.0 (Task 7): [1] 2.. sent Note 1, running",
            "notes 2.0 (Note 1): [1] 3..4 finished",
            "work 1.1 (Task 8): ",
            "work 1.2 (Task 9): ",
        ],
        "what waits for a worker comes last"
    );

    run.fail("work", "busy", Verdict::Retry { after: 0 }).await;
    run.fail("work", "broken", Verdict::Final).await;
    run.finish("work", Emitted::One(run.event("Done", 80))).await;
    run.tick(Tick::Suspended, None).await;
    run.take_up(graph(false)).await;
    run.finish("work", Emitted::One(run.event("Done", 90))).await;
    run.finish("all", Emitted::One(run.event("Stop", 5))).await;

    let report = run.report().await;
    assert_eq!(report.status, Status::Completed);
    assert_eq!(report.output, Some(Json(json(5))));
    assert_eq!(
        all_told(&report),
        [
            "split 0.0 (Start 0): [1] 1..2 finished Task 7 Task 8 Task 9",
            "work 1.0 (Task 7): [1] 2..5 sent Note 1, failed busy, again at 5; [2] 5..6 failed broken",
            "notes 2.0 (Note 1): [1] 3..4 finished",
            "work 1.1 (Task 8): [1] 6..7 finished Done 80",
            "work 1.2 (Task 9): [1] 7..8 interrupted; [1] 9..10 finished Done 90",
            "all 0.0 ([!broken, Done 80, Done 90]): [1] 10..11 finished Stop 5",
        ]
    );
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains(r#""result":{"finished":{"emitted":[{"event":"Done","value":80}]}}"#), "{text}");
}

#[tokio::test]
async fn what_a_process_ran_when_it_died_is_told_and_so_are_the_steps_of_a_changed_workflow() {
    let mut run = Run::create().await;
    run.start().await;
    let tasks = (7..=8).map(|n| run.event("Task", n)).collect();
    run.finish("split", run.many("split", tasks)).await;
    run.take_up(graph(true)).await;
    run.finish("work", Emitted::One(run.event("Done", 70))).await;
    run.tick(Tick::Cancelled { reason: "enough".to_owned() }, None).await;
    let report = run.report().await;
    assert_eq!(report.status, Status::Cancelled);
    assert_eq!(
        all_told(&report),
        [
            "split 0.0 (Start 0): [1] 1..2 finished Task 7 Task 8",
            "work 1.0 (Task 7): [1] 2.. interrupted; [1] 3..4 finished Done 70",
            "also 1.0 (Done 70): [1] 4..5 interrupted",
            "work 1.1 (Task 8): [1] 4..5 interrupted",
        ]
    );
}

#[tokio::test]
async fn a_long_journal_is_read_page_by_page() {
    let mut run = Run::create().await;
    run.start().await;
    let tasks = (0..600).map(|n| run.event("Task", n)).collect();
    run.finish("split", run.many("split", tasks)).await;
    for n in 0..600 {
        run.finish("work", Emitted::One(run.event("Done", n))).await;
    }
    let report = run.report().await;
    assert_eq!((report.position, report.steps.len()), (602, 602));
}

#[tokio::test]
async fn what_cannot_be_inspected_says_why() {
    let mut run = Run::create().await;
    let unknown = journal::inspect(&run.store, &RunId::from("other")).await;
    assert!(matches!(unknown, Err(InspectError::Store(StoreError::NoSuchRun { .. }))), "{unknown:?}");
    run.start().await;
    let body = json(7);
    let records = vec![Record { position: 2, at: Time(1), key: None, fingerprint: None, body }];
    let append = Append { records, ..Append::new(run.id.clone(), 1, 1, Time(1)) };
    run.store.append(vec![append]).await.unwrap().remove(0).unwrap();
    let damaged = journal::inspect(&run.store, &run.id).await;
    let Err(InspectError::Replay(ReplayError::Record { position: 2, .. })) = damaged else {
        panic!("{damaged:?}")
    };
}

#[test]
fn a_report_can_be_made_on_any_thread() {
    fn sendable<T: Send>(_: impl FnOnce(&'static SqliteStore, &'static RunId) -> T) {}
    sendable(|store, run| journal::inspect(store, run));
}
