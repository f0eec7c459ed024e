//! Who takes a failure: the handler of the step, then gathers from the inside out, then the run.

use workflow_runtime::engine::{Ending, Status};

use crate::graphs::graph;
use crate::scenario::Scenario;

#[test]
fn an_error_handler_takes_the_failure_and_goes_on_elsewhere() {
    let mut run = Scenario::start(graph("a: Start -> Stop\n other: B -> Stop\n oops: failed -> B"), "x");
    run.fail("a(x)", "no");
    assert_eq!(run.running(), ["oops(!a no)"]);
    run.finish("oops(!a no)", &["B=b"]).finish("other(b)", &["Stop=end"]);
    assert_eq!(run.output(), "end");
}

#[test]
fn a_handler_by_name_goes_before_the_one_for_the_rest() {
    let steps = "
        a: Start -> B
        b: B -> Stop
        rest: failed -> Stop
        named[catches=1]: failed -> Stop";
    let mut run = Scenario::start(graph(steps), "x");
    run.finish("a(x)", &["B=1"]).fail("b(1)", "no");
    assert_eq!(run.running(), ["named(!b no)"]);
    let mut run = Scenario::start(graph(steps), "x");
    run.fail("a(x)", "no");
    assert_eq!(run.running(), ["rest(!a no)"]);
}

#[test]
fn a_handler_runs_so_often_on_one_lineage_and_then_the_failure_goes_on() {
    let steps = "a: Start | Again -> Stop\n oops[max_recoveries=2]: failed -> Again";
    let mut run = Scenario::start(graph(steps), "x");
    for _ in 0..2 {
        run.fail("a(x)", "no").finish("oops(!a no)", &["Again=x"]);
    }
    let mut run = run.resumed();
    run.fail("a(x)", "no");
    assert_eq!(*run.status(), Status::Failed, "also over a snapshot");
}

#[test]
fn a_handler_that_does_not_say_how_often_runs_once_on_one_lineage() {
    let mut run = Scenario::start(graph("a: Start | Again -> Stop\n oops: failed -> Again"), "x");
    run.fail("a(x)", "no").finish("oops(!a no)", &["Again=x"]).fail("a(x)", "no");
    assert_eq!(*run.status(), Status::Failed);
}

#[test]
fn each_handler_is_counted_by_itself() {
    let steps = "
        a: Start | Again -> B
        b: B -> Stop
        first[catches=0]: failed -> Again
        second[catches=1]: failed -> B";
    let mut run = Scenario::start(graph(steps), "x");
    run.fail("a(x)", "no").finish("first(!a no)", &["Again=y"]).finish("a(y)", &["B=1"]).fail("b(1)", "no");
    assert_eq!(run.running(), ["second(!b no)"]);
}

#[test]
fn a_handler_that_asked_or_was_joined_is_still_counted() {
    let steps = "
        a: Start -> B
        other: Start -> C
        b: B | answer Ok & C -> Stop
        oops: failed -> ask Ok";
    let mut run = Scenario::start(graph(steps), "x");
    run.fail("a(x)", "no").finish("oops(!a no)", &["InputRequired<Ok>=sure?"]);
    run.answer("sure?", "HumanResponse<Ok>=yes").finish("other(x)", &["C=c"]).fail("b(yes, c)", "no");
    assert_eq!(*run.status(), Status::Failed);
}

#[test]
fn a_handler_goes_before_a_gather() {
    let mut run = Scenario::start(graph(&format!("{RESULTS}\n oops: failed -> Done")), "");
    run.finish("split()", &["Task=1"]).fail("work(1)", "no").finish("oops(!work no)", &["Done=0"]);
    assert_eq!(run.running(), ["all([0])"]);
}

#[test]
fn a_handler_counts_each_branch_by_itself() {
    let steps = "
        split: Start -> Vec(Task)
        work: Task | Again -> Done
        oops: failed -> Again
        all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]);
    run.fail("work(1)", "no").finish("oops(!work no)", &["Again=1"]);
    run.fail("work(2)", "no").finish("oops(!work no)", &["Again=2"]);
    run.finish("work(1)", &["Done=1"]).finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["all([1 2])"]);
}

