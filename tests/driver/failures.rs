//! Steps that fail: retry policies, error handlers, gathers that take failures.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use workflow_runtime::prelude::*;
use workflow_runtime::{Final, RetryAfter, StepErrorKind};

use crate::flows::{Counter, Log};

fn through_json(snapshot: Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap()
}

/// What the calls of a service come to, one after the other; the last one for ever.
#[derive(Clone, Copy)]
enum Call {
    Fails,
    FailsForGood,
    FailsUntil(Duration),
    Hangs,
    Panics,
    Works,
}

#[derive(Debug)]
struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("busy")
    }
}

impl std::error::Error for Busy {}

struct Fetcher {
    calls: Vec<Call>,
    log: Log,
    since: Instant,
}

impl Fetcher {
    const POLICY: Retry = Retry::exponential("1s").attempts(4);

    fn new(calls: impl Into<Vec<Call>>) -> Self {
        Self { calls: calls.into(), log: Log::default(), since: Instant::now() }
    }

    fn log(calls: impl Into<Vec<Call>>) -> (Self, Log) {
        let flow = Self::new(calls);
        let log = flow.log.clone();
        (flow, log)
    }
}

#[workflow]
impl Fetcher {
    /// Gives the number of its attempt.
    #[step(retry = Self::POLICY, timeout = "30s")]
    async fn fetch(&self, _: Start, ctx: &Context<Self>) -> Result<Stop<u32>, StepError> {
        let attempt = ctx.attempt();
        let last = ctx.last_error().map_or("nothing", StepError::message);
        self.log.add(format!("{} s: attempt {attempt} after {last}", self.since.elapsed().as_secs()));
        let at = usize::try_from(attempt).unwrap().min(self.calls.len()) - 1;
        match self.calls[at] {
            Call::Fails => Err(Busy.into()),
            Call::FailsForGood => Err(Final::new("no such page").into()),
            Call::FailsUntil(after) => Err(RetryAfter::new(after, "too many requests").into()),
            Call::Hangs => std::future::pending().await,
            Call::Panics => panic!("out of paper"),
            Call::Works => Ok(Stop(attempt)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_its_policy_says_and_sees_what_went_before() {
    let (flow, log) = Fetcher::log([Call::Fails, Call::Fails, Call::Works]);
    assert_eq!(flow.run(()).await, Ok(3));
    let lines = ["0 s: attempt 1 after nothing", "1 s: attempt 2 after busy", "3 s: attempt 3 after busy"];
    assert_eq!(log.lines(), lines);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_once_too_often_fails_the_run_with_its_last_error() {
    let (flow, log) = Fetcher::log([Call::Fails]);
    let RunError::Failed { step, error, .. } = flow.run(()).await.unwrap_err() else { panic!() };
    assert_eq!((&*step, error.message()), ("fetch", "busy"));
    assert!(error.source().is_some_and(|source| source.is::<Busy>()));
    assert_eq!(log.lines().last().unwrap(), "7 s: attempt 4 after busy");
}

#[tokio::test(start_paused = true)]
async fn a_final_error_is_not_retried() {
    let (flow, log) = Fetcher::log([Call::Fails, Call::FailsForGood]);
    let RunError::Failed { error, .. } = flow.run(()).await.unwrap_err() else { panic!() };
    assert_eq!(error.message(), "no such page");
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_says_when_to_come_back_is_listened_to() {
    let (flow, log) = Fetcher::log([Call::FailsUntil(Duration::from_secs(60)), Call::Fails, Call::Works]);
    assert_eq!(flow.run(()).await, Ok(3));
    let lines = [
        "0 s: attempt 1 after nothing",
        "60 s: attempt 2 after too many requests",
        "62 s: attempt 3 after busy",
    ];
    assert_eq!(log.lines(), lines);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_a_failure_and_retried() {
    let (flow, log) = Fetcher::log([Call::Hangs, Call::Works]);
    assert_eq!(flow.run(()).await, Ok(2));
    let lines = ["0 s: attempt 1 after nothing", "31 s: attempt 2 after the step took longer than 30s"];
    assert_eq!(log.lines(), lines);

    let RunError::Failed { error, .. } = Fetcher::new([Call::Hangs]).run(()).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(error.kind(), StepErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_retried_like_any_failure() {
    let (flow, log) = Fetcher::log([Call::Panics, Call::Works]);
    assert_eq!(flow.run(()).await, Ok(2));
    assert_eq!(log.lines().last().unwrap(), "1 s: attempt 2 after panicked: out of paper");
}

#[tokio::test(start_paused = true)]
async fn observers_see_each_retry_and_when_it_is_due() {
    let run = Fetcher::new([Call::Fails, Call::Works]).run(());
    let mut events = run.events();
    let mut retries = Vec::new();
    let mut started = Vec::new();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        match event.kind {
            RunEventKind::StepStarted { attempt, .. } => started.push(attempt),
            RunEventKind::StepRetrying { step, attempt, error, due, .. } => {
                retries.push((step, attempt, error.message().to_owned(), due.0 - event.at.0));
            }
            _ => {}
        }
    }
    assert_eq!(started, [1, 2]);
    assert_eq!(retries, [("fetch", 1, "busy".to_owned(), 1_000)]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_in_a_snapshot_goes_on_with_its_count_and_its_due_time() {
    let (flow, log) = Fetcher::log([Call::Fails, Call::Fails, Call::Works]);
    let run = flow.run(());
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let saved = through_json(run.suspend().await.unwrap());
    assert_eq!(log.lines().len(), 2);

    let mut flow = Fetcher::new([Call::Fails, Call::Fails, Call::Works]);
    flow.log = log.clone();
    let resumed = flow.resume(saved).unwrap();
    assert_eq!(resumed.await, Ok(3));
    // It was due 3 s after the beginning, and half a second is left of that.
    assert_eq!(log.lines().last().unwrap(), "0 s: attempt 3 after busy");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_past_due_when_its_run_is_resumed_starts_at_once() {
    let run = Fetcher::new([Call::Fails, Call::Works]).run(());
    let mut events = run.events();
    let due = loop {
        if let RunEventKind::StepRetrying { due, .. } = events.next().await.unwrap().unwrap().kind {
            break due;
        }
    };
    let saved = run.suspend().await.unwrap().to_json();
    // A test cannot turn the wall clock, so the attempt was due a day ago.
    let past = saved.replace(&due.0.to_string(), &(due.0 - 86_400_000).to_string());
    assert_ne!(saved, past);
    let resumed =
        Fetcher::new([Call::Fails, Call::Works]).resume(Snapshot::from_json(&past).unwrap()).unwrap();
    let before = Instant::now();
    assert_eq!(resumed.await, Ok(2));
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn continuing_a_failed_run_gives_its_step_the_policy_anew() {
    let (flow, log) = Fetcher::log([Call::Fails]);
    let run = flow.run(());
    let saved = {
        (&run).await.unwrap_err();
        through_json(run.snapshot().unwrap())
    };
    let resumed = Fetcher::new([Call::Fails, Call::Works]);
    let later = resumed.log.clone();
    assert_eq!(log.lines().len(), 4);
    assert_eq!(resumed.resume(saved).unwrap().await, Ok(2));
    assert_eq!(later.lines(), ["0 s: attempt 1 after nothing", "1 s: attempt 2 after busy"]);
}

// ---- a waiting retry holds no worker ----

#[event]
struct Job(u32);

#[event]
struct Result_(u32);

struct OneWorker {
    log: Log,
}

#[workflow]
impl OneWorker {
    #[step]
    fn split(&self, Start(jobs): Start<u32>) -> Vec<Job> {
        (0..jobs).map(Job).collect()
    }

    #[step(workers = 1, retry = Retry::fixed("1m"))]
    async fn work(&self, Job(job): Job, ctx: &Context<Self>) -> Result<Result_, String> {
        self.log.add(format!("job {job}, attempt {}", ctx.attempt()));
        if job == 0 && ctx.attempt() == 1 { Err("busy".to_owned()) } else { Ok(Result_(job)) }
    }

    #[step]
    fn all(&self, all: Vec<Result_>) -> Stop<Vec<u32>> {
        Stop(all.iter().map(|result| result.0).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_holds_no_worker() {
    let log = Log::default();
    assert_eq!(OneWorker { log: log.clone() }.run(3).await.unwrap(), [0, 1, 2]);
    assert_eq!(log.lines(), ["job 0, attempt 1", "job 1, attempt 1", "job 2, attempt 1", "job 0, attempt 2"]);
}

// ---- error handlers ----

#[data]
struct Order {
    id: u32,
    limit: u32,
}

#[event]
struct Charge {
    order: u32,
    limit: u32,
    by: String,
}

#[event]
struct Ship {
    order: u32,
}

/// Charges by card, and by invoice where that fails; anything else is told to a person.
struct Sale {
    log: Log,
}

#[workflow]
impl Sale {
    #[step]
    fn begin(&self, Start(order): Start<Order>) -> Charge {
        Charge { order: order.id, limit: order.limit, by: "card".to_owned() }
    }

    #[step(retry = Retry::fixed("1s").attempts(2))]
    async fn charge(&self, charge: &Charge, ctx: &Context<Self>) -> Result<Ship, String> {
        self.log.add(format!("charge by {}, attempt {}", charge.by, ctx.attempt()));
        if charge.by == "card" || charge.limit == 0 {
            Err("refused".to_owned())
        } else {
            Ok(Ship { order: charge.order })
        }
    }

    #[step(catches(charge))]
    async fn invoice(&self, failed: StepFailed<&Charge>) -> Charge {
        self.log.add(failed.to_string());
        Charge { by: "invoice".to_owned(), ..failed.input.clone() }
    }

    #[step]
    async fn ship(&self, ship: Ship) -> Result<Stop<String>, String> {
        if ship.order == 13 {
            Err("no truck".to_owned())
        } else {
            Ok(Stop(format!("order {} is shipped", ship.order)))
        }
    }

    #[step]
    fn apologise(&self, failed: StepFailed) -> Stop<String> {
        Stop(format!("sorry: {}: {}", failed.step, failed.error))
    }
}

fn sale() -> (Sale, Log) {
    let log = Log::default();
    (Sale { log: log.clone() }, log)
}

#[tokio::test(start_paused = true)]
async fn a_handler_sends_the_work_another_way() {
    let (flow, log) = sale();
    assert_eq!(flow.run(Order { id: 7, limit: 9 }).await.unwrap(), "order 7 is shipped");
    let lines = [
        "charge by card, attempt 1",
        "charge by card, attempt 2",
        "step `charge` failed after 2 attempts",
        "charge by invoice, attempt 1",
    ];
    assert_eq!(log.lines(), lines);
}

#[tokio::test(start_paused = true)]
async fn a_handler_without_names_takes_what_no_other_claims() {
    let (flow, _) = sale();
    assert_eq!(flow.run(Order { id: 13, limit: 9 }).await.unwrap(), "sorry: ship: no truck");
}

#[tokio::test(start_paused = true)]
async fn a_handler_runs_once_on_one_way_and_then_the_run_fails() {
    let (flow, log) = sale();
    let run = flow.run(Order { id: 7, limit: 0 });
    let failed = (&run).await.unwrap_err();
    let text = format!(
        "step `charge` of run {} failed; its error handler `invoice` had run as often as its `max_recoveries` allows",
        run.id()
    );
    assert_eq!(failed.to_string(), text);
    let RunError::Failed { step, error, spent_handler, .. } = failed else { panic!() };
    assert_eq!((&*step, error.message(), spent_handler.as_deref()), ("charge", "refused", Some("invoice")));
    assert_eq!(log.lines().len(), 5);
}

struct Stubborn {
    calls: Counter,
}

#[event]
struct Again;

#[workflow]
impl Stubborn {
    #[step]
    fn begin(&self, _: Start) -> Again {
        Again
    }

    #[step]
    fn try_it(&self, _: Again) -> Result<Stop<u32>, String> {
        self.calls.count();
        Err(format!("call {}", self.calls.value()))
    }

    #[step(catches(try_it), max_recoveries = 5)]
    fn again(&self, _: StepFailed<Again>) -> Again {
        Again
    }
}

#[tokio::test(start_paused = true)]
async fn max_recoveries_bounds_a_handler_on_one_way() {
    let calls = Counter::default();
    let RunError::Failed { error, .. } = Stubborn { calls: calls.clone() }.run(()).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(error.message(), "call 6");
    assert_eq!(calls.value(), 6);
}

struct Pairs;

#[event]
struct Left(u32);

#[event]
struct Right(u32);

#[workflow]
impl Pairs {
    #[step]
    fn left(&self, Start(n): &Start<u32>) -> Left {
        Left(*n)
    }

    #[step]
    fn right(&self, Start(n): &Start<u32>) -> Right {
        Right(n + 1)
    }

    #[step]
    fn both(&self, left: Left, _: &Right) -> Result<Stop<String>, String> {
        Err(format!("{} cannot be paired", left.0))
    }

    #[step]
    fn one(&self, _: StepFailed<OneOf<&Start<u32>, Left>>) -> Stop<String> {
        Stop("never".to_owned())
    }
}

struct PairsTyped;

#[workflow]
impl PairsTyped {
    #[step]
    fn left(&self, Start(n): &Start<u32>) -> Left {
        Left(*n)
    }

    #[step]
    fn right(&self, Start(n): &Start<u32>) -> Right {
        Right(n + 1)
    }

    #[step]
    fn both(&self, left: Left, _: &Right) -> Result<Stop<String>, String> {
        Err(format!("{} cannot be paired", left.0))
    }

    #[step(catches(both))]
    fn mend(&self, failed: StepFailed<Right>) -> Stop<String> {
        Stop(format!("{}, but there is {}", failed.error, failed.input.0))
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_gets_its_part_of_a_join() {
    assert_eq!(PairsTyped.run(1).await.unwrap(), "1 cannot be paired, but there is 2");
}

#[tokio::test(start_paused = true)]
async fn a_handler_of_several_steps_gets_what_either_was_given() {
    // `both` joins a `Left`, which is one of the two.
    assert_eq!(Pairs.run(1).await.unwrap(), "never");
}

// ---- gathers that take failures ----

#[event]
struct Page(u32);

struct Crawl;

#[event]
struct Found(u32);

#[event]
struct Moved(u32);

#[workflow]
impl Crawl {
    #[step]
    fn split(&self, Start(pages): Start<u32>) -> Vec<Page> {
        (0..pages).map(Page).collect()
    }

    #[step]
    async fn load(&self, Page(page): Page) -> Result<OneOf<Found, Moved>, String> {
        tokio::time::sleep(Duration::from_millis(u64::from(100 - page))).await;
        match page % 3 {
            0 => Ok(OneOf::new(Found(page))),
            1 => Ok(OneOf::new(Moved(page))),
            _ => Err(format!("page {page} is gone")),
        }
    }

    #[step]
    fn all(&self, all: Vec<Result<OneOf<&Found, Moved>, StepFailed>>) -> Stop<Vec<String>> {
        let line = |page: Result<OneOf<&Found, Moved>, StepFailed>| match page {
            Ok(OneOf::A(Found(page))) => format!("{page}"),
            Ok(OneOf::B(Moved(page))) => format!("{page} moved"),
            Err(StepFailed { step, error, .. }) => format!("{step}: {error}"),
        };
        Stop(all.into_iter().map(line).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn a_gather_gets_failures_at_their_places() {
    let lines = ["0", "1 moved", "load: page 2 is gone", "3", "4 moved", "load: page 5 is gone"];
    assert_eq!(Crawl.run(6).await.unwrap(), lines);
}

/// The first mirror that answers.
struct Mirrors;

#[workflow]
impl Mirrors {
    #[step]
    fn split(&self, Start(mirrors): Start<u32>) -> Vec<Page> {
        (0..mirrors).map(Page).collect()
    }

    #[step]
    async fn load(&self, Page(mirror): Page) -> Result<Found, String> {
        tokio::time::sleep(Duration::from_secs(u64::from(mirror))).await;
        if mirror < 2 { Err(format!("mirror {mirror} is down")) } else { Ok(Found(mirror)) }
    }

    #[step(take = 1)]
    fn first(&self, all: Vec<Result<Found, StepFailed>>) -> Stop<(Vec<u32>, usize)> {
        let (found, failed): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        Stop((found.into_iter().filter_map(Result::ok).map(|found| found.0).collect(), failed.len()))
    }
}

#[tokio::test(start_paused = true)]
async fn take_counts_successes_and_brings_what_failed_before() {
    let begin = Instant::now();
    assert_eq!(Mirrors.run(5).await, Ok((vec![2], 2)));
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    assert_eq!(Mirrors.run(2).await, Ok((vec![], 2)), "it fires at the close all the same");
}
