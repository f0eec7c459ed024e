//! Retries, questions that expire, and limits to the time of a run.

use std::sync::Arc;

use workflow_runtime::engine::{Command, Ending, Notice, Refused, Status, Tick, Time};
use workflow_runtime::journal::Limits;

use crate::graphs::graph;
use crate::scenario::Scenario;

const CHAIN: &str = "a: Start -> B\n b: B -> Stop";

fn minutes(n: u64) -> Option<Time> {
    Some(Time(n * 60_000))
}

#[test]
fn a_retry_waits_and_runs_the_step_again_with_its_input() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.retry("a(x)", "busy", 5);
    assert_eq!((run.running().len(), run.engine.next_due()), (0, minutes(5)));
    assert!(matches!(run.told()[..], [Notice::StepRetrying { attempt: 1, due: Time(300_000), .. }]));
    run.advance(4);
    assert_eq!(run.running().len(), 0);
    run.advance(1);
    assert_eq!(run.running(), ["a(x)"]);
    let invoke = run.step_of("a(x)");
    assert_eq!((invoke.attempt, invoke.first_failed_at()), (2, Some(Time(0))));
    assert_eq!(invoke.last_error().unwrap().message(), "busy");
}

#[test]
fn a_retry_without_a_delay_runs_at_once() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.retry("a(x)", "busy", 0);
    assert_eq!(run.running(), ["a(x)"]);
}

#[test]
fn a_run_that_failed_and_is_continued_tries_its_step_as_often_as_at_first() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.retry("a(x)", "busy", 0).fail("a(x)", "no");
    let invoke = run.resumed().step_of("a(x)");
    assert_eq!((invoke.attempt, invoke.last_error(), invoke.first_failed_at()), (1, None, None));
}

#[test]
fn the_first_failure_of_a_step_keeps_its_time() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.advance(1).retry("a(x)", "busy", 1).advance(1).retry("a(x)", "busy", 1).advance(1);
    let invoke = run.step_of("a(x)");
    assert_eq!((invoke.attempt, invoke.first_failed_at()), (3, minutes(1)));
}

#[test]
fn a_retry_that_is_due_wakes_a_free_worker() {
    let mut run = Scenario::start(graph("a[workers=1]: Start -> Stop"), "x");
    run.retry("a(x)", "busy", 5).advance(5);
    assert_eq!(run.running(), ["a(x)"]);
}

#[test]
fn what_was_due_before_a_tick_starts_before_the_tick_aborts_it() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.retry("a(x)", "busy", 5);
    let mut commands = Vec::new();
    let late = Tick::Cancelled { reason: "enough".to_owned() };
    run.engine.handle(Time(6 * 60_000), late, &mut commands).unwrap();
    let kinds = commands.iter().map(|command| match command {
        Command::Run(_) => "run",
        Command::Abort { .. } => "abort",
        Command::Finish(_) => "end",
        Command::Publish(_) | Command::Wake { .. } => "tell",
    });
    assert_eq!(Vec::from_iter(kinds), ["run", "abort", "end"]);
}

#[test]
fn the_time_of_a_run_never_goes_back() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.advance(10);
    run.engine.handle(Time(1), Tick::Time, &mut Vec::new()).unwrap();
    assert_eq!(Some(run.engine.state().now()), minutes(10));
}

#[test]
fn what_an_earlier_attempt_reports_is_refused() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    let first = run.step_of("a(x)");
    run.retry("a(x)", "busy", 0);
    let emitted = workflow_runtime::engine::Emitted::One(run.value("B=1"));
    let (invocation, attempt) = (first.invocation, first.attempt);
    let late = Tick::Finished { invocation, attempt, emitted };
    assert_eq!(run.tick(late), Err(Refused::NotCurrent { invocation, attempt }));
}

#[test]
fn a_waiting_retry_survives_a_snapshot_with_its_time_and_its_count() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.retry("a(x)", "busy", 5).advance(2);
    let mut run = run.resumed();
    assert_eq!((run.running().len(), run.engine.next_due()), (0, minutes(5)));
    run.advance(3);
    assert_eq!(run.step_of("a(x)").attempt, 2);
}

#[test]
fn a_retry_that_was_due_while_nobody_held_the_run_runs_when_it_is_resumed() {
    let mut run = Scenario::start(graph(CHAIN), "x");
    run.retry("a(x)", "busy", 5);
    let snapshot = run.snapshot();
    let mut engine = snapshot.restore::<crate::scenario::Value>(Arc::new(graph(CHAIN))).unwrap().engine;
    let mut commands = Vec::new();
    engine.handle(Time(10_000_000), Tick::Resumed, &mut commands).unwrap();
    assert!(commands.iter().any(|command| matches!(command, Command::Run(_))));
}

