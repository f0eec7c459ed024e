//! From values to columns and back.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde_json::value::RawValue;
use workflow_runtime::store::{
    Corrupt, Due, Json, Lease, OpenQuestion, Record, RunStatus, StoreError, StoredRun, Verdict,
};
use workflow_runtime::{RequestId, RunId, Time};

use super::failure::{Failure, Outcome};

/// How a number is written. SQLite has no larger ones, and what is larger is never reached by counting.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn time(time: Time) -> i64 {
    int(time.0)
}

pub(crate) fn number_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(crate) fn time_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    number_at(row, column).map(Time)
}

pub(crate) fn optional_time_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Time>> {
    match row.get::<_, Option<i64>>(column)? {
        Some(_) => time_at(row, column).map(Some),
        None => Ok(None),
    }
}

/// What was stored as JSON. It is read whole here, so that whoever takes it up finds no surprise in the middle of it.
pub(crate) fn json(text: String, corrupt: impl FnOnce() -> Corrupt) -> Outcome<Json> {
    RawValue::from_string(text).map_err(|error| {
        Failure::Store(StoreError::Corrupt { corrupt: corrupt(), source: Some(Arc::new(error)) })
    })
}

pub(crate) fn no_such_run(run: &RunId) -> StoreError {
    StoreError::NoSuchRun { run: run.clone() }
}

/// The `seq` of a run.
pub(crate) fn seq(db: &Connection, run: &RunId) -> Outcome<i64> {
    let seq = db
        .prepare_cached("SELECT seq FROM runs WHERE id = ?1")?
        .query_row([run.as_str()], |row| row.get(0))
        .optional()?;
    seq.ok_or_else(|| no_such_run(run).into())
}

/// The `seq` of a graph.
pub(crate) fn graph(db: &Connection, fingerprint: &str) -> Outcome<Option<i64>> {
    let mut known = db.prepare_cached("SELECT seq FROM graphs WHERE fingerprint = ?1")?;
    Ok(known.query_row([fingerprint], |row| row.get(0)).optional()?)
}

/// How [`Due`] is written: `wake` and `aside`.
pub(crate) fn due(due: Due) -> (Option<i64>, bool) {
    match due {
        Due::Now => (Some(-1), false),
        Due::Idle { wake } => (wake.map(time), false),
        Due::Aside => (None, true),
    }
}

pub(crate) fn read_due(wake: Option<i64>, aside: bool) -> Due {
    match (aside, wake.map(u64::try_from)) {
        (true, _) => Due::Aside,
        (false, None) => Due::Idle { wake: None },
        (false, Some(Ok(wake))) => Due::Idle { wake: Some(Time(wake)) },
        (false, Some(Err(_))) => Due::Now,
    }
}

/// How a verdict is written: `verdict` and `reason`.
pub(crate) fn verdict(verdict: &Verdict) -> (Option<i64>, Option<&str>) {
    match verdict {
        Verdict::Pending => (None, None),
        Verdict::Accepted => (Some(1), None),
        Verdict::Refused { reason } => (Some(2), Some(reason.get())),
    }
}

pub(crate) fn read_verdict(
    run: &RunId,
    id: i64,
    verdict: Option<i64>,
    reason: Option<String>,
) -> Outcome<Verdict> {
    let corrupt = || Corrupt::new("the verdict of message").in_run(run).at(u64::try_from(id).unwrap_or(0));
    match (verdict, reason) {
        (None, _) => Ok(Verdict::Pending),
        (Some(1), _) => Ok(Verdict::Accepted),
        (Some(2), Some(reason)) => Ok(Verdict::Refused { reason: json(reason, corrupt)? }),
        _ => Err(StoreError::Corrupt { corrupt: corrupt(), source: None }.into()),
    }
}

/// What [`stored_run`] reads.
pub(crate) const STORED_RUN: &str = "\
    SELECT runs.seq, runs.id, runs.workflow, graphs.fingerprint, runs.status, runs.created_at, runs.updated_at, \
           runs.ended_at, runs.position, runs.last_event, runs.forked_from, runs.forked_after, runs.epoch, \
           runs.owner, owners.until, runs.wake, runs.aside, runs.messages \
      FROM runs \
      LEFT JOIN graphs ON graphs.seq = runs.graph \
      LEFT JOIN owners ON owners.owner = runs.owner";

