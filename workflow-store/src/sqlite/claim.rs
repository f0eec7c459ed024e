//! Who owns which run.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};
use workflow_runtime::store::{
    Change, Corrupt, Due, History, Lease, Renewed, SavedSnapshot, StoreError, StoredRun,
};
use workflow_runtime::{RunId, Time};

use super::failure::Outcome;
use super::row::{
    due as due_columns, int, json, limit, no_such_run, number_at, read_run, records, time, time_at,
};
use super::work::Write;
use super::{inbox, row};

/// Unowned runs of a workflow that are due.
pub(crate) const UNOWNED: &str = "\
    SELECT seq, due FROM runs \
     WHERE workflow = ?1 AND owner IS NULL AND due IS NOT NULL AND due <= ?2 ORDER BY due LIMIT ?3";

/// Runs of a workflow that are due and belong to an owner.
pub(crate) const OWNED: &str = "\
    SELECT seq, due FROM runs WHERE owner = ?4 AND workflow = ?1 AND due <= ?2 ORDER BY due LIMIT ?3";

/// When the next unowned run of a workflow is due.
pub(crate) const NEXT_DUE: &str = "\
    SELECT due FROM runs WHERE workflow = ?1 AND owner IS NULL AND due IS NOT NULL ORDER BY due LIMIT 1";

/// What an owner has.
pub(crate) const HELD: &str = "SELECT id, epoch FROM runs WHERE owner = ?1";

/// The answer to a claim, before the run is loaded.
pub(crate) enum Won {
    Run(Box<StoredRun>),
    Held(Lease),
}

pub(crate) fn one(write: &mut Write<'_>, run: &RunId, lease: &Lease, now: Time) -> Outcome<Won> {
    let found = write
        .db
        .prepare_cached(
            "SELECT runs.seq, runs.owner, owners.until FROM runs \
               LEFT JOIN owners ON owners.owner = runs.owner WHERE runs.id = ?1",
        )?
        .query_row([run.as_str()], |row| {
            let holder: Option<String> = row.get(1)?;
            let until = row::optional_time_at(row, 2)?.unwrap_or_default();
            Ok((row.get::<_, i64>(0)?, holder.map(|owner| Lease { owner, until })))
        })
        .optional()?;
    let (seq, holder) = found.ok_or_else(|| no_such_run(run))?;
    match holder {
        Some(holder) if holder.owner != lease.owner && holder.until > now => Ok(Won::Held(holder)),
        _ => {
            extend(write.db, lease)?;
            Ok(Won::Run(Box::new(take(write, seq, lease)?)))
        }
    }
}

