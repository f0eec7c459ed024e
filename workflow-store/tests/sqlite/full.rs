//! There is no room left.

use std::sync::Arc;

use super::*;

async fn small(place: &Place) -> SqliteStore {
    SqliteOptions::new().most_pages(100).open(place.path()).await.unwrap()
}

#[tokio::test]
async fn what_was_stored_before_the_disk_was_full_stays() {
    let place = Place::new();
    let store = small(&place).await;
    create(&store, "a", Some("one")).await;
    create(&store, "b", Some("one")).await;
    let body = "x".repeat(10_000);
    let mut position = 1;
    let error = loop {
        match append(&store, one_record("a", 1, position, &body)).await {
            Ok(stored) => stored.unwrap(),
            Err(error) => break error,
        }
        position += 1;
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(position > 10);
    let acknowledged: Vec<u64> = (1..position).collect();
    assert_eq!(positions(&store, "a").await, acknowledged);
    // The run stands where it stood, and goes on when there is room.
    assert_eq!(store.show(&id("a")).await.unwrap().unwrap().run.position, position - 1);
    assert!(store.delete(&id("b")).await.unwrap());
    store.close().await.unwrap();

    let store = place.open().await;
    assert_eq!(positions(&store, "a").await, acknowledged);
    stored(&store, one_record("a", 1, position, &body)).await;
}

#[tokio::test]
async fn deleting_makes_room() {
    let place = Place::new();
    let store = small(&place).await;
    let body = "x".repeat(200_000);
    create(&store, "a", Some("one")).await;
    create(&store, "b", Some("one")).await;
    stored(&store, one_record("a", 1, 1, &body)).await;
    assert!(matches!(append(&store, one_record("b", 1, 1, &body)).await, Err(StoreError::Full { .. })));
    assert!(store.delete(&id("a")).await.unwrap());
    stored(&store, one_record("b", 1, 1, &body)).await;
}

#[tokio::test]
async fn what_still_has_room_is_stored_beside_what_has_not() {
    let place = Place::new();
    let store = Arc::new(small(&place).await);
    for run in ["a", "b", "c"] {
        create(&*store, run, Some("one")).await;
    }
    let raw = place.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let appends: Vec<_> = [("a", 10), ("b", 1_000_000), ("c", 10)]
        .into_iter()
        .map(|(run, size)| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { append(&*store, one_record(run, 1, 1, &"x".repeat(size))).await })
        })
        .collect();
    while Arc::strong_count(&store) < 4 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    raw.execute_batch("ROLLBACK").unwrap();
    let mut answers = Vec::new();
    for append in appends {
        answers.push(append.await.unwrap());
    }
    assert!(matches!(&answers[..], [Ok(Ok(())), Err(StoreError::Full { .. }), Ok(Ok(()))]), "{answers:?}");
    assert_eq!(positions(&*store, "a").await, [1]);
    assert!(positions(&*store, "b").await.is_empty());
    assert_eq!(positions(&*store, "c").await, [1]);
}
