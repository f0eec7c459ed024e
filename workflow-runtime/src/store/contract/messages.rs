//! What others put into the inbox of a run.

use std::sync::Arc;

use super::made::{claim, create, id, json, message, put, record, show, stored};
use crate::engine::Time;
use crate::store::{Append, MessageId, Put, Record, Store, StoreError, Taken, Verdict};

/// Whoever puts a message learns what became of it.
pub async fn a_message_is_put_and_decided_about(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    let (yes, no, later) =
        (put(&*store, "a", None).await, put(&*store, "a", None).await, put(&*store, "a", None).await);
    assert!(yes < no && no < later);
    claim(&*store, "a", "one", 20).await;
    assert_eq!(show(&*store, "a").await.run.messages, 3);
    let refused = Verdict::Refused { reason: json("{\"why\":1}") };
    let taken = vec![
        Taken { message: yes, verdict: Verdict::Accepted },
        Taken { message: no, verdict: refused },
        Taken { message: later, verdict: Verdict::Pending },
    ];
    stored(&*store, Append { taken, ..Append::new(id("a"), 1, 0, Time(30)) }).await;
    assert_eq!(show(&*store, "a").await.run.messages, 1);
    assert!(matches!(store.verdict(&id("a"), yes).await.unwrap(), Verdict::Accepted));
    match store.verdict(&id("a"), no).await.unwrap() {
        Verdict::Refused { reason } => assert_eq!(reason.get(), "{\"why\":1}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(store.verdict(&id("a"), later).await.unwrap(), Verdict::Pending));

    create(&*store, "b").await;
    for (run, message) in [("b", yes), ("a", MessageId(u64::MAX))] {
        let unknown = store.verdict(&id(run), message).await;
        assert!(matches!(unknown, Err(StoreError::NoSuchMessage { .. })), "{unknown:?}");
    }
    assert!(matches!(store.verdict(&id("c"), yes).await, Err(StoreError::NoSuchRun { .. })));
    let nobody = store.put(message("c", None)).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchRun { run }) if run == id("c")));
}

/// However often a message is put, it is one, and the answer is what became of it.
pub async fn the_same_key_is_the_same_message(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    create(&*store, "b").await;
    let first = put(&*store, "a", Some("k")).await;
    match store.put(message("a", Some("k"))).await.unwrap() {
        Put::Known { message, verdict: Verdict::Pending } => assert_eq!(message, first),
        other => panic!("{other:?}"),
    }
    assert_ne!(put(&*store, "b", Some("k")).await, first);
    assert_ne!(put(&*store, "a", None).await, put(&*store, "a", None).await);
    assert_eq!(show(&*store, "a").await.run.messages, 3);

    claim(&*store, "a", "one", 20).await;
    let append = Append {
        records: vec![Record { key: Some("direct".to_owned()), ..record(1) }],
        taken: vec![Taken { message: first, verdict: Verdict::Refused { reason: json("0") } }],
        ..Append::new(id("a"), 1, 0, Time(30))
    };
    stored(&*store, append).await;
    match store.put(message("a", Some("k"))).await.unwrap() {
        Put::Known { message, verdict: Verdict::Refused { .. } } => assert_eq!(message, first),
        other => panic!("{other:?}"),
    }
    // What came another way than through the inbox has happened all the same.
    match store.put(message("a", Some("direct"))).await.unwrap() {
        Put::Recorded { position } => assert_eq!(position, 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(show(&*store, "a").await.run.messages, 2);
}

/// The messages of all runs of an owner, oldest first, until they have a verdict.
pub async fn an_owner_sees_the_messages_of_its_runs(store: Arc<dyn Store>) {
    for (run, owner) in [("a", "one"), ("b", "one"), ("c", "two")] {
        create(&*store, run).await;
        claim(&*store, run, owner, 20).await;
    }
    let mut put_in = Vec::new();
    for run in ["b", "c", "a", "b"] {
        put_in.push(put(&*store, run, None).await);
    }
    let seen = async |limit| {
        let inbox = store.inbox("one", limit).await.unwrap();
        inbox.into_iter().map(|message| (message.run.to_string(), message.id)).collect::<Vec<_>>()
    };
    let (b, a) = ("b".to_owned(), "a".to_owned());
    let all = [(b.clone(), put_in[0]), (a, put_in[2]), (b, put_in[3])];
    assert_eq!(seen(10).await, all);
    assert_eq!(seen(10).await, all);
    assert_eq!(seen(2).await, all[..2]);
    let taken = vec![Taken { message: put_in[0], verdict: Verdict::Accepted }];
    stored(&*store, Append { taken, ..Append::new(id("b"), 1, 0, Time(30)) }).await;
    assert_eq!(seen(10).await, all[1..]);
    assert!(store.inbox("nobody", 10).await.unwrap().is_empty());
}
