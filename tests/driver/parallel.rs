//! Steps at the same time.

use std::sync::Mutex;
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use workflow_runtime::prelude::*;

use crate::flows::{Done, HowMany, Log, Split, Task};

#[tokio::test(start_paused = true)]
async fn steps_that_wait_wait_together() {
    let started = tokio::time::Instant::now();
    assert_eq!(Split.run(1_000).await, Ok(499_500));
    assert_eq!(started.elapsed().as_millis(), 999, "the longest one, not the sum");
}

struct TwoAtOnce {
    barrier: Barrier,
}

#[workflow]
impl TwoAtOnce {
    #[step]
    fn split(&self, _: Start) -> Vec<Task> {
        vec![Task { n: 0 }, Task { n: 1 }]
    }

    /// Blocks its thread until the other one is here.
    #[step]
    fn meet(&self, task: Task) -> Done {
        self.barrier.wait();
        Done { n: task.n }
    }

    #[step]
    fn both(&self, all: Vec<Done>) -> Stop<usize> {
        Stop(all.len())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_that_compute_use_every_core() {
    if std::thread::available_parallelism().unwrap().get() < 2 {
        return;
    }
    for _ in 0..200 {
        assert_eq!(TwoAtOnce { barrier: Barrier::new(2) }.run(()).await, Ok(2));
    }
}

/// One branch computes without awaiting until the other branch's answer has arrived.
struct Busy {
    answered: Mutex<mpsc::Receiver<()>>,
    tell: mpsc::Sender<()>,
}

#[event]
struct Both;

#[workflow]
impl Busy {
    #[step]
    fn ask(&self, _: &Start) -> InputRequired<HowMany> {
        InputRequired::new(HowMany { what: "now".to_owned() })
    }

    #[step]
    fn compute(&self, _: &Start) -> Done {
        self.answered.lock().unwrap().recv().unwrap();
        Done { n: 1 }
    }

    #[step]
    fn answered(&self, _: HumanResponse<HowMany>) -> Both {
        self.tell.send(()).unwrap();
        Both
    }

    #[step]
    fn end(&self, _: Both, done: Done) -> Stop<u64> {
        Stop(done.n)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_snapshots_are_served_while_a_step_computes() {
    let (tell, answered) = mpsc::channel();
    let run = Busy { answered: Mutex::new(answered), tell }.run(());
    let mut events = run.events();
    while let Some(event) = events.next().await {
        if let Some(ask) = event.unwrap().ask::<HowMany>() {
            assert!(run.snapshot().is_ok());
            run.respond(&ask, 1).await.unwrap();
        }
    }
    assert_eq!(run.await, Ok(1));
}

#[event]
struct Item {
    n: u64,
}
#[event]
struct Left {
    n: u64,
}
#[event]
struct Right {
    n: u64,
}
#[event]
struct Pair {
    left: u64,
    right: u64,
}

/// Each item goes two ways, and the two results are joined per item.
struct Pairs;

#[workflow]
impl Pairs {
    #[step]
    fn split(&self, Start(n): Start<u64>) -> Vec<Item> {
        (0..n).map(|n| Item { n }).collect()
    }

    #[step(workers = 3)]
    async fn left(&self, item: &Item) -> Left {
        for _ in 0..item.n % 7 {
            tokio::task::yield_now().await;
        }
        Left { n: item.n }
    }

    #[step]
    async fn right(&self, item: &Item) -> Right {
        for _ in 0..item.n % 5 {
            tokio::task::yield_now().await;
        }
        Right { n: item.n }
    }

    #[step]
    fn pair(&self, left: Left, right: Right) -> Pair {
        Pair { left: left.n, right: right.n }
    }

    #[step]
    fn all(&self, pairs: Vec<Pair>) -> Stop<u64> {
        assert!(
            pairs.iter().zip(0..).all(|(pair, n)| (pair.left, pair.right) == (n, n)),
            "each item's own two"
        );
        Stop(pairs.len() as u64)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_runs_at_once_on_many_threads_all_come_out_right() {
    let flow = Arc::new(Pairs);
    let runs: Vec<_> = (0..500).map(|n| (n % 40, Arc::clone(&flow).run(n % 40))).collect();
    for (n, run) in runs {
        let outcome = tokio::time::timeout(Duration::from_secs(60), run).await.expect("no run hangs");
        assert_eq!(outcome, Ok(n));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_that_are_stopped_at_any_moment_are_continued_to_the_same_end() {
    let flow = Arc::new(Pairs);
    for pause in 0..200_u32 {
        let mut run = Arc::clone(&flow).run(20);
        // Not without end: a run that is put down before it could do anything gets nowhere.
        for _ in 0..=pause % 5 {
            for _ in 0..pause % 23 {
                tokio::task::yield_now().await;
            }
            let Ok(snapshot) = run.suspend().await else { break };
            let json = snapshot.to_json();
            run = Arc::clone(&flow).resume(Snapshot::from_json(&json).unwrap()).unwrap();
        }
        assert_eq!(run.await, Ok(20));
    }
}

/// Many steps that keep their thread to themselves for longer than a lane may.
struct Grinding {
    log: Log,
}

#[workflow]
impl Grinding {
    #[step]
    fn split(&self, _: Start) -> Vec<Task> {
        (0..40).map(|n| Task { n }).collect()
    }

    #[step]
    fn grind(&self, task: Task) -> Done {
        std::thread::sleep(Duration::from_millis(5));
        self.log.add(format!("ground {}", task.n));
        Done { n: task.n }
    }

    #[step]
    fn sum(&self, all: Vec<Done>) -> Stop<usize> {
        Stop(all.len())
    }
}

struct Brief {
    log: Log,
}

#[workflow]
impl Brief {
    #[step]
    fn only(&self, _: Start) -> Stop {
        self.log.add("brief");
        Stop(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_run_that_computes_for_long_lets_other_runs_in_between_its_steps() {
    let log = Log::default();
    let grinding = Grinding { log: log.clone() }.run(());
    let mut events = grinding.events();
    while log.lines().is_empty() {
        events.next().await.unwrap().unwrap();
    }
    let brief = Brief { log: log.clone() }.run(());
    brief.await.unwrap();
    grinding.await.unwrap();
    let lines = log.lines();
    let position = lines.iter().position(|line| line == "brief").unwrap();
    assert!(position <= 20, "{lines:?}");
}

#[event]
struct Round(u64);

/// Work that is short many times, then once long, and then needs two at once.
struct TurnsLong {
    barrier: Barrier,
}

#[workflow]
impl TurnsLong {
    #[step]
    fn begin(&self, _: Start) -> Round {
        Round(0)
    }

    #[step]
    fn split(&self, Round(n): Round) -> Vec<Task> {
        let tasks = [200, 1, 2].get(n as usize).copied().unwrap_or(0);
        (0..tasks).map(|_| Task { n }).collect()
    }

    #[step]
    fn work(&self, Task { n }: Task) -> Done {
        match n {
            1 => std::thread::sleep(Duration::from_millis(1)),
            2 => drop(self.barrier.wait()),
            _ => {}
        }
        Done { n }
    }

    #[step]
    fn next(&self, all: Vec<Done>) -> OneOf<Round, Stop<usize>> {
        match all[0].n {
            2 => OneOf::new(Stop(all.len())),
            n => OneOf::new(Round(n + 1)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_was_short_and_turns_long_uses_every_core_again() {
    if std::thread::available_parallelism().unwrap().get() < 2 {
        return;
    }
    for _ in 0..20 {
        let run = TurnsLong { barrier: Barrier::new(2) }.run(());
        let ended = tokio::time::timeout(Duration::from_secs(60), run).await;
        assert_eq!(ended.expect("both are started"), Ok(2));
    }
}

struct Endless;

#[workflow]
impl Endless {
    #[step]
    fn begin(&self, _: Start) -> Round {
        Round(0)
    }

    #[step]
    fn turn(&self, Round(n): Round) -> OneOf<Round, Stop> {
        if n == u64::MAX { OneOf::new(Stop(())) } else { OneOf::new(Round(n + 1)) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_never_waits_lets_others_in_while_the_clock_stands_still() {
    let run = Endless.run(());
    tokio::task::yield_now().await;
    run.cancel("enough").await;
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

#[tokio::test(flavor = "current_thread")]
async fn timers_are_looked_at_beside_a_run_that_never_waits() {
    let run = Endless.run(());
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    run.cancel("enough").await;
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}
