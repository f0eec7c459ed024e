//! What a commit stores, and why one is refused.

use std::sync::Arc;

use super::made::{
    claim, create, event, id, json, listed, numbers, positions, put, question, record, refused, show, stored,
};
use crate::engine::Time;
use crate::event::RequestId;
use crate::store::{
    Append, Due, Filter, OpenQuestion, Record, Refusal, RunDetails, RunStatus, Store, StoredRun, Taken,
    Verdict,
};

/// Everything about one commit of one run.
pub async fn an_append_is_stored_as_a_whole(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let append = Append {
        records: vec![record(1), Record { key: Some("key".to_owned()), ..record(2) }],
        events: vec![event(1), event(2), event(5)],
        status: Some(RunStatus::Waiting),
        outcome: Some(json("\"so far\"")),
        due: Some(Due::Idle { wake: Some(Time(90)) }),
        asked: vec![question(7, 30)],
        ..Append::new(id("a"), 1, 0, Time(30))
    };
    stored(&*store, append).await;
    let RunDetails { run, outcome, .. } = show(&*store, "a").await;
    let expected = StoredRun {
        status: RunStatus::Waiting,
        updated_at: Time(30),
        position: 2,
        last_event: 5,
        due: Due::Idle { wake: Some(Time(90)) },
        questions: vec![question(7, 30)],
        ..run.clone()
    };
    assert_eq!(run, expected);
    assert_eq!(outcome.unwrap().get(), "\"so far\"");
    let records = store.records(&id("a"), 0, 10).await.unwrap();
    assert_eq!(records[0].at, Time(101));
    assert_eq!(records[0].body.get(), "\"record 1\"");
    assert_eq!(records[1].key.as_deref(), Some("key"));
    let events = store.events(&id("a"), 0, 10).await.unwrap();
    assert_eq!(numbers(&events), [1, 2, 5]);
    assert_eq!((events[2].tick, events[2].at, events[2].body.get()), (50, Time(105), "\"event 5\""));

    // What is not mentioned stays as it is.
    stored(&*store, Append::new(id("a"), 1, 2, Time(31))).await;
    let after = show(&*store, "a").await;
    assert_eq!(after.run, StoredRun { updated_at: Time(31), ..expected });
    assert_eq!(after.outcome.unwrap().get(), "\"so far\"");
}

/// Each reason to refuse an append is told, and nothing of it is stored.
pub async fn an_append_that_is_refused_changes_nothing(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    create(&*store, "b").await;
    claim(&*store, "a", "one", 20).await;
    let keyed = |position, key: &str| Record { key: Some(key.to_owned()), ..record(position) };
    let first = Append {
        records: vec![keyed(1, "k")],
        events: vec![event(3)],
        ..Append::new(id("a"), 1, 0, Time(21))
    };
    stored(&*store, first).await;
    let of_b = put(&*store, "b", None).await;
    let waits = put(&*store, "a", None).await;
    let before = show(&*store, "a").await.run;

    // Each of them would change everything, were it not for one mistake.
    let good = Append {
        records: vec![record(2), record(3)],
        events: vec![event(4)],
        snapshot: Some(json("0")),
        taken: vec![Taken { message: waits, verdict: Verdict::Accepted }],
        status: Some(RunStatus::Failed),
        outcome: Some(json("0")),
        due: Some(Due::Aside),
        asked: vec![question(1, 22)],
        release: true,
        ..Append::new(id("a"), 1, 1, Time(22))
    };
    let run = id("a");
    let accepted = |message| Taken { message, verdict: Verdict::Accepted };
    let position = |given, next| Refusal::WrongPosition { run: id("a"), given, next };
    let number = |given, last| Refusal::WrongNumber { run: id("a"), given, last };
    let duplicate = |key: &str, position| Refusal::Duplicate { run: id("a"), key: key.to_owned(), position };
    let graph = |fingerprint: &str| Record { fingerprint: Some(fingerprint.to_owned()), ..record(3) };
    for (append, refusal) in [
        (Append { run: id("none"), ..good.clone() }, Refusal::NoSuchRun { run: id("none") }),
        (
            Append { epoch: 0, ..good.clone() },
            Refusal::Lost { run: run.clone(), epoch: 0, current: 1, owner: Some("one".to_owned()) },
        ),
        (Append { after: 0, ..good.clone() }, position(1, 2)),
        (Append { after: 2, ..good.clone() }, position(3, 2)),
        (Append { records: vec![record(3)], ..good.clone() }, position(3, 2)),
        (Append { records: vec![record(2), record(2)], ..good.clone() }, position(2, 3)),
        (Append { records: vec![record(2), record(4)], ..good.clone() }, position(4, 3)),
        (Append { events: vec![event(3)], ..good.clone() }, number(3, 3)),
        (Append { events: vec![event(5), event(5)], ..good.clone() }, number(5, 5)),
        (Append { records: vec![record(2), keyed(3, "k")], ..good.clone() }, duplicate("k", 1)),
        (Append { records: vec![keyed(2, "n"), keyed(3, "n")], ..good.clone() }, duplicate("n", 2)),
        (
            Append { records: vec![record(2), graph("none")], ..good.clone() },
            Refusal::NoSuchGraph { run: run.clone(), fingerprint: "none".to_owned() },
        ),
        (
            Append { taken: vec![accepted(waits), accepted(of_b)], ..good.clone() },
            Refusal::NotInInbox { run: run.clone(), message: of_b },
        ),
        (
            Append { taken: vec![accepted(waits), accepted(waits)], ..good.clone() },
            Refusal::NotInInbox { run: run.clone(), message: waits },
        ),
    ] {
        assert_eq!(refused(&*store, append).await, refusal);
        assert_eq!(show(&*store, "a").await.run, before);
    }
    assert!(show(&*store, "a").await.outcome.is_none());
    assert_eq!(positions(&store.records(&run, 0, 10).await.unwrap()), [1]);
    assert_eq!(numbers(&store.events(&run, 0, 10).await.unwrap()), [3]);
    assert!(matches!(store.verdict(&run, waits).await.unwrap(), Verdict::Pending));

    stored(&*store, good.clone()).await;
    // A verdict is given once.
    let epoch = claim(&*store, "a", "one", 23).await.run.epoch;
    let again = Append { taken: good.taken, ..Append::new(id("a"), epoch, 3, Time(24)) };
    assert_eq!(refused(&*store, again).await, Refusal::NotInInbox { run, message: waits });
}

