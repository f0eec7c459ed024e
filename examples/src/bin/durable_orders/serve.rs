//! Works through the orders, and tells what happens.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use workflow_examples::{CtrlC, INTERRUPTED};
use workflow_runtime::store::{Due, Filter, Interest, RunStatus, Store, StoreError, StoredRun};
use workflow_runtime::{RunId, Runner, RunnerError, Workflow};

use crate::journal::{self, Seen};
use crate::orders::{Order, Orders};
use crate::{Serve, open};

/// How long steps at work may take when the process is to end.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
/// How often to ask the runner how it is.
const NOW_AND_THEN: Duration = Duration::from_secs(1);
/// How many orders are read at once.
pub(crate) const PAGE: usize = 100;

pub(crate) async fn serve(args: &Serve) -> Result<ExitCode, Box<dyn Error>> {
    let mut ctrl_c = CtrlC::listen();
    let store = open(&args.file).await?;
    let builder = args.work.runner(&args.file, &store)?;
    let mut watcher = Watcher::default();
    // What has happened before this process is not news.
    let before = watcher.look(&*store, &mut io::sink()).await?;
    writeln!(io::stdout(), "Serving {}: {before}.", args.file.display())?;
    let runner = builder.start().await?;
    let served = tokio::select! {
        biased;
        () = ctrl_c.pressed() => Ok(None),
        tally = work(args, &runner, &*store, &mut watcher) => tally.map(Some),
    };
    tokio::select! {
        biased;
        // Once more: at once.
        () = ctrl_c.pressed() => {}
        () = runner.shutdown(GRACE) => {}
    }
    let tally = served?;
    store.close().await?;
    match tally {
        None => {
            eprintln!("Stopped. Whoever serves {} next goes on.", args.file.display());
            Ok(ExitCode::from(INTERRUPTED))
        }
        Some(tally) => {
            writeln!(io::stdout(), "Nothing is left to do: {tally}.")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Starts the orders and tells what happens in them, until nothing is left to do, if that is asked for.
async fn work(
    args: &Serve,
    runner: &Runner,
    store: &dyn Store,
    watcher: &mut Watcher,
) -> Result<Tally, Box<dyn Error>> {
    // Watches before it looks, so that it misses nothing.
    let mut watch = store.watch(Interest::Anything);
    let start = async {
        for number in 1..=args.orders {
            start(runner, store, number).await?;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    tokio::pin!(start);
    let mut started = false;
    loop {
        tokio::select! {
            done = &mut start, if !started => {
                done?;
                started = true;
            }
            changed = watch.changed() => changed?,
            () = tokio::time::sleep(NOW_AND_THEN) => {}
        }
        let tally = watcher.look(store, &mut io::stdout()).await?;
        if started && args.until_idle && tally.at_work == 0 {
            return Ok(tally);
        }
        // It goes on trying, which helps where others keep the file busy.
        if let Some(trouble) = runner.trouble().filter(|it| !matches!(it, StoreError::Busy { .. })) {
            return Err(trouble.into());
        }
    }
}

/// Starts an order, unless it is there.
async fn start(runner: &Runner, store: &dyn Store, number: u32) -> Result<(), Box<dyn Error>> {
    let id = Order::id(number);
    if store.show(&id).await?.is_some() {
        return Ok(());
    }
    match runner.start::<Orders>(id, Order::numbered(number)).await {
        // The run goes on without its handle.
        Ok(_) => Ok(()),
        // Somebody else who serves was faster.
        Err(RunnerError::HeldElsewhere { .. } | RunnerError::NotRunning { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Tells what happens in the orders, whoever has them.
#[derive(Default)]
struct Watcher {
    /// The last event that was told, of each order.
    told: HashMap<RunId, u64>,
}

impl Watcher {
    /// Tells what has happened since the last look. Counts how the orders stand.
    async fn look(&mut self, store: &dyn Store, out: &mut dyn Write) -> Result<Tally, Box<dyn Error>> {
        let filter = Filter { workflow: Some(Orders::GRAPH.name.to_string()), ..Filter::default() };
        let (mut tally, mut cursor) = (Tally::default(), None);
        loop {
            let page = store.list(&filter, cursor.as_ref(), PAGE).await?;
            for run in &page.runs {
                tally.count(run);
                let told = self.told.entry(run.run.clone()).or_default();
                if *told < run.last_event {
                    for event in journal::events(store, &run.run, *told).await? {
                        *told = event.number;
                        if let Some(line) = Seen::read(&event).line() {
                            writeln!(out, "{}: {line}", run.run)?;
                        }
                    }
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(tally);
            }
        }
    }
}

/// How many orders stand how.
#[derive(Default)]
struct Tally {
    completed: u64,
    waiting: u64,
    at_work: u64,
    /// Failed, cancelled, suspended, timed out, blocked.
    left: u64,
}

impl Tally {
    fn count(&mut self, run: &StoredRun) {
        // An answer that nobody has taken yet is work, and so is a time that has not come.
        let only_waits = run.messages == 0 && run.due == Due::Idle { wake: None };
        let place = match run.status {
            RunStatus::Completed => &mut self.completed,
            RunStatus::Waiting if only_waits => &mut self.waiting,
            RunStatus::New | RunStatus::Running | RunStatus::Waiting => &mut self.at_work,
            _ => &mut self.left,
        };
        *place += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { completed, waiting, at_work, left } = self;
        write!(f, "{completed} completed, {waiting} waiting for a person")?;
        if *at_work > 0 {
            write!(f, ", {at_work} to go on with")?;
        }
        if *left > 0 {
            write!(f, ", {left} ended without an outcome")?;
        }
        Ok(())
    }
}
