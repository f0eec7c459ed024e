//! Steps that remember and wait while they run.

use workflow_runtime::engine::{Ending, Notice, Refused, Status, Tick, Time};
use workflow_runtime::journal::Limits;

use crate::graphs::graph;
use crate::scenario::Scenario;

const PLAN: &str = "plan: Start & asks Ok -> Stop";

fn planning() -> Scenario {
    Scenario::start(graph(PLAN), "")
}

// ---- questions ----

#[test]
fn a_question_of_a_step_is_answered_to_that_step() {
    let mut run = planning();
    assert_eq!(run.call("plan()", "ask Ok=sure?"), "asked");
    assert!(matches!(run.told()[..], [Notice::InputRequired { expires_at: None, .. }]));
    assert_eq!(run.questions(), ["sure?"]);
    run.answer("sure?", "HumanResponse<Ok>=yes");
    assert_eq!(run.woken, ["plan() Ok=sure?"]);
    assert_eq!(run.call("plan()", "ask Ok=sure?"), "yes");
    assert_eq!(run.running(), ["plan()"]);
    run.finish("plan()", &["Stop=done"]);
    assert_eq!(run.output(), "done");
}

#[test]
fn a_step_that_runs_again_finds_its_answers_and_asks_nobody_twice() {
    let mut run = planning();
    run.call("plan()", "ask Ok=1?");
    run.answer("1?", "HumanResponse<Ok>=one");
    run.call("plan()", "ask Ok=2?");
    run.retry("plan()", "broke", 1);
    assert_eq!(run.questions(), ["2?"], "a question outlives its attempt");
    run.answer("2?", "HumanResponse<Ok>=two");
    assert_eq!(run.woken.len(), 1, "nobody runs who could be woken");
    run.advance(1);
    run.told();
    assert_eq!(run.call("plan()", "ask Ok=1?"), "one");
    assert_eq!(run.call("plan()", "ask Ok=2?"), "two");
    let mut run = run.resumed();
    assert_eq!(run.call("plan()", "ask Ok=1?"), "one");
    assert_eq!(run.call("plan()", "ask Ok=2?"), "two");
    assert_eq!(run.told(), []);
}

#[test]
fn another_question_is_a_new_one_and_never_gets_an_old_answer() {
    let mut run = planning();
    run.call("plan()", "ask Ok=sure?");
    run.answer("sure?", "HumanResponse<Ok>=yes");
    let mut run = run.resumed();
    assert_eq!(run.call("plan()", "ask Ok=really?"), "asked");
}

#[test]
fn the_same_wait_in_parallel_branches_gets_its_own_answer() {
    let steps = "split: Start -> Vec(A)\n each: A & asks Ok -> B\n all: Vec(B) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["A=1", "A=2"]);
    for label in ["each(1)", "each(2)"] {
        assert_eq!(run.call(label, "ask Ok=sure?"), "asked");
    }
    run.answer("sure?", "HumanResponse<Ok>=first");
    assert_eq!(run.call("each(1)", "ask Ok=sure?"), "first");
    assert_eq!(run.call("each(2)", "ask Ok=sure?"), "asked", "one answer never serves two");
}

#[test]
fn a_question_that_is_given_up_is_withdrawn_for_good() {
    let mut run = planning();
    run.call("plan()", "ask Ok=sure?");
    run.told();
    run.give_up("plan()", "ask Ok=sure?");
    assert!(matches!(run.told()[..], [Notice::InputWithdrawn { .. }]));
    assert_eq!(run.questions(), [""; 0]);
    let mut run = run.resumed();
    assert_eq!(run.call("plan()", "ask Ok=sure?"), "withdrawn");
}

#[test]
fn what_came_for_a_call_that_was_given_up_unseen_stays_unseen() {
    let mut run = planning();
    run.call("plan()", "ask Ok=sure?");
    run.answer("sure?", "HumanResponse<Ok>=yes").give_up("plan()", "ask Ok=sure?");
    run.call("plan()", "ask Ok=in 1 minutes?");
    run.advance(1).give_up("plan()", "ask Ok=in 1 minutes?");
    let mut run = run.resumed();
    assert_eq!(
        run.call("plan()", "ask Ok=sure?"),
        "withdrawn",
        "the step went on without it, and does so again"
    );
    assert_eq!(run.call("plan()", "ask Ok=in 1 minutes?"), "withdrawn");
}

