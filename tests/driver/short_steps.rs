//! Steps that are known to be short, of which a lane does several at once. On paused time every step is.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{RunEventKind, Snapshot};

#[event]
struct Task {
    n: u32,
}

#[event]
struct Half {
    n: u32,
}

#[event]
struct Done {
    n: u32,
}

/// The first ones are learned from, one by one; the others are done some at once.
const MANY: u32 = 400;

fn tasks(n: u32) -> Vec<Task> {
    (0..n).map(|n| Task { n }).collect()
}

/// Members that end in every way there is.
#[derive(Default)]
struct Mixed {
    worked: Mutex<Vec<u32>>,
}

#[workflow(progress = u32)]
impl Mixed {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Task> {
        tasks(n)
    }

    #[step]
    async fn work(&self, Task { n }: Task, ctx: &Context<Self>) -> Result<Option<Done>, StepError> {
        self.worked.lock().unwrap().push(n);
        ctx.publish(n);
        match n % 20 {
            3 => return Err(StepError::new("no")),
            7 => panic!("no"),
            11 => tokio::time::sleep(Duration::from_secs(1)).await,
            13 => return Ok(None),
            _ => {}
        }
        Ok(Some(Done { n }))
    }

    #[step]
    fn all(&self, all: Vec<Result<Done, StepFailed>>) -> Stop<Vec<Option<u32>>> {
        Stop(all.into_iter().map(|done| done.ok().map(|done| done.n)).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn each_is_reported_once_however_it_ends() {
    let mixed = Arc::new(Mixed::default());
    let members = (0..MANY).filter(|n| n % 20 != 13);
    let expected = members.map(|n| if n % 20 == 3 || n % 20 == 7 { None } else { Some(n) }).collect();
    assert_eq!(Arc::clone(&mixed).run(MANY).await, Ok(expected));
    assert_eq!(*mixed.worked.lock().unwrap(), Vec::from_iter(0..MANY));
}

#[tokio::test(start_paused = true)]
async fn several_are_polled_before_they_are_reported() {
    let run = Mixed::default().run(MANY);
    let mut events = run.events();
    let (mut in_a_row, mut most) = (0, 0);
    while let Some(event) = events.next().await {
        match event.unwrap().kind {
            RunEventKind::Progress { .. } => in_a_row += 1,
            _ => in_a_row = 0,
        }
        most = most.max(in_a_row);
    }
    assert!(most >= 8, "{most}");
}

/// Which is over before all of them are done.
#[derive(Default)]
struct Early {
    worked: Mutex<Vec<u32>>,
}

#[workflow]
impl Early {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Task> {
        tasks(n)
    }

    #[step]
    async fn work(&self, Task { n }: Task) -> OneOf<Done, Stop<Vec<u32>>> {
        self.worked.lock().unwrap().push(n);
        if n == 301 { OneOf::new(Stop(vec![n])) } else { OneOf::new(Done { n }) }
    }

    #[step(take = 202, skip(outside))]
    fn some(&self, some: Vec<Done>) -> Stop<Vec<u32>> {
        Stop(some.into_iter().map(|done| done.n).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn those_that_a_take_cancels_have_no_effect() {
    let early = Arc::new(Early::default());
    assert_eq!(Arc::clone(&early).run(MANY).await, Ok(Vec::from_iter(0..202)));
    let worked = early.worked.lock().unwrap();
    assert!((202..202 + 8).contains(&worked.len()), "no more than were at work: {}", worked.len());
}

#[derive(Default)]
struct Stops {
    worked: Mutex<Vec<u32>>,
}

#[workflow]
impl Stops {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Task> {
        tasks(n)
    }

    #[step]
    async fn half(&self, Task { n }: Task) -> Half {
        Half { n }
    }

    #[step]
    async fn work(&self, Half { n }: Half) -> OneOf<Done, Stop<u32>> {
        self.worked.lock().unwrap().push(n);
        if n == 301 { OneOf::new(Stop(n)) } else { OneOf::new(Done { n }) }
    }

    #[step]
    fn all(&self, _: Vec<Done>) {}
}

#[tokio::test(start_paused = true)]
async fn one_of_them_ends_the_run_and_the_others_have_no_effect() {
    let stops = Arc::new(Stops::default());
    let run = Arc::clone(&stops).run(MANY);
    let mut events = run.events();
    let mut kinds = Vec::new();
    while let Some(event) = events.next().await {
        kinds.push(event.unwrap().kind);
    }
    assert!(matches!(kinds.last(), Some(RunEventKind::Completed { output: 301 })));
    assert_eq!(kinds.iter().filter(|kind| matches!(kind, RunEventKind::Completed { .. })).count(), 1);
    assert_eq!(run.await, Ok(301));
    let worked = stops.worked.lock().unwrap();
    assert_eq!(*worked, Vec::from_iter(0..worked.len() as u32), "in the order in which they were released");
    assert!((302..302 + 8).contains(&worked.len()), "no more than were at work: {}", worked.len());
}

/// Few workers, who are handed on from one to the next.
#[derive(Default)]
struct InLine {
    halved: Mutex<Vec<u32>>,
    worked: Mutex<Vec<u32>>,
}

#[workflow]
impl InLine {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Task> {
        tasks(n)
    }

    /// Goes on with a part or with some halves; so some of those that are done at once are handed on at once and others not.
    #[step(workers = 3)]
    async fn half(&self, Task { n }: Task) -> OneOf<Part, Vec<Half>> {
        self.halved.lock().unwrap().push(n);
        if n % 3 == 0 { OneOf::new(Part { sum: n }) } else { OneOf::new(vec![Half { n }; n as usize % 3]) }
    }

    #[step(workers = 5)]
    async fn work(&self, Half { n }: Half) -> Done {
        self.worked.lock().unwrap().push(n);
        Done { n }
    }

    #[step]
    fn join(&self, some: Vec<Done>) -> Part {
        Part { sum: some.iter().map(|done| done.n).sum() }
    }

    #[step]
    fn all(&self, all: Vec<Part>) -> Stop<Vec<u32>> {
        Stop(all.into_iter().map(|part| part.sum).collect())
    }
}

#[event]
struct Part {
    sum: u32,
}

#[tokio::test(start_paused = true)]
async fn workers_are_handed_on_in_order() {
    let line = Arc::new(InLine::default());
    let expected = (0..MANY).map(|n| n * (n % 3).max(1)).collect();
    assert_eq!(Arc::clone(&line).run(MANY).await, Ok(expected));
    assert_eq!(*line.halved.lock().unwrap(), Vec::from_iter(0..MANY));
    let worked = (0..MANY).flat_map(|n| std::iter::repeat_n(n, n as usize % 3));
    assert_eq!(*line.worked.lock().unwrap(), Vec::from_iter(worked));
}

/// One of its steps does something with the run that it is of.
#[derive(Default)]
struct Inside {
    run: OnceLock<Run<Inside>>,
    suspends: bool,
    worked: Mutex<Vec<u32>>,
}

#[workflow]
impl Inside {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Task> {
        tasks(n)
    }

    #[step]
    async fn work(&self, Task { n }: Task) -> Done {
        self.worked.lock().unwrap().push(n);
        let run = self.run.get().filter(|_| n == 301);
        match run {
            Some(run) if self.suspends => poll_once(run.suspend()).await,
            Some(run) => poll_once(run.cancel("enough")).await,
            None => {}
        }
        Done { n }
    }

    #[step]
    fn all(&self, all: Vec<Done>) -> Stop<Vec<u32>> {
        Stop(all.into_iter().map(|done| done.n).collect())
    }
}

/// The first poll does it; to wait for the end would be to wait for oneself.
async fn poll_once(does: impl Future) {
    let mut does = pin!(does);
    std::future::poll_fn(|poller| {
        let _ = does.as_mut().poll(poller);
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_one_of_them_cancels_ends_once() {
    let inside = Arc::new(Inside::default());
    let run = inside.run.get_or_init(|| Arc::clone(&inside).run(MANY));
    let mut events = run.events();
    let mut ends = 0;
    while let Some(event) = events.next().await {
        ends += u32::from(matches!(event.unwrap().kind, RunEventKind::Cancelled { .. }));
    }
    assert_eq!(ends, 1);
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
    let worked = inside.worked.lock().unwrap().len();
    assert!((302..302 + 8).contains(&worked), "no more than were at work: {worked}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_one_of_them_suspends_goes_on_where_it_was() {
    let inside = Arc::new(Inside { suspends: true, ..Inside::default() });
    let run = inside.run.get_or_init(|| Arc::clone(&inside).run(MANY));
    assert!(matches!(run.await, Err(RunError::Suspended { .. })));
    let snapshot: Snapshot =
        serde_json::from_str(&serde_json::to_string(&run.snapshot().unwrap()).unwrap()).unwrap();
    let resumed = Arc::new(Inside::default());
    let outcome = Arc::clone(&resumed).resume(snapshot).unwrap().await;
    assert_eq!(outcome, Ok(Vec::from_iter(0..MANY)));
    let finished = MANY as usize - resumed.worked.lock().unwrap().len();
    assert!((301 - 8..=301).contains(&finished), "no more was done again than was at work: {finished}");
}
