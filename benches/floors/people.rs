//! Runs that wait for somebody.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use workflow_benches::floor::question::{Held, Saved, Way};
use workflow_benches::flows::{Asks, ChainAsks, Review, asked};
use workflow_benches::table::{Table, at_most};
use workflow_benches::time::{median, now, show, take_turns, timed};
use workflow_runtime::prelude::*;

use crate::Bench;

const DRAFT: &str = "Is this what you wanted to say?";

/// A question; saved as JSON, dropped, restored; answered and finished.
pub(crate) fn question(bench: &mut Bench) {
    let runs = bench.size.pick(5_000, 2_000, 5);
    let turns = bench.size.pick(15, 7, 1);
    let runtime = &Arc::clone(&bench.runtime);
    let times = take_turns(
        turns,
        &mut [&mut || ours(runtime, runs), &mut || by_hand(runtime, runs, Way::Spawn), &mut || {
            by_hand(runtime, runs, Way::Inline)
        }],
    );
    bench.row("question, saved, dropped, restored, answered", &times, runs, Some(0.5));
    let (ours, floor) = runtime.block_on(async {
        let run = Asks.run(DRAFT.to_owned());
        asked::<Review, _>(&run).await;
        let ours = serde_json::to_string(&run.snapshot().unwrap()).unwrap();
        let mut held = Held::start(Way::Spawn, DRAFT.to_owned());
        held.asked().await;
        (ours, serde_json::to_string(&held.save().await).unwrap())
    });
    let (bytes, by_hand) = (ours.len() as f64, floor.len() as f64);
    bench.others.row(&[
        "bytes of its snapshot, 31 of them the author's",
        &ours.len().to_string(),
        &floor.len().to_string(),
        &format!("{:.2}", bytes / by_hand),
        "",
        "at most 400",
        at_most(bytes, 400.0),
    ]);
    println!("the snapshot: {ours}");
}

fn ours(runtime: &Runtime, runs: u64) -> Duration {
    let flow = Arc::new(Asks);
    timed(runtime, async move {
        for _ in 0..runs {
            let run = Arc::clone(&flow).run(DRAFT.to_owned());
            assert_eq!(asked::<Review, _>(&run).await.prompt.text, DRAFT);
            let json = serde_json::to_string(&run.snapshot().unwrap()).unwrap();
            drop(run);
            let snapshot: Snapshot = serde_json::from_str(&json).unwrap();
            let run = Arc::clone(&flow).resume(snapshot).unwrap();
            let ask = run.pending().one::<Review>().unwrap();
            run.respond(&ask, true).await.unwrap();
            assert_eq!(run.await.unwrap(), DRAFT.len() as u64);
        }
    })
}

fn by_hand(runtime: &Runtime, runs: u64, way: Way) -> Duration {
    timed(runtime, async move {
        for _ in 0..runs {
            let mut held = Held::start(way, DRAFT.to_owned());
            assert_eq!(held.asked().await, DRAFT);
            let json = serde_json::to_string(&held.save().await).unwrap();
            drop(held);
            let saved: Saved = serde_json::from_str(&json).unwrap();
            let held = Held::restore(way, saved);
            held.answer(true);
            assert_eq!(held.output().await, DRAFT.len() as u64);
        }
    })
}

/// A snapshot after few steps and after many.
pub(crate) fn snapshot(bench: &mut Bench) {
    let steps = bench.size.pick(&[10, 1_000, 100_000][..], &[10, 1_000, 100_000], &[10, 100]);
    let mut table =
        Table::new(&["steps before", "bytes", "time to take it and write JSON", "against the first"]);
    let mut first = None;
    let taken: Vec<(usize, f64)> = bench.runtime.block_on(async {
        let mut runs = Vec::new();
        for steps in steps {
            let run = ChainAsks.run(*steps);
            asked::<Review, _>(&run).await;
            runs.push(run);
        }
        let mut times = vec![Vec::new(); runs.len()];
        let mut bytes = vec![0; runs.len()];
        for _ in 0..200 {
            for (at, run) in runs.iter().enumerate() {
                let began = now();
                for _ in 0..10 {
                    bytes[at] = serde_json::to_string(&run.snapshot().unwrap()).unwrap().len();
                }
                times[at].push(began.elapsed().as_secs_f64() / 10.0);
            }
        }
        bytes.into_iter().zip(times.into_iter().map(median)).collect()
    });
    for (steps, (bytes, time)) in steps.iter().zip(taken) {
        let first = *first.get_or_insert(time);
        table.row(&[&steps.to_string(), &bytes.to_string(), &show(time), &format!("{:.2}", time / first)]);
    }
    table.print("Snapshots (the target is flat; counters have more digits)");
}

/// Many runs that wait, in one process: counted in a process of its own, with an allocator that counts.
pub(crate) fn paused(bench: &mut Bench) {
    let runs = bench.size.pick(100_000, 100_000, 100);
    for what in ["live", "snapshots", "json", "floor"] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_counts")).arg(what).arg(runs.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let (name, target) = match what {
            "live" => ("live", Some(1_536.0)),
            "snapshots" => ("as `Snapshot` values", Some(700.0)),
            "json" => ("as JSON", Some(700.0)),
            _ => ("live by hand (spawn)", None),
        };
        let most = numbers[0].max(numbers[1]);
        bench.others.row(&[
            &format!("{runs} runs that wait, {name}: heap, resident, each"),
            &format!("{:.0} B, {:.0} B", numbers[0], numbers[1]),
            "",
            "",
            "",
            &target.map_or_else(String::new, |target| format!("at most {target} B")),
            target.map_or("", |target| at_most(most, target)),
        ]);
    }
}