#[test]
fn a_waiting_retry_holds_no_worker_and_goes_ahead_when_it_is_due() {
    let steps = "split: Start -> Vec(Task)\n work[workers=1]: Task -> Done\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]).retry("work(1)", "busy", 5);
    assert_eq!(run.running(), ["work(2)"]);
    run.advance(5);
    assert_eq!(run.running(), ["work(2)"]);
    run.finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["work(1)"], "before what has not run yet");
}

#[test]
fn cancelling_a_scope_cancels_its_retries() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> Done\n first[take=1]: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]).retry("work(1)", "busy", 5).finish("work(2)", &["Done=2"]);
    assert_eq!(run.engine.next_due(), None);
    assert_eq!(run.running(), ["first([2])"]);
}

const APPROVAL: &str = "a: Start -> ask Ok\n b: answer Ok -> Stop\n late: expired Ok -> ?Stop";

#[test]
fn a_question_that_nobody_answers_in_time_expires() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure?"]);
    let request = run.request("in 5 sure?");
    assert_eq!(run.engine.next_due(), minutes(5));
    run.advance(5);
    assert_eq!(run.running(), ["late(in 5 sure?)"]);
    assert_eq!(run.told().last(), Some(&Notice::InputExpired { request }));
    let response = run.value("HumanResponse<Ok>=yes");
    assert_eq!(run.tick(Tick::Answered { request, response }), Err(Refused::NotOpen { request }));
}

#[test]
fn a_question_that_says_what_the_answer_is_then_is_answered_so() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure? else no"]);
    let request = run.request("in 5 sure? else no");
    let mut run = run.resumed();
    run.told();
    run.advance(5);
    assert_eq!(run.told().first(), Some(&Notice::InputExpired { request }));
    assert_eq!(run.running(), ["b(no)"], "and the step for those that expire has nothing to do");
}

#[test]
fn an_answer_in_time_counts_and_not_the_one_by_default() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure? else no"]).advance(4);
    run.answer("in 5 sure? else no", "HumanResponse<Ok>=yes");
    assert_eq!(run.running(), ["b(yes)"]);
}

#[test]
fn an_answer_in_time_stops_the_clock() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure?"]).advance(4);
    run.answer("in 5 sure?", "HumanResponse<Ok>=yes");
    assert_eq!(run.engine.next_due(), None);
    assert_eq!(run.running(), ["b(yes)"]);
}

#[test]
fn a_deadline_survives_a_snapshot() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure?"]).advance(4);
    let mut run = run.resumed();
    assert_eq!(run.engine.next_due(), minutes(5));
    run.advance(1);
    assert_eq!(run.running(), ["late(in 5 sure?)"]);
}

