//! `workers = n`.

use workflow_runtime::engine::{Status, Tick};

use crate::graphs::graph;
use crate::scenario::Scenario;

const LIMITED: &str = "split: Start -> Vec(Task)\n work[workers=2]: Task -> Done\n all: Vec(Done) -> Stop";

#[test]
fn at_most_so_many_run_and_the_rest_follows_in_delivery_order() {
    let mut run = Scenario::start(graph(LIMITED), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3", "Task=4"]);
    assert_eq!(run.running(), ["work(1)", "work(2)"]);
    run.finish("work(2)", &["Done=2"]);
    assert_eq!(run.running(), ["work(1)", "work(3)"]);
    run.finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["work(3)", "work(4)"]);
}

#[test]
fn without_a_limit_everything_runs() {
    let steps = "split: Start -> Vec(Task)\n work: Task -> Done\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    let tasks: Vec<_> = (0..1_000).map(|n| format!("Task={n}")).collect();
    run.finish("split()", &tasks.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run.running().len(), 1_000);
}

#[test]
fn workers_freed_by_cancelling_start_the_next_in_the_queue() {
    let steps = "
        groups: Start -> Vec(Group)
        open: Group -> Vec(Task)
        work[workers=2]: Task -> Done
        first[take=1]: Vec(Done) -> One
        all: Vec(One) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("groups()", &["Group=g", "Group=h"]);
    run.finish("open(g)", &["Task=g1", "Task=g2", "Task=g3"]).finish("open(h)", &["Task=h1", "Task=h2"]);
    assert_eq!(run.running(), ["work(g1)", "work(g2)"]);
    run.finish("work(g1)", &["Done=g1"]);
    assert_eq!(run.aborted, ["work(g2)"]);
    let mut running = run.running();
    running.sort();
    assert_eq!(running, ["first([g1])", "work(h1)", "work(h2)"], "`g3` was cancelled in the queue");
}

#[test]
fn a_queue_keeps_its_order_over_a_snapshot_and_what_ran_comes_first() {
    let mut run = Scenario::start(graph(LIMITED), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3", "Task=4", "Task=5"]).finish("work(1)", &["Done=1"]);
    assert_eq!(run.running(), ["work(2)", "work(3)"]);
    run.tick(Tick::Suspended).unwrap();
    let mut run = run.resumed();
    assert_eq!(run.running(), ["work(2)", "work(3)"]);
    run.finish("work(2)", &["Done=2"]).finish("work(3)", &["Done=3"]);
    assert_eq!(run.running(), ["work(4)", "work(5)"]);
}

#[test]
fn a_limit_that_came_with_new_code_holds_for_a_saved_run() {
    let unlimited = "split: Start -> Vec(Task)\n work: Task -> Done\n all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(unlimited), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]);
    let run = run.resumed_under(graph(LIMITED));
    assert_eq!(run.running(), ["work(1)", "work(2)"]);
}

#[test]
fn a_failed_step_gives_its_worker_back_when_the_run_is_continued() {
    let mut run = Scenario::start(graph(LIMITED), "");
    run.finish("split()", &["Task=1", "Task=2", "Task=3"]).fail("work(2)", "no");
    let run = run.resumed();
    let mut running = run.running();
    running.sort();
    assert_eq!(running, ["work(1)", "work(2)"], "before what has never run");
}

#[test]
fn what_was_made_in_the_tick_that_failed_the_run_keeps_its_place_in_the_queue() {
    let steps = "
        split: Start -> Vec(ask Ok | ask Why)
        late[workers=1]: expired Ok -> Done
        b: answer Ok -> Done
        c: answer Why -> Done
        all: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["InputRequired<Ok>=in 5 a", "InputRequired<Why>=in 5 b"]).advance(5);
    assert_eq!(*run.status(), Status::Failed, "nobody takes that the second question has expired");
    run.tick(Tick::Resumed).unwrap();
    assert_eq!(run.running(), ["late(in 5 a)"]);
}
