//! What it costs to watch.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinSet;
use workflow_benches::flows::{BATCH, Publishes};
use workflow_benches::table::at_most;
use workflow_benches::time::{show, take_turns, timed};
use workflow_runtime::prelude::*;

use crate::Bench;

/// So many batches may be published that a reader has not read.
const AHEAD: u32 = 3;

/// Many items published, and read by one reader and by ten; everybody reads everything.
pub(crate) fn stream(bench: &mut Bench) {
    let items = bench.size.pick(200_000, 50_000, 1_000);
    let turns = bench.size.pick(15, 7, 1);
    for (readers, name, channel) in [
        (1, "mpsc", mpsc_channel as fn(&Runtime, u64, u32) -> Duration),
        (1, "broadcast", broadcast_channel),
        (10, "broadcast", broadcast_channel),
    ] {
        let runtime = &Arc::clone(&bench.runtime);
        let times = take_turns(
            turns,
            &mut [&mut || ours(runtime, items, readers), &mut || channel(runtime, items, readers)],
        );
        let each = |contender| show(times.of(contender) / items as f64);
        let ratio = times.ratio(0, 1);
        bench.others.row(&[
            &format!(
                "stream, {readers} reader{}, per item; tokio's {name}",
                if readers == 1 { "" } else { "s" }
            ),
            &each(0),
            &each(1),
            &format!("{ratio:.2}"),
            &format!("{:.2}", times.processor_ratio(0, 1)),
            "at most 1.5",
            at_most(ratio, 1.5),
        ]);
    }
}

/// How often a reader of so many items has given a turn, so that all of them can be published.
fn turns(readers: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((readers * AHEAD) as usize))
}

fn ours(runtime: &Runtime, items: u64, readers: u32) -> Duration {
    timed(runtime, async move {
        let turns = turns(readers);
        let run = Publishes { readers, turns: Arc::clone(&turns) }.run(items);
        let mut reading = JoinSet::new();
        for _ in 0..readers {
            let (mut events, turns) = (run.events(), Arc::clone(&turns));
            reading.spawn(async move {
                let mut read = 0;
                while let Some(event) = events.next().await {
                    match event.unwrap().kind {
                        RunEventKind::Progress { value, .. } => {
                            assert_eq!(value, read);
                            read += 1;
                            if read % BATCH == 0 {
                                turns.add_permits(1);
                            }
                        }
                        RunEventKind::Missed { count } => panic!("{count} events were missed"),
                        _ => {}
                    }
                }
                read
            });
        }
        assert_eq!(run.await.unwrap(), items);
        while let Some(read) = reading.join_next().await {
            assert_eq!(read.unwrap(), items);
        }
    })
}

fn mpsc_channel(runtime: &Runtime, items: u64, readers: u32) -> Duration {
    assert_eq!(readers, 1);
    timed(runtime, async move {
        let turns = turns(readers);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let publishing = Arc::clone(&turns);
        let publish = tokio::spawn(async move {
            for item in 0..items {
                if item % BATCH == 0 {
                    publishing.acquire_many(readers).await.unwrap().forget();
                }
                sender.send(item).unwrap();
            }
        });
        let read = tokio::spawn(async move {
            let mut read = 0;
            while let Some(item) = receiver.recv().await {
                assert_eq!(item, read);
                read += 1;
                if read % BATCH == 0 {
                    turns.add_permits(1);
                }
            }
            read
        });
        publish.await.unwrap();
        assert_eq!(read.await.unwrap(), items);
    })
}

fn broadcast_channel(runtime: &Runtime, items: u64, readers: u32) -> Duration {
    timed(runtime, async move {
        let turns = turns(readers);
        let (sender, _) = broadcast::channel(1_024);
        let mut reading = JoinSet::new();
        for _ in 0..readers {
            let (mut receiver, turns) = (sender.subscribe(), Arc::clone(&turns));
            reading.spawn(async move {
                let mut read = 0;
                while let Ok(item) = receiver.recv().await {
                    assert_eq!(item, read);
                    read += 1;
                    if read % BATCH == 0 {
                        turns.add_permits(1);
                    }
                }
                read
            });
        }
        let publish = tokio::spawn(async move {
            for item in 0..items {
                if item % BATCH == 0 {
                    turns.acquire_many(readers).await.unwrap().forget();
                }
                sender.send(item).unwrap();
            }
        });
        publish.await.unwrap();
        while let Some(read) = reading.join_next().await {
            assert_eq!(read.unwrap(), items);
        }
    })
}
