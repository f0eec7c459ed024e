//! What runs at the same time shares transactions, and nothing else.

use std::sync::Arc;

use super::*;

#[tokio::test]
async fn what_comes_while_the_disk_is_busy_shares_a_transaction() {
    let place = Place::new();
    let store = Arc::new(place.open().await);
    for n in 0..100 {
        create(&*store, &n.to_string(), Some("one")).await;
    }
    let before = place.transactions();
    let raw = place.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let appends: Vec<_> = (0..100)
        .map(|n: u32| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { append(&*store, one_record(&n.to_string(), 1, 1, "shared")).await })
        })
        .collect();
    // All of them have asked, and none has been answered.
    while Arc::strong_count(&store) < 101 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert!(appends.iter().all(|append| !append.is_finished()));
    raw.execute_batch("ROLLBACK").unwrap();
    for append in appends {
        append.await.unwrap().unwrap().unwrap();
    }
    // The first may have gone ahead alone.
    let shared = place.transactions() - before;
    assert!((1..=2).contains(&shared), "{shared} transactions");
}

#[tokio::test]
async fn a_transaction_is_as_large_as_what_is_stored_however_long_the_run_is() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a", Some("one")).await;
    let pages = || {
        let log = place.directory.path().join("runs.db-wal");
        std::fs::metadata(log).unwrap().len() / 4_096
    };
    let mut costs = Vec::new();
    let mut after = 0;
    for _ in 0..20 {
        let records = (1..=1_000).map(|n| record(after + n, "some of many")).collect();
        stored(&store, Append { records, ..Append::new(id("a"), 1, after, Time(1)) }).await;
        after += 1_000;
        // What has been written so far goes to the file, so that the log begins anew.
        place.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        stored(&store, one_record("a", 1, after + 1, "one more")).await;
        after += 1;
        costs.push(pages());
    }
    assert!(costs.iter().all(|pages| *pages <= 6), "{costs:?}");
}

#[tokio::test]
async fn what_is_refused_does_not_disturb_those_it_shares_a_transaction_with() {
    let place = Place::new();
    let store = Arc::new(place.open().await);
    create(&*store, "a", Some("one")).await;
    let raw = place.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let spawn = |run: &'static str, position| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { append(&*store, one_record(run, 1, position, "shared")).await.unwrap() })
    };
    let [first, other, second, gap] = [spawn("a", 1), spawn("none", 1), spawn("a", 2), spawn("a", 9)];
    let nobody = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.put(message("none")).await })
    };
    while Arc::strong_count(&store) < 6 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    raw.execute_batch("ROLLBACK").unwrap();
    assert_eq!(first.await.unwrap(), Ok(()));
    assert_eq!(other.await.unwrap(), Err(Refusal::NoSuchRun { run: id("none") }));
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!(gap.await.unwrap(), Err(Refusal::WrongPosition { run: id("a"), given: 9, next: 3 }));
    assert!(matches!(nobody.await.unwrap(), Err(StoreError::NoSuchRun { .. })));
    assert_eq!(positions(&*store, "a").await, [1, 2]);
}