#[test]
fn what_a_step_still_asks_when_it_ends_is_withdrawn() {
    for cancelled in [false, true] {
        let steps =
            "split: Start -> Vec(A)\n each: A & asks Ok -> B\n all[take=1]: Vec(B) -> C\n end: C -> Stop";
        let mut run = Scenario::start(graph(steps), "");
        run.finish("split()", &["A=1", "A=2"]);
        let asking = if cancelled { "each(2)" } else { "each(1)" };
        run.call(asking, "ask Ok=sure?");
        let request = run.request("sure?");
        run.told();
        run.finish("each(1)", &["B=1"]);
        assert_eq!(run.told(), [Notice::InputWithdrawn { request }]);
        let response = run.value("HumanResponse<Ok>=late");
        assert_eq!(run.tick(Tick::Answered { request, response }), Err(Refused::NotOpen { request }));
    }
}

#[test]
fn the_end_of_the_run_withdraws_what_steps_ask() {
    let steps = "a: Start -> A\n ask: Start & asks Ok -> ()\n b: A -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.call("ask()", "ask Ok=sure?");
    run.finish("a()", &["A"]).told();
    run.finish("b()", &["Stop"]);
    assert!(matches!(run.told()[..], [Notice::InputWithdrawn { .. }]));
    assert_eq!(run.aborted, ["ask()"]);
}

#[test]
fn a_question_that_nobody_answers_in_time_is_a_value_to_its_step() {
    let mut run = planning();
    run.call("plan()", "ask Ok=in 5 minutes?");
    run.advance(5);
    assert_eq!(run.call("plan()", "ask Ok=in 5 minutes?"), "expired");
    assert_eq!(*run.status(), Status::Running, "the step decides what it makes of that");
    // It stays so in the next attempt, but a run that failed of it and is continued asks anew.
    run.retry("plan()", "nobody there", 0);
    assert_eq!(run.call("plan()", "ask Ok=in 5 minutes?"), "expired");
    run.fail("plan()", "nobody there");
    let mut run = run.resumed();
    assert_eq!(run.call("plan()", "ask Ok=in 5 minutes?"), "asked");
}

#[test]
fn a_deadline_of_a_question_that_passed_while_nobody_held_the_run_fires_at_once() {
    let mut run = planning();
    run.call("plan()", "ask Ok=in 5 minutes?");
    let mut later = run.resumed_under(graph(PLAN));
    later.advance(60);
    assert_eq!(later.call("plan()", "ask Ok=in 5 minutes?"), "expired");
}

#[test]
fn a_step_that_takes_answers_does_not_get_those_of_an_asker() {
    let steps = "plan: Start & asks Ok -> ask Ok\n answered: answer Ok -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.call("plan()", "ask Ok=inside?");
    run.answer("inside?", "HumanResponse<Ok>=yes");
    assert_eq!(run.running(), ["plan()"]);
    run.finish("plan()", &["InputRequired<Ok>=outside?"]);
    run.answer("outside?", "HumanResponse<Ok>=no");
    assert_eq!(run.running(), ["answered(no)"]);
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let steps = "plan: Start & asks Ok & asks Sum -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.call("plan()", "ask Ok=sure?");
    let request = run.request("sure?");
    let response = run.value("HumanResponse<Sum>=3");
    let event = "HumanResponse<Sum>".to_owned();
    assert_eq!(run.tick(Tick::Answered { request, response }), Err(Refused::NotAnAnswer { request, event }));
}

#[test]
fn a_step_can_ask_only_what_its_signature_says() {
    let steps = "plan: Start & asks Ok -> A\n next: A & asks Sum -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    let (key, note) = run.note("ask Sum=3?");
    let invoke = run.step_of("plan()");
    let tick = Tick::Noted { invocation: invoke.invocation, attempt: 1, key, note };
    assert_eq!(run.tick(tick), Err(Refused::NotAsked { event: "InputRequired<Sum>".to_owned() }));
}

// ---- memos ----

