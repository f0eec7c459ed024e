//! Runs that go, and those that stay.

use std::sync::Arc;

use super::made::{
    claim, create, ended, event, graphs, id, json, listed, put, question, record, refused, show, stored,
};
use crate::engine::Time;
use crate::store::{Append, Filter, Record, Refusal, Retention, RunStatus, Store};

/// Nothing of a deleted run is left, and its id can be used again.
pub async fn a_deleted_run_is_gone(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let append = Append {
        records: vec![Record { key: Some("k".to_owned()), ..record(1) }],
        events: vec![event(1)],
        snapshot: Some(json("0")),
        status: Some(RunStatus::Completed),
        outcome: Some(json("0")),
        asked: vec![question(1, 20)],
        ..Append::new(id("a"), 1, 0, Time(20))
    };
    stored(&*store, append.clone()).await;
    put(&*store, "a", Some("m")).await;
    assert!(store.delete(&id("a")).await.unwrap());
    assert!(!store.delete(&id("a")).await.unwrap());
    assert!(store.show(&id("a")).await.unwrap().is_none());
    assert!(listed(&*store, &Filter::default()).await.is_empty());
    assert_eq!(refused(&*store, append).await, Refusal::NoSuchRun { run: id("a") });
    assert!(store.inbox("one", 10).await.unwrap().is_empty());

    create(&*store, "a").await;
    let details = show(&*store, "a").await;
    assert!(details.outcome.is_none() && details.run.questions.is_empty());
    let history = claim(&*store, "a", "one", 20).await.history.unwrap();
    assert!(history.snapshot.is_none() && history.tail.is_empty() && history.inbox.is_empty());
    assert!(store.events(&id("a"), 0, 10).await.unwrap().is_empty());
    put(&*store, "a", Some("m")).await;
}

/// The last ones of each workflow are kept, and those that ended lately.
pub async fn completed_runs_are_kept_as_told(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let fill = async || {
        for (workflow, letter) in [("Flow", "f"), ("Other", "o")] {
            for n in 1..=5 {
                // Those that were created first end last.
                let run = format!("{letter}{n}");
                ended(&*store, &run, workflow, RunStatus::Completed, 20 - n).await;
            }
        }
    };
    let left = async || listed(&*store, &Filter::default()).await;
    fill().await;
    assert_eq!(store.retain(&Retention::keep_last(5)).await.unwrap(), 0);
    assert_eq!(store.retain(&Retention::keep_last(2)).await.unwrap(), 6);
    assert_eq!(left().await, ["f1", "f2", "o1", "o2"]);
    assert_eq!(store.retain(&Retention::ended_from(Time(19))).await.unwrap(), 2);
    assert_eq!(left().await, ["f1", "o1"]);

    let all = Retention { workflow: Some("Flow".to_owned()), ..Retention::keep_last(0) };
    assert_eq!(store.retain(&all).await.unwrap(), 1);
    assert_eq!(left().await, ["o1"]);
    assert_eq!(store.retain(&Retention::keep_last(0)).await.unwrap(), 1);

    fill().await;
    // Either rule keeps: the last two, and those since 17, which are three.
    let either = Retention { ended_from: Some(Time(17)), ..Retention::keep_last(2) };
    assert_eq!(store.retain(&Retention { most: 3, ..either.clone() }).await.unwrap(), 3);
    assert_eq!(store.retain(&either).await.unwrap(), 1);
    assert_eq!(left().await, ["f1", "f2", "f3", "o1", "o2", "o3"]);
    let either = Retention { ended_from: Some(Time(19)), ..Retention::keep_last(2) };
    assert_eq!(store.retain(&either).await.unwrap(), 2);
    // The oldest go first.
    assert_eq!(store.retain(&Retention { most: 1, ..Retention::keep_last(0) }).await.unwrap(), 1);
    assert_eq!(left().await, ["f1", "o1", "o2"]);
}

/// Only completed runs are deleted, unless the others that have ended are meant as well; never one that has not.
pub async fn runs_that_can_go_on_are_kept(store: Arc<dyn Store>) {
    graphs(&*store).await;
    for status in RunStatus::ALL {
        ended(&*store, status.name(), "Flow", status, 20).await;
    }
    // Somebody goes on with this one.
    ended(&*store, "resumed", "Flow", RunStatus::Failed, 20).await;
    claim(&*store, "resumed", "one", 21).await;
    let left = async || listed(&*store, &Filter::default()).await.len();
    assert_eq!(store.retain(&Retention::keep_last(0)).await.unwrap(), 1);
    assert!(store.show(&id("completed")).await.unwrap().is_none());
    assert_eq!(left().await, 9);
    assert_eq!(store.retain(&Retention { resumable: true, ..Retention::keep_last(0) }).await.unwrap(), 4);
    let mut kept = listed(&*store, &Filter::default()).await;
    kept.sort();
    assert_eq!(kept, ["blocked", "new", "resumed", "running", "waiting"]);
}
