//! Workflows that the tests share.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Runner, RunnerBuilder};

/// What steps have done, over all processes of a test.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|other| *other == line).count()
    }
}

#[data]
#[derive(Debug, Default, PartialEq)]
pub struct Tally {
    pub done: u32,
}

#[event]
pub struct Task(pub u32);

#[event]
pub struct Done(pub u32);

#[event]
pub struct Added(pub u32);

#[prompt(response = bool)]
#[derive(Debug)]
pub struct Sure {
    pub total: u32,
}

/// Splits into tasks, does each, adds up, and asks whether that is right.
#[derive(Clone, Default)]
pub struct Sum {
    pub log: Log,
    /// How often each task fails first.
    pub failures: Arc<AtomicU32>,
}

#[workflow(state = Tally)]
impl Sum {
    #[step]
    fn split(&self, Start(n): Start<u32>) -> Vec<Task> {
        self.log.add("split");
        (0..n).map(Task).collect()
    }

    #[step(retry = Retry::fixed("1ms").attempts(4))]
    async fn work(&self, Task(n): Task, ctx: &Context<Self>) -> Result<Done, StepError> {
        if ctx.attempt() <= self.failures.load(Ordering::SeqCst) {
            return Err(StepError::new("not yet"));
        }
        tokio::task::yield_now().await;
        self.log.add(format!("work {n}"));
        ctx.update(|tally| tally.done += 1);
        Ok(Done(n))
    }

    #[step]
    fn add(&self, all: Vec<Done>) -> Added {
        self.log.add("add");
        Added(all.iter().map(|done| done.0).sum())
    }

    #[step]
    fn ask(&self, Added(total): Added) -> InputRequired<Sure> {
        InputRequired::new(Sure { total })
    }

    #[step]
    fn end(&self, answer: HumanResponse<Sure>, ctx: &Context<Self>) -> Stop<String> {
        self.log.add("end");
        Stop(format!("{} {} {}", answer.prompt.total, answer.response, ctx.state().done))
    }
}

/// A runner of that workflow on that store.
pub fn hosting(flow: &Sum, store: &Arc<dyn Store>) -> RunnerBuilder {
    Runner::builder().workflow(flow.clone()).store(Arc::clone(store))
}

/// Waits for something, but not for ever.
pub async fn soon<F: IntoFuture>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), what.into_future()).await.expect("it takes too long")
}
