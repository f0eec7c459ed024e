//! The process that is killed: this test binary again, with its orders in an environment variable.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::task::JoinSet;
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Filter, Interest, RunStatus, Store};
use workflow_runtime::{LoadError, RunOptions, Runner, RunnerError, Saved};
use workflow_store::{SqliteOptions, Synchronous};

use super::flows::{Ends, Mixed, Pipe, Post, Talk};
use super::log::{Line, Log};
use super::versions;
use crate::between::{Asked, Between, Hooks, Waiting};

/// Where a process finds its orders.
pub const ORDERS: &str = "WORKFLOW_CRASH_ORDERS";
/// What the test is called that is the process.
pub const TEST: &str = "crash::child::a_process_that_may_be_killed";

/// For how long a process may work; undisturbed, it needs a fraction of that.
const LIMIT: Duration = Duration::from_secs(40);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    pub file: PathBuf,
    pub log: PathBuf,
    pub process: u32,
    /// Processes that are known to be dead.
    pub dead: Vec<u32>,
    /// Nobody else has the file.
    pub alone: bool,
    pub lease: Duration,
    pub runs: Runs,
    /// Dies at that append, before or after it is stored.
    pub dies: Option<Dies>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runs {
    /// Several of each workflow.
    Many,
    /// One with few records.
    Small,
    /// One that asks from within its steps.
    Talk,
    /// One that takes signals.
    Post,
    /// One of a workflow that has changed: as it was, as it may become, and as it may not.
    Version(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dies {
    Before(usize),
    After(usize),
}

pub fn owner(process: u32) -> String {
    format!("process-{process}")
}

#[test]
fn a_process_that_may_be_killed() {
    // Without orders, this is one of the tests, and nobody is to be killed.
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders = serde_json::from_str::<Orders>(&orders).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(LIMIT, work(orders)).await.expect("the process hangs");
    });
}

async fn work(orders: Orders) {
    let log = Log::open(&orders.log, orders.process);
    // That survives the end of a process; the end of the machine is not what is tried here.
    let options = SqliteOptions::new().synchronous(Synchronous::Normal).poll(Duration::from_millis(10));
    let store: Arc<dyn Store> = Arc::new(options.open(&orders.file).await.unwrap());
    for process in &orders.dead {
        store.leave(&owner(*process)).await.unwrap();
    }
    let hooks = Watcher { log: log.clone(), dies: orders.dies, appended: AtomicUsize::new(0) };
    let store: Arc<dyn Store> = Between::new(store, hooks);
    let builder = match orders.runs {
        Runs::Version(1) => Runner::builder().workflow(versions::first::Parcels(log.clone())),
        Runs::Version(2) => Runner::builder().workflow(versions::second::Parcels(log.clone())),
        Runs::Version(_) => Runner::builder().workflow(versions::third::Parcels(log.clone())),
        _ => Runner::builder()
            .workflow(Mixed(log.clone()))
            .workflow(Talk(log.clone()))
            .workflow(Pipe(log.clone()))
            .workflow(Post(log.clone()))
            .workflow(Ends),
    };
    let builder = builder.store(Arc::clone(&store)).owner(owner(orders.process)).lease(orders.lease);
    let runner = builder.start().await.unwrap();
    let may_not_fit = orders.runs == Runs::Version(3);
    let here = Here { runner: runner.clone(), store, log, alone: orders.alone, may_not_fit };
    let answering = tokio::spawn(answer(here.clone()));
    let mut runs = JoinSet::new();
    match orders.runs {
        Runs::Small => drop(runs.spawn(here.run::<Mixed>("small", 3, false))),
        Runs::Talk => drop(runs.spawn(here.run::<Talk>("talk", 2, true))),
        Runs::Post => drop(runs.spawn(here.post("post", 2, false))),
        Runs::Version(1) => drop(runs.spawn(here.run::<versions::first::Parcels>("parcels", 3, false))),
        Runs::Version(2) => drop(runs.spawn(here.run::<versions::second::Parcels>("parcels", 3, false))),
        Runs::Version(_) => drop(runs.spawn(here.run::<versions::third::Parcels>("parcels", 3, false))),
        Runs::Many => {
            runs.spawn(here.run::<Mixed>("mixed-seen", 7, true));
            runs.spawn(here.run::<Mixed>("mixed", 4, false));
            runs.spawn(here.run::<Talk>("talk-seen", 3, true));
            runs.spawn(here.run::<Talk>("talk", 2, false));
            runs.spawn(here.run::<Pipe>("pipe-seen", 8, true));
            runs.spawn(here.run::<Pipe>("pipe", 5, false));
            runs.spawn(here.post("post-seen", 3, true));
            runs.spawn(here.post("post", 2, false));
            runs.spawn(here.run::<Ends>("fails-seen", 0, true));
            runs.spawn(here.run::<Ends>("fails", 0, false));
            let late = RunOptions::default().timeout(Duration::from_millis(60));
            runs.spawn(here.run_with::<Ends>("late-seen", 1, late.clone(), true));
            runs.spawn(here.run_with::<Ends>("late", 1, late, false));
        }
    }
    while let Some(done) = runs.join_next().await {
        done.unwrap();
    }
    if answering.is_finished() {
        answering.await.unwrap();
    } else {
        answering.abort();
    }
    runner.shutdown(Duration::ZERO).await;
}

