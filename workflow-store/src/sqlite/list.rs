//! Which runs there are, and what they have shown.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use workflow_runtime::RunId;
use workflow_runtime::store::{Corrupt, Cursor, Filter, Order, RunDetails, RunPage, StoreError, StoredEvent};

use super::failure::Outcome;
use super::row::{
    STORED_RUN, complete, int, json, limit as limit_column, number_at, seq, stored_run, time, time_at,
};

pub(crate) fn events(db: &Connection, run: &RunId, after: u64, limit: usize) -> Outcome<Vec<StoredEvent>> {
    let seq = seq(db, run)?;
    let mut page = db.prepare_cached(
        "SELECT number, tick, at, body FROM events WHERE run = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let mut rows = page.query((seq, int(after), limit_column(limit)))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let number = number_at(row, 0)?;
        let body = json(row.get(3)?, || Corrupt::new("event").in_run(run).at(number))?;
        events.push(StoredEvent { number, tick: number_at(row, 1)?, at: time_at(row, 2)?, body });
    }
    Ok(events)
}

pub(crate) fn show(db: &Connection, run: &RunId) -> Outcome<Option<RunDetails>> {
    let one = db
        .prepare_cached(&format!("{STORED_RUN} WHERE runs.id = ?1"))?
        .query_row([run.as_str()], stored_run)
        .optional()?;
    let Some((seq, stored)) = one else { return Ok(None) };
    let stored = complete(db, seq, stored?)?;
    let (input, outcome): (Option<String>, Option<String>) = db
        .prepare_cached(
            "SELECT (SELECT body FROM inputs WHERE run = ?1), (SELECT body FROM outcomes WHERE run = ?1)",
        )?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let corrupt = |what| Corrupt::new(what).in_run(run);
    let input = input.ok_or_else(|| StoreError::Corrupt { corrupt: corrupt("the input"), source: None })?;
    Ok(Some(RunDetails {
        run: stored,
        input: json(input, || corrupt("the input"))?,
        outcome: outcome.map(|outcome| json(outcome, || corrupt("the outcome"))).transpose()?,
    }))
}

pub(crate) fn page(
    db: &Connection,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: usize,
) -> Outcome<RunPage> {
    let (sql, values) = query(filter, after, limit)?;
    let mut page = db.prepare_cached(&sql)?;
    let mut rows = page.query(params_from_iter(values))?;
    let mut runs = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        // One more than asked for tells whether there is a next page.
        if runs.len() == limit {
            let next = last.map(|(created_at, seq): (i64, i64)| Cursor::new(format!("{created_at}.{seq}")));
            return Ok(RunPage { runs, next });
        }
        let (seq, stored) = stored_run(row)?;
        let stored = complete(db, seq, stored?)?;
        last = Some((time(stored.created_at), seq));
        runs.push(stored);
    }
    Ok(RunPage { runs, next: None })
}

/// The statement of a page, with its values.
pub(crate) fn query(filter: &Filter, after: Option<&Cursor>, limit: usize) -> Outcome<(String, Vec<Value>)> {
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    let mut must = |condition: &'static str, with: Vec<Value>| {
        conditions.push(condition.to_owned());
        values.extend(with);
    };
    if let Some(workflow) = &filter.workflow {
        must("runs.workflow = ?", vec![workflow.clone().into()]);
    }
    if let Some(prefix) = &filter.prefix {
        // No text that begins with the prefix comes after the prefix with the last of all characters.
        must(
            "runs.id >= ? AND runs.id <= ?",
            vec![prefix.clone().into(), format!("{prefix}\u{10ffff}").into()],
        );
    }
    if let Some(since) = filter.waiting_since {
        must("runs.asked_at IS NOT NULL AND runs.asked_at <= ?", vec![time(since).into()]);
    }
    if let Some(from) = filter.created_from {
        must("runs.created_at >= ?", vec![time(from).into()]);
    }
    if let Some(before) = filter.created_before {
        must("runs.created_at < ?", vec![time(before).into()]);
    }
    if let Some((name, value)) = &filter.tag {
        must(
            "EXISTS (SELECT 1 FROM tags WHERE tags.name = ? AND tags.value = ? AND tags.run = runs.seq)",
            vec![name.clone().into(), value.clone().into()],
        );
    }
    let (comes_after, order) = match filter.order {
        Order::OldestFirst => ("(runs.created_at, runs.seq) > (?, ?)", "ASC"),
        Order::NewestFirst => ("(runs.created_at, runs.seq) < (?, ?)", "DESC"),
    };
    if let Some(cursor) = after {
        let (created_at, seq) = place(cursor)?;
        must(comes_after, vec![created_at.into(), seq.into()]);
    }
    if !filter.statuses.is_empty() {
        let marks = vec!["?"; filter.statuses.len()].join(", ");
        conditions.push(format!("runs.status IN ({marks})"));
        values.extend(filter.statuses.iter().map(|status| Value::from(status.name().to_owned())));
    }
    let wanted = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    values.push(limit_column(limit.saturating_add(1)).into());
    let order = format!("ORDER BY runs.created_at {order}, runs.seq {order} LIMIT ?");
    Ok((format!("{STORED_RUN} WHERE {wanted} {order}"), values))
}

/// Where a cursor points: a creation time and a `seq`.
fn place(cursor: &Cursor) -> Result<(i64, i64), StoreError> {
    let place = cursor
        .as_str()
        .split_once('.')
        .and_then(|(created_at, seq)| Some((created_at.parse().ok()?, seq.parse().ok()?)));
    place.ok_or_else(|| StoreError::BadCursor { cursor: cursor.as_str().to_owned() })
}
