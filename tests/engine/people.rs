//! Questions and answers.

use workflow_runtime::RequestId;
use workflow_runtime::engine::{Notice, Refused, Status, Tick};

use crate::graphs::graph;
use crate::scenario::Scenario;

const APPROVAL: &str = "a: Start -> ask Ok\n b: answer Ok -> Stop";

#[test]
fn a_question_waits_and_its_answer_goes_on() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=sure?"]);
    assert!(matches!(run.told()[..], [Notice::InputRequired { .. }]));
    assert_eq!(run.running(), [""; 0]);
    assert_eq!(*run.status(), Status::Running);
    run.answer("sure?", "HumanResponse<Ok>=yes");
    assert_eq!(run.running(), ["b(yes)"]);
    run.finish("b(yes)", &["Stop=done"]);
    assert_eq!(run.output(), "done");
}

#[test]
fn several_questions_are_open_at_once_and_answered_in_any_order() {
    let steps = "a: Start -> Vec(ask Ok)\n b: answer Ok -> Done\n c: Vec(Done) -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("a()", &["InputRequired<Ok>=1?", "InputRequired<Ok>=2?", "InputRequired<Ok>=3?"]);
    assert_eq!(run.questions(), ["1?", "2?", "3?"]);
    for n in [2, 3, 1] {
        run.answer(&format!("{n}?"), &format!("HumanResponse<Ok>={n}!"));
        run.finish(&format!("b({n}!)"), &[&format!("Done={n}")]);
    }
    assert_eq!(run.running(), ["c([1 2 3])"]);
}

#[test]
fn a_second_answer_is_refused_and_changes_nothing() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=sure?"]);
    let request = run.request("sure?");
    run.answer("sure?", "HumanResponse<Ok>=yes");
    let response = run.value("HumanResponse<Ok>=no");
    assert_eq!(run.tick(Tick::Answered { request, response }), Err(Refused::NotOpen { request }));
    assert_eq!(run.running(), ["b(yes)"]);
}

#[test]
fn an_answer_to_a_question_that_was_never_asked_is_refused() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    let request = RequestId(99);
    let response = run.value("HumanResponse<Ok>=no");
    assert_eq!(run.tick(Tick::Answered { request, response }), Err(Refused::NotOpen { request }));
}

#[test]
fn the_answer_to_another_question_is_refused() {
    let steps = "a: Start -> Vec(ask Ok | ask Why)\n b: answer Ok -> ()\n c: answer Why -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("a()", &["InputRequired<Ok>=sure?", "InputRequired<Why>=why?"]);
    let request = run.request("sure?");
    let response = run.value("HumanResponse<Why>=because");
    let refused = run.tick(Tick::Answered { request, response });
    assert_eq!(refused, Err(Refused::NotAnAnswer { request, event: "HumanResponse<Why>".to_owned() }));
    assert_eq!(run.questions(), ["sure?", "why?"]);
}

#[test]
fn a_stop_withdraws_open_questions() {
    let steps = "a: Start -> ask Ok\n b: answer Ok -> ()\n c: Start -> Stop";
    let mut run = Scenario::start(graph(steps), "");
    run.finish("a()", &["InputRequired<Ok>=sure?"]);
    let request = run.request("sure?");
    run.finish("c()", &["Stop"]);
    assert_eq!(run.told().last(), Some(&Notice::InputWithdrawn { request }));
    let response = run.value("HumanResponse<Ok>=yes");
    assert_eq!(run.tick(Tick::Answered { request, response }), Err(Refused::Ended));
}

#[test]
fn a_resumed_run_tells_its_open_questions_again_under_their_ids() {
    let mut run = Scenario::start(graph(APPROVAL), "");
    run.finish("a()", &["InputRequired<Ok>=sure?"]);
    let request = run.request("sure?");
    let mut run = run.resumed();
    assert!(matches!(run.told()[..], [Notice::InputRequired { request: again, .. }] if again == request));
    run.answer("sure?", "HumanResponse<Ok>=yes").finish("b(yes)", &["Stop=done"]);
    assert_eq!(run.output(), "done");
}
