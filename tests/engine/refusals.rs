//! Ticks that are not legal: each is refused, and changes nothing (the scenario checks that).

use workflow_runtime::StepError;
use workflow_runtime::engine::{Emitted, InvocationId, Refused, Tick, Verdict};

use crate::graphs::graph;
use crate::scenario::Scenario;

fn chain() -> Scenario {
    Scenario::start(graph("a: Start -> B\n b: B -> Stop"), "x")
}

#[test]
fn a_second_start_is_refused() {
    let mut run = chain();
    let input = run.value("Start=y");
    assert_eq!(run.tick(Tick::Started { input }), Err(Refused::AlreadyStarted));
}

#[test]
fn an_invocation_that_is_not_there_cannot_finish() {
    let (invocation, attempt) = (InvocationId(77), 1);
    let refused = chain().tick(Tick::Finished { invocation, attempt, emitted: Emitted::None });
    assert_eq!(refused, Err(Refused::NotCurrent { invocation, attempt }));
}

#[test]
fn another_attempt_than_the_current_one_cannot_fail() {
    let mut run = chain();
    let (invocation, attempt) = (run.step_of("a(x)").invocation, 2);
    let (error, verdict) = (StepError::new("old"), Verdict::Final);
    let refused = run.tick(Tick::Failed { invocation, attempt, error, verdict });
    assert_eq!(refused, Err(Refused::NotCurrent { invocation, attempt }));
}

#[test]
fn an_invocation_cannot_finish_twice() {
    let mut run = chain();
    let first = run.step_of("a(x)");
    run.finish("a(x)", &["B=1"]);
    let (invocation, attempt) = (first.invocation, first.attempt);
    let emitted = Emitted::One(run.value("B=2"));
    let refused = run.tick(Tick::Finished { invocation, attempt, emitted });
    assert_eq!(refused, Err(Refused::NotCurrent { invocation, attempt }));
}

#[test]
fn a_run_that_has_ended_takes_nothing() {
    let mut run = chain();
    run.finish("a(x)", &["B=1"]).finish("b(1)", &["Stop=2"]);
    assert_eq!(run.tick(Tick::Cancelled { reason: "late".to_owned() }), Err(Refused::Ended));
    assert_eq!(run.tick(Tick::Suspended), Err(Refused::Ended));
    assert_eq!(run.tick(Tick::Resumed), Err(Refused::Completed));
    assert_eq!(run.output(), "2");
}

#[test]
fn only_the_start_event_starts_a_run() {
    use std::sync::Arc;
    use workflow_runtime::engine::{Engine, Time};

    let run = chain();
    let mut engine = Engine::new(Arc::clone(&run.graph));
    let refused = engine.handle(Time(0), Tick::Started { input: run.value("B=1") }, &mut Vec::new());
    assert_eq!(refused, Err(Refused::NotAnInput { event: "B".to_owned() }));
    let refused = engine.handle(Time(0), Tick::Suspended, &mut Vec::new());
    assert_eq!(refused, Err(Refused::NotStarted));
}
