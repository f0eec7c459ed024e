//! What happens by the clock, and what comes from outside: expiries, limits of runs, signals.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use workflow_runtime::prelude::*;
use workflow_runtime::{RunOptions, StepErrorKind};

use crate::flows::Log;

fn through_json(snapshot: Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap()
}

async fn asked<W>(run: &Run<W>) -> Ask<Approve>
where
    W: Workflow + Asks<Approve>,
{
    let mut events = run.events();
    while let Some(event) = events.next().await {
        if let Some(ask) = event.unwrap().ask::<Approve>() {
            return ask;
        }
    }
    panic!("the run ended without a question");
}

// ---- questions ----

#[prompt(response = bool)]
#[derive(Debug, PartialEq)]
struct Approve {
    by: String,
}

/// Asks a clerk for a minute, and then the boss.
struct Approval;

impl Approval {
    fn question(by: &str) -> InputRequired<Approve> {
        InputRequired::new(Approve { by: by.to_owned() })
    }
}

#[workflow]
impl Approval {
    #[step]
    fn ask(&self, _: Start) -> InputRequired<Approve> {
        Self::question("clerk").expires_in(Duration::from_secs(60))
    }

    #[step]
    fn escalate(&self, expired: Expired<Approve>) -> OneOf<InputRequired<Approve>, Stop<String>> {
        match &*expired.prompt.by {
            "clerk" => OneOf::new(Self::question("boss").expires_in(Duration::from_secs(3_600))),
            by => OneOf::new(Stop(format!("the {by} is away"))),
        }
    }