/// Writes down what is claimed, and dies when it is told to.
#[derive(Debug)]
struct Watcher {
    log: Log,
    dies: Option<Dies>,
    appended: AtomicUsize,
}

impl Hooks for Watcher {
    fn before(&self, asked: Asked) -> Waiting<'_> {
        if let Asked::Append(items) = asked {
            let appended = self.appended.fetch_add(items, Ordering::SeqCst) + items;
            if matches!(self.dies, Some(Dies::Before(at)) if appended >= at) {
                std::process::abort();
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn after(&self, asked: Asked) -> Waiting<'_> {
        if let Asked::Append(_) = asked {
            let appended = self.appended.load(Ordering::SeqCst);
            if matches!(self.dies, Some(Dies::After(at)) if appended >= at) {
                std::process::abort();
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn claimed(&self, run: &RunId, epoch: u64, position: u64) {
        self.log.add(Line::Claimed { run: run.to_string(), epoch, position });
    }
}

#[derive(Clone)]
struct Here {
    runner: Runner,
    store: Arc<dyn Store>,
    log: Log,
    alone: bool,
    /// The workflow may have changed too much for a run to go on.
    may_not_fit: bool,
}

impl Here {
    fn run<W>(&self, id: &'static str, input: u32, seen: bool) -> impl Future<Output = ()> + Send + use<W>
    where
        W: Workflow<Input = u32>,
        W::Output: Saved + Clone,
    {
        self.run_with::<W>(id, input, RunOptions::default(), seen)
    }

    /// Starts a run, or finds it, and waits for its end: as one who looks at all of it, or from far away.
    fn run_with<W>(
        &self,
        id: &'static str,
        input: u32,
        options: RunOptions,
        seen: bool,
    ) -> impl Future<Output = ()> + Send + use<W>
    where
        W: Workflow<Input = u32>,
        W::Output: Saved + Clone,
    {
        let here = self.clone();
        async move {
            loop {
                match here.runner.start_with::<W>(input, options.clone().id(id)).await {
                    Ok(run) if seen => here.look_at(run).await,
                    Ok(run) => drop(run),
                    Err(RunnerError::NotRunning { status, .. }) => {
                        assert!(status.is_end() && status != RunStatus::Completed, "{id} is {status:?}");
                    }
                    Err(RunnerError::HeldElsewhere { .. } | RunnerError::NotStored(_)) if !here.alone => {}
                    // Nothing more can be done about that here.
                    Err(RunnerError::Load { source: LoadError::Resume(_), .. }) if here.may_not_fit => return,
                    Err(error) => panic!("{id}: {error:?}"),
                }
                if here.ended(id, !seen).await {
                    return;
                }
            }
        }
    }

    /// Whether the run has ended; waits for that a moment, or for as long as it takes.
    async fn ended(&self, id: &str, wait: bool) -> bool {
        let run = RunId::from(id);
        let mut watch = self.store.watch(Interest::Run(run.clone()));
        let patience = if wait { LIMIT } else { Duration::from_millis(20) };
        let ends = async {
            let over =
                |status: RunStatus| status.is_end() || (self.may_not_fit && status == RunStatus::Blocked);
            while !self.store.show(&run).await.unwrap().is_some_and(|it| over(it.run.status)) {
                watch.changed().await.unwrap();
            }
        };
        tokio::time::timeout(patience, ends).await.is_ok()
    }

    async fn look_at<W: Workflow>(&self, run: Run<W>)
    where
        W::Output: Saved,
    {
        let id = run.id().to_string();
        let mut events = run.events();
        let (log, seen_of) = (self.log.clone(), id.clone());
        let reading = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let event = event.unwrap();
                let number = event.number;
                let event = serde_json::to_value(&event).unwrap();
                log.add(Line::Saw { run: seen_of.clone(), number, event });
            }
        });
        let outcome = run.await;
        reading.await.unwrap();
        match outcome {
            Ok(output) => {
                let mut json = Vec::new();
                workflow_runtime::Stored::store(&output, &mut serde_json::Serializer::new(&mut json))
                    .unwrap();
                let output = Some(serde_json::from_slice(&json).unwrap());
                self.log.add(Line::Ended { run: id, output });
            }
            Err(RunError::NotStored { why, .. }) => {
                assert!(!self.alone, "nobody else is there, and yet: {why:?}");
            }
            Err(_) => self.log.add(Line::Ended { run: id, output: None }),
        }
    }

    /// A run that takes letters and a payment.
    fn post(&self, id: &'static str, letters: u32, seen: bool) -> impl Future<Output = ()> + Send + use<> {
        let (here, run) = (self.clone(), self.run::<Post>(id, letters, seen));
        async move {
            let sending = tokio::spawn(async move {
                // Anybody may have started it; it must be there.
                let mut watch = here.store.watch(Interest::Run(RunId::from(id)));
                while here.store.show(&RunId::from(id)).await.unwrap().is_none() {
                    watch.changed().await.unwrap();
                }
                for letter in 0..letters {
                    let key = format!("letter-{letter}");
                    let sent = here
                        .runner
                        .send_json(id, "Letter", &to_raw_value(&letter).unwrap(), Some(&key))
                        .await;
                    here.told(id, key, sent);
                }
                let sent = here.runner.send_json(id, "Pay", &to_raw_value(&250).unwrap(), Some("pay")).await;
                here.told(id, "pay".to_owned(), sent);
            });
            run.await;
            sending.await.unwrap();
        }
    }

    fn told(&self, run: &str, key: String, told: Result<(), RunnerError>) {
        match told {
            Ok(()) => self.log.add(Line::Told { run: run.to_owned(), key }),
            Err(RunnerError::NotRunning { status: RunStatus::Blocked, .. }) if self.may_not_fit => {}
            Err(error) => panic!("{run} does not take {key}: {error:?}"),
        }
    }
}

/// Answers every question that anybody may answer, once.
async fn answer(here: Here) {
    let mut watch = here.store.watch(Interest::Anything);
    let mut answered = BTreeSet::new();
    let mut answers = JoinSet::new();
    loop {
        let page = here.store.list(&Filter::default(), None, 1_000).await.unwrap();
        // Nobody would decide about an answer to what was put aside.
        for run in page.runs.into_iter().filter(|run| run.status != RunStatus::Blocked) {
            for question in run.questions {
                let Some(response) = response(&question.prompt) else { continue };
                if answered.insert((run.run.clone(), question.request)) {
                    let (here, id) = (here.clone(), run.run.clone());
                    answers.spawn(async move {
                        let key = format!("answer-{}", question.request);
                        let response = to_raw_value(&response).unwrap();
                        let told = here
                            .runner
                            .respond_json(id.clone(), question.request, &response, Some(&key))
                            .await;
                        here.told(id.as_str(), key, told);
                    });
                }
            }
        }
        tokio::select! {
            changed = watch.changed() => changed.unwrap(),
            Some(answered) = answers.join_next() => answered.unwrap(),
        }
    }
}

fn response(prompt: &RawValue) -> Option<bool> {
    let prompt: serde_json::Value = serde_json::from_str(prompt.get()).unwrap();
    if prompt.get("Sign").or(prompt.get("Seal")).is_some() {
        return Some(true);
    }
    Some(prompt.get("Sure")?.get("total")?.as_u64()? % 2 == 0)
}
