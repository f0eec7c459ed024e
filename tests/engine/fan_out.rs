//! Scopes: how fan-outs open, gather and close.

use workflow_runtime::engine::{Notice, Tick};

use crate::graphs::graph;
use crate::scenario::Scenario;

const SPLIT: &str = "split: Start -> Vec(Task)\n work: Task -> Done\n all: Vec(Done) -> Stop";

#[test]
fn a_gather_fires_once_in_fan_out_order_whatever_order_the_work_finished_in() {
    let mut run = Scenario::start(graph(SPLIT), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    assert_eq!(run.running(), ["work(1)", "work(2)", "work(3)"]);
    run.finish("work(3)", &["Done=c"]).finish("work(1)", &["Done=a"]);
    assert_eq!(run.running(), ["work(2)"], "the gather waits for what is still on the way");
    run.finish("work(2)", &["Done=b"]);
    assert_eq!(run.running(), ["all([a b c])"]);
}

#[test]
fn an_empty_fan_out_gathers_nothing_at_once() {
    let mut run = Scenario::start(graph(SPLIT), "");
    run.finish("split()", &[]);
    assert_eq!(run.running(), ["all([])"]);
}

#[test]
fn a_fan_out_of_one_is_gathered_as_one() {
    let mut run = Scenario::start(graph(SPLIT), "");
    run.finish("split()", &["Task=1"]).finish("work(1)", &["Done=a"]);
    assert_eq!(run.running(), ["all([a])"]);
}

#[test]
fn a_fan_out_can_be_gathered_without_a_step_between() {
    let mut run = Scenario::start(graph("split: Start -> Vec(Done)\n all: Vec(Done) -> Stop"), "");
    run.finish("split()", &["Done=1", "Done=2"]);
    assert_eq!(run.running(), ["all([1 2])"]);
}

#[test]
fn a_branch_that_ends_is_left_out() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> ?Done\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    run.finish("work(1)", &["Done=a"]).finish("work(3)", &["Done=c"]).finish("work(2)", &[]);
    assert_eq!(run.running(), ["all([a c])"]);
}

#[test]
fn if_every_branch_ends_the_gather_fires_empty() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> ?Done\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]).finish("work(1)", &[]).finish("work(2)", &[]);
    assert_eq!(run.running(), ["all([])"]);
}

#[test]
fn mixed_elements_are_gathered_together_in_fan_out_order() {
    let steps = "split: Start -> Vec(A | B)\n a: A -> X\n b: B -> Y\n all: Vec(X | Y) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["B=1", "A=2", "B=3"]);
    run.finish("b(3)", &["Y=3"]).finish("a(2)", &["X=2"]).finish("b(1)", &["Y=1"]);
    assert_eq!(run.running(), ["all([1 2 3])"]);
}

#[test]
fn two_gathers_on_one_scope_both_fire() {
    let steps =
        "split: Start -> Vec(Task)\n work: Task -> Done\n sum: Vec(Done) -> ()\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"])
        .finish("work(2)", &["Done=b"])
        .finish("work(1)", &["Done=a"]);
    assert_eq!(run.running(), ["sum([a b])", "all([a b])"]);
}

#[test]
fn two_events_of_one_branch_stand_by_the_place_of_their_steps_in_the_source() {
    let steps =
        "split: Start -> Vec(Task)\n first: Task -> Done\n second: Task -> Done\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]);
    run.finish("second(1)", &["Done=1b"]).finish("second(2)", &["Done=2b"]);
    run.finish("first(2)", &["Done=2a"]).finish("first(1)", &["Done=1a"]);
    assert_eq!(run.running(), ["all([1a 1b 2a 2b])"]);
}

const NESTED: &str = "
    split: Start -> Vec(Group)
    open: Group -> Vec(Task)
    work: Task -> Done
    inner: Vec(Done) -> Sum
    outer: Vec(Sum) -> Stop";

#[test]
fn nested_gathers_fire_each_at_its_own_level() {
    let mut run = Scenario::start(graph(NESTED), "");
    run.finish("split()", &["Group=g", "Group=h", "Group=i"]);
    run.finish("open(h)", &["Task=h1", "Task=h2"]).finish("open(g)", &["Task=g1"]).finish("open(i)", &[]);
    assert_eq!(run.running(), ["work(h1)", "work(h2)", "work(g1)", "inner([])"]);
    run.finish("work(h2)", &["Done=H2"]).finish("inner([])", &["Sum=i"]);
    run.finish("work(h1)", &["Done=H1"]).finish("inner([H1 H2])", &["Sum=h"]);
    run.finish("work(g1)", &["Done=G1"]).finish("inner([G1])", &["Sum=g"]);
    assert_eq!(run.running(), ["outer([g h i])"]);
}