    #[step]
    fn decide(&self, answer: HumanResponse<Approve>) -> Stop<String> {
        Stop(format!("{} says {}", answer.prompt.by, answer.response))
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_expires_goes_to_the_step_that_takes_it() {
    let begin = Instant::now();
    assert_eq!(Approval.run(()).await.unwrap(), "the boss is away");
    assert_eq!(begin.elapsed(), Duration::from_secs(3_660));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_answered_in_time_does_not_expire() {
    let run = Approval.run(());
    let ask = asked(&run).await;
    assert_eq!(ask.expires_at.map(|at| at.0 - ask.asked_at.0), Some(60_000));
    tokio::time::sleep(Duration::from_secs(59)).await;
    run.respond(&ask, true).await.unwrap();
    let mut events = run.events();
    while let Some(event) = events.next().await {
        assert!(!matches!(event.unwrap().kind, RunEventKind::InputExpired { .. }));
    }
    assert_eq!(run.await.unwrap(), "clerk says true");
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_question_has_expired_is_an_error_to_the_sender() {
    let run = Approval.run(());
    let ask = asked(&run).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(run.respond(&ask, true).await.is_err());
    let ask = run.pending().one::<Approve>().unwrap();
    assert_eq!(ask.prompt.by, "boss");
    run.respond(&ask, false).await.unwrap();
    assert_eq!(run.await.unwrap(), "boss says false");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_question_survives_a_restore() {
    let run = Approval.run(());
    let before = asked(&run).await;
    let saved = through_json(run.suspend().await.unwrap());
    let resumed = Approval.resume(saved).unwrap();
    let ask = resumed.pending().one::<Approve>().unwrap();
    assert_eq!(ask, before);
    assert_eq!(resumed.await.unwrap(), "the boss is away");
}

#[tokio::test(start_paused = true)]
async fn a_question_whose_time_ran_out_while_nobody_held_the_run_expires_at_once() {
    let run = Past.run(());
    let ask = asked(&run).await;
    let saved = through_json(run.suspend().await.unwrap());
    // The wall clock is the driver's own, and a test cannot turn it; so the question was asked long ago.
    let at = |ago: u64| ask.expires_at.map(|at| (at.0 - ago).to_string()).unwrap();
    let long_ago = saved.to_json().replace(&at(0), &at(86_400_000));
    assert_ne!(long_ago, saved.to_json());
    let begin = Instant::now();
    assert_eq!(Past.resume(Snapshot::from_json(&long_ago).unwrap()).unwrap().await.unwrap(), "too late");
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

/// Goes on without the clerk.
struct ByDefault;

#[workflow]
impl ByDefault {
    #[step]
    fn ask(&self, Start(in_words): Start<bool>) -> OneOf<InputRequired<Approve>, InputRequired> {
        let minute = Duration::from_secs(60);
        if in_words {
            return OneOf::new(
                InputRequired::text("Sure?").expires_in(minute).or_answer(&"I think so".to_owned()),
            );
        }
        OneOf::new(Approval::question("clerk").expires_in(minute).or_answer(&true))
    }

    #[step]
    fn decide(&self, answer: HumanResponse<Approve>) -> Stop<String> {
        Stop(format!("{} {} says {}", answer.request, answer.prompt.by, answer.response))
    }

    #[step]
    fn in_words(&self, answer: &HumanResponse) -> Stop<String> {
        Stop(format!("{} {}", answer.prompt.message, answer.response))
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_says_what_the_answer_is_then_goes_on_with_it_also_elsewhere() {
    assert_eq!(ByDefault.run(true).await.unwrap(), "Sure? I think so");
    let begin = Instant::now();
    let run = ByDefault.run(false);
    let ask = asked(&run).await;
    let run = ByDefault.resume(through_json(run.suspend().await.unwrap())).unwrap();
    let mut events = run.events();
    assert_eq!((&run).await.unwrap(), format!("{} clerk says true", ask.id));
    assert!((59..=60).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        match event.unwrap().kind {
            RunEventKind::InputExpired { request } => told.push(("expired", request)),
            RunEventKind::InputReceived { request } => told.push(("received", request)),
            _ => {}
        }
    }
    assert_eq!(told, [("expired", ask.id)]);
}

#[prompt(response = HashMap<[u8; 2], u8>)]
struct Unsayable;

struct Speechless;

#[workflow]
impl Speechless {
    #[step]
    fn ask(&self, _: Start) -> InputRequired<Unsayable> {
        let answer = HashMap::from([([1, 2], 3)]);
        InputRequired::new(Unsayable).expires_in(Duration::from_secs(60)).or_answer(&answer)
    }

    #[step]
    fn decide(&self, case: OneOf<HumanResponse<Unsayable>, Expired<Unsayable>>) -> Stop<bool> {
        Stop(matches!(case, OneOf::A(_)))
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_serialise_is_no_answer() {
    assert!(!Speechless.run(()).await.unwrap());
    let run = Speechless.run(());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = run.suspend().await.unwrap_err();
    assert!(refused.to_string().contains("InputRequired<Unsayable>"), "{refused}");
}

struct Past;

#[workflow]
impl Past {
    #[step]
    fn ask(&self, _: Start) -> InputRequired<Approve> {
        Approval::question("clerk").expires_in(Duration::from_secs(60))
    }

    #[step]
    fn either(&self, case: OneOf<&Expired<Approve>, &HumanResponse<Approve>>) -> Stop<String> {
        Stop(match case {
            OneOf::A(_) => "too late".to_owned(),
            OneOf::B(answer) => answer.response.to_string(),
        })
    }
}

/// No step takes the question that expires.
struct Impatient;

#[workflow]
impl Impatient {
    #[step]
    fn ask(&self, _: Start) -> InputRequired<Approve> {
        Approval::question("clerk").expires_in(Duration::from_secs(60))
    }

    #[step]
    fn decide(&self, _: HumanResponse<Approve>) -> Stop {
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_expires_and_that_no_step_takes_is_a_failure_of_the_step_that_asked() {
    let RunError::Failed { step, error, .. } = Impatient.run(()).await.unwrap_err() else { panic!() };
    assert_eq!((&*step, error.kind()), ("ask", StepErrorKind::Expired));
}

// ---- limits of runs ----

#[event]
struct Begun;

struct Slow;

#[workflow]
impl Slow {
    #[step]
    fn begin(&self, _: Start) -> Begun {
        Begun
    }

    #[step]
    async fn dig(&self, _: &Begun) -> Stop {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        Stop(())
    }

    #[step]
    async fn watch(&self, _: &Begun) {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_too_long_says_which_steps_were_running() {
    let begin = Instant::now();
    let run = Slow.run_with((), RunOptions::default().id("slow").timeout(Duration::from_secs(60)));
    let mut events = run.events();
    let error = (&run).await.unwrap_err();
    assert_eq!(begin.elapsed(), Duration::from_secs(60));
    assert_eq!(error.to_string(), "run slow took too long; `dig`, `watch` still ran");
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.unwrap().kind);
    }
    assert!(matches!(last, Some(RunEventKind::TimedOut { running }) if running == ["dig", "watch"]));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_took_too_long_can_be_continued_and_has_its_time_anew() {
    let run = Slow.run_with((), RunOptions::default().timeout(Duration::from_secs(60)));
    (&run).await.unwrap_err();
    let begin = Instant::now();
    let again = Slow.resume(through_json(run.snapshot().unwrap())).unwrap();
    assert!(matches!(again.await, Err(RunError::TimedOut { .. })));
    assert_eq!(begin.elapsed(), Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_person_does_not_count_against_the_timeout() {
    let run = Approval.run_with((), RunOptions::default().timeout(Duration::from_secs(1)));
    assert_eq!(run.await.unwrap(), "the boss is away");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_whatever_the_run_waits_for() {
    #[expect(clippy::disallowed_methods, reason = "a deadline is a time of the wall clock")]
    let deadline = SystemTime::now() + Duration::from_secs(90);
    let run = Approval.run_with((), RunOptions::default().id("late").deadline(deadline));
    let begin = Instant::now();
    let error = run.await.unwrap_err();
    assert_eq!(error.to_string(), "run late took too long");
    assert!(begin.elapsed() > Duration::from_secs(60) && begin.elapsed() <= Duration::from_secs(90));
}

// ---- signals ----

#[data]
struct Note(String);

#[event]
struct Ready;

/// Starts when it is ready and has been told to; takes notes meanwhile.
struct Launch {
    log: Log,
}

#[workflow]
impl Launch {
    #[step]
    async fn prepare(&self, _: Start) -> Ready {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ready
    }

    #[step]
    fn note(&self, Signal(Note(text)): Signal<Note>) {
        self.log.add(text);
    }

    #[step]
    fn launch(&self, _: Ready, Signal(code): &Signal<u32>) -> Stop<u32> {
        Stop(*code)
    }
}

fn launch() -> (Launch, Log) {
    let log = Log::default();
    (Launch { log: log.clone() }, log)
}

#[tokio::test(start_paused = true)]
async fn each_signal_runs_each_step_that_takes_it() {
    let (flow, log) = launch();
    let run = flow.run(());
    run.send(Note("one".to_owned())).await.unwrap();
    run.send(Note("two".to_owned())).await.unwrap();
    run.send(7_u32).await.unwrap();
    assert_eq!((&run).await, Ok(7));
    assert_eq!(log.lines(), ["one", "two"]);
    assert!(run.send(7_u32).await.is_err(), "the run has ended");
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_comes_before_the_rest_of_its_join_is_kept() {
    let run = launch().0.run(());
    run.send(7_u32).await.unwrap();
    let begin = Instant::now();
    assert_eq!(run.await, Ok(7));
    assert_eq!(begin.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_was_kept_survives_a_restore() {
    let run = launch().0.run(());
    run.send(7_u32).await.unwrap();
    let resumed = launch().0.resume(through_json(run.suspend().await.unwrap())).unwrap();
    assert_eq!(resumed.await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_signals_waits_for_them() {
    let run = launch().0.run(());
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(!run.is_over());
    run.send(8_u32).await.unwrap();
    assert_eq!(run.await, Ok(8));
}

/// Is tried again in a second.
struct NotYet;

#[workflow]
impl NotYet {
    #[step(retry = Retry::fixed("1s"))]
    async fn only(&self, _: Start) -> Result<Stop, String> {
        Err("not yet".to_owned())
    }
}

#[test]
fn a_run_that_has_to_wait_on_a_runtime_without_timers_is_cancelled_and_says_why() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(async { NotYet.run(()).await });
    let Err(RunError::Cancelled { reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("enable_time"), "{reason}");
}
