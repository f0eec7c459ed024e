//! The process ends in the middle of its work.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const FILE: &str = "WORKFLOW_STORE_TEST_FILE";
const RUNS: [&str; 3] = ["a", "b", "c"];

/// Appends for ever, and says what was acknowledged. It is the other process of the test below, and nothing otherwise.
#[tokio::test]
async fn appends_until_it_is_killed() {
    let Ok(path) = std::env::var(FILE) else { return };
    let store = std::sync::Arc::new(SqliteStore::open(path).await.unwrap());
    for run in RUNS {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move {
            create(&*store, run, None).await;
            let claimed = claim(&*store, run, "one", 1).await;
            // Reading it is a test by itself: every position is there.
            claimed.history.unwrap();
            for position in claimed.run.position + 1.. {
                let append = Append {
                    records: vec![record(position, "record")],
                    snapshot: (position % 7 == 0).then(|| json(&position.to_string())),
                    ..Append::new(id(run), claimed.run.epoch, position - 1, Time(1))
                };
                stored(&*store, append).await;
                println!("acknowledged {run} {position}");
            }
        });
    }
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_end_of_the_process() {
    let place = Place::new();
    let mut acknowledged = BTreeMap::from(RUNS.map(|run| (run.to_owned(), 0)));
    for lines in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crashes::appends_until_it_is_killed", "--nocapture"])
            .env(FILE, place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        // The harness may have begun the line with something else.
        let said = output.lines().map_while(Result::ok);
        let mut said = said.filter_map(|line| Some(line.split_once("acknowledged ")?.1.to_owned()));
        let mut hear = |line: String| {
            let (run, position) = line.split_once(' ').unwrap();
            acknowledged.insert(run.to_owned(), position.parse::<u64>().unwrap());
        };
        said.by_ref().take(lines).for_each(&mut hear);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it was killed counts as well.
        said.for_each(&mut hear);

        let store = place.open().await;
        for (run, acknowledged) in &acknowledged {
            let Some(details) = store.show(&id(run)).await.unwrap() else {
                assert_eq!(*acknowledged, 0);
                continue;
            };
            let last = details.run.position;
            assert!(last >= *acknowledged, "{run}: {acknowledged} of {last}");
            assert_eq!(positions(&store, run).await, (1..=last).collect::<Vec<_>>());
            let history = claim(&store, run, "one", 1).await.history.unwrap();
            let snapshot = history.snapshot.map_or(0, |snapshot| {
                assert_eq!(snapshot.body.get(), snapshot.position.to_string());
                snapshot.position
            });
            assert_eq!(snapshot, last / 7 * 7);
            assert_eq!(history.tail.len() as u64, last - snapshot);
        }
        store.close().await.unwrap();
    }
    assert!(acknowledged.values().sum::<u64>() > 200);
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_end_of_the_tasks() {
    let place = Place::new();
    for _ in 0..20 {
        let path = place.path();
        // A runtime of its own, which is torn down while appends are on their way.
        let acknowledged = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let store = std::sync::Arc::new(SqliteStore::open(path).await.unwrap());
                create(&*store, "a", None).await;
                let claimed = claim(&*store, "a", "one", 1).await;
                let (epoch, first) = (claimed.run.epoch, claimed.run.position + 1);
                for position in first..first + 5 {
                    stored(&*store, one_record("a", epoch, position, "record")).await;
                }
                tokio::spawn(async move {
                    for position in first + 5.. {
                        stored(&*store, one_record("a", epoch, position, "record")).await;
                    }
                });
                tokio::task::yield_now().await;
                first + 4
            })
        })
        .await
        .unwrap();
        let store = place.open().await;
        let history = claim(&store, "a", "one", 1).await.history.unwrap();
        let there: Vec<u64> = history.tail.iter().map(|record| record.position).collect();
        assert!(there.len() as u64 >= acknowledged);
        assert_eq!(there, (1..=there.len() as u64).collect::<Vec<_>>());
        store.close().await.unwrap();
    }
}