/// A run from a row of [`STORED_RUN`], with its `seq`; [`complete`] adds the rest.
pub(crate) fn stored_run(row: &Row<'_>) -> rusqlite::Result<(i64, Outcome<StoredRun>)> {
    let run = RunId::from(row.get::<_, String>(1)?);
    let damaged = |what| {
        let corrupt = Corrupt::new(what).in_run(&run);
        Err(StoreError::Corrupt { corrupt, source: None }.into())
    };
    let seq = row.get(0)?;
    let Some(fingerprint) = row.get::<_, Option<String>>(3)? else { return Ok((seq, damaged("the graph"))) };
    let Some(status) = RunStatus::from_name(row.get_ref(4)?.as_str()?) else {
        return Ok((seq, damaged("the status")));
    };
    let forked_from = match row.get::<_, Option<String>>(10)? {
        Some(from) => Some((RunId::from(from), number_at(row, 11)?)),
        None => None,
    };
    let lease = match row.get::<_, Option<String>>(13)? {
        // An owner that nobody remembers has no time left.
        Some(owner) => Some(Lease { owner, until: optional_time_at(row, 14)?.unwrap_or_default() }),
        None => None,
    };
    let run = StoredRun {
        run,
        workflow: row.get(2)?,
        fingerprint,
        status,
        created_at: time_at(row, 5)?,
        updated_at: time_at(row, 6)?,
        ended_at: optional_time_at(row, 7)?,
        position: number_at(row, 8)?,
        last_event: number_at(row, 9)?,
        forked_from,
        epoch: number_at(row, 12)?,
        lease,
        due: read_due(row.get(15)?, row.get(16)?),
        messages: number_at(row, 17)?,
        questions: Vec::new(),
        tags: Default::default(),
    };
    Ok((seq, Ok(run)))
}

/// Adds what lies in other tables.
pub(crate) fn complete(db: &Connection, seq: i64, mut stored: StoredRun) -> Outcome<StoredRun> {
    let mut tags = db.prepare_cached("SELECT name, value FROM tags WHERE run = ?1")?;
    stored.tags = tags.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;

    let mut questions = db.prepare_cached(
        "SELECT request, step, prompt, asked_at, expires_at FROM questions WHERE run = ?1 ORDER BY request",
    )?;
    let mut rows = questions.query([seq])?;
    while let Some(row) = rows.next()? {
        let request = number_at(row, 0)?;
        stored.questions.push(OpenQuestion {
            request: RequestId(request),
            step: row.get(1)?,
            prompt: json(row.get(2)?, || Corrupt::new("question").in_run(&stored.run).at(request))?,
            asked_at: time_at(row, 3)?,
            expires_at: optional_time_at(row, 4)?,
        });
    }
    Ok(stored)
}

/// One run by its `seq`.
pub(crate) fn read_run(db: &Connection, seq: i64) -> Outcome<StoredRun> {
    let mut one = db.prepare_cached(&format!("{STORED_RUN} WHERE runs.seq = ?1"))?;
    let (seq, stored) = one.query_row([seq], stored_run)?;
    complete(db, seq, stored?)
}

/// The records after a position.
pub(crate) fn records(
    db: &Connection,
    run: &RunId,
    seq: i64,
    after: u64,
    limit: i64,
) -> Outcome<Vec<Record>> {
    let mut page = db.prepare_cached(
        "SELECT records.position, records.at, records.key, records.graph, graphs.fingerprint, records.body \
           FROM records LEFT JOIN graphs ON graphs.seq = records.graph \
          WHERE records.run = ?1 AND records.position > ?2 ORDER BY records.position LIMIT ?3",
    )?;
    let mut rows = page.query((seq, int(after), limit))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let position = number_at(row, 0)?;
        let corrupt = || Corrupt::new("record").in_run(run).at(position);
        let (graph, fingerprint): (Option<i64>, Option<String>) = (row.get(3)?, row.get(4)?);
        if graph.is_some() != fingerprint.is_some() {
            return Err(StoreError::Corrupt { corrupt: corrupt(), source: None }.into());
        }
        records.push(Record {
            position,
            at: time_at(row, 1)?,
            key: row.get(2)?,
            fingerprint,
            body: json(row.get(5)?, corrupt)?,
        });
    }
    Ok(records)
}
