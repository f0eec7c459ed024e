//! Joins: several event parameters of one step.

use workflow_runtime::engine::Notice;

use crate::graphs::graph;
use crate::scenario::Scenario;

#[test]
fn a_join_fires_when_one_of_each_has_arrived() {
    let mut run = Scenario::start(graph("a: Start -> L\n b: Start -> R\n both: L & R -> Stop"), "");
    run.finish("b()", &["R=r"]);
    assert_eq!(run.running(), ["a()"]);
    run.finish("a()", &["L=l"]);
    assert_eq!(run.running(), ["both(l, r)"]);
}

const PER_ITEM: &str = "
    split: Start -> Vec(Item)
    left: Item -> L
    right: Item -> R
    both: L & R -> Pair
    all: Vec(Pair) -> Stop";

#[test]
fn a_join_pairs_each_items_own_results_however_they_interleave() {
    let mut run = Scenario::start(graph(PER_ITEM), "");
    run.finish("split()", &["Item=1", "Item=2", "Item=3"]);
    run.finish("left(1)", &["L=l1"]).finish("right(2)", &["R=r2"]).finish("left(3)", &["L=l3"]);
    run.finish("right(3)", &["R=r3"]).finish("left(2)", &["L=l2"]).finish("right(1)", &["R=r1"]);
    assert_eq!(run.running(), ["both(l3, r3)", "both(l2, r2)", "both(l1, r1)"]);
    run.finish("both(l3, r3)", &["Pair=3"]).finish("both(l1, r1)", &["Pair=1"]);
    run.finish("both(l2, r2)", &["Pair=2"]);
    assert_eq!(run.running(), ["all([1 2 3])"]);
}

#[test]
fn events_of_one_branch_are_paired_first_come_first() {
    let steps = "
        a: Start -> L
        b: Start -> R
        more: L -> ?L2
        both: L & R -> ?R
        c: L2 -> L
        stop: signal End -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("a()", &["L=1"]).finish("more(1)", &["L2=2"]).finish("c(2)", &["L=3"]);
    run.finish("b()", &["R=x"]);
    assert_eq!(run.running(), ["more(3)", "both(1, x)"]);
    run.finish("both(1, x)", &["R=y"]);
    assert_eq!(run.running(), ["more(3)", "both(3, y)"]);
}

#[test]
fn what_is_left_in_a_join_when_its_scope_closes_is_dropped_and_reported() {
    let steps = "
        split: Start -> Vec(Item)
        left: Item -> L
        right: Item -> ?R
        both: L & R -> Pair
        all: Vec(Pair) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["Item=1"]).finish("left(1)", &["L=l"]).finish("right(1)", &[]);
    assert_eq!(run.running(), ["all([])"]);
    let (step, left) = (run.graph.step_named("both").unwrap(), run.graph.event_named("L").unwrap());
    assert_eq!(run.told(), [Notice::Unpaired { step, events: vec![left] }]);
}

#[test]
fn a_gather_joins_with_an_event_of_the_branch_in_which_its_scope_was_opened() {
    let steps = "
        plan: Start -> Plan
        split: Plan -> Vec(Task)
        work: Task -> Done
        report: Plan & Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("plan()", &["Plan=p"]);
    assert_eq!(run.running(), ["split(p)"]);
    run.finish("split(p)", &["Task=1", "Task=2"])
        .finish("work(2)", &["Done=b"])
        .finish("work(1)", &["Done=a"]);
    assert_eq!(run.running(), ["report(p, [a b])"]);
}

#[test]
fn a_half_filled_join_survives_a_snapshot() {
    let mut run = Scenario::start(graph(PER_ITEM), "");
    run.finish("split()", &["Item=1", "Item=2"]).finish("left(1)", &["L=l1"]).finish("right(2)", &["R=r2"]);
    let mut run = run.resumed();
    assert_eq!(run.running(), ["right(1)", "left(2)"], "what had finished does not run again");
    run.finish("right(1)", &["R=r1"]).finish("left(2)", &["L=l2"]);
    assert_eq!(run.running(), ["both(l1, r1)", "both(l2, r2)"]);
}
