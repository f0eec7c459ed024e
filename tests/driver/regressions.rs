//! What engines of this kind have got wrong over the years, one test each.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use workflow_runtime::prelude::*;
use workflow_runtime::{EVENTS_KEPT, MisfitReason, ResumeError, RunOptions};

use crate::flows::Log;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// What hangs is a failure here, and not a test without an end.
async fn in_time<F: IntoFuture>(work: F) -> F::Output {
    let work = std::pin::pin!(work.into_future());
    tokio::time::timeout(seconds(86_400), work).await.expect("it hangs")
}

/// Lets everything happen that needs no time.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Stops the run, saves it as JSON, and takes it up again, as another process would.
async fn elsewhere<W: Workflow + Clone>(flow: &W, run: Run<W>) -> Run<W> {
    let json = in_time(run.suspend()).await.unwrap().to_json();
    drop(run);
    flow.clone().resume(Snapshot::from_json(&json).unwrap()).unwrap()
}

/// Reads a stream to its end. What it ends with is given back.
async fn last_event<W: Workflow>(run: &Run<W>) -> RunEventKind<W> {
    let mut events = run.events();
    let mut last = None;
    while let Some(event) = in_time(events.next()).await {
        last = Some(event.unwrap().kind);
    }
    last.expect("a stream ends with an event")
}

// ---- retries ----

#[derive(Clone)]
struct Flaky {
    /// How many attempts fail.
    fails: u32,
    since: Instant,
    log: Log,
}

impl Flaky {
    fn new(fails: u32) -> Self {
        Self { fails, since: Instant::now(), log: Log::default() }
    }
}

#[workflow]
impl Flaky {
    #[step(retry = Retry::exponential("10s").attempts(4))]
    async fn call(&self, _: Start, ctx: &Context<Self>) -> Result<Stop, String> {
        self.log.add(format!("attempt {} at {} s", ctx.attempt(), self.since.elapsed().as_secs()));
        if ctx.attempt() <= self.fails { Err("busy".to_owned()) } else { Ok(Stop(())) }
    }
}

#[derive(Clone, Default)]
struct Hasty {
    log: Log,
}

#[workflow]
impl Hasty {
    #[step(retry = Retry::fixed("0s"))]
    async fn call(&self, _: Start) -> Result<Stop, String> {
        self.log.add("attempt");
        // Without an end the test would not have one: no time passes.
        if self.log.lines().len() > 100 { Ok(Stop(())) } else { Err("busy".to_owned()) }
    }
}

