//! Events from outside.

use workflow_runtime::engine::{Refused, Status, Tick};

use crate::graphs::graph;
use crate::scenario::Scenario;

const CLOSING: &str =
    "a: Start -> ()\n note: signal Note -> ()\n also: signal Note -> ()\n close: signal Close -> Stop";

#[test]
fn a_signal_goes_to_each_step_that_takes_it() {
    let mut run = Scenario::start(graph(CLOSING), "");
    run.signal("Signal<Note>=x");
    assert_eq!(run.running(), ["a()", "note(x)", "also(x)"]);
    run.signal("Signal<Close>=now").finish("close(now)", &["Stop=end"]);
    assert_eq!(run.output(), "end");
}

#[test]
fn a_run_that_can_be_sent_something_waits() {
    let mut run = Scenario::start(graph(CLOSING), "");
    run.finish("a()", &[]);
    assert_eq!(*run.status(), Status::Running);
}

#[test]
fn what_no_step_takes_as_a_signal_is_refused() {
    let mut run = Scenario::start(graph(CLOSING), "");
    let event = run.value("Stop=x");
    assert_eq!(run.tick(Tick::Signal { event }), Err(Refused::NotASignal { event: "Stop".to_owned() }));
}

#[test]
fn a_signal_that_waits_in_a_join_survives_a_snapshot() {
    let mut run = Scenario::start(graph("a: Start -> A\n b: A & signal Go -> Stop"), "");
    run.signal("Signal<Go>=early");
    let mut run = run.resumed();
    run.finish("a()", &["A=1"]);
    assert_eq!(run.running(), ["b(1, early)"]);
}
