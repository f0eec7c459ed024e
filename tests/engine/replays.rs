//! Runs that are loaded from what a store has of them, and stores whose contents do not add up.

use std::sync::Arc;

use serde_json::value::RawValue;
use workflow_runtime::engine::{Engine, Refused, Status, Tick};
use workflow_runtime::graph::Graph;
use workflow_runtime::journal::{self, RecordError, ReplayError, Replayed};
use workflow_runtime::store::{History, Json, Record};
use workflow_runtime::{ResumeError, RunId, SnapshotError, Time};

use crate::graphs::graph;
use crate::scenario::{Scenario, Value};

const FLOW: &str = "
    split: Start -> Vec(Task)
    work: Task -> Done
    all: Vec(Done) -> Stop";

/// Two tasks, one of which is done.
fn halfway() -> Scenario {
    let mut run = Scenario::start(graph(FLOW), "");
    run.finish("split()", &["Task=1", "Task=2"]).finish("work(1)", &["Done=a"]);
    run
}

fn json(text: &str) -> Json {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// The history of a run, with a piece of the text of one record replaced.
fn with(run: &Scenario, position: usize, from: &str, to: &str) -> Result<Replayed, ReplayError> {
    let mut history = run.journal.history(0);
    let record = &mut history.tail[position - 1];
    assert!(record.body.get().contains(from), "{}", record.body);
    record.body = json(&record.body.get().replacen(from, to, 1));
    run.journal.load(&history)
}

fn restored(replayed: &Replayed, graph: Graph) -> Engine<Value> {
    replayed.snapshot.as_ref().unwrap().restore(Arc::new(graph)).unwrap().engine
}

#[test]
fn a_run_of_which_nothing_was_recorded_has_not_started() {
    let run = halfway();
    let replayed = run.journal.load(&History { tail: Vec::new(), ..run.journal.history(0) }).unwrap();
    assert!(replayed.snapshot.is_none() && replayed.output.is_none());
    assert_eq!((replayed.status, replayed.position), (Status::New, 0));
}

#[test]
fn a_run_whose_process_died_is_loaded_as_it_was_and_taking_it_up_counts_the_interruption() {
    let run = halfway();
    let replayed = run.journal.load(&run.journal.history(0)).unwrap();
    assert_eq!((&replayed.status, replayed.position), (&Status::Running, 3));
    let mut engine = restored(&replayed, graph(FLOW));
    let work = engine.state().invocations().next().unwrap().0;
    assert_eq!(engine.state().invocation(work).unwrap().interruptions(), 0);
    engine.handle(Time(0), Tick::Resumed, &mut Vec::new()).unwrap();
    assert_eq!(engine.state().invocation(work).unwrap().interruptions(), 1);
}

#[test]
fn each_record_is_replayed_under_the_graph_it_was_written_under() {
    // The new version has one more step that takes what the old one had emitted before: replaying that under the new
    // graph would start it.
    let changed = graph(&format!("{FLOW}\n also: Done -> ()"));
    let mut run = halfway().resumed_under(changed.clone());
    assert_eq!(run.running(), ["work(2)"]);
    run.finish("work(2)", &["Done=b"]);
    assert_eq!(run.running(), ["also(b)"]);

    let history = run.journal.history(0);
    let wanted: Vec<_> = journal::fingerprints(&history).collect();
    assert_eq!(wanted, [run.journal.first.clone(), journal::fingerprint(&changed)]);
    let replayed = run.journal.load(&history).unwrap();
    assert_eq!(replayed.fingerprint, journal::fingerprint(&changed));
    assert_eq!(restored(&replayed, changed).state(), run.engine.state());
}

#[test]
fn a_graph_that_only_says_what_a_step_was_called_is_another_graph() {
    // Somebody renames a step and forgets to say so, which his store remembers; then he says so.
    let renamed = FLOW.replace("work:", "check:");
    let mut before = halfway();
    before.journal.know(&graph(&renamed));
    let mut run = before.resumed_under(graph(&renamed.replace("check:", "check[was=work]:")));
    assert_eq!(run.running(), ["check(2)"]);
    run.finish("check(2)", &["Done=b"]);
    assert_eq!(run.journal.load(&run.journal.history(0)).unwrap().position, 5);
}

#[test]
fn a_run_that_was_created_by_one_version_can_be_started_by_the_next() {
    let run = halfway();
    let mut history = run.journal.history(0);
    let older = graph("a: Start -> Stop");
    history.tail[0].fingerprint =
        Some(std::mem::replace(&mut history.fingerprint, journal::fingerprint(&older)));
    let graph_of = |name: &str| match *name == journal::fingerprint(&older) {
        true => Some(Arc::new(older.clone())),
        false => run.journal.graphs.get(name).cloned(),
    };
    let replayed = journal::load(&history, &RunId::from("run"), 1, &graph_of).unwrap();
    assert_eq!(replayed.snapshot.unwrap().to_json(), run.snapshot().to_json());
}

#[test]
fn what_the_steps_share_is_what_the_last_record_that_changed_it_says() {
    let run = halfway();
    let mut history = run.journal.history(0);
    for (record, state) in history.tail.iter_mut().zip([None, Some(1), Some(2), None]) {
        if let Some(state) = state {
            let body = record.body.get().strip_suffix('}').unwrap();
            record.body = json(&format!(r#"{body},"state":{{"sold":{state}}}}}"#));
        }
    }
    let state = |history: &History| {
        let restored = run.journal.load(history).unwrap().snapshot.unwrap();
        restored.restore::<Value>(Arc::new(graph(FLOW))).unwrap().state.map(|state| state.get().to_owned())
    };
    assert_eq!(state(&history).as_deref(), Some(r#"{"sold":2}"#));
    history.tail.truncate(2);
    assert_eq!(state(&history).as_deref(), Some(r#"{"sold":1}"#));
    history.tail.truncate(1);
    assert_eq!(state(&history), None);

    let saved = run.snapshot().to_json();
    let mut history = run.journal.history(3);
    let with_state = format!(r#"{},"state":[7]}}"#, saved.strip_suffix('}').unwrap());
    history.snapshot.as_mut().unwrap().body = json(&with_state);
    assert_eq!(state(&history).as_deref(), Some("[7]"));
}

#[test]
fn a_run_that_was_forked_is_loaded_under_its_own_id_and_numbers_its_events() {
    let run = halfway();
    let graph_of = |name: &str| run.journal.graphs.get(name).cloned();
    let fork = RunId::from("fork");
    let replayed = journal::load(&run.journal.history(2), &fork, 40, &graph_of).unwrap();
    let snapshot = replayed.snapshot.unwrap();
    assert_eq!(snapshot.run_id(), Some(&fork));
    assert_eq!(snapshot.restore::<Value>(Arc::new(graph(FLOW))).unwrap().next_event, 40);
}

// ---- what does not add up ----

#[test]
fn a_replay_that_departs_from_what_was_recorded_is_refused_at_that_position() {
    let run = halfway();
    let last = run.engine.state().last_id();
    let error = with(&run, 3, &format!(r#""last_id":{last}"#), r#""last_id":90"#).unwrap_err();
    let ReplayError::Diverged { position: 3, recorded: 90, replayed, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(replayed, last);
    assert_eq!(
        error.to_string(),
        format!(
            "the replay of run run has departed from what was recorded, at position 3: the last id is {last}, and was 90"
        )
    );

    // Whatever the reason: here somebody gives another graph for the one that was asked for.
    let other = Arc::new(graph(&format!("{FLOW}\n also: Task -> ()")));
    let replay = |position| {
        journal::load(&run.journal.history(position), &RunId::from("run"), 1, &|_| Some(other.clone()))
    };
    assert!(matches!(replay(1), Err(ReplayError::Diverged { position: 2, .. })));
    let at_once = replay(0).unwrap_err();
    let ReplayError::Record { position: 1, source: RecordError::OtherGraph { read_under, .. }, .. } = at_once
    else {
        panic!("{at_once:?}")
    };
    assert_eq!(read_under, journal::fingerprint(&other));
}

#[test]
fn a_damaged_record_is_refused_at_its_position() {
    let run = halfway();
    let unreadable = |from: &str, to: &str| match with(&run, 2, from, to) {
        Err(ReplayError::Record { position: 2, source, .. }) => source,
        other => panic!("{from} -> {to}: {other:?}"),
    };
    assert!(matches!(unreadable("tick", "tock"), RecordError::Unreadable { .. }));
    assert!(matches!(unreadable(r#""invocation":"#, r#""invocation":-"#), RecordError::Unreadable { .. }));
    assert!(
        matches!(unreadable(r#""Task""#, r#""Job""#), RecordError::NoSuchEvent { event } if event == "Job")
    );
    let newer = with(&run, 1, r#""engine":1"#, r#""engine":2"#);
    let Err(ReplayError::Record { source: RecordError::NewerEngine { found: 2, .. }, .. }) = newer else {
        panic!("{newer:?}")
    };
}

#[test]
fn a_record_that_cannot_have_happened_is_refused_at_its_position() {
    let run = halfway();
    let refused = with(&run, 2, r#""invocation":1"#, r#""invocation":77"#).unwrap_err();
    let ReplayError::Refused { position: 2, source: Refused::NotCurrent { .. }, .. } = refused else {
        panic!("{refused:?}")
    };
    // A step that emits what its graph does not say has failed, so the run has come out otherwise.
    let other_point = with(&run, 2, r#""many":[0,"#, r#""many":[9,"#).unwrap_err();
    assert!(matches!(other_point, ReplayError::Diverged { position: 2, .. }), "{other_point:?}");
}

#[test]
fn a_record_that_is_missing_is_missed() {
    let run = halfway();
    let mut history = run.journal.history(0);
    history.tail.remove(1);
    let gap = run.journal.load(&history).unwrap_err();
    assert!(matches!(gap, ReplayError::Gap { position: 2, found: 3, .. }), "{gap:?}");
    let mut history = run.journal.history(2);
    history.snapshot.as_mut().unwrap().position = 1;
    let gap = run.journal.load(&history).unwrap_err();
    assert!(matches!(gap, ReplayError::Gap { position: 2, found: 3, .. }), "{gap:?}");
}

#[test]
fn a_graph_that_is_missing_is_named() {
    let run = halfway();
    let mut history = run.journal.history(0);
    let missing = journal::load(&history, &RunId::from("run"), 1, &|_| None).unwrap_err();
    assert!(matches!(missing, ReplayError::NoGraph { position: 0, .. }), "{missing:?}");
    history.tail[2].fingerprint = Some("5eed".to_owned());
    let missing = run.journal.load(&history).unwrap_err();
    let ReplayError::NoGraph { position: 3, fingerprint, .. } = missing else { panic!("{missing:?}") };
    assert_eq!(fingerprint, "5eed");
}

#[test]
fn a_snapshot_that_cannot_be_read_is_refused_with_its_position() {
    let run = halfway();
    let with = |from: &str, to: &str| {
        let mut history = run.journal.history(2);
        let saved = history.snapshot.as_mut().unwrap();
        saved.body = json(&saved.body.get().replacen(from, to, 1));
        match run.journal.load(&history) {
            Err(ReplayError::Snapshot { position: 2, source, .. }) => source,
            other => panic!("{from} -> {to}: {other:?}"),
        }
    };
    assert!(matches!(with(r#""format":1"#, r#""format":"x""#), ResumeError::Unreadable { .. }));
    assert!(matches!(with(r#""step":"work""#, r#""step":"play""#), ResumeError::DoesNotFit { .. }));
    let newer = with(r#""format":1"#, r#""format":1,"engine":2"#);
    assert!(matches!(newer, ResumeError::NewerEngine { found: 2, newest: 1 }));
}

#[test]
fn a_completed_run_does_not_go_on_under_another_graph() {
    let mut run = halfway();
    run.finish("work(2)", &["Done=b"]).finish("all([a b])", &["Stop=c"]);
    let other = graph("a: Start -> Stop");
    run.journal.know(&other);
    let mut history = run.journal.history(0);
    let body = json(r#"{"tick":{"resumed":{"engine":1}},"last_id":9}"#);
    let fingerprint = Some(journal::fingerprint(&other));
    history.tail.push(Record { position: 6, at: Time(0), key: None, fingerprint, body });
    let refused = run.journal.load(&history).unwrap_err();
    assert!(
        matches!(refused, ReplayError::Unsaved { position: 5, source: SnapshotError::Completed { .. }, .. }),
        "{refused:?}"
    );
}
