//! Who is told of changes.

use std::sync::Arc;

use super::made::{claim, create, id, put, record, stored};
use crate::engine::Time;
use crate::store::{Append, Interest, Store, Taken, Verdict};

/// Whoever watches is woken by what concerns him; what happened before it was watched is not told.
pub async fn changes_are_told(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let mut one = store.watch(Interest::Run(id("a")));
    let mut work = store.watch(Interest::Work);
    let mut anything = store.watch(Interest::Anything);

    claim(&*store, "a", "one", 20).await;
    one.changed().await.unwrap();
    stored(&*store, Append { records: vec![record(1)], ..Append::new(id("a"), 1, 0, Time(21)) }).await;
    one.changed().await.unwrap();
    anything.changed().await.unwrap();

    let message = put(&*store, "a", None).await;
    one.changed().await.unwrap();
    work.changed().await.unwrap();
    let taken = vec![Taken { message, verdict: Verdict::Accepted }];
    stored(&*store, Append { taken, release: true, ..Append::new(id("a"), 1, 1, Time(22)) }).await;
    one.changed().await.unwrap();
    work.changed().await.unwrap();
    create(&*store, "b").await;
    work.changed().await.unwrap();
    claim(&*store, "b", "one", 30).await;
    assert_eq!(store.leave("one").await.unwrap(), 1);
    work.changed().await.unwrap();
    assert!(store.delete(&id("a")).await.unwrap());
    one.changed().await.unwrap();
}
