//! What a step costs when it is stored.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use workflow_benches::flows::Chain;
use workflow_benches::table::Table;
use workflow_benches::time::{show, take_turns, timed};
use workflow_benches::{Size, progress, two_threads};
use workflow_runtime::store::Store;
use workflow_runtime::{RunId, Runner};
use workflow_store::{SqliteOptions, Synchronous};

use crate::bare::Bare;

/// Runs that are at work at once.
const TOGETHER: u32 = 100;

pub(crate) fn print(size: Size) {
    let mut table = Table::new(&[
        "a step, stored",
        "ours",
        "bare insert and commit",
        "ratio",
        "its rows, bare",
        "ratio",
        "processor time: ours",
        "its rows, bare",
    ]);
    for (synchronous, name) in [(Synchronous::Full, "full"), (Synchronous::Normal, "normal")] {
        let turns = size.pick(9, 5, 1);
        let (alone, each) = size.pick((400, 40), (200, 20), (10, 2));
        let directory = tempfile::tempdir().unwrap();
        let runtime = two_threads();
        let runner = runtime.block_on(runner(directory.path().join("runs.db"), synchronous));
        let mut floor = Bare::open(&directory.path().join("bare.db"), synchronous);
        let mut rows = Bare::open(&directory.path().join("rows.db"), synchronous);
        let mut grouped = Bare::open(&directory.path().join("grouped.db"), synchronous);

        progress(&format!("steps of one run, {name}"));
        let times = take_turns(
            turns,
            &mut [&mut || runs(&runtime, &runner, 1, alone), &mut || floor.insert(alone, 1), &mut || {
                rows.steps(alone)
            }],
        );
        let step = |contender| show(times.of(contender) / f64::from(alone));
        let ratio = |floor| format!("{:.2}", times.ratio(0, floor));
        let processor = |contender| show(times.processor(contender) / f64::from(alone));
        let label = format!("one run, {name}");
        table.row(&[
            &label,
            &step(0),
            &step(1),
            &ratio(1),
            &step(2),
            &ratio(2),
            &processor(0),
            &processor(2),
        ]);

        progress(&format!("steps of {TOGETHER} runs, {name}"));
        let steps = each * TOGETHER;
        // Where each row waits for the disk, a few of them take long enough.
        let few = steps / each;
        let times = take_turns(
            turns,
            &mut [
                &mut || runs(&runtime, &runner, TOGETHER, each),
                &mut || floor.insert(few, 1) * each,
                &mut || rows.steps(few) * each,
                &mut || grouped.insert(steps, TOGETHER),
            ],
        );
        let step = |contender| show(times.of(contender) / f64::from(steps));
        let ratio = |floor| format!("{:.2}", times.ratio(0, floor));
        let name = format!("{TOGETHER} runs at once, {name}");
        let processor = |contender, steps| show(times.processor(contender) / f64::from(steps));
        table.row(&[
            &name,
            &step(0),
            &step(1),
            &ratio(1),
            &step(2),
            &ratio(2),
            &processor(0, steps),
            &processor(2, few),
        ]);
        table.row(&["  as against 100 bare inserts per commit", &step(0), &step(3), &ratio(3)]);
        runtime.block_on(runner.shutdown(Duration::ZERO));
    }
    table.print("Durable steps (per step; the time to create and to end a run is spread over its steps)");
}

async fn runner(path: std::path::PathBuf, synchronous: Synchronous) -> Runner {
    let store = SqliteOptions::new().synchronous(synchronous).open(path).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    Runner::builder().workflow(Chain).store(store).start().await.unwrap()
}

/// So many runs at once, of so many steps each.
fn runs(runtime: &Runtime, runner: &Runner, count: u32, steps: u32) -> Duration {
    let runner = runner.clone();
    timed(runtime, async move {
        let mut runs = JoinSet::new();
        for _ in 0..count {
            let runner = runner.clone();
            runs.spawn(async move {
                let run = runner.start::<Chain>(RunId::random(), u64::from(steps) - 1).await.unwrap();
                run.await.unwrap()
            });
        }
        while let Some(output) = runs.join_next().await {
            assert!(output.unwrap() < 2);
        }
    })
}
