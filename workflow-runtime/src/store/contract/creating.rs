//! How runs and graphs come into a store, also as the copy of another run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::made::{
    claim, create, due, event, graphs, id, json, lease, listed, new_run, numbers, positions, put, question,
    record, show, stored,
};
use crate::engine::Time;
use crate::store::{
    Append, Created, Due, Filter, Fork, NewRun, Record, RunDetails, RunStatus, Store, StoreError, StoredRun,
};

/// A run is created unless there is one of its id; the answer says whether that had the same input.
pub async fn a_run_is_created_once(store: Arc<dyn Store>) {
    let unknown = store.create(new_run("a")).await;
    assert!(matches!(unknown, Err(StoreError::NoSuchGraph { fingerprint }) if fingerprint == "g1"));
    assert!(store.show(&id("a")).await.unwrap().is_none());

    graphs(&*store).await;
    assert!(matches!(store.create(new_run("a")).await.unwrap(), Created::New { epoch: 0 }));
    let again = store.create(NewRun { at: Time(99), ..new_run("a") }).await.unwrap();
    let Created::Exists { same_input: true, run } = again else { panic!("{again:?}") };
    assert_eq!(*run, show(&*store, "a").await.run);
    assert_eq!(run.created_at, Time(10));
    let other = store.create(NewRun { input_key: "other".to_owned(), ..new_run("a") }).await.unwrap();
    assert!(matches!(other, Created::Exists { same_input: false, .. }));
    let other = store.create(NewRun { workflow: "Other".to_owned(), ..new_run("a") }).await.unwrap();
    assert!(matches!(other, Created::Exists { same_input: false, .. }));

    let RunDetails { run, input, outcome } = show(&*store, "a").await;
    assert_eq!(input.get(), r#"{"of": "a"}"#);
    assert!(outcome.is_none());
    let expected = StoredRun {
        run: id("a"),
        workflow: "Flow".to_owned(),
        fingerprint: "g1".to_owned(),
        status: RunStatus::New,
        created_at: Time(10),
        updated_at: Time(10),
        ended_at: None,
        position: 0,
        last_event: 0,
        forked_from: None,
        epoch: 0,
        lease: None,
        due: Due::Now,
        messages: 0,
        questions: Vec::new(),
        tags: BTreeMap::from([("run".to_owned(), "a".to_owned())]),
    };
    assert_eq!(run, expected);
}

/// A run that is created with a lease belongs to that owner; one that exists is left to whom it belongs.
pub async fn a_run_may_be_created_with_its_owner(store: Arc<dyn Store>) {
    graphs(&*store).await;
    let with = |owner| NewRun { lease: Some(lease(owner, 100)), ..new_run("a") };
    assert!(matches!(store.create(with("one")).await.unwrap(), Created::New { epoch: 1 }));
    let again = store.create(with("other")).await.unwrap();
    let Created::Exists { same_input: true, run } = again else { panic!("{again:?}") };
    assert_eq!((run.epoch, run.lease), (1, Some(lease("one", 100))));
    stored(&*store, Append { records: vec![record(1)], ..Append::new(id("a"), 1, 0, Time(20)) }).await;
    assert!(due(&*store, 10, "other", 20).await.is_empty());
}

/// A graph is kept under its fingerprint, and the first one stays.
pub async fn a_graph_is_kept_once(store: Arc<dyn Store>) {
    assert!(store.graph("g1").await.unwrap().is_none());
    store.put_graph("g1", json("[1]")).await.unwrap();
    store.put_graph("g1", json("[2]")).await.unwrap();
    assert_eq!(store.graph("g1").await.unwrap().unwrap().get(), "[1]");
    assert!(store.graph("g2").await.unwrap().is_none());
}

/// JSON keeps its spaces and the order of its keys; names may be any text.
pub async fn json_and_names_are_kept_to_the_letter(store: Arc<dyn Store>) {
    let text = "{ \"b\" : 1.0e2,\n\t\"a\": [ null, \"\\u0000 \u{1f980} '--\" ] }";
    let name = "it's \"so\"; \u{1f980} %_\\ --";
    store.put_graph(name, json(text)).await.unwrap();
    assert_eq!(store.graph(name).await.unwrap().unwrap().get(), text);
    let new = NewRun {
        workflow: name.to_owned(),
        fingerprint: name.to_owned(),
        input: json(text),
        input_key: name.to_owned(),
        tags: BTreeMap::from([(name.to_owned(), name.to_owned())]),
        lease: Some(lease(name, 100)),
        ..new_run(name)
    };
    store.create(new).await.unwrap();
    let append = Append {
        records: vec![Record { key: Some(name.to_owned()), body: json(text), ..record(1) }],
        ..Append::new(id(name), 1, 0, Time(20))
    };
    stored(&*store, append).await;
    let filter = Filter {
        workflow: Some(name.to_owned()),
        prefix: Some("it's \"".to_owned()),
        tag: Some((name.to_owned(), name.to_owned())),
        ..Filter::default()
    };
    assert_eq!(listed(&*store, &filter).await, [name]);
    assert_eq!(show(&*store, name).await.input.get(), text);
    let records = store.records(&id(name), 0, 9).await.unwrap();
    assert_eq!((records[0].key.as_deref(), records[0].body.get()), (Some(name), text));
}

/// A fork has what happened up to a position, and goes its own way.
pub async fn a_fork_shares_nothing(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let change = |position| Record { fingerprint: Some("g2".to_owned()), ..record(position) };
    let first = Append {
        records: vec![Record { key: Some("k".to_owned()), ..record(1) }, record(2)],
        events: vec![event(1), event(2), event(3)],
        snapshot: Some(json("\"after 2\"")),
        ..Append::new(id("a"), 1, 0, Time(21))
    };
    let second = Append {
        records: vec![record(3), change(4), record(5)],
        events: vec![event(4)],
        status: Some(RunStatus::Completed),
        outcome: Some(json("0")),
        asked: vec![question(1, 22)],
        due: Some(Due::Aside),
        ..Append::new(id("a"), 1, 2, Time(22))
    };
    stored(&*store, first).await;
    stored(&*store, second).await;
    put(&*store, "a", None).await;
    let before = show(&*store, "a").await.run;

    let fork = |run: &str, position, events| Fork {
        from: id("a"),
        position,
        events,
        run: id(run),
        at: Time(40),
        due: Due::Now,
    };
    for (position, events, snapshot, fingerprint, copied) in [
        (0, 0, false, "g1", vec![]),
        (1, 2, false, "g1", vec![1, 2]),
        (3, 3, true, "g1", vec![1, 2, 3]),
        (5, u64::MAX, true, "g2", vec![1, 2, 3, 4]),
    ] {
        let run = format!("fork {position}");
        store.fork_after(fork(&run, position, events)).await.unwrap();
        let RunDetails { run: stored, input, outcome } = show(&*store, &run).await;
        let expected = StoredRun {
            run: id(&run),
            fingerprint: fingerprint.to_owned(),
            status: if position == 0 { RunStatus::New } else { RunStatus::Running },
            created_at: Time(40),
            updated_at: Time(40),
            ended_at: None,
            position,
            last_event: copied.last().copied().unwrap_or(0),
            forked_from: Some((id("a"), position)),
            epoch: 0,
            lease: None,
            due: Due::Now,
            messages: 0,
            questions: Vec::new(),
            ..before.clone()
        };
        assert_eq!(stored, expected);
        assert_eq!(input.get(), r#"{"of": "a"}"#);
        assert!(outcome.is_none());
        assert_eq!(numbers(&store.events(&id(&run), 0, 10).await.unwrap()), copied);
        let records = store.records(&id(&run), 0, 10).await.unwrap();
        assert_eq!(positions(&records), (1..=position).collect::<Vec<_>>());
        assert_eq!(records.first().and_then(|record| record.key.as_deref()), (position > 0).then_some("k"));
        let history = claim(&*store, &run, "two", 50).await.history.unwrap();
        assert_eq!(history.snapshot.is_some(), snapshot);
        // Neither snapshot was taken after the change.
        assert_eq!(history.fingerprint, "g1");
        assert!(history.inbox.is_empty());
    }

    // What happens in one does not happen in the other.
    let append = Append { records: vec![record(2)], ..Append::new(id("fork 1"), 1, 1, Time(51)) };
    stored(&*store, append).await;
    assert_eq!(show(&*store, "a").await.run, before);
    assert!(store.delete(&id("a")).await.unwrap());
    assert_eq!(positions(&store.records(&id("fork 5"), 0, 10).await.unwrap()), [1, 2, 3, 4, 5]);

    assert!(matches!(store.fork_after(fork("b", 0, 0)).await, Err(StoreError::NoSuchRun { .. })));
    let fork = |run: &str, position| Fork { from: id("fork 1"), ..fork(run, position, 0) };
    let taken = store.fork_after(fork("fork 0", 1)).await;
    assert!(matches!(taken, Err(StoreError::RunExists { run }) if run == id("fork 0")));
    let beyond = store.fork_after(fork("b", 3)).await;
    assert!(matches!(beyond, Err(StoreError::NoSuchPosition { position: 3, last: 2, .. })));
}
