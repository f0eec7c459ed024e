//! How the statements find what they look for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use serde_json::value::RawValue;
use workflow_runtime::store::{
    Append, Due, Filter, Fork, Lease, MessageId, NewMessage, NewRun, OpenQuestion, Order, Record, Retention,
    RunStatus, StoredEvent, Taken, Verdict,
};
use workflow_runtime::{RequestId, RunId, Time};

use super::open::{self, Place};
use super::work::Write;
use super::{SqliteOptions, append, claim, inbox, keep, list, row};

/// Calls everything once, so that every statement is run.
fn everything(db: &Connection) {
    let json = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let (run, at) = (RunId::from("a"), Time(1));
    let lease = |owner: &str, until| Lease { owner: owner.to_owned(), until: Time(until) };
    let flow = ["Flow".to_owned()];
    let mut changes = Vec::new();
    let write = &mut Write { db, changes: &mut changes };
    let new = NewRun {
        run: run.clone(),
        workflow: "Flow".to_owned(),
        fingerprint: "g".to_owned(),
        input: json("0"),
        input_key: String::new(),
        at,
        due: Due::Now,
        tags: BTreeMap::from([("name".to_owned(), "value".to_owned())]),
        lease: Some(lease("dead", 1)),
    };
    keep::put_graph(db, "g", &json("0")).unwrap();
    keep::graph(db, "g").unwrap();
    keep::create(write, &new).unwrap();
    keep::create(write, &new).unwrap();
    assert_eq!(claim::due(write, &flow, 1, &lease("one", 9), Time(2)).unwrap().len(), 1);
    claim::one(write, &run, &lease("one", 9), Time(2)).unwrap();
    claim::next_due(db, &flow).unwrap();
    claim::renew(db, &lease("one", 10), &[]).unwrap();
    let key = Some("k".to_owned());
    let message = NewMessage { run: run.clone(), kind: String::new(), key: key.clone(), at, body: json("0") };
    inbox::put(write, &message).unwrap();
    assert_eq!(inbox::of_owner(db, "one", 1).unwrap().len(), 1);
    let prompt = json("0");
    let asked =
        OpenQuestion { request: RequestId(1), step: String::new(), prompt, asked_at: at, expires_at: None };
    let full = Append {
        records: vec![Record { position: 1, at, key, fingerprint: Some("g".to_owned()), body: json("0") }],
        events: vec![StoredEvent { number: 1, tick: 1, at, body: json("0") }],
        snapshot: Some(json("0")),
        taken: vec![Taken { message: MessageId(1), verdict: Verdict::Accepted }],
        status: Some(RunStatus::Completed),
        outcome: Some(json("0")),
        due: Some(Due::Aside),
        asked: vec![asked],
        closed: vec![RequestId(2)],
        ..Append::new(run.clone(), 3, 0, at)
    };
    let end =
        Append { status: Some(RunStatus::Running), release: true, ..Append::new(run.clone(), 3, 1, at) };
    assert_eq!(append::batch(write, &[full, end]).unwrap(), [Ok(()), Ok(())]);
    inbox::verdict(db, &run, MessageId(1)).unwrap();
    claim::history(db, &run).unwrap();
    list::show(db, &run).unwrap();
    list::events(db, &run, 0, 1).unwrap();
    row::records(db, &run, row::seq(db, &run).unwrap(), 0, 1).unwrap();
    claim::one(write, &run, &lease("one", 9), Time(2)).unwrap();
    claim::release(write, &run, 4, Some(Due::Now)).unwrap();
    claim::leave(write, "one").unwrap();
    let fork = Fork { from: run.clone(), position: 1, events: 1, run: RunId::from("b"), at, due: Due::Now };
    keep::fork(write, &fork).unwrap();
    keep::retain(write, &Retention::keep_last(1)).unwrap();
    keep::delete(write, &run).unwrap();
    let all = Filter::default();
    let flow = Filter { workflow: Some("Flow".to_owned()), ..all.clone() };
    let failed = Filter { statuses: vec![RunStatus::Failed], ..all.clone() };
    let waiting = Filter { waiting_since: Some(at), ..all.clone() };
    for filter in [all, flow, failed, waiting] {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let filter = Filter { order, ..filter.clone() };
            let page = list::page(db, &filter, None, 1).unwrap();
            let cursor = page.next.unwrap_or_else(|| workflow_runtime::store::Cursor::new("1.1"));
            list::page(db, &filter, Some(&cursor), 1).unwrap();
        }
    }
}

#[test]
fn every_statement_goes_by_an_index() {
    let mut db = open::writer(&Place::Memory, &SqliteOptions::new()).unwrap();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let note = Arc::clone(&seen);
    let trace = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(_, sql) = event {
            note.lock().unwrap().insert(sql.to_owned());
        }
    };
    db.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(trace)).unwrap();
    everything(&db);

    let statements = seen.lock().unwrap().clone();
    assert!(statements.len() > 60, "{}", statements.len());
    for sql in statements {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let columns = plan.parameter_count();
        let rows = plan.query_map(rusqlite::params_from_iter(vec![None::<i64>; columns]), |row| row.get(3));
        for line in rows.unwrap().collect::<Result<Vec<String>, _>>().unwrap() {
            // The owners are those who run workflows, a handful. A list follows the order of an index.
            let short = ["SCAN owners", "SCAN CONSTANT ROW"].iter().any(|start| line.starts_with(start));
            let in_order = sql.starts_with(row::STORED_RUN) && line.starts_with("SCAN runs USING INDEX");
            let first = sql == "SELECT min(workflow) FROM runs" && line.starts_with("SEARCH");
            assert!(!line.starts_with("SCAN") || short || in_order || first, "{line}\n{sql}");
            // The messages of one owner that are undecided: as many as there are.
            let sorts = sql == inbox::OF_OWNER;
            assert!(!line.contains("TEMP B-TREE") || sorts, "{line}\n{sql}");
        }
    }
}
