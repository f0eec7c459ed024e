//! What was taken is done.

use std::future::poll_fn;
use std::task::Poll;

use workflow_runtime::store::Interest;

use super::*;

#[tokio::test]
async fn what_was_asked_for_before_closing_is_done() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a", Some("one")).await;
    let mut abandoned = store.append(vec![one_record("a", 1, 1, "abandoned")]);
    poll_fn(|poller| {
        assert!(abandoned.as_mut().poll(poller).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(abandoned);
    store.close().await.unwrap();
    assert_eq!(positions(&place.open().await, "a").await, [1]);
}

#[tokio::test]
async fn what_was_never_polled_is_not_done() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a", Some("one")).await;
    drop(store.append(vec![one_record("a", 1, 1, "never")]));
    store.close().await.unwrap();
    assert!(positions(&place.open().await, "a").await.is_empty());
}

#[tokio::test]
async fn a_store_that_is_dropped_is_closed() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a", Some("one")).await;
    let mut watch = store.watch(Interest::Anything);
    let mut abandoned = Box::pin(append(&store, one_record("a", 1, 1, "abandoned")));
    poll_fn(|poller| {
        assert!(abandoned.as_mut().poll(poller).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(abandoned);
    drop(store);
    // It is done in the background, and ends with that.
    while watch.changed().await.is_ok() {}
    assert_eq!(positions(&place.open().await, "a").await, [1]);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    for store in [SqliteStore::in_memory().await.unwrap(), Place::new().open().await] {
        let mut early = store.watch(Interest::Work);
        store.close().await.unwrap();
        assert!(matches!(store.close().await, Err(StoreError::Closed)));
        assert!(matches!(store.show(&id("a")).await, Err(StoreError::Closed)));
        assert!(matches!(store.put(message("a")).await, Err(StoreError::Closed)));
        assert!(matches!(early.changed().await, Err(StoreError::Closed)));
        assert!(matches!(store.watch(Interest::Anything).changed().await, Err(StoreError::Closed)));
    }
}

#[tokio::test]
async fn a_closed_file_is_one_file() {
    let place = Place::new();
    let store = place.open().await;
    works(&store).await;
    store.close().await.unwrap();
    assert_eq!(std::fs::read_dir(place.directory.path()).unwrap().count(), 1);
}
