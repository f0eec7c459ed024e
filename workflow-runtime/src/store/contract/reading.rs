//! Pages of what is stored, and which runs there are.

use std::sync::Arc;

use super::made::{
    claim, create, event, graphs, id, lease, listed, new_run, numbers, pages, positions, record, stored,
};
use crate::engine::Time;
use crate::store::{Append, Cursor, Filter, NewRun, Order, RunStatus, Store, StoreError};

/// Pages go on where the one before ended.
pub async fn records_and_events_come_in_pages(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    create(&*store, "b").await;
    for run in ["a", "b"] {
        claim(&*store, run, "one", 20).await;
        let append = Append {
            records: (1..=5).map(record).collect(),
            events: [2, 4, 6, 8].map(event).into(),
            ..Append::new(id(run), 1, 0, Time(30))
        };
        stored(&*store, append).await;
    }
    let records = async |after, limit| positions(&store.records(&id("a"), after, limit).await.unwrap());
    assert_eq!(records(0, 2).await, [1, 2]);
    assert_eq!(records(2, 2).await, [3, 4]);
    assert_eq!(records(4, 2).await, [5]);
    assert!(records(5, 2).await.is_empty());
    assert!(records(u64::MAX, 2).await.is_empty());
    assert!(records(0, 0).await.is_empty());
    assert_eq!(records(3, usize::MAX).await, [4, 5]);
    let events = async |after, limit| numbers(&store.events(&id("a"), after, limit).await.unwrap());
    assert_eq!(events(0, 3).await, [2, 4, 6]);
    assert_eq!(events(3, usize::MAX).await, [4, 6, 8]);
    assert!(events(8, 1).await.is_empty());
    assert!(events(u64::MAX, 1).await.is_empty());
    assert!(matches!(store.records(&id("c"), 0, 1).await, Err(StoreError::NoSuchRun { .. })));
    assert!(matches!(store.events(&id("c"), 0, 1).await, Err(StoreError::NoSuchRun { .. })));
}

/// Pages cover every run once, in either order, while others come and go.
pub async fn runs_are_listed_in_pages(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let mut all = Vec::new();
    for n in 0..10_u64 {
        // Several are created at the same time.
        let run = format!("run {n}");
        store.create(NewRun { at: Time(n / 3), ..new_run(&run) }).await.unwrap();
        all.push(run);
    }
    for limit in [1, 3, 10, 100, usize::MAX] {
        let mut reversed = all.clone();
        reversed.reverse();
        for (order, expected) in [(Order::OldestFirst, &all), (Order::NewestFirst, &reversed)] {
            let filter = Filter { order, ..Filter::default() };
            assert_eq!(pages(&*store, &filter, limit).await, *expected);
        }
    }

    let filter = Filter::default();
    let first = store.list(&filter, None, 4).await.unwrap();
    let next = first.next.unwrap();
    store.create(NewRun { at: Time(0), ..new_run("late") }).await.unwrap();
    // Also the one where the page ended.
    for run in &all[2..5] {
        assert!(store.delete(&id(run)).await.unwrap());
    }
    let next = store.list(&filter, Some(&Cursor::new(next.as_str())), 2).await.unwrap();
    assert_eq!(next.runs.iter().map(|run| run.run.to_string()).collect::<Vec<_>>(), all[5..7]);

    for text in ["", "x", "1", "1.x", "1.2.3"] {
        let bad = store.list(&filter, Some(&Cursor::new(text)), 2).await;
        assert!(matches!(bad, Err(StoreError::BadCursor { cursor }) if cursor == text));
    }
}

/// Each part of a filter, and all of them together.
pub async fn runs_are_found(store: Arc<dyn Store>) {
    graphs(&*store).await;
    for (n, (run, workflow, status)) in [
        ("order-1", "Flow", RunStatus::Completed),
        ("order-2", "Flow", RunStatus::Failed),
        ("order-10", "Other", RunStatus::Completed),
        ("Order-1", "Other", RunStatus::Waiting),
        ("order", "Flow", RunStatus::Blocked),
    ]
    .into_iter()
    .enumerate()
    {
        let at = Time(n as u64);
        let new = NewRun { workflow: workflow.to_owned(), at, lease: Some(lease("one", 99)), ..new_run(run) };
        store.create(new).await.unwrap();
        stored(&*store, Append { status: Some(status), ..Append::new(id(run), 1, 0, at) }).await;
    }
    let all = Filter::default();
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (all.clone(), &["order-1", "order-2", "order-10", "Order-1", "order"][..]),
        (Filter { workflow: text("Flow"), ..all.clone() }, &["order-1", "order-2", "order"]),
        (Filter { workflow: text("flow"), ..all.clone() }, &[]),
        (Filter { statuses: vec![RunStatus::Completed], ..all.clone() }, &["order-1", "order-10"]),
        (
            Filter { statuses: vec![RunStatus::Waiting, RunStatus::Failed], ..all.clone() },
            &["order-2", "Order-1"],
        ),
        (Filter { prefix: text("order-1"), ..all.clone() }, &["order-1", "order-10"]),
        (Filter { prefix: text("order-"), ..all.clone() }, &["order-1", "order-2", "order-10"]),
        (Filter { prefix: text("order_"), ..all.clone() }, &[]),
        (Filter { prefix: text("%"), ..all.clone() }, &[]),
        (Filter { prefix: text(""), statuses: vec![RunStatus::Blocked], ..all.clone() }, &["order"]),
        (
            Filter { created_from: Some(Time(1)), created_before: Some(Time(3)), ..all.clone() },
            &["order-2", "order-10"],
        ),
        (Filter { tag: Some(("run".to_owned(), "order-2".to_owned())), ..all.clone() }, &["order-2"]),
        (Filter { tag: Some(("run".to_owned(), "other".to_owned())), ..all.clone() }, &[]),
        (
            Filter {
                workflow: text("Other"),
                statuses: vec![RunStatus::Completed, RunStatus::Waiting],
                prefix: text("order-1"),
                created_from: Some(Time(2)),
                created_before: Some(Time(99)),
                tag: Some(("run".to_owned(), "order-10".to_owned())),
                ..all
            },
            &["order-10"],
        ),
    ] {
        assert_eq!(listed(&*store, &filter).await, expected, "{filter:?}");
        assert_eq!(pages(&*store, &filter, 1).await, expected, "{filter:?}");
    }
}
