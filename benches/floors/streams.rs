//! What it costs to watch.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use workflow_benches::flows::{Publishes, Turns};
use workflow_benches::table::at_most;
use workflow_benches::time::{show, take_turns, timed};
use workflow_runtime::prelude::*;

use crate::Bench;

/// Many items published, and read by one reader and by ten; everybody reads everything.
pub(crate) fn stream(bench: &mut Bench) {
    let items = bench.size.pick(200_000, 50_000, 1_000);
    let turns = bench.size.pick(15, 7, 1);
    for (readers, name, channel) in [
        (1, "mpsc", mpsc_channel as fn(&Runtime, u64, usize) -> Duration),
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

fn ours(runtime: &Runtime, items: u64, readers: usize) -> Duration {
    timed(runtime, async move {
        let turns = Turns::new(readers);
        let run = Publishes { turns: turns.clone() }.run(items);
        let mut reading = JoinSet::new();
        for reader in 0..readers {
            let (mut events, turns) = (run.events(), turns.clone());
            reading.spawn(async move {
                let mut read = 0;
                while let Some(event) = events.next().await {
                    match event.unwrap().kind {
                        RunEventKind::Progress { value, .. } => {
                            assert_eq!(value, read);
                            read += 1;
                            turns.has_read(reader, read);
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

fn mpsc_channel(runtime: &Runtime, items: u64, readers: usize) -> Duration {
    assert_eq!(readers, 1);
    timed(runtime, async move {
        let turns = Turns::new(readers);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let publishing = turns.clone();
        let publish = tokio::spawn(async move {
            for item in 0..items {
                publishing.wait(item).await;
                sender.send(item).unwrap();
            }
        });
        let read = tokio::spawn(async move {
            let mut read = 0;
            while let Some(item) = receiver.recv().await {
                assert_eq!(item, read);
                read += 1;
                turns.has_read(0, read);
            }
            read
        });
        publish.await.unwrap();
        assert_eq!(read.await.unwrap(), items);
    })
}

fn broadcast_channel(runtime: &Runtime, items: u64, readers: usize) -> Duration {
    timed(runtime, async move {
        let turns = Turns::new(readers);
        let (sender, _) = broadcast::channel(1_024);
        let mut reading = JoinSet::new();
        for reader in 0..readers {
            let (mut receiver, turns) = (sender.subscribe(), turns.clone());
            reading.spawn(async move {
                let mut read = 0;
                while let Ok(item) = receiver.recv().await {
                    assert_eq!(item, read);
                    read += 1;
                    turns.has_read(reader, read);
                }
                read
            });
        }
        let publish = tokio::spawn(async move {
            for item in 0..items {
                turns.wait(item).await;
                sender.send(item).unwrap();
            }
        });
        publish.await.unwrap();
        while let Some(read) = reading.join_next().await {
            assert_eq!(read.unwrap(), items);
        }
    })
}
