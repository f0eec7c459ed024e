//! Messages to runs.

use rusqlite::{Connection, OptionalExtension as _, Row};
use workflow_runtime::RunId;
use workflow_runtime::store::{Change, Corrupt, Message, MessageId, NewMessage, Put, StoreError, Verdict};

use super::append::recorded;
use super::failure::Outcome;
use super::row::{int, json, limit, number_at, read_verdict, seq, time, time_at};
use super::work::Write;

/// What waits in the runs of an owner.
pub(crate) const OF_OWNER: &str = "\
    SELECT inbox.id, runs.id, inbox.kind, inbox.key, inbox.at, inbox.body FROM runs \
      JOIN inbox ON inbox.run = runs.seq AND inbox.verdict IS NULL \
     WHERE runs.owner = ?1 AND runs.messages > 0 ORDER BY inbox.id LIMIT ?2";

/// What waits in one run.
pub(crate) const OF_RUN: &str = "\
    SELECT inbox.id, ?2, inbox.kind, inbox.key, inbox.at, inbox.body FROM inbox \
     WHERE inbox.run = ?1 AND inbox.verdict IS NULL ORDER BY inbox.id";

pub(crate) fn put(write: &mut Write<'_>, message: &NewMessage) -> Outcome<Put> {
    let db = write.db;
    let run = &message.run;
    let seq = seq(db, run)?;
    if let Some(key) = &message.key {
        let known: Option<(i64, Option<i64>, Option<String>)> = db
            .prepare_cached(
                "SELECT id, verdict, reason FROM inbox WHERE run = ?1 AND key = ?2 AND key IS NOT NULL",
            )?
            .query_row((seq, key), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        if let Some((id, verdict, reason)) = known {
            let verdict = read_verdict(run, id, verdict, reason)?;
            return Ok(Put::Known { message: MessageId(u64::try_from(id).unwrap_or(0)), verdict });
        }
        if let Some(position) = recorded(db, seq, key)? {
            return Ok(Put::Recorded { position });
        }
    }
    let id: u64 = db
        .prepare_cached(
            "INSERT INTO inbox (run, kind, key, at, body) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
        )?
        .query_row((seq, &message.kind, &message.key, time(message.at), message.body.get()), |row| {
            number_at(row, 0)
        })?;
    db.prepare_cached("UPDATE runs SET messages = messages + 1 WHERE seq = ?1")?.execute([seq])?;
    write.tell(Change::Work(run.clone()));
    Ok(Put::New { message: MessageId(id) })
}

pub(crate) fn verdict(db: &Connection, run: &RunId, message: MessageId) -> Outcome<Verdict> {
    let seq = seq(db, run)?;
    let found = db
        .prepare_cached("SELECT verdict, reason FROM inbox WHERE id = ?1 AND run = ?2")?
        .query_row((int(message.0), seq), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (verdict, reason) = found.ok_or_else(|| StoreError::NoSuchMessage { run: run.clone(), message })?;
    read_verdict(run, int(message.0), verdict, reason)
}

pub(crate) fn of_owner(db: &Connection, owner: &str, most: usize) -> Outcome<Vec<Message>> {
    let mut waiting = db.prepare_cached(OF_OWNER)?;
    let mut rows = waiting.query((owner, limit(most)))?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(message(row)?);
    }
    Ok(messages)
}

pub(crate) fn of_run(db: &Connection, run: &RunId, seq: i64) -> Outcome<Vec<Message>> {
    let mut waiting = db.prepare_cached(OF_RUN)?;
    let mut rows = waiting.query((seq, run.as_str()))?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(message(row)?);
    }
    Ok(messages)
}

fn message(row: &Row<'_>) -> Outcome<Message> {
    let id = number_at(row, 0)?;
    let run = RunId::from(row.get::<_, String>(1)?);
    let body = json(row.get(5)?, || Corrupt::new("message").in_run(&run).at(id))?;
    Ok(Message { id: MessageId(id), kind: row.get(2)?, key: row.get(3)?, at: time_at(row, 4)?, body, run })
}
