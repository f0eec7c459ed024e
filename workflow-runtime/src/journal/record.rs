//! Between ticks and records.

use std::sync::Arc;

use serde::Serialize;
use serde::de::Error as _;
use serde_json::value::{RawValue, to_raw_value};
use workflow_graph::{EventId, Graph, model::Str};

use super::document::{Document, SavedEmitted, SavedEvent, SavedNote, SavedTick};
use super::raw::Raw;
use crate::engine::{ENGINE, Emitted, Json as Value, Note, Tick, Time};
use crate::store::Json;
use crate::workflow::Events;

/// A tick that can be written: every value in it has been serialised.
#[derive(Clone, Debug)]
pub struct TickBody(SavedTick);

impl TickBody {
    /// Adds the limits of a run, which its engine was given [before the first
    /// tick](crate::engine::Engine::with_limits). Ticks other than `Started` have none.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        if let SavedTick::Started { deadline, timeout, .. } = &mut self.0 {
            (*deadline, *timeout) = (limits.deadline, limits.timeout);
        }
        self
    }
}

/// How long a run may take, as its engine was given it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// When it must have ended.
    pub deadline: Option<Time>,
    /// For how many milliseconds it may be at work.
    pub timeout: Option<u64>,
}

/// Serialises what is in a tick. To be done before the engine takes it.
///
/// # Errors
/// A value in it does not serialise. Nothing has happened yet, so the tick can still be another one: a step whose
/// result does not serialise has failed.
pub fn body<E: Events>(graph: &Graph, tick: &Tick<E>) -> Result<TickBody, Unsaved> {
    let saved = match tick {
        Tick::Started { input } => SavedTick::Started {
            engine: ENGINE,
            graph: super::fingerprint(graph),
            input: saved(graph, input)?,
            deadline: None,
            timeout: None,
        },
        &Tick::Finished { invocation, attempt, ref emitted } => {
            let emitted = match emitted {
                Emitted::None => SavedEmitted::None,
                Emitted::One(event) => SavedEmitted::One(saved(graph, event)?),
                Emitted::Many(point, events) => {
                    let events = events.iter().map(|event| saved(graph, event));
                    SavedEmitted::Many(*point, events.collect::<Result<_, _>>()?)
                }
            };
            SavedTick::Finished { invocation, attempt, emitted }
        }
        &Tick::Failed { invocation, attempt, ref error, verdict } => {
            SavedTick::Failed { invocation, attempt, error: error.clone(), verdict }
        }
        &Tick::Sent { invocation, attempt, point, place, ref event } => {
            SavedTick::Sent { invocation, attempt, point, place, event: saved(graph, event)? }
        }
        &Tick::Noted { invocation, attempt, ref key, ref note } => {
            let note = match note {
                Note::Memo(value) => SavedNote::Memo(value.clone()),
                Note::Sleep(after) => SavedNote::Sleep(*after),
                Note::Ask(prompt) => SavedNote::Ask(saved(graph, prompt)?),
                Note::Receive(event) => SavedNote::Receive(name(graph, *event)?),
            };
            SavedTick::Noted { invocation, attempt, key: key.clone(), note }
        }
        &Tick::Withdrawn { invocation, attempt, ref key } => {
            SavedTick::Withdrawn { invocation, attempt, key: key.clone() }
        }
        Tick::Answered { request, response } => {
            SavedTick::Answered { request: *request, response: saved(graph, response)? }
        }
        Tick::Signal { event } => SavedTick::Signal { event: saved(graph, event)? },
        Tick::Time => SavedTick::Time,
        Tick::Cancelled { reason } => SavedTick::Cancelled { reason: reason.clone() },
        Tick::Suspended => SavedTick::Suspended,
        Tick::Resumed => SavedTick::Resumed { engine: ENGINE },
    };
    Ok(TickBody(saved))
}

/// The record of a tick that the engine has taken. `last_id` is the engine's [counter](crate::engine::State::last_id)
/// after it; `state` is what the steps share, if the tick has changed it.
#[must_use]
pub fn record(body: TickBody, last_id: u64, state: Option<Json>) -> Json {
    written(&Document { tick: body.0, last_id, state })
}

