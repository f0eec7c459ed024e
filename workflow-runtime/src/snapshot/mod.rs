//! Saved runs: all that is alive in a run, as JSON.
//!
//! Steps and events stand in it by name, so that a snapshot can be taken up by code that was changed since,
//! as long as everything alive still has its place. What has no place any more is refused and listed; nothing
//! is dropped, and only types in the workflow's own event enum are ever built.
//!
//! What can be derived is not saved: which scope is kept open by what, how many workers are busy.

mod document;
mod error;
mod fingerprint;
mod read;
mod write;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::engine::{ENGINE, Engine, GraphRef, Status};
use crate::forms::Stored;
use crate::handle::RunId;
use crate::workflow::Events;

pub use error::{Misfit, MisfitReason, ResumeError, SnapshotError};

use document::Document;
use fingerprint::Fingerprint;
use read::Reader;
use write::Writer;

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A saved run. It goes to JSON and back through serde, and is resumed with
/// [`WorkflowExt::resume`](crate::WorkflowExt::resume).
///
/// Its size depends on what is alive in the run, not on what has happened.
///
/// Reading one checks that it is a snapshot; whether it fits a workflow is found out when it is resumed. A
/// snapshot of a newer format can be read and written back unchanged, but not resumed.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::ResumeError;
///
/// assert!(matches!(Snapshot::from_json("{}"), Err(ResumeError::Unreadable { .. })));
/// assert!(serde_json::from_str::<Snapshot>("[1, 2]").is_err());
/// ```
#[derive(Clone)]
pub struct Snapshot {
    content: Content,
}

#[derive(Clone)]
enum Content {
    Known(Arc<Document>),
    Newer { format: u32, json: Arc<RawValue> },
}

impl Snapshot {
    /// Reads a snapshot. `serde_json::from_str` does the same, with its own error.
    ///
    /// # Errors
    /// The text is not JSON, or not a snapshot.
    pub fn from_json(json: &str) -> Result<Self, ResumeError> {
        serde_json::from_str(json).map_err(|source| ResumeError::Unreadable { source: Arc::new(source) })
    }

    /// The snapshot as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Everything in a snapshot has been serialised before, so this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The run that was saved; `None` if the format is newer than this version reads.
    #[must_use]
    pub fn run_id(&self) -> Option<&RunId> {
        self.document().map(|document| &document.run)
    }

    /// The name of the workflow; `None` if the format is newer than this version reads.
    #[must_use]
    pub fn workflow(&self) -> Option<&str> {
        self.document().map(|document| &*document.workflow)
    }

