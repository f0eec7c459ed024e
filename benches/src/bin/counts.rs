//! Counts what workloads allocate. The benchmark `floors` runs it, because an allocator that counts slows down.
//!
//! Everything happens on one thread, the one whose allocations are counted.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a benchmark fails")]

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use tokio::runtime::{Builder, Runtime};
use workflow_benches::floor::question::{Held, Way};
use workflow_benches::floor::works::{self, ChainEvent, FanOutEvent, ShortEvent};
use workflow_benches::floor::{inline, spawn};
use workflow_benches::flows::{Asks, Chain, FanOut, PlainChain, Publishes, Review, Short, Turns, asked};
use workflow_benches::memory;
use workflow_benches::table::Table;
use workflow_runtime::prelude::*;

const DRAFT: &str = "Is this what you wanted to say?";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let one_thread = Builder::new_current_thread().enable_all().build().unwrap();
    match &args[..] {
        [what, count] => {
            let [heap, resident] = waiting(&one_thread, what, count.parse().unwrap());
            println!("{heap} {resident}");
        }
        args => table(&one_thread, args.iter().any(|arg| arg == "few")),
    }
}

/// Bytes on the heap and in memory for each run that waits.
fn waiting(runtime: &Runtime, what: &str, count: usize) -> [f64; 2] {
    let flow = Arc::new(Asks);
    let start = async |_| {
        let run = Arc::clone(&flow).run(DRAFT.to_owned());
        asked::<Review, _>(&run).await;
        run
    };
    match what {
        "live" => keep(runtime, count, start),
        "snapshots" => keep(runtime, count, async |at| start(at).await.suspend().await.unwrap()),
        "json" => keep(runtime, count, async |at| {
            let snapshot = start(at).await.suspend().await.unwrap();
            serde_json::to_string(&snapshot).unwrap().into_boxed_str()
        }),
        _ => keep(runtime, count, async |_| {
            let mut held = Held::start(Way::Spawn, DRAFT.to_owned());
            held.asked().await;
            held
        }),
    }
}

fn keep<T>(runtime: &Runtime, count: usize, make: impl AsyncFn(usize) -> T) -> [f64; 2] {
    let mut kept = Vec::with_capacity(count);
    // What is made only once does not count.
    kept.push(runtime.block_on(make(0)));
    let before = memory::resident();
    let heap = measure(|| {
        runtime.block_on(async {
            for at in 1..count {
                kept.push(make(at).await);
            }
            // What has ended is dropped when its task is polled.
            tokio::task::yield_now().await;
        });
    });
    let resident = memory::resident().saturating_sub(before);
    let each = |bytes: f64| bytes / (count - 1) as f64;
    let own = size_of::<T>() as f64;
    drop(kept);
    // The vector was there before.
    [each(heap.bytes_current as f64) + own, each(resident as f64)]
}

fn table(runtime: &Runtime, few: bool) {
    let mut table =
        Table::new(&["allocations", "ours", "spawn", "inline", "bytes at the peak: ours", "spawn", "inline"]);
    let mut row = |name: &str, pieces: u64, infos: [AllocationInfo; 3]| {
        let count = infos.map(|info| format!("{:.2}", info.count_total as f64 / pieces as f64));
        let peak = infos.map(|info| memory::show(info.bytes_max as f64));
        let cells: Vec<&str> =
            [name].into_iter().chain(count.iter().chain(&peak).map(String::as_str)).collect();
        table.row(&cells);
    };
    let steps = if few { 100 } else { 100_000 };
    let chain = [
        counted(runtime, async || Chain.run(steps).await.unwrap()),
        counted(runtime, async || spawn::run(works::Chain, ChainEvent::Start(steps)).await),
        counted(runtime, async || inline::run(works::Chain, ChainEvent::Start(steps)).await),
    ];
    row("chain, per step", steps, chain);
    let plain = counted(runtime, async || PlainChain.run(steps).await.unwrap());
    row("  of steps that are no `async fn`", steps, [plain, chain[1], chain[2]]);
    let short = [
        counted(runtime, async || Short.run(1).await.unwrap()),
        counted(runtime, async || spawn::run(works::Short, ShortEvent::Start(1)).await),
        counted(runtime, async || inline::run(works::Short, ShortEvent::Start(1)).await),
    ];
    row("short run of 3 steps, per run", 1, short);
    for n in if few { &[10, 100][..] } else { &[1_000, 100_000] } {
        let work = || works::FanOut::new(usize::MAX);
        let fan_out = [
            counted(runtime, async || FanOut.run(*n).await.unwrap()),
            counted(runtime, async || spawn::run(work(), FanOutEvent::Start(*n)).await),
            counted(runtime, async || inline::run(work(), FanOutEvent::Start(*n)).await),
        ];
        row(&format!("fan-out of {n}, per event"), *n, fan_out);
    }
    table.print("Allocations, on one thread");

    let mut table = Table::new(&["a stream with one reader", "allocations per item", "bytes at the peak"]);
    for items in if few { [1_000, 2_000] } else { [20_000, 200_000] } {
        let stream = counted(runtime, async || publish(items).await);
        let count = format!("{:.3}", stream.count_total as f64 / items as f64);
        table.row(&[&format!("{items} items"), &count, &memory::show(stream.bytes_max as f64)]);
    }
    table.print("Memory of a stream (the target is bounded)");
}

async fn publish(items: u64) {
    let turns = Turns::new(1);
    let run = Publishes { turns: turns.clone() }.run(items);
    let mut events = run.events();
    let mut read = 0;
    while let Some(event) = events.next().await {
        if matches!(event.unwrap().kind, RunEventKind::Progress { .. }) {
            read += 1;
            turns.has_read(0, read);
        }
    }
    assert_eq!(read, items);
}

/// What that allocates, when it is done for the second time.
fn counted<T>(runtime: &Runtime, work: impl AsyncFn() -> T) -> AllocationInfo {
    runtime.block_on(work());
    measure(|| {
        runtime.block_on(work());
    })
}
