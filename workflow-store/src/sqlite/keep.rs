//! Which runs come, and which are kept.

use rusqlite::{Connection, OptionalExtension as _};
use workflow_runtime::RunId;
use workflow_runtime::store::{
    Change, Corrupt, Created, Fork, Json, NewRun, Retention, RunStatus, StoreError,
};

use super::claim::extend;
use super::failure::Outcome;
use super::row::{due, graph as graph_seq, int, json, limit, no_such_run, number_at, read_run, time};
use super::work::Write;

/// The runs of a workflow that have ended, the oldest end first, up to a place among them.
pub(crate) const ENDED: &str = "\
    SELECT id FROM runs \
     WHERE workflow = ?1 AND ended_at IS NOT NULL AND (ended_at, seq) <= (?2, ?3) \
       AND (status = 'completed' OR (?4 AND owner IS NULL)) \
     ORDER BY ended_at, seq LIMIT ?5";

/// The place of the last run that is not among those that ended last.
pub(crate) const PLACE: &str = "\
    SELECT ended_at, seq FROM runs \
     WHERE workflow = ?1 AND ended_at IS NOT NULL AND (status = 'completed' OR ?2) \
     ORDER BY ended_at DESC, seq DESC LIMIT 1 OFFSET ?3";

/// The workflow that comes next by its name.
pub(crate) const NEXT_WORKFLOW: &str = "SELECT min(workflow) FROM runs WHERE workflow > ?1";

pub(crate) fn put_graph(db: &Connection, fingerprint: &str, graph: &Json) -> Outcome<()> {
    db.prepare_cached("INSERT OR IGNORE INTO graphs (fingerprint, body) VALUES (?1, ?2)")?
        .execute((fingerprint, graph.get()))?;
    Ok(())
}

pub(crate) fn graph(db: &Connection, fingerprint: &str) -> Outcome<Option<Json>> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM graphs WHERE fingerprint = ?1")?
        .query_row([fingerprint], |row| row.get(0))
        .optional()?;
    body.map(|body| json(body, || Corrupt::new("a graph"))).transpose()
}

pub(crate) fn create(write: &mut Write<'_>, new: &NewRun) -> Outcome<Created> {
    let db = write.db;
    let known = db
        .prepare_cached(
            "SELECT seq, workflow, (SELECT key FROM inputs WHERE run = seq) FROM runs WHERE id = ?1",
        )?
        .query_row([new.run.as_str()], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        })
        .optional()?;
    if let Some((seq, workflow, key)) = known {
        let same_input = workflow == new.workflow && key.as_ref() == Some(&new.input_key);
        return Ok(Created::Exists { same_input, run: Box::new(read_run(db, seq)?) });
    }
    let graph = graph_seq(db, &new.fingerprint)?
        .ok_or_else(|| StoreError::NoSuchGraph { fingerprint: new.fingerprint.clone() })?;
    let (wake, aside) = due(new.due);
    let (epoch, owner) = match &new.lease {
        Some(lease) => {
            extend(db, lease)?;
            (1, Some(&lease.owner))
        }
        None => (0, None),
    };
    db.prepare_cached(
        "INSERT INTO runs (id, workflow, first_graph, graph, status, created_at, updated_at, epoch, owner, \
                           wake, aside) \
         VALUES (?1, ?2, ?3, ?3, 'new', ?4, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((new.run.as_str(), &new.workflow, graph, time(new.at), int(epoch), owner, wake, aside))?;
    let seq = db.last_insert_rowid();
    db.prepare_cached("INSERT INTO inputs (run, key, body) VALUES (?1, ?2, ?3)")?.execute((
        seq,
        &new.input_key,
        new.input.get(),
    ))?;
    let mut tag = db.prepare_cached("INSERT INTO tags (run, name, value) VALUES (?1, ?2, ?3)")?;
    for (name, value) in &new.tags {
        tag.execute((seq, name, value))?;
    }
    write.tell(Change::Work(new.run.clone()));
    Ok(Created::New { epoch })
}

pub(crate) fn delete(write: &mut Write<'_>, run: &RunId) -> Outcome<bool> {
    let seq: Option<i64> = write
        .db
        .prepare_cached("DELETE FROM runs WHERE id = ?1 RETURNING seq")?
        .query_row([run.as_str()], |row| row.get(0))
        .optional()?;
    let Some(seq) = seq else { return Ok(false) };
    for belonging in [
        "DELETE FROM inputs WHERE run = ?1",
        "DELETE FROM outcomes WHERE run = ?1",
        "DELETE FROM tags WHERE run = ?1",
        "DELETE FROM questions WHERE run = ?1",
        "DELETE FROM snapshots WHERE run = ?1",
        "DELETE FROM records WHERE run = ?1",
        "DELETE FROM events WHERE run = ?1",
        "DELETE FROM inbox WHERE run = ?1",
    ] {
        write.db.prepare_cached(belonging)?.execute([seq])?;
    }
    write.tell(Change::Run(run.clone()));
    Ok(true)
}

