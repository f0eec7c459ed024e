//! From records back to the run.

use std::sync::Arc;

use workflow_graph::Graph;

use super::raw::Raw;
use super::record::{Entry, RecordError, read};
use crate::engine::{Command, Ending, Engine, Json, Refused, Status, Tick};
use crate::handle::RunId;
use crate::snapshot::{ResumeError, Snapshot, SnapshotError};
use crate::store::{History, Record, SavedSnapshot};

/// A run as it was after its last record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Replayed {
    /// The run, with what its steps share, as it was: steps that were running are running in it. `None` if nothing was
    /// recorded yet, or if the run has its output.
    ///
    /// It is written under the graph of [`fingerprint`](Self::fingerprint). Restoring it under another one checks
    /// whether everything alive has its place there.
    pub snapshot: Option<Snapshot>,
    /// The output of a completed run: the `O` of its `Stop<O>`.
    pub output: Option<Json>,
    /// Where the run stands.
    pub status: Status,
    /// The position of its last record; 0 if there is none.
    pub position: u64,
    /// The graph by which it runs.
    pub fingerprint: String,
}

/// The graphs that [`load`] asks for, to be fetched before.
pub fn fingerprints(history: &History) -> impl Iterator<Item = &str> {
    let later = history.tail.iter().filter_map(|record| record.fingerprint.as_deref());
    std::iter::once(&*history.fingerprint).chain(later)
}

/// Loads a run: from its snapshot, if there is one, and the records after it.
///
/// `next_event` is the number that the next event of its stream gets. `graph_of` gives the graph of a
/// fingerprint; see [`fingerprints`].
///
/// The cost depends on the snapshot and the records after it.
///
/// # Errors
/// What is stored cannot be read, or is not what this engine makes of it.
pub fn load(
    history: &History,
    run: &RunId,
    next_event: u64,
    graph_of: &dyn Fn(&str) -> Option<Arc<Graph>>,
) -> Result<Replayed, ReplayError> {
    let mut replay = Replay::new(history, run, graph_of)?;
    let mut commands = Vec::new();
    let mut output = None;
    for record in &history.tail {
        let entry = replay.read(record, graph_of)?;
        replay.take(record, entry, &mut commands)?;
        for command in commands.drain(..) {
            if let Command::Finish(Ending::Completed { output: Raw { json, .. } }) = command {
                output = Some(json);
            }
        }
    }
    let snapshot = match replay.status() {
        Status::New | Status::Completed => None,
        _ => Some(replay.snapshot(next_event)?),
    };
    let Replay { engine, fingerprint, position, .. } = replay;
    Ok(Replayed { snapshot, output, status: engine.state().status().clone(), position, fingerprint })
}

/// A run that is being replayed, in the raw form.
pub(super) struct Replay<'a> {
    pub(super) run: &'a RunId,
    pub(super) engine: Engine<Raw>,
    /// What the steps share, if they have ever changed it.
    pub(super) state: Option<Json>,
    pub(super) fingerprint: String,
    pub(super) position: u64,
}

impl<'a> Replay<'a> {
    fn new(
        history: &History,
        run: &'a RunId,
        graph_of: &dyn Fn(&str) -> Option<Arc<Graph>>,
    ) -> Result<Self, ReplayError> {
        match &history.snapshot {
            None => Self::from_the_start(run, &history.fingerprint, graph_of),
            Some(saved) => Self::from_snapshot(run, &history.fingerprint, saved, graph_of),
        }
    }

    pub(super) fn from_the_start(
        run: &'a RunId,
        fingerprint: &str,
        graph_of: &dyn Fn(&str) -> Option<Arc<Graph>>,
    ) -> Result<Self, ReplayError> {
        let engine = Engine::new(graph(run, 0, fingerprint, graph_of)?);
        Ok(Self { run, engine, state: None, fingerprint: fingerprint.to_owned(), position: 0 })
    }

    fn from_snapshot(
        run: &'a RunId,
        fingerprint: &str,
        saved: &SavedSnapshot,
        graph_of: &dyn Fn(&str) -> Option<Arc<Graph>>,
    ) -> Result<Self, ReplayError> {
        let graph = graph(run, saved.position, fingerprint, graph_of)?;
        // A run that was forked has the snapshot of the run that it was forked from, so the id in it is not looked at.
        let restored = Snapshot::from_json(saved.body.get()).and_then(|snapshot| snapshot.restore(graph));
        let unread = |source| ReplayError::Snapshot { run: run.clone(), position: saved.position, source };
        let restored = restored.map_err(unread)?;
        let (engine, state) = (restored.engine, restored.state.map(Json));
        Ok(Self { run, engine, state, fingerprint: fingerprint.to_owned(), position: saved.position })
    }