#[test]
fn a_memo_is_kept_through_attempts_and_restores_and_goes_with_its_step() {
    let mut run = Scenario::start(graph("a: Start -> A\n b: A -> Stop"), "");
    run.call("a()", "memo price=3");
    run.retry("a()", "broke", 0);
    assert_eq!(run.call("a()", "memo price=99"), "3");
    let mut run = run.resumed();
    assert_eq!(run.call("a()", "memo price=99"), "3");
    run.finish("a()", &["A=x"]);
    assert_eq!(run.call("b(x)", "memo price=4"), "4");
}

#[test]
fn a_memo_of_an_attempt_that_is_over_counts_if_nothing_stands_there() {
    let mut run = Scenario::start(graph("a: Start -> Stop"), "");
    let invocation = run.step_of("a()").invocation;
    run.retry("a()", "took too long", 1);
    let (key, note) = run.note("memo price=3");
    run.tick(Tick::Noted { invocation, attempt: 1, key, note }).unwrap();
    let (key, note) = run.note("memo price=4");
    let refused = run.tick(Tick::Noted { invocation, attempt: 1, key, note });
    assert_eq!(refused, Err(Refused::Noted { invocation, name: "price".to_owned() }));
    run.advance(1);
    assert_eq!(run.call("a()", "memo price=5"), "3");
}

#[test]
fn a_wait_of_an_attempt_that_is_over_is_refused() {
    let mut run = planning();
    let invocation = run.step_of("plan()").invocation;
    run.retry("plan()", "took too long", 1).advance(1);
    let (key, note) = run.note("ask Ok=sure?");
    let tick = Tick::Noted { invocation, attempt: 1, key, note };
    assert_eq!(run.tick(tick), Err(Refused::NotCurrent { invocation, attempt: 1 }));
}

// ---- sleeps ----

#[test]
fn a_sleep_ends_when_it_was_to_end_whoever_runs_the_step() {
    let mut run = Scenario::start(graph("a: Start -> Stop"), "");
    run.advance(3);
    assert_eq!(run.call("a()", "sleep 10"), "until 13");
    run.advance(4).retry("a()", "broke", 0);
    assert_eq!(run.call("a()", "sleep 10"), "until 13");
    assert_eq!(run.resumed().call("a()", "sleep 10"), "until 13");
}

// ---- signals ----

const SERVE: &str = "a: Start & inbox Go -> A\n b: Start & inbox Go -> B\n c: A & B -> Stop";

#[test]
fn a_signal_that_comes_early_is_kept_in_order() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.signal("Signal<Go>=1").signal("Signal<Go>=2");
    let mut run = run.resumed();
    assert_eq!(run.call("b()", "next Go"), "1");
    assert_eq!(run.call("a()", "next Go"), "2");
    assert_eq!(run.call("a()", "next Go 2"), "waiting");
}

#[test]
fn who_waits_longest_gets_the_signal_and_nobody_else() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.call("b()", "next Go");
    run.call("a()", "next Go");
    let mut run = run.resumed();
    run.signal("Signal<Go>=1");
    assert_eq!(run.woken, ["b() Go"]);
    assert_eq!(run.call("b()", "next Go"), "1");
    assert_eq!(run.call("a()", "next Go"), "waiting");
}

#[test]
fn a_wait_keeps_its_place_through_attempts() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.call("a()", "next Go");
    run.call("b()", "next Go");
    run.retry("a()", "broke", 1).signal("Signal<Go>=1").advance(1);
    assert_eq!(run.call("a()", "next Go"), "1");
    assert_eq!(run.call("b()", "next Go"), "waiting");
}

#[test]
fn a_signal_for_a_call_that_was_given_up_goes_to_who_waits_next() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.call("a()", "next Go");
    run.call("b()", "next Go");
    run.signal("Signal<Go>=1").give_up("a()", "next Go");
    assert_eq!(run.call("b()", "next Go"), "1");
    run.signal("Signal<Go>=2").signal("Signal<Go>=3");
    assert_eq!(run.call("b()", "next Go 2"), "2");
    run.give_up("b()", "next Go 2");
    assert_eq!(run.call("a()", "next Go 3"), "2", "it stands ahead of what came after it");
}

