//! Saved runs under changed code, and files that are no saved runs.

use std::sync::Arc;

use workflow_runtime::engine::{Tick, Time};
use workflow_runtime::graph::Graph;
use workflow_runtime::journal::Limits;
use workflow_runtime::{MisfitReason, ResumeError, Snapshot};

use crate::graphs::graph;
use crate::scenario::{Scenario, Value};

const FLOW: &str = "
    split: Start -> Vec(Task)
    work: Task -> Done | ask Ok
    answered: answer Ok -> Done
    extra: Done -> ()
    all: Vec(Done) -> Stop";

/// Two tasks run, one is done, one waits for an answer.
fn halfway() -> Scenario {
    let mut run = Scenario::start(graph(FLOW), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    run.finish("work(1)", &["Done=a"])
        .finish("extra(a)", &[])
        .finish("work(2)", &["InputRequired<Ok>=sure?"]);
    run
}

fn misfits(under: &str) -> Vec<String> {
    match restore(&halfway().snapshot(), graph(under)) {
        Err(ResumeError::DoesNotFit { misfits, .. }) => misfits.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

fn restore(snapshot: &Snapshot, graph: Graph) -> Result<(), ResumeError> {
    snapshot.restore::<Value>(Arc::new(graph)).map(|_| ())
}

/// The snapshot of `halfway` with a piece of its text replaced.
fn with(from: &str, to: &str) -> Result<(), ResumeError> {
    let json = halfway().snapshot().to_json();
    assert!(json.contains(from), "{json}");
    restore(&Snapshot::from_json(&json.replacen(from, to, 1))?, graph(FLOW))
}

#[test]
fn steps_and_events_that_nothing_alive_uses_come_and_go_freely() {
    let run = halfway().resumed_under(graph(
        "
        fresh: Fresh -> ()
        split: Start -> Vec(Task)
        before: Done -> Fresh
        work: Task -> Done | ask Ok
        answered: answer Ok -> Done
        all: Vec(Done) -> Stop",
    ));
    assert_eq!(run.running(), ["work(3)"]);
    assert_eq!(run.questions(), ["sure?"]);
}

#[test]
fn a_step_that_says_what_it_was_called_takes_over() {
    let run = halfway().resumed_under(graph(&FLOW.replace("work:", "check[was=work]:")));
    assert_eq!(run.running(), ["check(3)"]);
}

#[test]
fn a_renamed_step_without_that_is_refused_wherever_something_alive_needs_it() {
    assert_eq!(
        misfits(&FLOW.replace("work:", "check:")),
        [
            "invocation 5 of step `work`: there is no step `work` any more; if it was renamed, write \
             `#[step(was = \"work\")]` on it",
            "question 8 of step `work`: there is no step `work` any more; if it was renamed, write \
             `#[step(was = \"work\")]` on it",
        ]
    );
}

#[test]
fn an_event_that_is_gone_is_refused_wherever_it_is_alive() {
    let found = misfits(&FLOW.replace("Done", "Finished").replace("Task", "Job"));
    assert_eq!(
        found,
        [
            "fan-out 2 of step `split`: there is no event `Done` any more",
            "invocation 5 of step `work`: there is no event `Task` any more",
        ]
    );
}

#[test]
fn a_question_that_no_step_asks_any_more_is_refused() {
    let without = "
        split: Start -> Vec(Task)
        work: Task -> Done
        extra: Done -> ()
        all: Vec(Done) -> Stop";
    assert_eq!(
        misfits(without),
        ["question 8 of step `work`: there is no event `InputRequired<Ok>` any more"]
    );
}

#[test]
fn a_fan_out_that_others_gather_now_is_refused() {
    let found = misfits(&format!("{FLOW}\n also: Vec(Done) -> ()"));
    assert_eq!(found, ["fan-out 2 of step `split`: other steps gather it than when it was opened"]);
}

#[test]
fn a_step_that_joins_now_is_refused() {
    let mut run = Scenario::start(graph("a: Start -> B\n b: B -> Stop"), "");
    run.finish("a()", &["B=1"]);
    let joining = graph("a: Start -> B\n c: Start -> C\n b: B & C -> Stop");
    let Err(ResumeError::DoesNotFit { misfits, .. }) = restore(&run.snapshot(), joining) else { panic!() };
    assert_eq!(misfits[0].to_string(), "invocation 2 of step `b`: the step takes 2 events now, and has 1");
}

#[test]
fn text_that_is_not_json_is_no_snapshot() {
    let Err(error) = Snapshot::from_json("what?") else { panic!("it was read") };
    assert_eq!(error.to_string(), "this is not a snapshot that can be read");
}

#[test]
fn json_of_another_shape_is_no_snapshot_and_the_error_says_what_is_missing() {
    for json in ["[]", "3", "{}", r#"{"format":1}"#, r#"{"format":"one"}"#] {
        assert!(matches!(Snapshot::from_json(json), Err(ResumeError::Unreadable { .. })), "{json}");
    }
    let Err(ResumeError::Unreadable { source }) = Snapshot::from_json(r#"{"format":1}"#) else { panic!() };
    assert!(source.to_string().contains("missing field `workflow`"), "{source}");
}

#[test]
fn a_newer_format_is_refused_and_kept_as_it_is() {
    let json = r#"{"format":2,"anything":[1,2,{"x":null}]}"#;
    let snapshot = Snapshot::from_json(json).unwrap();
    let refused = restore(&snapshot, graph(FLOW));
    assert!(matches!(refused, Err(ResumeError::NewerFormat { found: 2, newest: 1 })));
    assert_eq!(snapshot.to_json(), json);
}

#[test]
fn a_snapshot_of_another_workflow_is_refused() {
    let refused = with(r#""workflow":"Scenario""#, r#""workflow":"Payroll""#).unwrap_err();
    assert_eq!(refused.to_string(), "the snapshot is of workflow `Payroll`, not of `Scenario`");
}

#[test]
fn a_value_that_cannot_be_read_is_refused_with_the_reason() {
    let Err(ResumeError::DoesNotFit { misfits, .. }) = with(r#"["Task","3"]"#, r#"["Task",3]"#) else {
        panic!()
    };
    assert!(matches!(&misfits[0].reason, MisfitReason::Undecodable { event, .. } if event == "Task"));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    for (from, to) in [
        (r#""branch":[2,2]"#, r#""branch":[88,2]"#),
        (r#""last_id":"#, r#""last_id":0,"was":"#),
        (r#"{"id":5,"#, r#"{"id":9,"#),
        (r#""scopes":[{"id":2,"#, r#""scopes":[{"id":2,"parent":[3,0],"#),
        (r#""status":"running""#, r#""status":"new""#),
        (r#""last_id":"#, r#""last_id":18446744073709551615,"was":"#),
        (r#""next_event":"#, r#""next_event":18446744073709551615,"was":"#),
        (r#""attempt":1"#, r#""attempt":4294967295"#),
    ] {
        let refused = with(from, to);
        assert!(matches!(refused, Err(ResumeError::Corrupt { .. })), "{from} -> {to}: {refused:?}");
    }
}

#[test]
fn a_completed_run_cannot_be_resumed() {
    let refused = with(r#""status":"running""#, r#""status":"completed""#);
    assert!(matches!(refused, Err(ResumeError::Completed { .. })));
}

#[test]
fn the_size_depends_on_what_is_alive_and_not_on_what_has_happened() {
    let mut run = Scenario::start(graph("a: Start | Again -> Again | Stop"), "x");
    let size = |run: &Scenario| run.snapshot().to_json().len();
    let before = size(&run);
    for _ in 0..1_000 {
        run.finish("a(x)", &["Again=x"]);
    }
    run.tick(Tick::Suspended).unwrap();
    assert!(size(&run) < before + 20, "{} -> {}", before, size(&run));
}

const WAITING: &str = "
    split: Start -> Vec(Task)
    work: Task & asks Ok & asks Sum & inbox Go & inbox More -> Done
    all: Vec(Done) -> Stop";

/// Three tasks: one sleeps, asks and waits for a signal; one is delayed, and has an answer; one has come to the end of each
/// of its waits. Two signals have come early.
fn waiting() -> Scenario {
    let limits = Limits { deadline: Some(Time(86_400_000)), timeout: Some(7_200_000) };
    let mut run = Scenario::start_limited(graph(WAITING), "", limits);
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]).advance(1);
    for call in ["memo price=3", "sleep 10", "ask Ok=in 60 minutes?", "ask Sum=how many?", "next Go"] {
        run.call("work(1)", call);
    }
    for call in ["ask Ok=sure?", "ask Sum=2?"] {
        run.call("work(2)", call);
    }
    run.answer("sure?", "HumanResponse<Ok>=yes");
    for call in ["ask Ok=in 1 minutes?", "ask Sum=3?", "next More"] {
        run.call("work(3)", call);
    }
    run.signal("Signal<More>=first").give_up("work(3)", "ask Sum=3?").advance(1);
    run.retry("work(2)", "busy", 5);
    run.signal("Signal<More>=second").signal("Signal<More>=third");
    run
}

/// What steps remember and wait for is as it was, and goes on from there.
fn go_on_waiting(run: Scenario) {
    let mut run = run.resumed();
    assert_eq!(run.running(), ["work(1)", "work(3)"]);
    for (label, call, came) in [
        ("work(1)", "memo price=4", "3"),
        ("work(1)", "sleep 10", "until 11"),
        ("work(1)", "ask Ok=in 60 minutes?", "asked"),
        ("work(1)", "ask Sum=how many?", "asked"),
        ("work(1)", "next Go", "waiting"),
        ("work(3)", "ask Ok=in 1 minutes?", "expired"),
        ("work(3)", "ask Sum=3?", "withdrawn"),
        ("work(3)", "next More", "first"),
    ] {
        assert_eq!(run.call(label, call), came, "{label} {call}");
    }
    assert_eq!(run.questions(), ["in 60 minutes?", "how many?", "2?"]);
    run.answer("how many?", "HumanResponse<Sum>=9").signal("Signal<Go>=now").advance(60);
    assert_eq!(run.call("work(1)", "ask Sum=how many?"), "9");
    assert_eq!(run.call("work(1)", "next Go"), "now");
    assert_eq!(run.call("work(1)", "ask Ok=in 60 minutes?"), "expired");
    assert_eq!(run.call("work(2)", "ask Ok=sure?"), "yes");
    assert_eq!(run.call("work(2)", "ask Sum=2?"), "asked");
    for signal in ["second", "third"] {
        assert_eq!(run.call("work(2)", &format!("next More {signal}")), signal);
    }
}

#[test]
fn what_steps_remember_and_wait_for_survives_a_snapshot() {
    go_on_waiting(waiting());
}

/// Of the snapshot of `waiting`, with a piece of its text replaced.
fn waiting_with(from: &str, to: &str) -> Result<(), ResumeError> {
    let json = waiting().snapshot().to_json();
    assert!(json.contains(from), "{from} in {json}");
    restore(&Snapshot::from_json(&json.replacen(from, to, 1))?, graph(WAITING))
}

#[test]
fn waits_that_contradict_each_other_are_refused() {
    let memo = r#"{"kind":"memo","name":"price","noted":{"memo":3}}"#;
    let asks = |question| format!(r#"{{"kind":"ask","name":"other","noted":{{"asked":{question}}}}}"#);
    for (from, to) in [
        // A second call that waits for a question, one of another step, and one that was never asked.
        (memo, &*format!("{memo},{}", asks(6))),
        (memo, &*format!("{memo},{}", asks(10))),
        (memo, &*format!("{memo},{}", asks(88))),
        // A call that stands twice, and a place in a line that was given twice, never, or to something else.
        (memo, &*format!("{memo},{memo}")),
        (r#"{"waiting":[8,"#, r#"{"waiting":[0,"#),
        (r#"{"waiting":[8,"#, r#"{"waiting":[1000,"#),
        (r#"{"waiting":[8,"#, r#"{"waiting":[6,"#),
        // It waits for what is there.
        (r#""Signal<Go>"]"#, r#""Signal<More>"]"#),
        // No such call gives that: what waits for it would wait for ever.
        (r#"{"kind":"memo","#, r#"{"kind":"sleep","#),
        (r#"{"sleeping":660000}"#, r#""withdrawn""#),
        (r#"{"asked":6}"#, r#"{"memo":6}"#),
    ] {
        let refused = waiting_with(from, to);
        assert!(matches!(refused, Err(ResumeError::Corrupt { .. })), "{from} -> {to}: {refused:?}");
    }
}

#[test]
fn waits_for_what_there_is_not_are_refused() {
    for (from, to) in [
        (r#""Signal<Go>"]"#, r#""Signal<Stop>"]"#),
        (r#""Signal<Go>"]"#, r#""Task"]"#),
        // Nobody waits for the answer: not the step that asked, and no step that takes it.
        (r#"{"asked":6}"#, r#"{"expired":6}"#),
        (r#"{"asked":6}"#, r#"{"asked":10}"#),
        (r#"{"answered":["HumanResponse<Ok>","#, r#"{"answered":["Task","#),
        (r#"{"received":["Signal<More>","#, r#"{"received":["Task","#),
        (r#""unread":[["Signal<More>","#, r#""unread":[["Task","#),
    ] {
        let refused = waiting_with(from, to);
        assert!(matches!(refused, Err(ResumeError::DoesNotFit { .. })), "{from} -> {to}: {refused:?}");
    }
}

#[test]
fn a_wait_of_no_kind_that_there_is_makes_no_snapshot() {
    for (from, to) in [
        (r#"{"kind":"memo","#, r#"{"kind":"dream","#),
        (r#"{"asked":6}"#, r#"{"asked":-1}"#),
        (r#"{"asked":6}"#, r#"{"asked":6,"expired":6}"#),
        (r#"{"sleeping":660000}"#, r#"{"sleeping":null}"#),
    ] {
        let refused = waiting_with(from, to);
        assert!(matches!(refused, Err(ResumeError::Unreadable { .. })), "{from} -> {to}: {refused:?}");
    }
}

/// Snapshots that earlier versions have written must be readable for ever.
#[test]
fn the_golden_file_of_format_1_with_steps_that_wait_is_still_read() {
    let golden = include_str!("golden/format_1_waiting.json");
    let snapshot = Snapshot::from_json(golden).unwrap();
    go_on_waiting(Scenario::read(&snapshot, graph(WAITING), 2));
    assert_eq!(snapshot.to_json(), golden.trim_end());
}

/// Snapshots that earlier versions have written must be readable for ever.
#[test]
fn the_golden_file_of_format_1_is_still_read() {
    let golden = include_str!("golden/format_1.json");
    let snapshot = Snapshot::from_json(golden).unwrap();
    let mut engine = snapshot.restore::<Value>(Arc::new(graph(FLOW))).unwrap().engine;
    let mut commands = Vec::new();
    engine.handle(workflow_runtime::engine::Time(0), Tick::Resumed, &mut commands).unwrap();
    assert_eq!(engine.state().requests().count(), 1);
    assert_eq!(engine.state().invocations().count(), 1);
    assert_eq!(snapshot.to_json(), golden.trim_end());
}
