//! How runs end.

use workflow_runtime::engine::{Ending, Notice, Status, Tick, Verdict};
use workflow_runtime::{StepError, StepErrorKind};

use crate::graphs::graph;
use crate::scenario::Scenario;

#[test]
fn a_chain_runs_one_step_after_the_other_and_stops_with_its_output() {
    let mut run = Scenario::start(graph("a: Start -> B\n b: B -> Stop"), "1");
    assert_eq!(run.running(), ["a(1)"]);
    run.finish("a(1)", &["B=2"]);
    assert_eq!(run.running(), ["b(2)"]);
    run.finish("b(2)", &["Stop=3"]);
    assert_eq!(run.output(), "3");
    assert_eq!(*run.status(), Status::Completed);
}

#[test]
fn a_loop_goes_round_until_it_takes_its_exit() {
    let mut run = Scenario::start(graph("a: Start | Again -> Again | Stop"), "0");
    for round in 0..100 {
        run.finish(&format!("a({round})"), &[&format!("Again={}", round + 1)]);
    }
    run.finish("a(100)", &["Stop=done"]);
    assert_eq!(run.output(), "done");
}

#[test]
fn an_event_that_two_steps_accept_is_delivered_to_each() {
    let mut run = Scenario::start(graph("a: Start -> B\n left: B -> ()\n right: B -> Stop"), "");
    run.finish("a()", &["B=x"]);
    assert_eq!(run.running(), ["left(x)", "right(x)"]);
}

#[test]
fn the_first_stop_ends_the_run_and_everything_else_is_aborted_before_the_end_is_told() {
    let mut run = Scenario::start(graph("a: Start -> B\n slow: B -> ()\n fast: B -> Stop"), "");
    run.finish("a()", &["B=x"]);
    run.finish("fast(x)", &["Stop=first"]);
    assert_eq!(run.aborted, ["slow(x)"]);
    assert_eq!(run.output(), "first");
}

#[test]
fn what_a_cancelled_step_still_reports_is_refused() {
    let mut run = Scenario::start(graph("a: Start -> B\n slow: B -> ()\n fast: B -> Stop"), "");
    run.finish("a()", &["B=x"]);
    let slow = run.step_of("slow(x)");
    run.finish("fast(x)", &["Stop=first"]);
    let (invocation, error) = (slow.invocation, StepError::new("late"));
    let late = Tick::Failed { invocation, attempt: 1, error, verdict: Verdict::Final };
    assert!(run.tick(late).is_err());
    assert_eq!(run.output(), "first");
}

#[test]
fn a_failing_step_fails_the_run_and_can_be_run_again() {
    let mut run = Scenario::start(graph("a: Start -> B\n b: B -> Stop\n other: B -> ()"), "");
    run.finish("a()", &["B=x"]).fail("b(x)", "no connection");
    assert_eq!(*run.status(), Status::Failed);
    assert_eq!(run.aborted, ["other(x)"]);
    let Some(Ending::Failed { error, .. }) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(error.message(), "no connection");

    let mut again = run.resumed();
    assert_eq!(again.running(), ["b(x)", "other(x)"], "`a` had finished and does not run again");
    again.finish("b(x)", &["Stop=y"]);
    assert_eq!(again.output(), "y");
}

#[test]
fn a_step_that_emits_what_its_graph_does_not_declare_fails() {
    let mut run = Scenario::start(graph("a: Start -> B\n b: B -> Stop"), "");
    run.finish("a()", &["Stop=too early"]);
    let Some(Ending::Failed { error, .. }) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(error.kind(), StepErrorKind::Misrouted);
    assert_eq!(error.message(), "step `a` emitted `Stop`, which its graph does not say it emits there");
}

#[test]
fn a_run_whose_branches_all_end_stalls_at_once_and_names_the_steps() {
    let mut run = Scenario::start(graph("a: Start -> ?B\n b: B -> Stop"), "");
    run.finish("a()", &[]);
    let Some(Ending::Stalled(stall)) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(stall.ended, [run.graph.step_named("a").unwrap()]);
    assert_eq!(*run.status(), Status::Failed);
}

#[test]
fn a_run_that_takes_signals_waits_instead_of_stalling() {
    let mut run = Scenario::start(graph("a: Start -> ()\n b: signal Go -> Stop"), "");
    run.finish("a()", &[]);
    assert_eq!(*run.status(), Status::Running);
    assert!(run.ending.is_none());
}

#[test]
fn a_stall_names_what_a_join_has_and_what_it_lacks() {
    let mut run = Scenario::start(graph("a: Start -> ?L\n b: Start -> ?R\n both: L & R -> Stop"), "");
    run.finish("a()", &["L=1"]).finish("b()", &[]);
    let Some(Ending::Stalled(stall)) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(stall.waiting.len(), 1);
    assert_eq!((&stall.waiting[0].arrived[..], &stall.waiting[0].missing[..]), (&[0][..], &[1][..]));
}

#[test]
fn cancelling_aborts_what_runs_and_the_run_can_be_continued() {
    let mut run = Scenario::start(graph("a: Start -> Stop"), "x");
    run.tick(Tick::Cancelled { reason: "enough".to_owned() }).unwrap();
    assert_eq!(run.ending, Some(Ending::Cancelled { reason: "enough".to_owned() }));
    assert_eq!(run.aborted, ["a(x)"]);
    assert_eq!(run.resumed().running(), ["a(x)"]);
}

#[test]
fn a_step_that_is_interrupted_too_often_fails() {
    let mut run = Scenario::start(graph("a: Start -> Stop"), "x");
    for _ in 0..15 {
        run = run.resumed();
        assert_eq!(run.running(), ["a(x)"]);
    }
    let run = run.resumed();
    let Some(Ending::Failed { error, .. }) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(error.kind(), StepErrorKind::Interrupted);
    assert_eq!(run.resumed().running(), ["a(x)"], "continuing a failed run is a fresh start for its step");
}

#[test]
fn a_step_that_failed_by_interruptions_is_run_once_when_the_run_is_continued_in_its_process() {
    let mut run = Scenario::start(graph("a[workers=2]: Start -> Stop"), "x");
    for _ in 0..16 {
        run = run.resumed();
    }
    assert_eq!(*run.status(), Status::Failed);
    run.tick(Tick::Resumed).unwrap();
    assert_eq!(run.running(), ["a(x)"]);
}

#[test]
fn every_step_that_is_interrupted_too_often_fails() {
    let mut run = Scenario::start(graph("a: Start -> Stop\n b: Start -> Stop\n oops: failed -> Stop"), "x");
    for _ in 0..16 {
        run = run.resumed();
    }
    let why = |step| format!("!{step} the run was interrupted 16 times while step `{step}` ran");
    assert_eq!(run.running(), [format!("oops({})", why("a")), format!("oops({})", why("b"))]);
}

#[test]
fn being_suspended_is_no_interruption() {
    let mut run = Scenario::start(graph("a: Start -> Stop"), "x");
    for _ in 0..40 {
        run.tick(Tick::Suspended).unwrap();
        assert_eq!(run.ending, Some(Ending::Suspended));
        run = run.resumed();
    }
    assert_eq!(run.running(), ["a(x)"]);
}

#[test]
fn starts_and_finishes_are_told_in_order() {
    let mut run = Scenario::start(graph("a: Start -> B\n b: B -> Stop"), "");
    run.finish("a()", &["B"]);
    run.fail("b()", "no");
    assert!(matches!(run.told()[..], [Notice::StepFailed { .. }]));
}
