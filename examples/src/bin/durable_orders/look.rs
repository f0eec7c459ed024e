//! Lists the orders and shows one, without touching them.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use workflow_runtime::journal::inspect;
use workflow_runtime::store::{Due, Filter, RunDetails, RunStatus, Store, StoredRun};
use workflow_runtime::{RunId, RunnerError, Time};

use crate::Existing;
use crate::journal;
use crate::serve::PAGE;

const HEADER: [&str; 6] = ["ID", "WORKFLOW", "STATUS", "WAITING FOR", "SINCE", "UPDATED"];

pub(crate) async fn list(
    existing: &Existing,
    status: Option<&str>,
    workflow: Option<&str>,
) -> Result<ExitCode, Box<dyn Error>> {
    let store = existing.open().await?;
    let filter = Filter {
        workflow: workflow.map(str::to_owned),
        statuses: status.and_then(RunStatus::from_name).into_iter().collect(),
        ..Filter::default()
    };
    let mut widths = HEADER.map(str::len);
    let (mut first, mut cursor) = (true, None);
    loop {
        let page = store.list(&filter, cursor.as_ref(), PAGE).await?;
        let rows: Vec<_> = page.runs.iter().map(row).collect();
        for (width, column) in widths.iter_mut().zip(0..) {
            *width = rows.iter().map(|row| row[column].chars().count()).fold(*width, usize::max);
        }
        let mut out = io::stdout().lock();
        if std::mem::take(&mut first) {
            line(&mut out, &HEADER.map(str::to_owned), &widths)?;
        }
        for row in &rows {
            line(&mut out, row, &widths)?;
        }
        drop(out);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    store.close().await?;
    Ok(ExitCode::SUCCESS)
}

fn line(out: &mut dyn Write, row: &[String; 6], widths: &[usize; 6]) -> io::Result<()> {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    writeln!(out, "{}", cells.join("  ").trim_end())
}

fn row(run: &StoredRun) -> [String; 6] {
    let (what, since) = waits_for(run);
    [
        run.run.to_string(),
        run.workflow.clone(),
        run.status.name().to_owned(),
        what,
        since.map(time).unwrap_or_default(),
        time(run.updated_at),
    ]
}

/// What a run waits for, and since when.
fn waits_for(run: &StoredRun) -> (String, Option<Time>) {
    match (&run.questions[..], run.due) {
        ([], Due::Idle { wake: Some(wake) }) if run.status == RunStatus::Waiting => {
            (format!("time {}", time(wake)), Some(run.updated_at))
        }
        ([], _) => (String::new(), None),
        ([first, more @ ..], _) => {
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            let oldest = run.questions.iter().map(|question| question.asked_at).min();
            (format!("answer {} to {}{more}", first.request, first.step), oldest)
        }
    }
}

pub(crate) async fn show(existing: &Existing, run: &str) -> Result<ExitCode, Box<dyn Error>> {
    let store = existing.open().await?;
    let id = RunId::from(run);
    let RunDetails { run, input, outcome } =
        store.show(&id).await?.ok_or_else(|| RunnerError::NoSuchRun { run: id.clone() })?;
    let report = inspect(&*store, &id).await?;
    let records = journal::records(&*store, &id).await?;
    store.close().await?;

    let mut out = io::stdout().lock();
    writeln!(out, "{id} of {}: {}", run.workflow, run.status.name())?;
    writeln!(out, "created {}, updated {}", time(run.created_at), time(run.updated_at))?;
    if let Some((from, position)) = &run.forked_from {
        writeln!(out, "forked from {from} after position {position}")?;
    }
    writeln!(out, "input: {input}")?;
    match outcome {
        Some(outcome) => writeln!(out, "outcome: {outcome}")?,
        None => writeln!(out, "outcome: none yet")?,
    }
    if !run.questions.is_empty() {
        writeln!(out, "\nOpen questions:")?;
    }
    for question in &run.questions {
        let asked_at = time(question.asked_at);
        writeln!(
            out,
            "  {}  asked by {} at {asked_at}: {}",
            question.request, question.step, question.prompt
        )?;
    }
    writeln!(out, "\nSteps:")?;
    for step in &report.steps {
        writeln!(
            out,
            "  #{} {} of {}",
            step.invocation,
            step.step,
            journal::all(&step.input, journal::given)
        )?;
        for attempt in &step.attempts {
            writeln!(out, "      attempt {} {}", attempt.attempt, journal::result(&attempt.result))?;
        }
    }
    writeln!(out, "\nJournal, by position:")?;
    for record in &records {
        let told = journal::told(record, &report)?;
        writeln!(out, "{:>4}  {}  {told}", record.position, time(record.at))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn time(Time(millis): Time) -> String {
    let stamp = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    stamp.map_or_else(|| format!("{millis} ms"), |stamp| format!("{stamp:.3}"))
}