pub(crate) fn due(
    write: &mut Write<'_>,
    workflows: &[String],
    most: usize,
    lease: &Lease,
    now: Time,
) -> Outcome<Vec<StoredRun>> {
    let db = write.db;
    let lapsed: Vec<String> = db
        .prepare_cached("SELECT owner FROM owners WHERE until <= ?1 AND owner <> ?2")?
        .query_map((time(now), &lease.owner), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut found: Vec<(i64, i64)> = Vec::new();
    let (mut unowned, mut owned) = (db.prepare_cached(UNOWNED)?, db.prepare_cached(OWNED)?);
    for workflow in workflows {
        let candidates =
            unowned.query_map((workflow, time(now), limit(most)), |row| Ok((row.get(1)?, row.get(0)?)))?;
        found.extend(candidates.collect::<Result<Vec<_>, _>>()?);
        for owner in &lapsed {
            let candidates = owned
                .query_map((workflow, time(now), limit(most), owner), |row| Ok((row.get(1)?, row.get(0)?)))?;
            found.extend(candidates.collect::<Result<Vec<_>, _>>()?);
        }
    }
    drop((unowned, owned));
    // A workflow may have been named twice.
    found.sort_unstable();
    found.dedup();
    found.truncate(most);

    let mut claimed = Vec::with_capacity(found.len());
    if !found.is_empty() {
        extend(db, lease)?;
        for (_, seq) in found {
            claimed.push(take(write, seq, lease)?);
        }
    }
    let mut forget = db.prepare_cached(
        "DELETE FROM owners WHERE owner = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE owner = ?1)",
    )?;
    for owner in &lapsed {
        forget.execute([owner])?;
    }
    Ok(claimed)
}

pub(crate) fn next_due(db: &Connection, workflows: &[String]) -> Outcome<Option<Time>> {
    let mut first = db.prepare_cached(NEXT_DUE)?;
    let mut next = None;
    for workflow in workflows {
        let due: Option<i64> = first.query_row([workflow], |row| row.get(0)).optional()?;
        // What is due at once is written as -1.
        let due = due.map(|due| Time(u64::try_from(due).unwrap_or(0)));
        next = next.into_iter().chain(due).min();
    }
    Ok(next)
}

/// Gives a run to an owner, at a new epoch.
fn take(write: &mut Write<'_>, seq: i64, lease: &Lease) -> Outcome<StoredRun> {
    let mut take = write.db.prepare_cached("UPDATE runs SET owner = ?2, epoch = epoch + 1 WHERE seq = ?1")?;
    take.execute((seq, &lease.owner))?;
    let run = read_run(write.db, seq)?;
    write.tell(Change::Run(run.run.clone()));
    Ok(run)
}

/// Extends the lease of an owner.
pub(crate) fn extend(db: &Connection, lease: &Lease) -> Outcome<()> {
    let mut extend = db.prepare_cached(
        "INSERT INTO owners (owner, until) VALUES (?1, ?2) \
             ON CONFLICT (owner) DO UPDATE SET until = max(until, excluded.until)",
    )?;
    extend.execute((&lease.owner, time(lease.until)))?;
    Ok(())
}

pub(crate) fn renew(db: &Connection, lease: &Lease, held: &[(RunId, u64)]) -> Outcome<Renewed> {
    extend(db, lease)?;
    let mut owned = db.prepare_cached(HELD)?;
    let mut owned = owned
        .query_map([&lease.owner], |row| Ok((RunId::from(row.get::<_, String>(0)?), number_at(row, 1)?)))?
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let mut lost = Vec::new();
    for (run, epoch) in held {
        if owned.get(run) == Some(epoch) {
            owned.remove(run);
        } else {
            lost.push(run.clone());
        }
    }
    Ok(Renewed { lost, unlisted: owned.into_iter().collect() })
}

pub(crate) fn release(write: &mut Write<'_>, run: &RunId, epoch: u64, due: Option<Due>) -> Outcome<bool> {
    let mut release = write.db.prepare_cached(
        "UPDATE runs SET owner = NULL WHERE id = ?1 AND epoch = ?2 AND owner IS NOT NULL RETURNING seq",
    )?;
    let released: Option<i64> = release.query_row((run.as_str(), int(epoch)), |row| row.get(0)).optional()?;
    let Some(seq) = released else { return Ok(false) };
    if let Some(due) = due {
        let (wake, aside) = due_columns(due);
        let mut set = write.db.prepare_cached("UPDATE runs SET wake = ?2, aside = ?3 WHERE seq = ?1")?;
        set.execute((seq, wake, aside))?;
    }
    write.tell(Change::Work(run.clone()));
    Ok(true)
}

pub(crate) fn leave(write: &mut Write<'_>, owner: &str) -> Outcome<u64> {
    let held: Vec<String> = write
        .db
        .prepare_cached("UPDATE runs SET owner = NULL WHERE owner = ?1 RETURNING id")?
        .query_map([owner], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    write.db.prepare_cached("DELETE FROM owners WHERE owner = ?1")?.execute([owner])?;
    let count = u64::try_from(held.len()).unwrap_or(u64::MAX);
    held.into_iter().for_each(|run| write.tell(Change::Work(RunId::from(run))));
    Ok(count)
}

/// What is needed to load a run.
pub(crate) fn history(db: &Connection, run: &RunId) -> Outcome<History> {
    let seq = row::seq(db, run)?;
    let damaged =
        |what: &'static str| StoreError::Corrupt { corrupt: Corrupt::new(what).in_run(run), source: None };
    let input: Option<String> = db
        .prepare_cached("SELECT body FROM inputs WHERE run = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?;
    let input = json(input.ok_or_else(|| damaged("the input"))?, || Corrupt::new("the input").in_run(run))?;
    let saved: Option<(u64, Time, Option<String>, String)> = db
        .prepare_cached(
            "SELECT position, at, fingerprint, snapshots.body FROM snapshots \
               LEFT JOIN graphs ON graphs.seq = snapshots.graph WHERE run = ?1",
        )?
        .query_row([seq], |row| Ok((number_at(row, 0)?, time_at(row, 1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let (snapshot, fingerprint) = match saved {
        Some((position, at, fingerprint, body)) => {
            let corrupt = || Corrupt::new("the snapshot after record").in_run(run).at(position);
            (Some(SavedSnapshot { position, at, body: json(body, corrupt)? }), fingerprint)
        }
        None => {
            let mut first = db.prepare_cached(
                "SELECT fingerprint FROM runs LEFT JOIN graphs ON graphs.seq = runs.first_graph WHERE runs.seq = ?1",
            )?;
            (None, first.query_row([seq], |row| row.get(0))?)
        }
    };
    let fingerprint = fingerprint.ok_or_else(|| damaged("the graph"))?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.position);
    let tail = records(db, run, seq, after, i64::MAX)?;
    whole(db, run, seq, after, &tail)?;
    Ok(History { input, fingerprint, snapshot, tail, inbox: inbox::of_run(db, run, seq)? })
}

/// The tail goes from the snapshot to the last position, without a gap: what is missing in the middle of a damaged
/// file would otherwise be taken for something that never happened.
fn whole(
    db: &Connection,
    run: &RunId,
    seq: i64,
    after: u64,
    tail: &[workflow_runtime::store::Record],
) -> Outcome<()> {
    let mut last = db.prepare_cached("SELECT position FROM runs WHERE seq = ?1")?;
    let last = last.query_row([seq], |row| number_at(row, 0))?;
    let there = tail.iter().map(|record| record.position);
    let missing = (after.saturating_add(1)..=last).zip(there.map(Some).chain(std::iter::repeat(None)));
    match missing.into_iter().find(|(position, there)| *there != Some(*position)) {
        Some((position, _)) => {
            let corrupt = Corrupt::new("record").in_run(run).at(position);
            Err(StoreError::Corrupt { corrupt, source: None }.into())
        }
        None => Ok(()),
    }
}
