//! What the tests are made of.

use std::collections::BTreeMap;

use crate::engine::Time;
use crate::event::RequestId;
use crate::handle::RunId;
use crate::store::{
    Append, Claim, Claimed, Created, Due, Filter, Json, Lease, MessageId, NewMessage, NewRun, OpenQuestion,
    Put, Record, Refusal, RunDetails, RunStatus, Store, StoredEvent,
};

pub(super) fn id(run: &str) -> RunId {
    RunId::from(run)
}

pub(super) fn json(text: &str) -> Json {
    serde_json::value::RawValue::from_string(text.to_owned()).unwrap()
}

pub(super) fn lease(owner: &str, until: u64) -> Lease {
    Lease { owner: owner.to_owned(), until: Time(until) }
}

pub(super) fn new_run(run: &str) -> NewRun {
    NewRun {
        run: id(run),
        workflow: "Flow".to_owned(),
        fingerprint: "g1".to_owned(),
        input: json(&format!(r#"{{"of": {run:?}}}"#)),
        input_key: run.to_owned(),
        at: Time(10),
        due: Due::Now,
        tags: BTreeMap::from([("run".to_owned(), run.to_owned())]),
        lease: None,
    }
}

pub(super) fn record(position: u64) -> Record {
    let body = json(&format!("\"record {position}\""));
    Record { position, at: Time(100 + position), key: None, fingerprint: None, body }
}

pub(super) fn event(number: u64) -> StoredEvent {
    let body = json(&format!("\"event {number}\""));
    StoredEvent { number, tick: number * 10, at: Time(100 + number), body }
}

pub(super) fn question(request: u64, asked_at: u64) -> OpenQuestion {
    OpenQuestion {
        request: RequestId(request),
        step: "ask".to_owned(),
        prompt: json("{\"may\": \"I\"}"),
        asked_at: Time(asked_at),
        expires_at: None,
    }
}

pub(super) fn message(run: &str, key: Option<&str>) -> NewMessage {
    NewMessage {
        run: id(run),
        kind: "signal".to_owned(),
        key: key.map(str::to_owned),
        at: Time(15),
        body: json("\"hello\""),
    }
}

pub(super) async fn graphs(store: &dyn Store) {
    for fingerprint in ["g1", "g2"] {
        store.put_graph(fingerprint, json("\"graph\"")).await.unwrap();
    }
}

pub(super) async fn create(store: &dyn Store, run: &str) {
    graphs(store).await;
    let created = store.create(new_run(run)).await.unwrap();
    assert!(matches!(created, Created::New { epoch: 0 }), "{created:?}");
}

/// Claims a run for 100 ms.
pub(super) async fn claim(store: &dyn Store, run: &str, owner: &str, now: u64) -> Claimed {
    match store.claim(&id(run), lease(owner, now + 100), Time(now)).await.unwrap() {
        Claim::Claimed(claimed) => *claimed,
        Claim::Held(lease) => panic!("{run} is held: {lease:?}"),
    }
}

/// Claims what is due in `Flow`.
pub(super) async fn due(store: &dyn Store, most: usize, owner: &str, now: u64) -> Vec<String> {
    names(&store.claim_due(&["Flow"], most, lease(owner, now + 100), Time(now)).await.unwrap())
}

pub(super) async fn stored(store: &dyn Store, append: Append) {
    assert_eq!(store.append(vec![append]).await.unwrap(), [Ok(())]);
}

pub(super) async fn refused(store: &dyn Store, append: Append) -> Refusal {
    store.append(vec![append]).await.unwrap().remove(0).unwrap_err()
}

pub(super) async fn put(store: &dyn Store, run: &str, key: Option<&str>) -> MessageId {
    match store.put(message(run, key)).await.unwrap() {
        Put::New { message } => message,
        other => panic!("{other:?}"),
    }
}

/// A run that nobody owns and that has come so far at a time.
pub(super) async fn ended(store: &dyn Store, run: &str, workflow: &str, status: RunStatus, at: u64) {
    let new = NewRun { workflow: workflow.to_owned(), lease: Some(lease("one", 100)), ..new_run(run) };
    store.create(new).await.unwrap();
    let end = Append { status: Some(status), release: true, ..Append::new(id(run), 1, 0, Time(at)) };
    stored(store, end).await;
}

pub(super) async fn show(store: &dyn Store, run: &str) -> RunDetails {
    store.show(&id(run)).await.unwrap().unwrap()
}

pub(super) async fn listed(store: &dyn Store, filter: &Filter) -> Vec<String> {
    pages(store, filter, 1_000).await
}

pub(super) async fn pages(store: &dyn Store, filter: &Filter, limit: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let page = store.list(filter, next.as_ref(), limit).await.unwrap();
        assert!(page.runs.len() <= limit);
        names.extend(page.runs.into_iter().map(|run| run.run.to_string()));
        match page.next {
            Some(cursor) => next = Some(cursor),
            None => return names,
        }
    }
}

pub(super) fn names(claimed: &[Claimed]) -> Vec<String> {
    claimed.iter().map(|claimed| claimed.run.run.to_string()).collect()
}

pub(super) fn positions(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.position).collect()
}

pub(super) fn numbers(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.number).collect()
}
