//! What has happened in an order, in words.

use std::collections::BTreeMap;
use std::error::Error;

use serde::Deserialize;
use serde_json::Value;
use workflow_runtime::journal::{AttemptResult, EventReport, MemberReport, PartReport, RunReport};
use workflow_runtime::store::{Record, Store, StoredEvent};
use workflow_runtime::{InvocationId, RequestId, RunId, StepError};

/// How much is read at once.
const PAGE: usize = 256;

/// An event, as far as it is told here.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Seen {
    StepFinished {
        step: String,
        invocation: InvocationId,
        emitted: BTreeMap<String, u32>,
    },
    StepRetrying {
        step: String,
        invocation: InvocationId,
        attempt: u32,
        error: StepError,
    },
    StepFailed {
        step: String,
        invocation: InvocationId,
        error: StepError,
    },
    InputRequired {
        id: RequestId,
        prompt: Value,
    },
    InputReceived {
        request: RequestId,
    },
    Completed {
        output: Value,
    },
    Failed {
        error: Value,
    },
    TimedOut,
    Cancelled {
        reason: String,
    },
    Suspended,
    #[serde(other)]
    Else,
}

impl Seen {
    /// An event that cannot be read is none that is told.
    pub(crate) fn read(event: &StoredEvent) -> Self {
        serde_json::from_str(event.body.get()).unwrap_or(Self::Else)
    }

    /// As a line for whoever watches; nothing for what is too small to be told.
    pub(crate) fn line(&self) -> Option<String> {
        Some(match self {
            Self::StepFinished { step, invocation, emitted } => {
                let emitted: Vec<_> =
                    emitted.iter().map(|(event, count)| format!("{count} {event}")).collect();
                format!("{step} #{invocation} has finished: {}", emitted.join(", "))
            }
            Self::StepRetrying { step, invocation, attempt, error } => {
                format!("{step} #{invocation} runs again, attempt {attempt} has failed: {error}")
            }
            Self::StepFailed { step, invocation, error } => {
                format!("{step} #{invocation} has failed for good: {error}")
            }
            Self::InputRequired { id, prompt } => format!("question {id} waits for a person: {prompt}"),
            Self::InputReceived { request } => format!("question {request} is answered"),
            Self::Completed { output } => format!("completed: {output}"),
            Self::Failed { error } => format!("failed: {error}"),
            Self::TimedOut => "timed out".to_owned(),
            Self::Cancelled { reason } => format!("cancelled: {reason}"),
            Self::Suspended => "put down".to_owned(),
            Self::Else => return None,
        })
    }
}

/// All events of a run after a number.
pub(crate) async fn events(
    store: &dyn Store,
    run: &RunId,
    after: u64,
) -> Result<Vec<StoredEvent>, Box<dyn Error>> {
    let mut all: Vec<StoredEvent> = Vec::new();
    loop {
        let page = store.events(run, all.last().map_or(after, |last| last.number), PAGE).await?;
        let complete = page.len() < PAGE;
        all.extend(page);
        if complete {
            return Ok(all);
        }
    }
}

/// All records of a run.
pub(crate) async fn records(store: &dyn Store, run: &RunId) -> Result<Vec<Record>, Box<dyn Error>> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let page = store.records(run, all.last().map_or(0, |last| last.position), PAGE).await?;
        let complete = page.len() < PAGE;
        all.extend(page);
        if complete {
            return Ok(all);
        }
    }
}

/// What the record of a position is about. The report of the run tells which step an invocation is of.
pub(crate) fn told(record: &Record, report: &RunReport) -> Result<String, Box<dyn Error>> {
    let Document { tick } = serde_json::from_str(record.body.get())?;
    let (kind, what) = match &tick {
        Value::Object(tick) => tick.iter().next().map_or(("", &Value::Null), |(kind, what)| (&**kind, what)),
        Value::String(kind) => (&**kind, &Value::Null),
        _ => ("", &Value::Null),
    };
    let step = || {
        let invocation: InvocationId = serde_json::from_value(what["invocation"].clone())?;
        let step = report.steps.iter().find(|step| step.invocation == invocation);
        Ok::<_, serde_json::Error>(format!("{} #{invocation}", step.map_or("step", |step| &step.step)))
    };
    Ok(match kind {
        "finished" => format!("{} has finished", step()?),
        "failed" => format!("{} has failed", step()?),
        "answered" => format!("question {} is answered", what["request"]),
        "cancelled" => format!("cancelled: {}", what["reason"]),
        "suspended" => "put down".to_owned(),
        "resumed" => "taken up".to_owned(),
        "time" => "a wait is over".to_owned(),
        other => other.to_owned(),
    })
}

/// A record, as `workflow_runtime::journal` describes it.
#[derive(Deserialize)]
struct Document {
    tick: Value,
}

/// What a step was given.
pub(crate) fn given(part: &PartReport) -> String {
    match part {
        PartReport::One(event) => named(event),
        PartReport::All(members) => {
            let members = members.iter().map(|member| match member {
                MemberReport::Event(event) => named(event),
                MemberReport::Failure(failure) => format!("{} has failed", failure.step),
            });
            format!("[{}]", members.collect::<Vec<_>>().join(", "))
        }
        PartReport::Failed { failure, .. } => format!("{} has failed: {}", failure.step, failure.error),
    }
}

/// What came of an attempt.
pub(crate) fn result(result: &AttemptResult) -> String {
    match result {
        AttemptResult::Running => "runs".to_owned(),
        AttemptResult::Finished { emitted } => format!("finished: {}", all(emitted, named)),
        AttemptResult::Failed { error, .. } => format!("failed: {error}"),
        AttemptResult::Interrupted => "was interrupted".to_owned(),
        AttemptResult::Cancelled => "was cancelled".to_owned(),
        _ => "has ended".to_owned(),
    }
}

/// A value with the name of its event before it.
fn named(EventReport { event, value, .. }: &EventReport) -> String {
    format!("{event} {}", value.0)
}

pub(crate) fn all<T>(items: &[T], shown: impl Fn(&T) -> String) -> String {
    items.iter().map(shown).collect::<Vec<_>>().join(", ")
}