    /// Reads the next record. If the run goes on by another graph from there, it is taken up under that first.
    pub(super) fn read(
        &mut self,
        record: &Record,
        graph_of: &dyn Fn(&str) -> Option<Arc<Graph>>,
    ) -> Result<Entry, ReplayError> {
        let expected = self.position + 1;
        if record.position != expected {
            let (run, found) = (self.run.clone(), record.position);
            return Err(ReplayError::Gap { run, position: expected, found });
        }
        if let Some(fingerprint) = record.fingerprint.as_deref().filter(|it| **it != *self.fingerprint) {
            self.go_on_by(fingerprint, graph(self.run, record.position, fingerprint, graph_of)?)?;
        }
        read(self.engine.graph(), &record.body).map_err(|source| ReplayError::Record {
            run: self.run.clone(),
            position: record.position,
            source,
        })
    }

    fn go_on_by(&mut self, fingerprint: &str, graph: Arc<Graph>) -> Result<(), ReplayError> {
        self.engine = match self.status() {
            Status::New => Engine::new(graph),
            _ => {
                let restored = self.snapshot(1)?.restore(graph);
                let position = self.position + 1;
                let refused = |source| ReplayError::Snapshot { run: self.run.clone(), position, source };
                restored.map_err(refused)?.engine
            }
        };
        fingerprint.clone_into(&mut self.fingerprint);
        Ok(())
    }

    /// Lets happen what the record says.
    pub(super) fn take(
        &mut self,
        record: &Record,
        entry: Entry,
        out: &mut Vec<Command<Raw>>,
    ) -> Result<(), ReplayError> {
        let Entry { tick, last_id: recorded, state, limits } = entry;
        if let Tick::Started { .. } = tick {
            self.engine = self.engine.clone().with_limits(limits.deadline, limits.timeout);
        }
        let (run, position) = (|| self.run.clone(), record.position);
        if let Err(source) = self.engine.handle(record.at, tick, out) {
            return Err(ReplayError::Refused { run: run(), position, source });
        }
        let replayed = self.engine.state().last_id();
        if replayed != recorded {
            return Err(ReplayError::Diverged { run: run(), position, recorded, replayed });
        }
        self.position = position;
        self.state = state.or_else(|| self.state.take());
        Ok(())
    }

    pub(super) fn status(&self) -> &Status {
        self.engine.state().status()
    }

    fn snapshot(&self, next_event: u64) -> Result<Snapshot, ReplayError> {
        match Snapshot::take(self.run, &self.engine, next_event) {
            Ok(snapshot) => Ok(snapshot.with_state_json(self.state.clone().map(|Json(state)| state))),
            Err(source) => {
                Err(ReplayError::Unsaved { run: self.run.clone(), position: self.position, source })
            }
        }
    }
}

fn graph(
    run: &RunId,
    position: u64,
    fingerprint: &str,
    graph_of: &dyn Fn(&str) -> Option<Arc<Graph>>,
) -> Result<Arc<Graph>, ReplayError> {
    let no_graph =
        || ReplayError::NoGraph { run: run.clone(), position, fingerprint: fingerprint.to_owned() };
    graph_of(fingerprint).ok_or_else(no_graph)
}

/// Why a run cannot be replayed. Nothing in the store has changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A record is missing, or out of order.
    #[error("record {position} of run {run} is missing; record {found} stands in its place")]
    Gap {
        /// The run.
        run: RunId,
        /// The position of the record that is missing.
        position: u64,
        /// The position that was found.
        found: u64,
    },
    /// The graph is missing.
    #[error("graph {fingerprint}, by which run {run} ran at position {position}, is missing")]
    NoGraph {
        /// The run.
        run: RunId,
        /// The position from which on it ran by that graph.
        position: u64,
        /// The fingerprint of the graph.
        fingerprint: String,
    },
    /// The snapshot cannot be read under the graph that it was written under; or the run as it was then does not fit
    /// the graph by which, says the record, it went on.
    #[error("run {run} cannot be restored as it was for position {position}")]
    Snapshot {
        /// The run.
        run: RunId,
        /// The position of the snapshot or of the record.
        position: u64,
        /// Why not.
        #[source]
        source: ResumeError,
    },
    /// A record cannot be read.
    #[error("record {position} of run {run} cannot be read")]
    Record {
        /// The run.
        run: RunId,
        /// Its position.
        position: u64,
        /// Why not.
        #[source]
        source: RecordError,
    },
    /// What the record says cannot have happened then.
    #[error("what record {position} of run {run} says cannot have happened then")]
    Refused {
        /// The run.
        run: RunId,
        /// The position of the record.
        position: u64,
        /// Why not.
        #[source]
        source: Refused,
    },
    /// The run comes out otherwise than it was recorded: the engine, the graph or the record is not what it was.
    #[error(
        "the replay of run {run} has departed from what was recorded, at position {position}: the last id is {replayed}, \
         and was {recorded}"
    )]
    Diverged {
        /// The run.
        run: RunId,
        /// The position of the record.
        position: u64,
        /// The counter of ids that was recorded.
        recorded: u64,
        /// The counter of ids that the replay came to.
        replayed: u64,
    },
    /// The run cannot be saved as it is after a position: it has completed there, and yet goes on by another graph.
    #[error("run {run} cannot be saved as it is after position {position}")]
    Unsaved {
        /// The run.
        run: RunId,
        /// The position.
        position: u64,
        /// Why not.
        #[source]
        source: SnapshotError,
    },
}