#[test]
fn steps_know_how_deep_they_are() {
    let mut run = Scenario::start(graph(NESTED), "");
    assert_eq!(run.step_of("split()").depth, 0);
    run.finish("split()", &["Group=g"]);
    assert_eq!(run.step_of("open(g)").depth, 1);
    run.finish("open(g)", &["Task=t"]);
    assert_eq!(run.step_of("work(t)").depth, 2);
    run.finish("work(t)", &["Done=d"]);
    assert_eq!(run.step_of("inner([d])").depth, 1);
    run.finish("inner([d])", &["Sum=s"]);
    assert_eq!(run.step_of("outer([s])").depth, 0);
}

#[test]
fn every_round_of_a_loop_gathers_its_own() {
    let steps = "split: Start | Again -> Vec(Task)\n work: Task -> Done\n all: Vec(Done) -> Again | Stop";
    let mut run = Scenario::start(graph(steps), "0");
    run.finish("split(0)", &["Task=1", "Task=2"])
        .finish("work(1)", &["Done=1"])
        .finish("work(2)", &["Done=2"]);
    run.finish("all([1 2])", &["Again=1"]);
    run.finish("split(1)", &["Task=3"]).finish("work(3)", &["Done=3"]);
    run.finish("all([3])", &["Stop=end"]);
    assert_eq!(run.output(), "end");
}

#[test]
fn a_stop_inside_a_fan_out_ends_the_run_and_no_gather_fires() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> Done | Stop\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]).finish("work(1)", &["Done=1"]);
    run.finish("work(2)", &["Stop=found"]);
    assert_eq!(run.output(), "found");
}

const RACE: &str = "
    split: Start -> Vec(Task)
    work: Task -> Done
    first[take=2]: Vec(Done) -> Stop";

#[test]
fn take_fires_on_the_nth_arrival_and_cancels_the_rest() {
    let mut run = Scenario::start(graph(RACE), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3", "Task=4"]);
    run.finish("work(3)", &["Done=3"]).finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["first([1 3])"], "in fan-out order");
    assert_eq!(run.aborted, ["work(2)", "work(4)"]);
}

#[test]
fn take_fires_with_fewer_when_the_scope_closes() {
    let mut run = Scenario::start(graph(RACE), "");
    run.finish("split()", &["Task=1"]).finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["first([1])"]);
}

#[test]
fn take_with_elements_that_arrive_at_once_takes_the_first_and_drops_the_rest() {
    let steps = "split: Start -> Vec(Done)\n first[take=2]: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Done=1", "Done=2", "Done=3"]);
    assert_eq!(run.running(), ["first([1 2])"]);
}

#[test]
fn take_can_let_the_rest_run_on() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> Done\n first[take=1, cancel_rest=false]: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]).finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["work(1)", "first([2])"]);
    run.finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["first([2])"], "what comes late is not gathered, and nothing fires twice");
}

#[test]
fn a_full_gather_beside_a_take_still_sees_everything() {
    let steps = "
        split: Start -> Vec(Task)
        work: Task -> Done
        first[take=1]: Vec(Done) -> ()
        all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2"]).finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["work(1)", "first([2])"]);
    run.finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["first([2])", "all([1 2])"]);
}

#[test]
fn taking_cancels_questions_and_inner_fan_outs_too() {
    let steps = "
        split: Start -> Vec(Task)
        work: Task -> Done | ask Ok | Vec(Part)
        answered: answer Ok -> Done
        part: Part -> Piece
        pieces: Vec(Piece) -> Done
        first[take=1]: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    run.finish("work(1)", &["InputRequired<Ok>=sure?"]).finish("work(2)", &["Part=a", "Part=b"]);
    let request = run.request("sure?");
    run.told();
    run.finish("work(3)", &["Done=3"]);
    assert_eq!(run.running(), ["first([3])"]);
    assert_eq!(run.aborted, ["part(a)", "part(b)"]);
    assert_eq!(run.told(), [Notice::InputWithdrawn { request }]);
}

#[test]
fn an_event_for_a_take_and_for_a_step_does_not_start_the_step_in_a_cancelled_scope() {
    let steps = "
        split: Start -> Vec(Done)
        first[take=1]: Vec(Done) -> Stop
        log: Done -> ()";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Done=1", "Done=2"]);
    assert_eq!(run.running(), ["first([1])"]);
}

#[test]
fn a_run_is_the_same_from_a_snapshot_in_the_middle_of_a_nested_fan_out() {
    let mut run = Scenario::start(graph(NESTED), "");
    run.finish("split()", &["Group=g", "Group=h"]).finish("open(g)", &["Task=g1", "Task=g2"]);
    run.finish("work(g1)", &["Done=G1"]);
    run.tick(Tick::Suspended).unwrap();
    let mut run = run.resumed();
    assert_eq!(run.running(), ["open(h)", "work(g2)"]);
    run.finish("open(h)", &[]).finish("work(g2)", &["Done=G2"]);
    run.finish("inner([])", &["Sum=h"]).finish("inner([G1 G2])", &["Sum=g"]);
    assert_eq!(run.running(), ["outer([g h])"]);
}
