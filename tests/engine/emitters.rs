//! Events that a step sends while it runs.

use workflow_runtime::engine::{Refused, Tick};

use crate::graphs::graph;
use crate::scenario::Scenario;

const READ: &str = "read: Start & emit Line -> ()\n work: Line -> Done\n all: Vec(Done) -> Stop";

#[test]
fn work_starts_while_the_sender_still_runs_and_is_gathered_once_after_the_last() {
    let mut run = Scenario::start(graph(READ), "");
    run.send("read()", 0, "Line=a");
    assert_eq!(run.running(), ["read()", "work(a)"]);
    run.finish("work(a)", &["Done=A"]);
    assert_eq!(run.running(), ["read()"], "everything sent has arrived, but more may come");
    run.send("read()", 1, "Line=b").send("read()", 2, "Line=c");
    run.finish("read()", &[]).finish("work(c)", &["Done=C"]);
    assert_eq!(run.running(), ["work(b)"]);
    run.finish("work(b)", &["Done=B"]);
    assert_eq!(run.running(), ["all([A B C])"], "in the order in which it was sent");
}

#[test]
fn a_sender_that_sends_nothing_is_an_empty_fan_out() {
    let mut run = Scenario::start(graph(READ), "");
    run.finish("read()", &[]);
    assert_eq!(run.running(), ["all([])"]);
}

#[test]
fn a_later_attempt_does_not_send_again_what_an_earlier_one_has_sent() {
    let mut run = Scenario::start(graph(READ), "");
    run.send("read()", 0, "Line=a").send("read()", 1, "Line=b").finish("work(a)", &["Done=A"]);
    let mut run = run.resumed();
    assert_eq!(run.running(), ["read()", "work(b)"]);
    run.send("read()", 0, "Line=a").send("read()", 1, "Line=b");
    assert_eq!(run.running(), ["read()", "work(b)"], "nothing is sent twice");
    run.send("read()", 2, "Line=c").finish("read()", &[]);
    run.finish("work(c)", &["Done=C"]).finish("work(b)", &["Done=B"]);
    assert_eq!(run.running(), ["all([A B C])"]);
}

#[test]
fn what_was_sent_stays_when_the_sender_fails() {
    let mut run = Scenario::start(graph(READ), "");
    run.send("read()", 0, "Line=a").fail("read()", "disk");
    let mut run = run.resumed();
    assert_eq!(run.running(), ["read()", "work(a)"]);
    run.send("read()", 0, "Line=a").finish("read()", &[]).finish("work(a)", &["Done=A"]);
    assert_eq!(run.running(), ["all([A])"]);
}

#[test]
fn an_event_before_which_one_is_missing_is_refused() {
    let mut run = Scenario::start(graph(READ), "");
    let early = run.sent("read()", 1, "Line=b");
    assert_eq!(run.tick(early), Err(Refused::NotSent { event: "Line".to_owned() }));
    let other = run.sent("read()", 0, "Done=b");
    assert_eq!(run.tick(other), Err(Refused::NotSent { event: "Done".to_owned() }));
}

#[test]
fn a_sender_whose_events_nobody_needs_any_more_goes_on_and_is_not_heard() {
    let steps = "
        read: Start & emit Line -> Read
        work: Line -> Done
        first[take=1]: Vec(Done) -> First
        both: Read & First -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.send("read()", 0, "Line=a").send("read()", 1, "Line=b").finish("work(b)", &["Done=B"]);
    assert_eq!(
        (run.running(), &run.aborted[..]),
        (vec!["read()".to_owned(), "first([B])".to_owned()], &["work(a)".to_owned()][..])
    );
    run.send("read()", 2, "Line=c").finish("first([B])", &["First=f"]).finish("read()", &["Read=r"]);
    assert_eq!(run.running(), ["both(r, f)"]);
}

#[test]
fn a_sender_in_a_fan_out_is_cancelled_with_it_and_so_is_what_it_sent() {
    let steps = "
        split: Start -> Vec(File)
        read: File & emit Line -> ()
        work: Line -> Done
        lines: Vec(Done) -> Sum
        first[take=1]: Vec(Sum) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("split()", &["File=f", "File=g"]);
    run.send("read(f)", 0, "Line=f1").send("read(g)", 0, "Line=g1").finish("read(g)", &[]);
    run.finish("work(g1)", &["Done=G1"]).finish("lines([G1])", &["Sum=g"]);
    assert_eq!(run.running(), ["first([g])"]);
    assert_eq!(run.aborted.len(), 2);
}

#[test]
fn what_a_sender_returns_goes_its_own_way() {
    let steps = "
        read: Start & emit Line -> Read
        work: Line -> Done
        all: Read & Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.send("read()", 0, "Line=a").finish("read()", &["Read=r"]).finish("work(a)", &["Done=A"]);
    assert_eq!(run.running(), ["all(r, [A])"]);
}

#[test]
fn a_suspended_sender_goes_on_where_it_was() {
    let mut run = Scenario::start(graph(READ), "");
    run.send("read()", 0, "Line=a");
    run.tick(Tick::Suspended).unwrap();
    let mut run = run.resumed();
    run.send("read()", 0, "Line=a").send("read()", 1, "Line=b").finish("read()", &[]);
    run.finish("work(b)", &["Done=B"]).finish("work(a)", &["Done=A"]);
    assert_eq!(run.running(), ["all([A B])"]);
}