#[test]
fn the_failure_of_a_handler_is_caught_by_no_handler() {
    let mut run = Scenario::start(graph("a: Start -> Stop\n oops[max_recoveries=9]: failed -> Stop"), "x");
    run.fail("a(x)", "no").fail("oops(!a no)", "worse");
    let Some(Ending::Failed { error, .. }) = &run.ending else { panic!("{:?}", run.ending) };
    assert_eq!(error.message(), "worse");
}

const RESULTS: &str = "split: Start -> Vec(Task)\n work: Task -> Done\n all: results Done -> Stop";

#[test]
fn a_gather_that_takes_failures_gets_them_at_the_place_of_their_branch() {
    let mut run = Scenario::start(graph(RESULTS), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    run.fail("work(2)", "no").finish("work(3)", &["Done=3"]).finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["all([1 !no 3])"]);
}

#[test]
fn a_failed_member_survives_a_snapshot() {
    let mut run = Scenario::start(graph(RESULTS), "");
    run.finish("split()", &["Task=1", "Task=2"]).fail("work(1)", "no");
    let mut run = run.resumed();
    run.finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["all([!no 2])"]);
}

#[test]
fn take_counts_successes_so_it_is_the_first_that_works_and_what_failed_before() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> Done\n first[take=1]: results Done -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"])
        .fail("work(3)", "no")
        .finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["first([2 !no])"]);
    assert_eq!(run.aborted, ["work(1)"]);
}

#[test]
fn a_failure_leaves_inner_fan_outs_and_takes_them_with_it() {
    let steps = "
        split: Start -> Vec(Group)
        open: Group -> Vec(Task)
        work: Task -> Done
        inner: Vec(Done) -> Sum
        outer: results Sum -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Group=g", "Group=h"]);
    run.finish("open(g)", &["Task=g1", "Task=g2"]).finish("open(h)", &["Task=h1"]);
    run.fail("work(g1)", "no");
    assert_eq!(run.aborted, ["work(g2)"], "what lies below the taker, and nothing else");
    run.finish("work(h1)", &["Done=H1"]).finish("inner([H1])", &["Sum=h"]);
    assert_eq!(run.running(), ["outer([!no h])"]);
}

#[test]
fn if_nobody_takes_a_failure_everything_stays_as_it_is_and_can_be_continued() {
    let steps = "
        split: Start -> Vec(Group)
        open: Group -> Vec(Task)
        work: Task -> Done
        inner: Vec(Done) -> Sum
        outer: Vec(Sum) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Group=g"])
        .finish("open(g)", &["Task=1", "Task=2"])
        .finish("work(2)", &["Done=2"]);
    run.fail("work(1)", "no");
    assert_eq!(*run.status(), Status::Failed);
    let mut run = run.resumed();
    assert_eq!(run.running(), ["work(1)"]);
    run.finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["inner([1 2])"]);
}

#[test]
fn after_all_gathers_have_fired_a_failure_ends_its_branch_only() {
    let steps = "
        split: Start -> Vec(Task)
        work: Task -> Done
        first[take=1, cancel_rest=false]: Vec(Done) -> First
        end: First -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]).finish("work(2)", &["Done=2"]).fail("work(1)", "no");
    assert_eq!(*run.status(), Status::Running);
    run.finish("first([2])", &["First=f"]).finish("end(f)", &["Stop=s"]);
    assert_eq!(run.output(), "s");
}

#[test]
fn a_sender_that_fails_is_the_last_member_of_its_fan_out() {
    let steps = "read: Start & emit Line -> ()\n work: Line -> Done\n all: results Done -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.send("read()", 0, "Line=a").fail("read()", "disk").finish("work(a)", &["Done=A"]);
    assert_eq!(run.running(), ["all([A !disk])"]);
}

#[test]
fn a_sender_with_a_handler_takes_what_it_sent_with_it() {
    let steps = "
        read: Start & emit Line -> ()
        work: Line -> Done
        all: Vec(Done) -> Stop
        oops: failed -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.send("read()", 0, "Line=a").fail("read()", "disk");
    assert_eq!(run.running(), ["oops(!read disk)"]);
    assert_eq!(run.aborted, ["work(a)"]);
}
