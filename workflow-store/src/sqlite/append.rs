//! What happened in runs.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _};
use workflow_runtime::RunId;
use workflow_runtime::store::{Append, Change, Refusal};

use super::failure::Outcome;
use super::row::{due, graph, int, number_at, time, verdict};
use super::work::Write;

pub(crate) fn batch(write: &mut Write<'_>, batch: &[Append]) -> Outcome<Vec<Result<(), Refusal>>> {
    batch.iter().map(|append| one(write, append)).collect()
}

/// Everything that can be refused is looked at first, so that what is refused has written nothing.
fn one(write: &mut Write<'_>, append: &Append) -> Outcome<Result<(), Refusal>> {
    let checked = match check(write.db, append)? {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    store(write.db, append, &checked)?;
    let run = append.run.clone();
    write.tell(if append.release { Change::Work(run) } else { Change::Run(run) });
    Ok(Ok(()))
}

/// A run whose append is in order.
struct Checked {
    seq: i64,
    /// The position of its last record and the number of its last event, afterwards.
    position: u64,
    last_event: u64,
    /// The graph by which it runs afterwards.
    graph: i64,
    /// The graphs of the records, one each.
    graphs: Vec<Option<i64>>,
    status: String,
    due: (Option<i64>, bool),
}

/// What an append is compared with.
struct Row {
    seq: i64,
    epoch: u64,
    owner: Option<String>,
    position: u64,
    last_event: u64,
    graph: i64,
    status: String,
    due: (Option<i64>, bool),
}

fn check(db: &Connection, append: &Append) -> Outcome<Result<Checked, Refusal>> {
    let run = append.run.clone();
    let Some(row) = find(db, &run)? else { return Ok(Err(Refusal::NoSuchRun { run })) };
    if row.epoch != append.epoch || row.owner.is_none() {
        let (epoch, current, owner) = (append.epoch, row.epoch, row.owner);
        return Ok(Err(Refusal::Lost { run, epoch, current, owner }));
    }
    let next = row.position.saturating_add(1);
    if append.after != row.position {
        let given = append.after.saturating_add(1);
        return Ok(Err(Refusal::WrongPosition { run, given, next }));
    }

    let (mut position, mut current) = (row.position, row.graph);
    let mut graphs = Vec::with_capacity(append.records.len());
    let mut keys = BTreeSet::new();
    for record in &append.records {
        let next = position.saturating_add(1);
        if record.position != next {
            return Ok(Err(Refusal::WrongPosition { run, given: record.position, next }));
        }
        position = next;
        if let Some(key) = &record.key {
            if let Some(position) = recorded(db, row.seq, key)? {
                return Ok(Err(Refusal::Duplicate { run, key: key.clone(), position }));
            }
            if !keys.insert(key) {
                let twice = append.records.iter().find(|record| record.key.as_ref() == Some(key));
                let position = twice.map_or(position, |record| record.position);
                return Ok(Err(Refusal::Duplicate { run, key: key.clone(), position }));
            }
        }
        graphs.push(match &record.fingerprint {
            None => None,
            Some(fingerprint) => match graph(db, fingerprint)? {
                Some(graph) => {
                    current = graph;
                    Some(graph)
                }
                None => return Ok(Err(Refusal::NoSuchGraph { run, fingerprint: fingerprint.clone() })),
            },
        });
    }

    let mut last_event = row.last_event;
    for event in &append.events {
        if event.number <= last_event {
            return Ok(Err(Refusal::WrongNumber { run, given: event.number, last: last_event }));
        }
        last_event = event.number;
    }

    let mut taken = BTreeSet::new();
    let mut waits =
        db.prepare_cached("SELECT 1 FROM inbox WHERE id = ?1 AND run = ?2 AND verdict IS NULL")?;
    for one in &append.taken {
        if !taken.insert(one.message) || !waits.exists((int(one.message.0), row.seq))? {
            return Ok(Err(Refusal::NotInInbox { run, message: one.message }));
        }
    }

    Ok(Ok(Checked {
        seq: row.seq,
        position,
        last_event,
        graph: current,
        graphs,
        status: row.status,
        due: row.due,
    }))
}

fn find(db: &Connection, run: &RunId) -> Outcome<Option<Row>> {
    let mut find = db.prepare_cached(
        "SELECT seq, epoch, owner, position, last_event, graph, status, wake, aside FROM runs WHERE id = ?1",
    )?;
    let row = find.query_row([run.as_str()], |row| {
        Ok(Row {
            seq: row.get(0)?,
            epoch: number_at(row, 1)?,
            owner: row.get(2)?,
            position: number_at(row, 3)?,
            last_event: number_at(row, 4)?,
            graph: row.get(5)?,
            status: row.get(6)?,
            due: (row.get(7)?, row.get(8)?),
        })
    });
    Ok(row.optional()?)
}

/// The position of the record with a key.
pub(crate) fn recorded(db: &Connection, seq: i64, key: &str) -> Outcome<Option<u64>> {
    let mut known =
        db.prepare_cached("SELECT position FROM records WHERE run = ?1 AND key = ?2 AND key IS NOT NULL")?;
    Ok(known.query_row((seq, key), |row| number_at(row, 0)).optional()?)
}

fn store(db: &Connection, append: &Append, checked: &Checked) -> Outcome<()> {
    let seq = checked.seq;
    let mut insert = db.prepare_cached(
        "INSERT INTO records (run, position, at, key, graph, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (record, graph) in append.records.iter().zip(&checked.graphs) {
        let (position, at) = (int(record.position), time(record.at));
        insert.execute((seq, position, at, &record.key, graph, record.body.get()))?;
    }
    let mut insert =
        db.prepare_cached("INSERT INTO events (run, number, tick, at, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for event in &append.events {
        insert.execute((seq, int(event.number), int(event.tick), time(event.at), event.body.get()))?;
    }
    if let Some(snapshot) = &append.snapshot {
        let mut replace = db.prepare_cached(
            "INSERT OR REPLACE INTO snapshots (run, position, at, graph, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let (position, at) = (int(checked.position), time(append.at));
        replace.execute((seq, position, at, checked.graph, snapshot.get()))?;
    }
    row(db, append, checked)?;
    take(db, append, seq)?;
    questions(db, append, seq)
}

/// The row of the run. What is in an index is written only if it changes.
fn row(db: &Connection, append: &Append, checked: &Checked) -> Outcome<()> {
    let seq = checked.seq;
    db.prepare_cached(
        "UPDATE runs SET position = ?2, last_event = ?3, graph = ?4, updated_at = ?5 WHERE seq = ?1",
    )?
    .execute((seq, int(checked.position), int(checked.last_event), checked.graph, time(append.at)))?;
    if let Some(status) = append.status {
        if status.name() != checked.status {
            let ended_at = status.is_end().then_some(time(append.at));
            db.prepare_cached("UPDATE runs SET status = ?2, ended_at = ?3 WHERE seq = ?1")?.execute((
                seq,
                status.name(),
                ended_at,
            ))?;
        }
        if append.outcome.is_none() {
            db.prepare_cached("DELETE FROM outcomes WHERE run = ?1")?.execute([seq])?;
        }
    }
    if let Some(outcome) = &append.outcome {
        db.prepare_cached("INSERT OR REPLACE INTO outcomes (run, body) VALUES (?1, ?2)")?
            .execute((seq, outcome.get()))?;
    }
    if let Some((wake, aside)) = append.due.map(due).filter(|due| *due != checked.due) {
        db.prepare_cached("UPDATE runs SET wake = ?2, aside = ?3 WHERE seq = ?1")?
            .execute((seq, wake, aside))?;
    }
    if append.release {
        db.prepare_cached("UPDATE runs SET owner = NULL WHERE seq = ?1")?.execute([seq])?;
    }
    Ok(())
}

fn take(db: &Connection, append: &Append, seq: i64) -> Outcome<()> {
    let mut decide = db.prepare_cached("UPDATE inbox SET verdict = ?2, reason = ?3 WHERE id = ?1")?;
    let mut decided = 0;
    for taken in &append.taken {
        let (verdict, reason) = verdict(&taken.verdict);
        if verdict.is_some() {
            decide.execute((int(taken.message.0), verdict, reason))?;
            decided += 1;
        }
    }
    if decided > 0 {
        db.prepare_cached("UPDATE runs SET messages = messages - ?2 WHERE seq = ?1")?
            .execute((seq, decided))?;
    }
    Ok(())
}

fn questions(db: &Connection, append: &Append, seq: i64) -> Outcome<()> {
    if append.closed.is_empty() && append.asked.is_empty() {
        return Ok(());
    }
    let mut close = db.prepare_cached("DELETE FROM questions WHERE run = ?1 AND request = ?2")?;
    for request in &append.closed {
        close.execute((seq, int(request.0)))?;
    }
    let mut open = db.prepare_cached(
        "INSERT OR REPLACE INTO questions (run, request, step, prompt, asked_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for asked in &append.asked {
        let (request, expires_at) = (int(asked.request.0), asked.expires_at.map(time));
        open.execute((seq, request, &asked.step, asked.prompt.get(), time(asked.asked_at), expires_at))?;
    }
    db.prepare_cached(
        "UPDATE runs SET asked_at = (SELECT min(asked_at) FROM questions WHERE run = ?1) WHERE seq = ?1",
    )?
    .execute([seq])?;
    Ok(())
}
