//! A commit costs the same, however long the run is.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use workflow_benches::flows::Ping;
use workflow_benches::table::Table;
use workflow_benches::time::{median, now, show};
use workflow_benches::{Size, progress, two_threads};
use workflow_runtime::Runner;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_store::{SqliteOptions, Synchronous};

/// Notes when each of its steps begins.
struct Marks {
    began: Arc<Mutex<Vec<Instant>>>,
}

#[workflow]
impl Marks {
    #[step]
    async fn begin(&self, Start(left): Start<u64>) -> Ping {
        Ping(left)
    }

    #[step]
    async fn mark(&self, Ping(left): Ping) -> OneOf<Ping, Stop<u64>> {
        self.began.lock().unwrap().push(now());
        if left == 0 { OneOf::new(Stop(0)) } else { OneOf::new(Ping(left - 1)) }
    }
}

pub(crate) fn print(size: Size) {
    let marks = size.pick(&[10, 100, 1_000, 20_000][..], &[10, 100, 1_000, 5_000], &[10, 100]);
    let steps = marks.last().copied().unwrap_or(0);
    progress(&format!("a run of {steps} steps"));
    let window = size.pick(400, 200, 10);
    let began = Arc::new(Mutex::new(Vec::new()));
    let (flow, marked) = (Marks { began: Arc::clone(&began) }, Arc::clone(&began));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs.db");
    two_threads().block_on(async {
        // What the disk costs would only hide what the run's length costs.
        let store = SqliteOptions::new().synchronous(Synchronous::Normal).open(&path).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let runner = Runner::builder().workflow(flow).store(store).start().await.unwrap();
        // The first commits of a file are slower than any later ones.
        runner.start::<Marks>("first", 1_000).await.unwrap().await.unwrap();
        marked.lock().unwrap().clear();
        let run = runner.start::<Marks>("long", (steps + window) as u64).await.unwrap();
        run.await.unwrap();
        runner.shutdown(Duration::ZERO).await;
    });
    let began = std::mem::take(&mut *began.lock().unwrap());
    let after = |mark: usize| {
        let window = &began[mark..=mark + window];
        median(window.windows(2).map(|two| (two[1] - two[0]).as_secs_f64()).collect())
    };
    let first = after(marks[0]);
    let mut table = Table::new(&["steps before", "a step then, median", "against the first"]);
    for mark in marks {
        let step = after(*mark);
        table.row(&[&mark.to_string(), &show(step), &format!("{:.2}", step / first)]);
    }
    table.print("One commit of a long run");
}
