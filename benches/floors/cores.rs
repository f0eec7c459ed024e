//! Whether all cores are used, and nobody is kept waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use workflow_benches::floor::question::{Held, Way};
use workflow_benches::floor::works::{self, FanOutEvent};
use workflow_benches::floor::{inline, spawn};
use workflow_benches::flows::{Asks, Busy, Computes, Review, asked};
use workflow_benches::table::{at_least, at_most};
use workflow_benches::time::{compute, median, now, rounds_for, show, take_turns, timed};
use workflow_runtime::prelude::*;

use crate::Bench;

/// Branches that compute for 2 ms each, on two threads.
pub(crate) fn ideal(bench: &mut Bench) {
    let branches = 64_u64;
    let rounds = rounds_for(bench.size.pick(
        Duration::from_millis(2),
        Duration::from_millis(2),
        Duration::from_micros(20),
    ));
    let turns = bench.size.pick(15, 7, 1);
    let runtime = &Arc::clone(&bench.runtime);
    let sum = branches * (branches + 1) / 2;
    // Two threads that do nothing else, and take the next branch when they are done with one.
    let ideal = || {
        let began = now();
        let next = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < branches {
                        std::hint::black_box(compute(rounds));
                    }
                });
            }
        });
        began.elapsed()
    };
    let ours =
        || timed(runtime, async move { assert_eq!(Computes { rounds }.run(branches).await.unwrap(), sum) });
    let spawn = || {
        timed(runtime, async move {
            let run = spawn::run(works::FanOut::computing(rounds), FanOutEvent::Start(branches));
            assert_eq!(tokio::spawn(run).await.unwrap(), sum);
        })
    };
    let inline = || {
        timed(runtime, async move {
            let run = inline::run(works::FanOut::computing(rounds), FanOutEvent::Start(branches));
            assert_eq!(tokio::spawn(run).await.unwrap(), sum);
        })
    };
    let times = take_turns(turns, &mut [&mut { ours }, &mut { ideal }, &mut { spawn }, &mut { inline }]);
    for (contender, name) in
        [(0, "64 branches that compute for 2 ms, of ideal"), (2, "  spawn"), (3, "  inline")]
    {
        let share = times.ratio(1, contender);
        let target = if contender == 0 { ["at least 0.9", at_least(share, 0.9)] } else { ["", ""] };
        let (taken, ideal) = (show(times.of(contender)), show(times.of(1)));
        bench.others.row(&[name, &taken, &ideal, &format!("{share:.2}"), "", target[0], target[1]]);
    }
}

/// How long the answer of one run takes to its end, while a step of another one computes.
pub(crate) fn answer(bench: &mut Bench) {
    let trials = bench.size.pick(25, 9, 1);
    let busy =
        bench.size.pick(Duration::from_millis(200), Duration::from_millis(200), Duration::from_millis(2));
    let rounds = rounds_for(busy);
    let runtime = &Arc::clone(&bench.runtime);
    let mut taken = [Vec::new(), Vec::new(), Vec::new()];
    for trial in 0..trials {
        // At different moments of the computation.
        let wait = busy * (trial % 5 + 1) / 10;
        for (way, taken) in [None, Some(Way::Spawn), Some(Way::Inline)].into_iter().zip(&mut taken) {
            let answer = answered(way, rounds, wait);
            // By turns from a thread outside and from a task.
            let from_outside = trial % 2 == 0;
            taken.push(if from_outside {
                runtime.block_on(answer)
            } else {
                runtime.block_on(runtime.spawn(answer)).unwrap()
            });
        }
    }
    let [ours, spawn, inline] = taken;
    let worst = ours.iter().copied().fold(0.0, f64::max);
    let (ours, spawn, inline) = (median(ours), median(spawn), median(inline));
    bench.others.row(&[
        "an answer while another run's step computes for 200 ms, median",
        &show(ours),
        &show(spawn),
        &format!("{:.2}", ours / spawn),
        "",
        "under 5 ms",
        at_most(ours, 0.005),
    ]);
    bench.others.row(&["  inline", "", &show(inline)]);
    bench.others.row(&["  the longest of ours", &show(worst)]);
}

/// From the answer to the end of its run, in seconds; ours, unless it is done by hand.
async fn answered(by_hand: Option<Way>, rounds: u64, wait: Duration) -> f64 {
    let run = Asks.run("draft".to_owned());
    let ask = asked::<Review, _>(&run).await;
    let mut held = Held::start(by_hand.unwrap_or(Way::Spawn), "draft".to_owned());
    held.asked().await;
    let other = Busy { rounds }.run(());
    tokio::time::sleep(wait).await;
    let began = now();
    let output = if by_hand.is_none() {
        run.respond(&ask, true).await.unwrap();
        run.await.unwrap()
    } else {
        held.answer(true);
        held.output().await
    };
    let taken = began.elapsed();
    assert_eq!(output, 5);
    other.await.unwrap();
    taken.as_secs_f64()
}
