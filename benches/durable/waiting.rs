//! Many runs that wait: what they take while they do, and what they cost a process that starts.

use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::to_raw_value;
use tokio::task::JoinSet;
use workflow_benches::flows::Asks;
use workflow_benches::memory;
use workflow_benches::table::Table;
use workflow_benches::time::{now, show};
use workflow_benches::{Size, progress, two_threads};
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Due, Interest, NewRun, RunStatus, Store};
use workflow_runtime::{Runner, Time, journal};
use workflow_store::{SqliteOptions, SqliteStore, Synchronous};

/// The option under which this program is its own child, so that each measurement has a process of its own.
const CHILD: &str = "--waiting";
/// The run that is due when a runner starts.
const DUE: &str = "due";
/// Runs that are started at once.
const AT_ONCE: u64 = 500;

/// Does the work of a child, if that is what this process is.
pub(crate) fn child() -> bool {
    let args: Vec<String> = std::env::args().collect();
    let Some(at) = args.iter().position(|arg| arg == CHILD) else { return false };
    let [what, path, count] = &args[at + 1..at + 4] else { panic!("{CHILD} WHAT FILE COUNT") };
    let (path, count) = (Path::new(path), count.parse().unwrap());
    let numbers = two_threads().block_on(async {
        match what.as_str() {
            "fill" => fill(path, count).await,
            _ => start_up(path).await,
        }
    });
    println!("{}", numbers.map(|number| number.to_string()).join(" "));
    true
}

/// The same program, for one measurement.
fn measure(what: &str, path: &Path, count: u64) -> [f64; 4] {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.arg(CHILD).arg(what).arg(path).arg(count.to_string());
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// A store in that file, which does not wait for the disk: that is measured elsewhere.
async fn store(path: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteOptions::new().synchronous(Synchronous::Normal).open(path).await.unwrap())
}

async fn runner(store: &Arc<SqliteStore>) -> Runner {
    let store: Arc<dyn Store> = Arc::clone(store) as _;
    // It looks around three times as often, even if nothing happens.
    let lease = Duration::from_secs(6);
    Runner::builder().workflow(Asks).store(store).lease(lease).start().await.unwrap()
}

/// Starts so many runs that all ask something, and waits until they have left memory. Gives back what the process takes
/// without runs, with the first quarter of them, and with all; and how long it took until all had asked.
async fn fill(path: &Path, count: u64) -> [f64; 4] {
    let store = store(path).await;
    let runner = runner(&store).await;
    let without = memory::resident();
    // Caches fill with these, that of SQLite above all; what the others add is what a run that waits takes.
    let quarter = count / 4;
    let mut taken = wait_for_all(&runner, 0..quarter, count).await;
    let few = memory::resident();
    taken += wait_for_all(&runner, quarter..count, count).await;
    let many = memory::resident();
    // The runner must not take this one up before it ends.
    runner.shutdown(Duration::ZERO).await;
    let created = store.create(NewRun {
        run: DUE.into(),
        workflow: Asks::GRAPH.name.to_string(),
        fingerprint: journal::fingerprint(Asks::GRAPH),
        input: to_raw_value(DUE).unwrap(),
        input_key: format!("\"{DUE}\""),
        at: Time(1),
        due: Due::Now,
        tags: std::collections::BTreeMap::new(),
        lease: None,
    });
    created.await.unwrap();
    // The file is whole without the log beside it.
    store.close().await.unwrap();
    [without as f64, few as f64, many as f64, taken.as_secs_f64()]
}

async fn wait_for_all(runner: &Runner, runs: Range<u64>, count: u64) -> Duration {
    let began = now();
    let mut asking = JoinSet::new();
    for n in runs {
        let runner = runner.clone();
        asking.spawn(async move { wait_for_one(&runner, n).await });
        if asking.len() as u64 >= AT_ONCE {
            asking.join_next().await.unwrap().unwrap();
        }
        if n > 0 && n.is_multiple_of(10_000) {
            progress(&format!("{n} of {count} runs have been started"));
        }
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap();
    }
    let taken = began.elapsed();
    while runner.in_memory() > 0 {
        // The last ones leave when the runner next looks around.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    taken
}

async fn wait_for_one(runner: &Runner, n: u64) {
    let id = RunId::from(format!("waits-{n}"));
    let run = runner.start::<Asks>(id, format!("draft {n}")).await.unwrap();
    let ask = workflow_benches::flows::asked::<workflow_benches::flows::Review, _>(&run).await;
    assert!(ask.prompt.text.ends_with(&n.to_string()));
}

/// Opens the store and starts a runner on what is there, until the run that is due has asked its question.
async fn start_up(path: &Path) -> [f64; 4] {
    let before = memory::resident();
    let began = now();
    let store = store(path).await;
    let mut watch = store.watch(Interest::Run(DUE.into()));
    let runner = runner(&store).await;
    while store.show(&DUE.into()).await.unwrap().unwrap().run.status != RunStatus::Waiting {
        watch.changed().await.unwrap();
    }
    let taken = began.elapsed().as_secs_f64();
    let held = runner.in_memory();
    let after = memory::resident();
    runner.shutdown(Duration::ZERO).await;
    store.close().await.unwrap();
    [taken, held as f64, before as f64, after as f64]
}

pub(crate) fn print(size: Size) {
    let count = size.pick(100_000, 40_000, 50);
    let directory = tempfile::tempdir().unwrap();
    let (full, none) = (directory.path().join("many.db"), directory.path().join("none.db"));
    progress(&format!("{count} runs that wait"));
    let [without, few, many, taken] = measure("fill", &full, count);
    measure("fill", &none, 1);
    let file = std::fs::metadata(&full).unwrap().len() as f64;
    let bytes = memory::show;
    let runs = count as f64;

    let mut table = Table::new(&["what", "in all", "each run"]);
    table.row(&["memory of the process without them", &bytes(without)]);
    table.row(&["  with the first quarter, and with all", &format!("{}, {}", bytes(few), bytes(many))]);
    let added = (many - few).max(0.0);
    table.row(&["memory that the other three quarters add", &bytes(added), &bytes(added / (runs * 0.75))]);
    table.row(&["file", &bytes(file), &bytes(file / runs)]);
    table.row(&["time to start them all, up to the question", &show(taken), &show(taken / runs)]);
    table.print(&format!("{count} runs that wait, in a file"));

    // Every start-up takes up the one run that is due: it is put back by making the file anew for each trial, in a folder
    // of its own, so that no log of another trial lies beside it.
    let mut table = Table::new(&[
        "a runner starts up",
        "first due run asks after",
        "memory added",
        "runs in memory then",
    ]);
    for (path, name) in
        [(&none, "with that run alone".to_owned()), (&full, format!("with {count} that wait"))]
    {
        let mut trials = Vec::new();
        for trial in 0..size.pick(5, 3, 1) {
            progress(&format!("start-up {name}, trial {}", trial + 1));
            let trial = tempfile::tempdir().unwrap();
            let copy = trial.path().join("runs.db");
            std::fs::copy(path, &copy).unwrap();
            trials.push(measure("start", &copy, 0));
        }
        trials.sort_by(|one, other| one[0].total_cmp(&other[0]));
        let [taken, held, before, after] = trials[trials.len() / 2];
        table.row(&[&name, &show(taken), &bytes(after - before), &held.to_string()]);
    }
    table.print("Starting up");
}