pub(crate) fn retain(write: &mut Write<'_>, retention: &Retention) -> Outcome<u64> {
    let workflows = match &retention.workflow {
        Some(workflow) => vec![workflow.clone()],
        None => workflows(write.db)?,
    };
    let mut deleted = 0;
    for workflow in workflows {
        let room = retention.most.saturating_sub(deleted);
        for run in not_kept(write.db, retention, &workflow, room)? {
            delete(write, &RunId::from(run))?;
            deleted += 1;
        }
    }
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// The names of all workflows, by the index: one look-up each, however many runs they have.
fn workflows(db: &Connection) -> Outcome<Vec<String>> {
    let first: Option<String> = db.query_row("SELECT min(workflow) FROM runs", [], |row| row.get(0))?;
    let mut after = db.prepare_cached(NEXT_WORKFLOW)?;
    let mut names = Vec::new();
    let mut next = first;
    while let Some(name) = next {
        next = after.query_row([&name], |row| row.get(0))?;
        names.push(name);
    }
    Ok(names)
}

/// The runs of a workflow that no rule keeps.
fn not_kept(db: &Connection, retention: &Retention, workflow: &str, most: usize) -> Outcome<Vec<String>> {
    let place: Option<(i64, i64)> = match retention.keep_last {
        None => Some((i64::MAX, i64::MAX)),
        Some(kept) => db
            .prepare_cached(PLACE)?
            .query_row((workflow, retention.resumable, int(kept)), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
    };
    let Some(place) = place else { return Ok(Vec::new()) };
    let place = match retention.ended_from {
        Some(from) => place.min((time(from).saturating_sub(1), i64::MAX)),
        None => place,
    };
    let runs = db
        .prepare_cached(ENDED)?
        .query_map((workflow, place.0, place.1, retention.resumable, limit(most)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(runs)
}

pub(crate) fn fork(write: &mut Write<'_>, fork: &Fork) -> Outcome<()> {
    let db = write.db;
    let from = db
        .prepare_cached("SELECT seq, position, first_graph FROM runs WHERE id = ?1")?
        .query_row([fork.from.as_str()], |row| Ok((row.get::<_, i64>(0)?, number_at(row, 1)?, row.get(2)?)))
        .optional()?;
    let (from, last, first_graph): (i64, u64, i64) = from.ok_or_else(|| no_such_run(&fork.from))?;
    if fork.position > last {
        let (run, position) = (fork.from.clone(), fork.position);
        return Err(StoreError::NoSuchPosition { run, position, last }.into());
    }
    if db.prepare_cached("SELECT 1 FROM runs WHERE id = ?1")?.exists([fork.run.as_str()])? {
        return Err(StoreError::RunExists { run: fork.run.clone() }.into());
    }
    let position = int(fork.position);
    let graph: Option<i64> = db
        .prepare_cached(
            "SELECT graph FROM records WHERE run = ?1 AND position <= ?2 AND graph IS NOT NULL \
              ORDER BY position DESC LIMIT 1",
        )?
        .query_row((from, position), |row| row.get(0))
        .optional()?;
    let last_event: i64 = db
        .prepare_cached("SELECT coalesce(max(number), 0) FROM events WHERE run = ?1 AND number <= ?2")?
        .query_row((from, int(fork.events)), |row| row.get(0))?;
    let (wake, aside) = due(fork.due);
    let status = if fork.position == 0 { RunStatus::New } else { RunStatus::Running };
    db.prepare_cached(
        "INSERT INTO runs (id, workflow, first_graph, graph, status, created_at, updated_at, position, \
                           last_event, forked_from, forked_after, wake, aside) \
         SELECT ?2, workflow, first_graph, ?3, ?4, ?5, ?5, ?6, ?7, id, ?6, ?8, ?9 FROM runs WHERE seq = ?1",
    )?
    .execute((
        from,
        fork.run.as_str(),
        graph.unwrap_or(first_graph),
        status.name(),
        time(fork.at),
        position,
        last_event,
        wake,
        aside,
    ))?;
    let seq = db.last_insert_rowid();
    for (copy, up_to) in [
        (
            "INSERT INTO inputs (run, key, body) SELECT ?2, key, body FROM inputs WHERE run = ?1 AND ?3 >= 0",
            0,
        ),
        (
            "INSERT INTO tags (run, name, value) SELECT ?2, name, value FROM tags WHERE run = ?1 AND ?3 >= 0",
            0,
        ),
        (
            "INSERT INTO snapshots (run, position, at, graph, body) \
             SELECT ?2, position, at, graph, body FROM snapshots WHERE run = ?1 AND position <= ?3",
            position,
        ),
        (
            "INSERT INTO records (run, position, at, key, graph, body) \
             SELECT ?2, position, at, key, graph, body FROM records WHERE run = ?1 AND position <= ?3",
            position,
        ),
        (
            "INSERT INTO events (run, number, tick, at, body) \
             SELECT ?2, number, tick, at, body FROM events WHERE run = ?1 AND number <= ?3",
            int(fork.events),
        ),
    ] {
        db.prepare_cached(copy)?.execute((from, seq, up_to))?;
    }
    write.tell(Change::Work(fork.run.clone()));
    Ok(())
}