#[test]
fn an_expiry_that_no_step_takes_is_a_failure_of_the_step_that_asked() {
    let mut run = Scenario::start(graph("a: Start -> ask Ok\n b: answer Ok -> Stop"), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure?"]).advance(5);
    let Some(Ending::Failed { step, .. }) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(*step, run.graph.step_named("a").unwrap());
    let mut run = run.resumed();
    assert_eq!(run.engine.next_due(), minutes(10), "continuing asks anew");
    run.answer("in 5 sure?", "HumanResponse<Ok>=yes");
    assert_eq!(run.running(), ["b(yes)"]);
}

#[test]
fn an_expiry_goes_to_the_error_handler_of_the_step_that_asked() {
    let steps = "a: Start -> ask Ok\n b: answer Ok -> Stop\n c: failed -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("a()", &["InputRequired<Ok>=in 5 sure?"]).advance(5);
    assert_eq!(run.running(), ["c(!a nobody answered question 2 of step `a` in time)"]);
}

fn limited(steps: &str, deadline: Option<u64>, timeout: Option<u64>) -> Scenario {
    let deadline = deadline.map(|n| Time(n * 60_000));
    Scenario::start_limited(graph(steps), "", Limits { deadline, timeout: timeout.map(|n| n * 60_000) })
}

#[test]
fn a_run_that_works_too_long_times_out_and_says_what_was_running() {
    let mut run = limited(CHAIN, None, Some(10));
    assert_eq!(run.engine.next_due(), minutes(10));
    run.advance(4).finish("a()", &["B=1"]);
    run.advance(6);
    let running = vec![run.graph.step_named("b").unwrap()];
    assert_eq!(run.ending, Some(Ending::TimedOut { running }));
    assert_eq!(*run.status(), Status::TimedOut);
}

#[test]
fn waiting_for_a_person_does_not_count_against_the_time_of_a_run() {
    let mut run = limited("a: Start -> ask Ok\n b: answer Ok -> Stop", None, Some(10));
    run.advance(4).finish("a()", &["InputRequired<Ok>=sure?"]);
    assert_eq!(run.engine.next_due(), None);
    run.advance(1_000).answer("sure?", "HumanResponse<Ok>=yes");
    assert_eq!(run.engine.next_due(), minutes(1_010));
    run.advance(6);
    assert_eq!(*run.status(), Status::TimedOut);
}

#[test]
fn a_run_that_timed_out_has_its_time_anew_when_it_is_continued() {
    let mut run = limited(CHAIN, None, Some(10));
    run.advance(10);
    let run = run.resumed();
    assert_eq!(run.running(), ["a()"]);
    assert_eq!(run.engine.next_due(), minutes(20));
}

#[test]
fn a_deadline_that_has_passed_does_not_end_a_continued_run_again() {
    let mut run = limited(CHAIN, Some(10), None);
    run.advance(10);
    let mut run = run.resumed();
    run.advance(100).finish("a()", &["B=1"]);
    assert_eq!(run.running(), ["b(1)"]);
}

#[test]
fn a_deadline_that_has_not_passed_stands_when_a_run_that_timed_out_is_continued() {
    let mut run = limited("a: Start -> A\n b: A -> Stop", Some(30), Some(10));
    run.advance(10);
    assert!(matches!(run.ending, Some(Ending::TimedOut { .. })));
    let mut run = run.resumed();
    assert_eq!(run.engine.next_due(), minutes(20));
    run.finish("a()", &["A"]);
    let mut run = run.resumed();
    run.advance(9);
    assert_eq!(*run.status(), Status::Running);
    assert!(run.engine.next_due() <= minutes(30));
}

#[test]
fn a_deadline_of_the_run_counts_whatever_it_waits_for() {
    let mut run = limited("a: Start -> ask Ok\n b: answer Ok -> Stop", Some(10), None);
    run.finish("a()", &["InputRequired<Ok>=sure?"]).advance(10);
    assert_eq!(run.ending, Some(Ending::TimedOut { running: Vec::new() }));
}

#[test]
fn what_is_due_fires_in_due_order() {
    let steps = "
        split: Start -> Vec(Task)
        work: Task -> ask Ok
        b: answer Ok -> Done
        late: expired Ok -> Done
        all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    run.finish("work(1)", &["InputRequired<Ok>=in 7 a"]).finish("work(2)", &["InputRequired<Ok>=in 3 b"]);
    run.retry("work(3)", "busy", 5).advance(10);
    assert_eq!(run.running(), ["late(in 3 b)", "work(3)", "late(in 7 a)"]);
}

#[test]
fn nothing_happens_after_the_time_of_a_run_is_up_even_if_the_tick_comes_late() {
    let steps = "a: Start -> ask Ok\n b: answer Ok -> Stop\n other: Start -> ()";
    for (deadline, timeout) in [(None, Some(10)), (Some(10), None)] {
        let mut run = limited(steps, deadline, timeout);
        run.finish("a()", &["InputRequired<Ok>=in 12 sure?"]).advance(15);
        let running = vec![run.graph.step_named("other").unwrap()];
        assert_eq!(
            run.ending,
            Some(Ending::TimedOut { running }),
            "and not by the question, which closes later"
        );
    }
    let mut run = limited(steps, None, Some(12));
    run.finish("a()", &["InputRequired<Ok>=in 12 sure?"]).advance(15);
    assert!(
        matches!(run.ending, Some(Ending::Failed { .. })),
        "what is due at its last moment still happens"
    );
}

#[test]
fn a_copy_whose_time_ran_out_while_nobody_held_it_is_in_order_before_anything_is_due() {
    let mut run = limited("a: Start -> B\n b: B -> Stop", None, Some(10));
    run.advance(4);
    let mut engine = run.snapshot().restore::<crate::scenario::Value>(Arc::new(graph(CHAIN))).unwrap().engine;
    let mut commands = Vec::new();
    engine.handle(Time(3_600_000), Tick::Resumed, &mut commands).unwrap();
    assert_eq!(*engine.state().status(), Status::Running, "time in which nobody held the run does not count");
    assert_eq!(engine.next_due(), minutes(66));

    let mut run = limited("a: Start -> B\n b: B -> Stop", Some(10), None);
    run.advance(4);
    let mut engine = run.snapshot().restore::<crate::scenario::Value>(Arc::new(graph(CHAIN))).unwrap().engine;
    commands.clear();
    engine.handle(Time(3_600_000), Tick::Resumed, &mut commands).unwrap();
    assert_eq!(*engine.state().status(), Status::TimedOut, "but the wall clock does not stand");
    assert!(!commands.iter().any(|command| matches!(command, Command::Run(_))));
}