#[tokio::test(start_paused = true)]
async fn retries_with_a_delay_of_zero_are_not_infinite() {
    let flow = Hasty::default();
    let failed = in_time(flow.clone().run(())).await;
    assert!(matches!(failed, Err(RunError::Failed { .. })), "{failed:?}");
    assert_eq!(flow.log.lines().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_delay_of_a_retry_is_not_skipped() {
    let flow = Flaky::new(3);
    in_time(flow.clone().run(())).await.unwrap();
    let lines = ["attempt 1 at 0 s", "attempt 2 at 10 s", "attempt 3 at 30 s", "attempt 4 at 70 s"];
    assert_eq!(flow.log.lines(), lines);
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_a_retry_is_not_lost_in_a_snapshot() {
    let flow = Flaky::new(1);
    let run = flow.clone().run(());
    tokio::time::sleep(seconds(4)).await;
    let run = elsewhere(&flow, run).await;
    in_time(run).await.unwrap();
    assert_eq!(flow.log.lines(), ["attempt 1 at 0 s", "attempt 2 at 10 s"]);
}

#[tokio::test(start_paused = true)]
async fn a_restore_does_not_reset_the_count_of_attempts() {
    let flow = Flaky::new(u32::MAX);
    let mut run = flow.clone().run(());
    for after in [5, 15, 30] {
        tokio::time::sleep(seconds(after)).await;
        run = elsewhere(&flow, run).await;
    }
    assert!(in_time(run).await.is_err());
    let lines = ["attempt 1 at 0 s", "attempt 2 at 10 s", "attempt 3 at 30 s", "attempt 4 at 70 s"];
    assert_eq!(flow.log.lines(), lines);
}

// ---- waits ----

/// Asks in the middle of a step, and then by a step's return; nobody ever answers.
#[derive(Clone)]
struct Unheard;

#[workflow]
impl Unheard {
    #[step]
    async fn inside(&self, _: Start, person: Asker) -> Result<InputRequired, AskError> {
        match person.text("inside?").expires_in(seconds(60)).await {
            Err(AskError::Expired { .. }) => Ok(InputRequired::text("outside?").expires_in(seconds(60))),
            answered => panic!("nobody has answered, but {answered:?}"),
        }
    }

    #[step]
    fn either(&self, case: OneOf<Expired, HumanResponse>) -> Stop<bool> {
        Stop(matches!(case, OneOf::A(_)))
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_wait_is_enforced() {
    let begun = Instant::now();
    assert!(in_time(Unheard.run(())).await.unwrap());
    assert_eq!(begun.elapsed(), seconds(120));

    let run = Unheard.run(());
    tokio::time::sleep(seconds(30)).await;
    let begun = Instant::now();
    assert!(in_time(elsewhere(&Unheard, run).await).await.unwrap());
    assert_eq!(begun.elapsed(), seconds(90), "also over a restore");
}

#[data]
struct Go(u32);

#[event]
struct Task(u32);

#[event]
struct Heard(String);

/// Two branches, each with two waits of one kind, for people and for signals.
#[derive(Clone)]
struct Alike;

#[workflow]
impl Alike {
    #[step]
    fn split(&self, _: Start) -> Vec<Task> {
        vec![Task(0), Task(1)]
    }

    #[step]
    async fn wait(&self, _: Task, person: Asker, go: Inbox<Go>) -> Result<Heard, AskError> {
        let (a, b, c, d) = tokio::join!(person.text("?"), person.text("?"), go.next(), go.next());
        Ok(Heard(format!("{} {} {} {}", a?, b?, c.0, d.0)))
    }

    #[step]
    fn all(&self, all: Vec<Heard>) -> Stop<Vec<String>> {
        Stop(all.into_iter().map(|heard| heard.0).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn one_answer_resolves_one_wait() {
    let mut run = Alike.run(());
    settle().await;
    for (n, left) in (0..4).zip([3, 2, 1, 0]) {
        let open = run.pending().all::<Text>();
        run.respond(&open[0], n.to_string()).await.unwrap();
        let again = run.respond(&open[0], "again".to_owned()).await;
        assert!(again.is_err(), "an answer counts once");
        run.send(Go(n)).await.unwrap();
        settle().await;
        assert_eq!(run.pending().all::<Text>().len(), left);
        assert_eq!(run.is_over(), left == 0);
        if left == 2 {
            run = elsewhere(&Alike, run).await;
            settle().await;
        }
    }
    // Questions and waits of the first branch are the older ones.
    assert_eq!(in_time(run).await.unwrap(), ["0 1 0 1", "2 3 2 3"]);
}

/// Its first attempt breaks while its question is open, and the second one takes an hour to come back to it.
#[derive(Clone)]
struct Late;

#[workflow]
impl Late {
    #[step(retry = Retry::fixed("1h"))]
    async fn wait(
        &self,
        _: Start,
        person: Asker,
        go: Inbox<Go>,
        ctx: &Context<Self>,
    ) -> Result<Stop<String>, StepError> {
        let mut said = std::pin::pin!(person.text("?"));
        if ctx.attempt() == 1 {
            let broken = tokio::time::timeout(seconds(1), &mut said).await;
            return Err(StepError::new(broken.map_or("broken", |_| "too early")));
        }
        tokio::time::sleep(seconds(3_600)).await;
        Ok(Stop(format!("{} {} {}", said.await?, go.next().await.0, go.next().await.0)))
    }
}

#[tokio::test(start_paused = true)]
async fn answers_and_signals_that_come_before_the_wait_are_not_lost() {
    let run = Late.run(());
    run.send(Go(1)).await.unwrap();
    tokio::time::sleep(seconds(10)).await;
    // The first attempt has failed, and no step runs.
    run.respond(&run.pending().one::<Text>().unwrap(), "yes".to_owned()).await.unwrap();
    let run = elsewhere(&Late, run).await;
    run.send(Go(2)).await.unwrap();
    let run = elsewhere(&Late, run).await;
    assert_eq!(in_time(run).await.unwrap(), "yes 1 2");
}

// ---- sends ----

#[event]
struct Line(u32);

#[event]
struct Read;

/// Sends lines, and breaks after the second one as often as it is told.
#[derive(Clone)]
struct Reader {
    breaks: u32,
    log: Log,
}

#[workflow]
impl Reader {
    #[step(retry = Retry::fixed("1s"))]
    async fn read(&self, _: Start, mut out: Emitter<Line>, ctx: &Context<Self>) -> Result<Read, String> {
        for n in 0..4 {
            if n == 2 && ctx.attempt() <= self.breaks {
                return Err("a page is torn".to_owned());
            }
            out.send(Line(n)).await;
        }
        Ok(Read)
    }

    /// One at a time, so the order in which they come is the order in the log.
    #[step(workers = 1)]
    async fn take(&self, case: OneOf<Line, Read>) -> Option<Stop> {
        tokio::time::sleep(seconds(5)).await;
        match case {
            OneOf::A(Line(n)) => {
                self.log.add(format!("line {n}"));
                None
            }
            OneOf::B(Read) => {
                self.log.add("read");
                Some(Stop(()))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_a_failed_attempt_has_sent_are_not_sent_again() {
    let flow = Reader { breaks: 2, log: Log::default() };
    let run = flow.clone().run(());
    tokio::time::sleep(Duration::from_millis(500)).await;
    // The process ends between two attempts, too.
    in_time(elsewhere(&flow, run).await).await.unwrap();
    assert_eq!(flow.log.lines(), ["line 0", "line 1", "line 2", "line 3", "read"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_step_sends_is_not_overtaken_by_what_it_returns() {
    let flow = Reader { breaks: 0, log: Log::default() };
    in_time(flow.clone().run(())).await.unwrap();
    assert_eq!(flow.log.lines(), ["line 0", "line 1", "line 2", "line 3", "read"]);
}

// ---- new code ----

#[event]
struct Draft(String);

struct Yesterday;

#[workflow(name = "letters")]
impl Yesterday {
    #[step]
    fn write(&self, _: Start) -> Vec<Draft> {
        vec![Draft("a".to_owned()), Draft("b".to_owned())]
    }

    #[step]
    async fn review(&self, draft: Draft) -> Heard {
        tokio::time::sleep(seconds(60)).await;
        Heard(draft.0)
    }

    #[step]
    fn send(&self, all: Vec<Heard>) -> Stop<usize> {
        Stop(all.len())
    }
}

/// Does not review any more.
struct Today;

#[workflow(name = "letters")]
impl Today {
    #[step]
    fn write(&self, _: Start) -> Vec<Heard> {
        vec![Heard("a".to_owned())]
    }

    #[step]
    fn send(&self, all: Vec<Heard>) -> Stop<usize> {
        Stop(all.len())
    }
}

#[tokio::test(start_paused = true)]
async fn work_of_a_step_that_is_gone_is_refused_and_not_dropped() {
    let run = Yesterday.run(());
    tokio::time::sleep(seconds(1)).await;
    let saved = in_time(run.suspend()).await.unwrap();
    let ResumeError::DoesNotFit { misfits, .. } = Today.resume(saved.clone()).unwrap_err() else { panic!() };
    let gone =
        |reason: &MisfitReason| matches!(reason, MisfitReason::NoSuchStep { step } if step == "review");
    assert_eq!(
        misfits.iter().filter(|misfit| gone(&misfit.reason)).count(),
        2,
        "each of the two: {misfits:?}"
    );
    let again = Yesterday.resume(saved).unwrap();
    assert_eq!(in_time(again).await.unwrap(), 2, "and the snapshot is as good as before");
}

// ---- ends ----

/// How a run is to end.
#[data]
enum End {
    Stop,
    Fail,
    TakeTooLong,
    Wait,
    Stall,
}

/// An output of the author's own.
#[data]
#[derive(Debug, PartialEq)]
struct Report {
    lines: u32,
}

struct Ends;

#[workflow]
impl Ends {
    #[step(timeout = "10s")]
    async fn work(&self, Start(end): Start<End>) -> Result<Option<Stop<Report>>, String> {
        match end {
            End::Stop => Ok(Some(Stop(Report { lines: 3 }))),
            End::Fail => Err("broken".to_owned()),
            End::TakeTooLong | End::Wait => std::future::pending().await,
            End::Stall => Ok(None),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_a_failure() {
    for end in [End::Fail, End::TakeTooLong, End::Stall] {
        let run = Ends.run(end);
        assert!(matches!(last_event(&run).await, RunEventKind::Failed { .. }));
        assert!(in_time(run).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_a_timeout() {
    let run = Ends.run_with(End::Wait, RunOptions::default().timeout(seconds(5)));
    assert!(matches!(last_event(&run).await, RunEventKind::TimedOut { running } if running == ["work"]));
    assert!(matches!(in_time(run).await, Err(RunError::TimedOut { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_a_cancel() {
    let run = Ends.run(End::Wait);
    settle().await;
    let (last, ()) = tokio::join!(last_event(&run), in_time(run.cancel("enough")));
    assert!(matches!(last, RunEventKind::Cancelled { reason } if reason == "enough"));
    assert!(matches!(in_time(run).await, Err(RunError::Cancelled { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_a_stop_with_a_type_of_the_author() {
    let run = Ends.run(End::Stop);
    let report = Report { lines: 3 };
    assert!(matches!(last_event(&run).await, RunEventKind::Completed { output } if output == report));
    assert_eq!(in_time(run).await.unwrap(), report);
}

// ---- limits ----

struct Slow;

#[workflow]
impl Slow {
    #[step]
    async fn work(&self, Start(for_seconds): Start<u64>) -> Stop {
        tokio::time::sleep(seconds(for_seconds)).await;
        Stop(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_run_does_not_leak_into_the_next_one() {
    let flow = Arc::new(Slow);
    let run = |for_seconds| {
        let options = RunOptions::default().timeout(seconds(10));
        Arc::clone(&flow).run_with(for_seconds, options)
    };
    // Together they take longer than one may.
    for _ in 0..3 {
        in_time(run(8)).await.unwrap();
    }
    let (one, other) = (run(8), run(9));
    tokio::time::sleep(seconds(4)).await;
    let third = run(7);
    in_time(one).await.unwrap();
    in_time(other).await.unwrap();
    in_time(third).await.unwrap();
    assert!(in_time(run(11)).await.is_err(), "it is enforced");
    in_time(run(8)).await.unwrap();
}

// ---- streams ----

/// Tells more than a stream keeps, and waits in the middle.
#[derive(Clone)]
struct Talkative;

impl Talkative {
    const LINES: u32 = 10 * EVENTS_KEPT as u32;
}

#[workflow(progress = u32)]
impl Talkative {
    #[step]
    async fn talk(&self, _: Start, person: Asker, ctx: &Context<Self>) -> Result<Stop<String>, AskError> {
        (0..Self::LINES).for_each(|line| ctx.publish(line));
        let said = person.text("more?").await?;
        (0..Self::LINES).for_each(|line| ctx.publish(line));
        Ok(Stop(said))
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_does_not_wait_for_a_reader_of_the_stream() {
    let run = Talkative.run(());
    settle().await;
    // One reader never reads, and one stops after its first event.
    let never = run.events();
    let mut once = run.events();
    in_time(once.next()).await;
    let copy = run.snapshot().unwrap();
    let run = elsewhere(&Talkative, run).await;
    settle().await;
    run.respond(&run.pending().one::<Text>().unwrap(), "no".to_owned()).await.unwrap();
    assert_eq!(in_time(run).await.unwrap(), "no");
    drop((never, once));

    let copy = Talkative.resume(copy).unwrap();
    assert_eq!(copy.pending().len(), 1);
    in_time(copy.cancel("it was only looked at")).await;
}
