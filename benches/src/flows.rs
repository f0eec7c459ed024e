//! The workloads, as workflows.

use std::sync::Arc;

use tokio::sync::Semaphore;
use workflow_runtime::prelude::*;

use crate::time::compute;

#[event]
pub struct Ping(pub u64);

#[event]
pub struct Pong(pub u64);

/// A loop of two steps, as often as it is told.
pub struct Chain;

#[workflow]
impl Chain {
    #[step]
    async fn begin(&self, Start(left): Start<u64>) -> Ping {
        Ping(left)
    }

    #[step]
    async fn ping(&self, Ping(left): Ping) -> Pong {
        Pong(left - 1)
    }

    #[step]
    async fn pong(&self, Pong(left): Pong) -> OneOf<Ping, Stop<u64>> {
        if left < 2 { OneOf::new(Stop(left)) } else { OneOf::new(Ping(left - 1)) }
    }
}

/// The same with steps that are not `async`.
pub struct PlainChain;

#[workflow]
impl PlainChain {
    #[step]
    fn begin(&self, Start(left): Start<u64>) -> Ping {
        Ping(left)
    }

    #[step]
    fn ping(&self, Ping(left): Ping) -> Pong {
        Pong(left - 1)
    }

    #[step]
    fn pong(&self, Pong(left): Pong) -> OneOf<Ping, Stop<u64>> {
        if left < 2 { OneOf::new(Stop(left)) } else { OneOf::new(Ping(left - 1)) }
    }
}

#[event]
pub struct First(pub u64);

#[event]
pub struct Second(pub u64);

/// Three steps.
pub struct Short;

#[workflow]
impl Short {
    #[step]
    async fn first(&self, Start(n): Start<u64>) -> First {
        First(n + 1)
    }

    #[step]
    async fn second(&self, First(n): First) -> Second {
        Second(n + 1)
    }

    #[step]
    async fn third(&self, Second(n): Second) -> Stop<u64> {
        Stop(n + 1)
    }
}

#[event]
pub struct Task(pub u64);

#[event]
pub struct Done(pub u64);

/// Splits into tasks, does each, adds up.
pub struct FanOut;

#[workflow]
impl FanOut {
    #[step]
    async fn split(&self, Start(n): Start<u64>) -> Vec<Task> {
        (0..n).map(Task).collect()
    }

    #[step]
    async fn work(&self, Task(n): Task) -> Done {
        Done(n + 1)
    }

    #[step]
    async fn add(&self, all: Vec<Done>) -> Stop<u64> {
        Stop(all.iter().map(|done| done.0).sum())
    }
}

/// The same, four at a time.
pub struct FourWorkers;

#[workflow]
impl FourWorkers {
    #[step]
    async fn split(&self, Start(n): Start<u64>) -> Vec<Task> {
        (0..n).map(Task).collect()
    }

    #[step(workers = 4)]
    async fn work(&self, Task(n): Task) -> Done {
        Done(n + 1)
    }

    #[step]
    async fn add(&self, all: Vec<Done>) -> Stop<u64> {
        Stop(all.iter().map(|done| done.0).sum())
    }
}

/// The same, where each task computes for a while.
pub struct Computes {
    pub rounds: u64,
}

#[workflow]
impl Computes {
    #[step]
    async fn split(&self, Start(n): Start<u64>) -> Vec<Task> {
        (0..n).map(Task).collect()
    }

    #[step]
    async fn work(&self, Task(n): Task) -> Done {
        std::hint::black_box(compute(self.rounds));
        Done(n + 1)
    }

    #[step]
    async fn add(&self, all: Vec<Done>) -> Stop<u64> {
        Stop(all.iter().map(|done| done.0).sum())
    }
}

/// So many items are published before readers have to keep up.
const BATCH: u64 = 256;

/// So many batches may be published that a reader has not read.
const AHEAD: usize = 3;

/// Lets whoever publishes be as far ahead of each reader as a stream keeps, and no further.
#[derive(Clone)]
pub struct Turns(Arc<[Semaphore]>);

impl Turns {
    #[must_use]
    pub fn new(readers: usize) -> Self {
        Self((0..readers).map(|_| Semaphore::new(AHEAD)).collect())
    }

    /// Waits, before the first item of a batch, until everybody has read enough.
    pub async fn wait(&self, item: u64) {
        if item.is_multiple_of(BATCH) {
            for turns in &*self.0 {
                turns.acquire().await.unwrap().forget();
            }
        }
    }

    /// That reader has read so many.
    pub fn has_read(&self, reader: usize, read: u64) {
        if read.is_multiple_of(BATCH) {
            self.0[reader].add_permits(1);
        }
    }
}

/// Publishes numbers, as fast as its readers read.
pub struct Publishes {
    pub turns: Turns,
}

#[workflow(progress = u64)]
impl Publishes {
    #[step]
    async fn publish(&self, Start(n): Start<u64>, ctx: &Context<Self>) -> Stop<u64> {
        for item in 0..n {
            self.turns.wait(item).await;
            ctx.publish(item);
        }
        Stop(n)
    }
}

#[prompt(response = bool)]
pub struct Review {
    pub text: String,
}

/// Two steps with a question in between.
pub struct Asks;

#[workflow]
impl Asks {
    #[step]
    async fn draft(&self, Start(text): Start<String>) -> InputRequired<Review> {
        InputRequired::new(Review { text })
    }

    #[step]
    async fn finish(&self, answer: HumanResponse<Review>) -> Stop<u64> {
        Stop(if answer.response { answer.prompt.text.len() as u64 } else { 0 })
    }
}

/// A loop of two steps, and then a question.
pub struct ChainAsks;

#[workflow]
impl ChainAsks {
    #[step]
    async fn begin(&self, Start(left): Start<u64>) -> Ping {
        Ping(left)
    }

    #[step]
    async fn ping(&self, Ping(left): Ping) -> Pong {
        Pong(left - 1)
    }

    #[step]
    async fn pong(&self, Pong(left): Pong) -> OneOf<Ping, InputRequired<Review>> {
        if left < 2 {
            OneOf::new(InputRequired::new(Review { text: "?".to_owned() }))
        } else {
            OneOf::new(Ping(left - 1))
        }
    }

    #[step]
    async fn finish(&self, answer: HumanResponse<Review>) -> Stop<bool> {
        Stop(answer.response)
    }
}

/// One step that computes without awaiting.
pub struct Busy {
    pub rounds: u64,
}

#[workflow]
impl Busy {
    #[step]
    async fn compute(&self, _: Start) -> Stop {
        std::hint::black_box(compute(self.rounds));
        Stop(())
    }
}

/// Waits until the question of a run is asked.
pub async fn asked<Q, W>(run: &Run<W>) -> Ask<Q>
where
    Q: Prompt,
    W: Workflow + workflow_runtime::Asks<Q>,
{
    let mut events = run.events();
    loop {
        let event = events.next().await.expect("the run ended without a question").unwrap();
        if let Some(ask) = event.ask::<Q>() {
            return ask;
        }
    }
}