#[test]
fn what_a_step_took_is_taken_for_good_when_it_finishes() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.signal("Signal<Go>=1");
    run.call("a()", "next Go");
    run.finish("a()", &["A"]);
    assert_eq!(run.call("b()", "next Go"), "waiting");
}

#[test]
fn what_a_cancelled_step_took_goes_to_who_waits_next() {
    let steps = "split: Start -> Vec(Work)\n each: Work & inbox Go -> Done\n \
        first[take=1]: Vec(Done) -> Go2\n after: Go2 & inbox Go -> Stop\n beside: Start & inbox Go -> ()";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Work=1", "Work=2"]);
    run.signal("Signal<Go>=1").signal("Signal<Go>=2");
    assert_eq!(run.call("each(1)", "next Go"), "1");
    assert_eq!(run.call("each(1)", "next Go 2"), "2");
    assert_eq!(run.call("beside()", "next Go"), "waiting");
    run.finish("each(2)", &["Done=2"]);
    assert_eq!(run.call("beside()", "next Go"), "1", "who waits gets the oldest");
    run.signal("Signal<Go>=3");
    run.finish("first([2])", &["Go2"]);
    assert_eq!(run.call("after()", "next Go"), "2", "the rest stands ahead of what came after it");
    assert_eq!(run.call("after()", "next Go 2"), "3");
}

#[test]
fn a_signal_does_not_go_to_a_step_that_is_cancelled_with_the_one_that_took_it() {
    let steps = "split: Start -> Vec(Work)\n each: Work & inbox Go -> Done\n \
        first[take=1]: Vec(Done) -> Go2\n after: Go2 & inbox Go -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Work=1", "Work=2", "Work=3", "Work=4"]);
    for each in ["each(1)", "each(2)", "each(3)"] {
        run.call(each, "next Go");
    }
    run.signal("Signal<Go>=1");
    run.finish("each(4)", &["Done=4"]);
    run.finish("first([4])", &["Go2"]);
    assert_eq!(run.call("after()", "next Go"), "1");
}

#[test]
fn what_several_cancelled_steps_took_is_unread_again_in_order() {
    let steps = "split: Start -> Vec(Work)\n each: Work & inbox Go -> Done\n \
        first[take=1]: Vec(Done) -> Go2\n after: Go2 & inbox Go -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Work=1", "Work=2", "Work=3"]);
    run.signal("Signal<Go>=1").signal("Signal<Go>=2").signal("Signal<Go>=3");
    assert_eq!(run.call("each(1)", "next Go"), "1");
    assert_eq!(run.call("each(2)", "next Go"), "2");
    run.finish("each(3)", &["Done=3"]);
    run.finish("first([3])", &["Go2"]);
    for (call, finds) in [("next Go", "1"), ("next Go 2", "2"), ("next Go 3", "3")] {
        assert_eq!(run.call("after()", call), finds);
    }
}

#[test]
fn what_a_step_took_whose_failure_is_handled_is_there_for_who_comes_next() {
    let steps = "begin: Start -> Work\n work: Work & inbox Go -> Stop\n again: failed -> Work";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("begin()", &["Work=1"]);
    run.signal("Signal<Go>=1");
    assert_eq!(run.call("work(1)", "next Go"), "1");
    run.retry("work(1)", "broke", 0);
    assert_eq!(run.call("work(1)", "next Go"), "1", "it is still this step's");
    run.fail("work(1)", "broke");
    run.finish("again(!work broke)", &["Work=2"]);
    assert_eq!(run.call("work(2)", "next Go"), "1");
}

#[test]
fn what_a_step_took_of_which_the_run_failed_stays_its_own() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.signal("Signal<Go>=1");
    assert_eq!(run.call("a()", "next Go"), "1");
    run.fail("a()", "broke");
    let mut run = run.resumed();
    assert_eq!(run.call("b()", "next Go"), "waiting");
    assert_eq!(run.call("a()", "next Go"), "1");
}

#[test]
fn who_does_not_wait_any_more_gets_nothing() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.call("a()", "next Go");
    run.give_up("a()", "next Go");
    run.signal("Signal<Go>=1");
    assert_eq!(run.call("b()", "next Go"), "1");
}