    /// Where the run stood; `None` if the format is newer than this version reads.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.document().map(|document| &document.status)
    }

    fn document(&self) -> Option<&Document> {
        match &self.content {
            Content::Known(document) => Some(document),
            Content::Newer { .. } => None,
        }
    }

    /// Saves the run of an engine. For drivers; a [`Run`](crate::Run) has
    /// [`snapshot`](crate::Run::snapshot).
    ///
    /// `next_event` is the number that the next event of the run's stream gets.
    ///
    /// # Errors
    /// The run has its output, so nothing is left to save; or a value does not serialise.
    pub fn take<E: Events>(run: &RunId, engine: &Engine<E>, next_event: u64) -> Result<Self, SnapshotError> {
        if *engine.state().status() == Status::Completed {
            return Err(SnapshotError::Completed { run: run.clone() });
        }
        let fingerprint = Fingerprint::of(engine.graph_ref());
        let writer = Writer { graph: engine.graph(), fingerprint, run };
        let document = writer.document(engine.state(), next_event)?;
        Ok(Self { content: Content::Known(Arc::new(document)) })
    }

    /// Adds what the steps share.
    pub(crate) fn with_state<S: Stored>(self, state: &S) -> Result<Self, SnapshotError> {
        let Content::Known(document) = &self.content else { return Ok(self) };
        let mut json = Vec::new();
        let stored = state.store(&mut serde_json::Serializer::new(&mut json));
        match stored.and_then(|()| serde_json::from_slice::<Box<RawValue>>(&json)) {
            Ok(json) => Ok(self.with_state_json(Some(json))),
            Err(source) => Err(SnapshotError::State { run: document.run.clone(), source: Arc::new(source) }),
        }
    }

    /// Adds what the steps share, as JSON.
    pub(crate) fn with_state_json(mut self, state: Option<Box<RawValue>>) -> Self {
        if let Content::Known(document) = &mut self.content {
            // Nobody else holds a snapshot that was just made.
            if let Some(document) = Arc::get_mut(document) {
                document.state = state;
            }
        }
        self
    }

    /// The run as an engine that takes [`Tick::Resumed`](crate::engine::Tick::Resumed) next. For drivers; a
    /// workflow has [`resume`](crate::WorkflowExt::resume).
    ///
    /// # Errors
    /// As `resume`.
    pub fn restore<E: Events>(&self, graph: impl Into<GraphRef>) -> Result<Restored<E>, ResumeError> {
        let graph = graph.into();
        let document = match &self.content {
            Content::Known(document) => document,
            Content::Newer { format, .. } => {
                return Err(ResumeError::NewerFormat { found: *format, newest: FORMAT });
            }
        };
        if document.engine > ENGINE {
            return Err(ResumeError::NewerEngine { found: document.engine, newest: ENGINE });
        }
        if document.workflow != graph.name {
            let (expected, found) = (graph.name.to_string(), document.workflow.to_string());
            return Err(ResumeError::OtherWorkflow { expected, found });
        }
        let mut reader = Reader { graph: &graph, misfits: Vec::new() };
        let state = reader.state::<E>(document);
        let run = document.run.clone();
        if !reader.misfits.is_empty() {
            return Err(ResumeError::DoesNotFit { run, misfits: reader.misfits });
        }
        let state = state.map_err(|reason| ResumeError::Corrupt { run: run.clone(), reason })?;
        match state.status {
            Status::Completed => Err(ResumeError::Completed { run }),
            Status::New => Err(ResumeError::Corrupt { run, reason: "the run has not started".to_owned() }),
            _ => Ok(Restored {
                run,
                engine: Engine::with_state(graph, state),
                next_event: document.next_event,
                state: document.state.clone(),
            }),
        }
    }
}

/// A run that was read from a snapshot and has not been taken up yet.
#[derive(Clone, Debug)]
pub struct Restored<E> {
    /// The run.
    pub run: RunId,
    /// Its engine; the next tick is [`Tick::Resumed`](crate::engine::Tick::Resumed).
    pub engine: Engine<E>,
    /// The number that the next event of its stream gets.
    pub next_event: u64,
    /// What its steps share, as JSON; `None` for a workflow without a state.
    pub state: Option<Box<RawValue>>,
}

impl<E> Restored<E> {
    /// What its steps share; the default where nothing was saved.
    pub(crate) fn state<S: Stored + Default>(&self) -> Result<S, ResumeError> {
        let Some(json) = self.state.as_deref().filter(|_| size_of::<S>() > 0) else {
            return Ok(S::default());
        };
        S::load(&mut serde_json::Deserializer::from_str(json.get())).map_err(|error| {
            let reason = MisfitReason::OtherState { reason: error.to_string() };
            let misfits = vec![Misfit { what: "what the steps share".to_owned(), reason }];
            ResumeError::DoesNotFit { run: self.run.clone(), misfits }
        })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.content {
            Content::Known(document) => document.serialize(serializer),
            Content::Newer { json, .. } => json.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        #[derive(Deserialize)]
        #[serde(expecting = "an object with a `format`")]
        struct Head {
            format: u32,
        }

        let json = Box::<RawValue>::deserialize(deserializer)?;
        // Looked at as a whole first: mostly it is what this version writes.
        let problem = match serde_json::from_str::<Document>(json.get()) {
            Ok(document) if document.format <= FORMAT => {
                return Ok(Self { content: Content::Known(Arc::new(document)) });
            }
            other => other.err(),
        };
        let Head { format } = serde_json::from_str(json.get()).map_err(|problem| {
            D::Error::custom(format_args!("this is not the snapshot of a run: {problem}"))
        })?;
        match problem {
            Some(problem) if format <= FORMAT => {
                Err(D::Error::custom(format_args!("this snapshot is damaged: {problem}")))
            }
            _ => Ok(Self { content: Content::Newer { format, json: json.into() } }),
        }
    }
}