/// What is refused does not keep the rest of a batch from being stored, and later items see earlier ones.
pub async fn each_item_of_a_batch_is_by_itself(store: Arc<dyn Store>) {
    for run in ["a", "b", "c"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
    }
    let one =
        |run, after| Append { records: vec![record(after + 1)], ..Append::new(id(run), 1, after, Time(21)) };
    let batch = vec![one("a", 0), one("b", 5), one("none", 0), one("a", 1), one("a", 1), one("c", 0)];
    let answers = store.append(batch).await.unwrap();
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [true, false, false, true, false, true]);
    for (run, position) in [("a", 2), ("b", 0), ("c", 1)] {
        assert_eq!(show(&*store, run).await.run.position, position);
    }
    assert!(store.append(Vec::new()).await.unwrap().is_empty());
}

/// The key of a record is refused the second time, in that run.
pub async fn a_key_is_recorded_once(store: Arc<dyn Store>) {
    for run in ["a", "b"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
        let keyed = Record { key: Some("k".to_owned()), ..record(1) };
        stored(&*store, Append { records: vec![keyed], ..Append::new(id(run), 1, 0, Time(21)) }).await;
    }
    let again = Record { key: Some("k".to_owned()), ..record(2) };
    let again = Append { records: vec![again], ..Append::new(id("a"), 1, 1, Time(22)) };
    let duplicate = Refusal::Duplicate { run: id("a"), key: "k".to_owned(), position: 1 };
    assert_eq!(refused(&*store, again).await, duplicate);
}

/// Status and outcome change together, and the end of a run that goes on is forgotten.
pub async fn an_end_can_be_taken_back(store: Arc<dyn Store>) {
    create(&*store, "a").await;
    claim(&*store, "a", "one", 20).await;
    let change = |status, outcome: Option<&str>, at| Append {
        status: Some(status),
        outcome: outcome.map(json),
        ..Append::new(id("a"), 1, 0, Time(at))
    };
    let shown = async || {
        let RunDetails { run, outcome, .. } = show(&*store, "a").await;
        (run.status, run.ended_at.map(|at| at.0), outcome.map(|outcome| outcome.get().to_owned()))
    };
    for status in RunStatus::ALL {
        stored(&*store, change(status, Some("1"), 30)).await;
        let ended_at = status.is_end().then_some(30);
        assert_eq!(shown().await, (status, ended_at, Some("1".to_owned())));
        stored(&*store, change(RunStatus::Running, None, 40)).await;
        assert_eq!(shown().await, (RunStatus::Running, None, None));
    }
}

/// Questions are there from when they are asked until they are closed, and runs are found by how long they wait.
pub async fn open_questions_are_listed(store: Arc<dyn Store>) {
    for run in ["a", "b", "c"] {
        create(&*store, run).await;
        claim(&*store, run, "one", 20).await;
    }
    let asked = |run, asked, at| Append { asked, ..Append::new(id(run), 1, 0, Time(at)) };
    let expires = OpenQuestion { expires_at: Some(Time(99)), ..question(2, 40) };
    stored(&*store, asked("a", vec![question(9, 30), expires.clone()], 40)).await;
    stored(&*store, asked("b", vec![question(1, 35)], 40)).await;
    assert_eq!(show(&*store, "a").await.run.questions, [expires.clone(), question(9, 30)]);
    let waiting = async |since| {
        listed(&*store, &Filter { waiting_since: Some(Time(since)), ..Filter::default() }).await
    };
    assert!(waiting(29).await.is_empty());
    assert_eq!(waiting(30).await, ["a"]);
    assert_eq!(waiting(35).await, ["a", "b"]);

    // A question that is asked again takes the place of the one before.
    let other = OpenQuestion { step: "other".to_owned(), ..question(2, 33) };
    let change = Append {
        asked: vec![other.clone()],
        closed: vec![RequestId(9), RequestId(1)],
        ..Append::new(id("a"), 1, 0, Time(41))
    };
    stored(&*store, change).await;
    assert_eq!(show(&*store, "a").await.run.questions, [other]);
    assert_eq!(waiting(33).await, ["a"]);
    assert!(waiting(32).await.is_empty());
    let close = Append { closed: vec![RequestId(2)], ..Append::new(id("a"), 1, 0, Time(42)) };
    stored(&*store, close).await;
    assert_eq!(waiting(99).await, ["b"]);
}
