//! Questions, answers, and answers that are wrong.

use std::time::Duration;

use serde_json::value::RawValue;
use workflow_runtime::prelude::*;
use workflow_runtime::{AnswerError, PendingError, RequestId, RespondError};

use crate::flows::{HowMany, Shop};

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_for_as_long_as_it_takes() {
    let (run, ask) = Shop::default().asking().await;
    assert_eq!((ask.step, &*ask.prompt.what), ("ask", "3"));
    tokio::time::sleep(Duration::from_secs(86_400 * 365)).await;
    run.respond(&ask, 2).await.unwrap();
    assert_eq!(run.await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_json_is_as_good() {
    let (run, ask) = Shop::default().asking().await;
    run.respond_json(ask.id, &json(" 2 ")).await.unwrap();
    assert_eq!(run.await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_wrong_type_is_an_error_to_the_sender_and_the_question_stays_open() {
    let (run, ask) = Shop::default().asking().await;
    let error = run.respond_json(ask.id, &json("\"two\"")).await.unwrap_err();
    let RespondError::Refused { reason: AnswerError::WrongType { reason, .. }, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(reason.contains("expected u32"), "{reason}");
    run.respond(&ask, 2).await.unwrap();
    assert_eq!(run.await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_validate_refuses_is_an_error_to_the_sender_and_the_question_stays_open() {
    let (run, ask) = Shop::default().asking().await;
    for refused in [run.respond(&ask, 0).await, run.respond_json(ask.id, &json("0")).await] {
        let RespondError::Refused { reason, .. } = refused.unwrap_err() else { panic!() };
        assert_eq!(reason, AnswerError::Invalid { reason: "zero is not enough".to_owned() });
    }
    assert_eq!(run.pending().len(), 1);
    run.respond(&ask, 2).await.unwrap();
    assert_eq!(run.await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn a_second_answer_is_an_error_to_the_sender_and_changes_nothing() {
    let (run, ask) = Shop::default().asking().await;
    run.respond(&ask, 2).await.unwrap();
    let error = run.respond(&ask, 5).await.unwrap_err();
    assert!(matches!(error, RespondError::NotOpen { request, .. } if request == ask.id));
    assert_eq!(run.await, Ok(6));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_question_that_was_never_asked_is_an_error() {
    let (run, _) = Shop::default().asking().await;
    let error = run.respond_json(RequestId(4_711), &json("2")).await.unwrap_err();
    let text = format!(
        "question 4711 of run {} is not open: it was answered, withdrawn, expired, or never asked",
        run.id()
    );
    assert_eq!(error.to_string(), text);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_question_of_another_run_is_an_error_and_both_stay_open() {
    let (one, ask) = Shop::default().asking().await;
    let (other, of_other) = Shop::default().asking().await;
    assert_eq!(ask.id, of_other.id, "only the run tells them apart");
    let error = other.respond(&ask, 2).await.unwrap_err();
    let text = format!(
        "question {} is of run {}, and not of run {}; ask `pending()` of the run itself",
        ask.id,
        one.id(),
        other.id()
    );
    assert_eq!(error.to_string(), text);
    assert_eq!((one.pending().len(), other.pending().len()), (1, 1));
    one.respond(&ask, 2).await.unwrap();
    other.respond(&of_other, 2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_an_error_that_says_that_the_run_has_ended() {
    let (run, ask) = Shop::default().asking().await;
    run.cancel("closed").await;
    let error = run.respond(&ask, 2).await.unwrap_err();
    assert!(matches!(error, RespondError::Ended { .. }), "{error:?}");
    assert!(run.pending().is_empty());
}

struct Survey;

#[event]
struct Answered(String);

#[prompt(response = bool)]
#[derive(Debug, PartialEq)]
struct Sure;

#[workflow]
impl Survey {
    #[step]
    fn ask(&self, Start(n): Start<u32>) -> Vec<OneOf<InputRequired, InputRequired<Sure>>> {
        let texts = (0..n).map(|n| OneOf::new(InputRequired::text(format!("question {n}"))));
        texts.chain([OneOf::new(InputRequired::new(Sure))]).collect()
    }

    #[step]
    fn text(&self, answer: HumanResponse) -> Answered {
        Answered(format!("{}: {}", answer.prompt.message, answer.response))
    }

    #[step]
    fn sure(&self, answer: HumanResponse<Sure>) -> Answered {
        Answered(answer.response.to_string())
    }

    #[step]
    fn all(&self, answers: Vec<Answered>) -> Stop<Vec<String>> {
        Stop(answers.into_iter().map(|answer| answer.0).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn several_questions_are_open_at_once_and_answered_in_any_order() {
    let run = Survey.run(3);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut asks = run.pending().all::<Text>();
    assert_eq!(asks.len(), 3);
    asks.reverse();
    run.respond(&run.pending().one::<Sure>().unwrap(), true).await.unwrap();
    for ask in asks {
        let answer = ask.prompt.message.to_uppercase();
        run.respond(&ask, answer).await.unwrap();
    }
    let expected = ["question 0: QUESTION 0", "question 1: QUESTION 1", "question 2: QUESTION 2", "true"];
    assert_eq!(run.await.unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_matched_by_id_and_not_by_type() {
    let run = Survey.run(1);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let text = run.pending().one::<Text>().unwrap();
    let sure = run.pending().one::<Sure>().unwrap();
    let mut mixed_up = sure.clone();
    mixed_up.id = text.id;
    let RespondError::Refused { reason, .. } = run.respond(&mixed_up, true).await.unwrap_err() else {
        panic!()
    };
    assert!(matches!(reason, AnswerError::OtherPrompt { .. }), "{reason:?}");
    assert_eq!(run.pending().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_only_question_must_be_the_only_one() {
    let run = Survey.run(2);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(matches!(run.pending().one::<Text>(), Err(PendingError { open: 2, prompt: "Text", .. })));
    assert_eq!(run.pending().one::<Sure>().unwrap().prompt, Sure);
    let (asking, _) = Shop::default().asking().await;
    asking.cancel("test").await;
    let error = asking.pending().one::<HowMany>().unwrap_err();
    assert_eq!(error.to_string(), format!("run {} has 0 open questions `HowMany`, not one", asking.id()));
}