#[test]
fn a_step_that_ends_leaves_the_line() {
    let mut run = Scenario::start(graph(SERVE), "");
    run.call("a()", "next Go");
    run.finish("a()", &["A"]);
    run.signal("Signal<Go>=1");
    assert_eq!(run.call("b()", "next Go"), "1");
}

#[test]
fn an_inbox_alone_does_not_keep_a_run_from_stalling() {
    let steps = "a: Start & inbox Go -> ?A\n b: A -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("a()", &[]);
    assert!(matches!(run.ending, Some(Ending::Stalled(_))), "nobody is left who could take a signal");
}

#[test]
fn a_step_that_waits_for_somebody_may_be_interrupted_as_often_as_it_takes() {
    let mut run = planning();
    run.call("plan()", "ask Ok=sure?");
    for _ in 0..100 {
        run = run.resumed();
    }
    assert_eq!(run.running(), ["plan()"]);
}

// ---- time ----

/// A run of ten minutes.
fn limited(steps: &str) -> Scenario {
    Scenario::start_limited(graph(steps), "", Limits { deadline: None, timeout: Some(600_000) })
}

#[test]
fn the_time_of_a_run_stands_while_its_steps_only_wait_for_somebody() {
    let mut run = limited("a: Start & asks Ok & inbox Go -> Stop");
    run.advance(4);
    run.call("a()", "ask Ok=sure?");
    assert_eq!(run.engine.next_due(), None);
    run.advance(1_000).answer("sure?", "HumanResponse<Ok>=yes");
    run.advance(4);
    run.call("a()", "next Go");
    run.advance(1_000).signal("Signal<Go>=now");
    assert_eq!(run.engine.next_due(), Some(Time(2_010 * 60_000)), "two minutes are left");
    run.advance(2);
    assert!(matches!(run.ending, Some(Ending::TimedOut { .. })));
}

#[test]
fn the_time_of_a_run_goes_on_while_a_step_sleeps_or_another_is_at_work() {
    let mut run = limited("a: Start -> Stop");
    run.call("a()", "sleep 60");
    run.advance(10);
    assert!(matches!(run.ending, Some(Ending::TimedOut { .. })));
    let mut run = limited("a: Start & asks Ok -> A\n b: Start -> B\n c: A & B -> Stop");
    run.call("a()", "ask Ok=sure?");
    run.advance(10);
    assert!(matches!(run.ending, Some(Ending::TimedOut { .. })));
}

#[test]
fn the_time_of_a_run_goes_on_while_a_step_that_asks_is_delayed() {
    let mut run = limited("a: Start & asks Ok -> Stop");
    run.call("a()", "ask Ok=sure?");
    run.retry("a()", "broke", 60).advance(10);
    assert!(matches!(run.ending, Some(Ending::TimedOut { .. })));
}

// ---- new code ----

fn misfits(run: &Scenario, steps: &str) -> String {
    match run.snapshot().restore::<crate::scenario::Value>(std::sync::Arc::new(graph(steps))) {
        Err(error) => error.to_string(),
        Ok(_) => "it fits".to_owned(),
    }
}

#[test]
fn what_a_step_waits_for_must_still_be_something_that_it_waits_for() {
    let mut run = Scenario::start(graph("a: Start & asks Ok & inbox Go -> Stop"), "");
    run.call("a()", "ask Ok=sure?");
    run.call("a()", "next Go");
    let error = misfits(&run, "a: Start -> Stop\n b: answer Ok & signal Go -> Stop\n c: Start -> ask Ok");
    assert!(error.contains("the step has no `Asker` for `InputRequired<Ok>` any more"), "{error}");
    assert!(error.contains("no `Inbox` takes `Signal<Go>` there any more"), "{error}");
    assert_eq!(misfits(&run, "a: Start & inbox Go & inbox More & asks Ok & asks Sum -> Stop"), "it fits");
}

#[test]
fn a_signal_that_no_inbox_takes_any_more_is_refused_and_not_dropped() {
    let mut run = Scenario::start(graph("a: Start & inbox Go -> Stop"), "");
    run.signal("Signal<Go>=early");
    let error = misfits(&run, "a: Start -> Stop\n b: signal Go -> Stop");
    assert!(
        error.contains("unread signal `Signal<Go>`: no `Inbox` takes `Signal<Go>` there any more"),
        "{error}"
    );
}