/// What is made of texts, numbers and JSON that was written before, as JSON.
pub(super) fn written(value: &impl Serialize) -> Json {
    // So it cannot fail; and `null` would be found out as soon as it is read.
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn saved<E: Events>(graph: &Graph, event: &E) -> Result<SavedEvent, Unsaved> {
    let name = name(graph, event.event())?;
    match event.encode() {
        Ok(json) => Ok(SavedEvent(name, json)),
        Err(source) => Err(Unsaved { event: name.into_owned(), source: Arc::new(source) }),
    }
}

/// Only a workflow written by hand has events that its graph does not.
fn name(graph: &Graph, event: EventId) -> Result<Str, Unsaved> {
    let found = graph.event(event).map(|event| event.name.clone());
    found.ok_or_else(|| Unsaved {
        event: format!("event {}", event.0),
        source: Arc::new(serde_json::Error::custom("the graph has no such event")),
    })
}

/// A value cannot be stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("event `{event}` does not serialise")]
#[non_exhaustive]
pub struct Unsaved {
    /// The event.
    pub event: String,
    /// What its `Serialize` reported.
    #[source]
    pub source: Arc<serde_json::Error>,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What happened.
    pub tick: Tick<Raw>,
    /// The engine's counter of ids after it.
    pub last_id: u64,
    /// What the steps share, where the tick has changed it.
    pub state: Option<Value>,
    /// The limits of the run; none but in the record of its start.
    pub limits: Limits,
}

/// Reads a record. The graph is the one under which it was written.
///
/// # Errors
/// It is no record, or not one that was written under this graph.
pub fn read(graph: &Graph, record: &Json) -> Result<Entry, RecordError> {
    let read = serde_json::from_str::<Document>(record.get());
    let document = read.map_err(|source| RecordError::Unreadable { source: Arc::new(source) })?;
    let Document { tick, last_id, state } = document;
    let mut limits = Limits::default();
    let tick = match tick {
        SavedTick::Started { engine, graph: written_under, input, deadline, timeout } => {
            known_engine(engine)?;
            let read_under = super::fingerprint(graph);
            if written_under != read_under {
                return Err(RecordError::OtherGraph { written_under, read_under });
            }
            limits = Limits { deadline, timeout };
            Tick::Started { input: raw(graph, input)? }
        }
        SavedTick::Finished { invocation, attempt, emitted } => {
            let emitted = match emitted {
                SavedEmitted::None => Emitted::None,
                SavedEmitted::One(event) => Emitted::One(raw(graph, event)?),
                SavedEmitted::Many(point, events) => {
                    let events = events.into_iter().map(|event| raw(graph, event));
                    Emitted::Many(point, events.collect::<Result<_, _>>()?)
                }
            };
            Tick::Finished { invocation, attempt, emitted }
        }
        SavedTick::Failed { invocation, attempt, error, verdict } => {
            Tick::Failed { invocation, attempt, error, verdict }
        }
        SavedTick::Sent { invocation, attempt, point, place, event } => {
            Tick::Sent { invocation, attempt, point, place, event: raw(graph, event)? }
        }
        SavedTick::Noted { invocation, attempt, key, note } => {
            let note = match note {
                SavedNote::Memo(value) => Note::Memo(value),
                SavedNote::Sleep(after) => Note::Sleep(after),
                SavedNote::Ask(prompt) => Note::Ask(raw(graph, prompt)?),
                SavedNote::Receive(event) => Note::Receive(number(graph, &event)?),
            };
            Tick::Noted { invocation, attempt, key, note }
        }
        SavedTick::Withdrawn { invocation, attempt, key } => Tick::Withdrawn { invocation, attempt, key },
        SavedTick::Answered { request, response } => {
            Tick::Answered { request, response: raw(graph, response)? }
        }
        SavedTick::Signal { event } => Tick::Signal { event: raw(graph, event)? },
        SavedTick::Time => Tick::Time,
        SavedTick::Cancelled { reason } => Tick::Cancelled { reason },
        SavedTick::Suspended => Tick::Suspended,
        SavedTick::Resumed { engine } => {
            known_engine(engine)?;
            Tick::Resumed
        }
    };
    Ok(Entry { tick, last_id, state: state.map(Value), limits })
}

/// The fingerprint of the graph under which a run began, if this is the record of its start.
pub(super) fn begins_under(record: &Json) -> Option<String> {
    match serde_json::from_str::<Document>(record.get()).ok()?.tick {
        SavedTick::Started { graph, .. } => Some(graph),
        _ => None,
    }
}

fn raw(graph: &Graph, SavedEvent(name, json): SavedEvent) -> Result<Raw, RecordError> {
    Ok(Raw { event: number(graph, &name)?, json: Value(json) })
}

fn number(graph: &Graph, event: &str) -> Result<EventId, RecordError> {
    graph.event_named(event).ok_or_else(|| RecordError::NoSuchEvent { event: event.to_owned() })
}

fn known_engine(found: u32) -> Result<(), RecordError> {
    if found > ENGINE {
        return Err(RecordError::NewerEngine { found, newest: ENGINE });
    }
    Ok(())
}

/// Why a record cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not a record.
    #[error("this is not a record that can be read")]
    Unreadable {
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The graph has no such event, so it was not written under this graph.
    #[error("the graph under which it is read has no event `{event}`")]
    NoSuchEvent {
        /// The event.
        event: String,
    },
    /// The run began under another graph.
    #[error("the run began under graph {written_under}, and is read under {read_under}")]
    OtherGraph {
        /// The fingerprint of the graph under which it began.
        written_under: String,
        /// The fingerprint of the graph under which it is read.
        read_under: String,
    },
    /// From here on, the run was driven by a newer engine, which may do otherwise than this one.
    #[error("it was written by engine {found}; the newest that this version knows is {newest}")]
    NewerEngine {
        /// The engine of the record.
        found: u32,
        /// The newest engine that is known.
        newest: u32,
    },
}
