//! What steps cost.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use workflow_benches::floor::works::{self, ChainEvent, FanOutEvent, ShortEvent};
use workflow_benches::floor::{inline, spawn};
use workflow_benches::flows::{Chain, FanOut, FourWorkers, PlainChain, Short};
use workflow_benches::table::at_most;
use workflow_benches::time::{take_turns, timed};
use workflow_runtime::prelude::*;

use crate::Bench;

/// One run through many steps of a loop of two.
pub(crate) fn chain(bench: &mut Bench) {
    let steps = bench.size.pick(200_000, 50_000, 100);
    let turns = bench.size.pick(21, 9, 1);
    let runtime = &Arc::clone(&bench.runtime);
    let end = |output: u64| assert!(output < 2);
    let ours = || timed(runtime, async move { end(Chain.run(steps).await.unwrap()) });
    let plain = || timed(runtime, async move { end(PlainChain.run(steps).await.unwrap()) });
    let spawn = || {
        timed(runtime, async move {
            let run = tokio::spawn(spawn::run(works::Chain, ChainEvent::Start(steps)));
            end(run.await.unwrap());
        })
    };
    let inline = || {
        timed(runtime, async move {
            let run = tokio::spawn(inline::run(works::Chain, ChainEvent::Start(steps)));
            end(run.await.unwrap());
        })
    };
    let times = take_turns(turns, &mut [&mut { ours }, &mut { spawn }, &mut { inline }]);
    let others = take_turns(turns, &mut [&mut { plain }, &mut { spawn }, &mut { inline }]);
    bench.row("chain, per step", &times, steps, Some(0.25));
    bench.row("  of steps that are no `async fn`", &others, steps, None);
}

/// Runs of three steps.
pub(crate) fn short(bench: &mut Bench) {
    let turns = bench.size.pick(21, 9, 1);
    let runtime = &Arc::clone(&bench.runtime);
    let (rounds, together) = bench.size.pick((20, 1_000), (5, 1_000), (1, 10));
    let runs: u64 = rounds * together;

    let flow = Arc::new(Short);
    let ours = || {
        let flow = Arc::clone(&flow);
        timed(runtime, async move {
            for n in 0..runs {
                assert_eq!(Arc::clone(&flow).run(n).await.unwrap(), n + 3);
            }
        })
    };
    let spawn = || {
        timed(runtime, async move {
            for n in 0..runs {
                assert_eq!(
                    tokio::spawn(spawn::run(works::Short, ShortEvent::Start(n))).await.unwrap(),
                    n + 3
                );
            }
        })
    };
    let inline = || {
        timed(runtime, async move {
            for n in 0..runs {
                assert_eq!(
                    tokio::spawn(inline::run(works::Short, ShortEvent::Start(n))).await.unwrap(),
                    n + 3
                );
            }
        })
    };
    let one_by_one = take_turns(turns, &mut [&mut { ours }, &mut { spawn }, &mut { inline }]);

    let ours = || {
        let flow = Arc::clone(&flow);
        timed(runtime, async move {
            for _ in 0..rounds {
                let runs: Vec<_> = (0..together).map(|n| Arc::clone(&flow).run(n)).collect();
                for (n, run) in (0..).zip(runs) {
                    assert_eq!(run.await.unwrap(), n + 3);
                }
            }
        })
    };
    let spawn = || {
        timed(runtime, async move {
            for _ in 0..rounds {
                let start = |n| tokio::spawn(spawn::run(works::Short, ShortEvent::Start(n)));
                let runs: Vec<_> = (0..together).map(start).collect();
                for (n, run) in (0..).zip(runs) {
                    assert_eq!(run.await.unwrap(), n + 3);
                }
            }
        })
    };
    let inline = || {
        timed(runtime, async move {
            for _ in 0..rounds {
                let start = |n| tokio::spawn(inline::run(works::Short, ShortEvent::Start(n)));
                let runs: Vec<_> = (0..together).map(start).collect();
                for (n, run) in (0..).zip(runs) {
                    assert_eq!(run.await.unwrap(), n + 3);
                }
            }
        })
    };
    let at_once = take_turns(turns, &mut [&mut { ours }, &mut { spawn }, &mut { inline }]);
    bench.row("short run of 3 steps, one by one", &one_by_one, runs, Some(0.7));
    bench.row(&format!("short run of 3 steps, {together} at once"), &at_once, runs, Some(0.4));
}

/// Many events of one step, each taken by another one, and gathered.
pub(crate) fn fan_out(bench: &mut Bench) {
    let sizes =
        bench.size.pick(&[1_000, 10_000, 100_000, 1_000_000][..], &[1_000, 10_000, 100_000], &[10, 100]);
    for (name, limited) in [("unlimited", false), ("4 workers", true)] {
        let mut each = Vec::new();
        for n in sizes {
            let repeats = (200_000 / n).clamp(1, bench.size.pick(20, 5, 1));
            let turns = if *n > 100_000 { 3 } else { bench.size.pick(9, 5, 1) };
            let times = take_turns(
                turns,
                &mut [
                    &mut || ours(&bench.runtime, *n, repeats, limited),
                    &mut || by_hand(&bench.runtime, *n, repeats, limited, Way::Spawn),
                    &mut || by_hand(&bench.runtime, *n, repeats, limited, Way::Inline),
                ],
            );
            each.push(times.of(0) / (n * repeats) as f64);
            bench.row(&format!("fan-out of {n}, {name}, per event"), &times, n * repeats, Some(0.4));
        }
        if let ([few, ..], [.., many]) = (sizes, sizes) {
            let grown = each[each.len() - 1] / each[0];
            let exponent = 1.0 + grown.ln() / (*many as f64 / *few as f64).ln();
            bench.others.row(&[
                &format!("growth exponent of the fan-out, {name}"),
                &format!("{exponent:.2}"),
                "",
                "",
                "",
                "at most 1.1",
                at_most(exponent, 1.1),
            ]);
        }
    }
}

fn ours(runtime: &Runtime, n: u64, repeats: u64, limited: bool) -> Duration {
    timed(runtime, async move {
        for _ in 0..repeats {
            let sum = if limited { FourWorkers.run(n).await.unwrap() } else { FanOut.run(n).await.unwrap() };
            assert_eq!(sum, n * (n + 1) / 2);
        }
    })
}

#[derive(Clone, Copy)]
enum Way {
    Spawn,
    Inline,
}

fn by_hand(runtime: &Runtime, n: u64, repeats: u64, limited: bool, way: Way) -> Duration {
    timed(runtime, async move {
        for _ in 0..repeats {
            let work = works::FanOut::new(if limited { 4 } else { usize::MAX });
            let start = FanOutEvent::Start(n);
            let run = match way {
                Way::Spawn => tokio::spawn(spawn::run(work, start)),
                Way::Inline => tokio::spawn(inline::run(work, start)),
            };
            assert_eq!(run.await.unwrap(), n * (n + 1) / 2);
        }
    })
}
