//! What happened in a run.

use super::Json;
use super::inbox::{MessageId, Verdict};
use super::run::{Due, OpenQuestion, RunStatus};
use crate::engine::Time;
use crate::event::RequestId;
use crate::handle::RunId;

/// Everything about one commit of one run.
#[derive(Clone, Debug)]
pub struct Append {
    /// The run.
    pub run: RunId,
    /// The epoch at which it was claimed.
    pub epoch: u64,
    /// The position of the last record that the writer knows; 0 for none.
    pub after: u64,
    /// When this happens.
    pub at: Time,
    /// What happened, at the positions that follow.
    pub records: Vec<Record>,
    /// What observers see, by ascending numbers that come after all that were stored.
    pub events: Vec<StoredEvent>,
    /// The run as it is after the last of these records. It replaces the snapshot before; records are kept.
    pub snapshot: Option<Json>,
    /// Messages of the inbox that were decided about.
    pub taken: Vec<Taken>,
    /// Where the run stands from now on; `None`: as before.
    pub status: Option<RunStatus>,
    /// Its output, or why it has none. Without it, a change of status clears what was there before.
    pub outcome: Option<Json>,
    /// When the run is due if nobody owns it; `None`: as before.
    pub due: Option<Due>,
    /// Questions that are open from now on. One that is open already is replaced.
    pub asked: Vec<OpenQuestion>,
    /// Questions that are not open any more. One that was not open is none.
    pub closed: Vec<RequestId>,
    /// Gives the run back, so that anybody can claim it.
    pub release: bool,
}

impl Append {
    /// Changes nothing yet but the time of the last change.
    #[must_use]
    pub fn new(run: RunId, epoch: u64, after: u64, at: Time) -> Self {
        Self {
            run,
            epoch,
            after,
            at,
            records: Vec::new(),
            events: Vec::new(),
            snapshot: None,
            taken: Vec::new(),
            status: None,
            outcome: None,
            due: None,
            asked: Vec::new(),
            closed: Vec::new(),
            release: false,
        }
    }
}

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its position: 1 for the first record of the run.
    pub position: u64,
    /// When it happened.
    pub at: Time,
    /// What tells it from others, if somebody gave it a key; no two records of a run have the same one.
    pub key: Option<String>,
    /// The fingerprint of the graph from this record on, where it changes.
    pub fingerprint: Option<String>,
    /// What happened.
    pub body: Json,
}

/// Something that observers see.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its number in the stream of the run, from 1.
    pub number: u64,
    /// The tick in which it happened.
    pub tick: u64,
    /// When it happened.
    pub at: Time,
    /// What is seen.
    pub body: Json,
}

/// A message that was decided about.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The message.
    pub message: MessageId,
    /// What was decided; [`Verdict::Pending`] leaves it in the inbox.
    pub verdict: Verdict,
}

/// Why an [`Append`] was not stored. It has changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such run; it may have been deleted.
    #[error("there is no run {run}")]
    NoSuchRun {
        /// The run.
        run: RunId,
    },
    /// The run is not the writer's any more: it was claimed by somebody else or anew, or given back.
    #[error("run {run} is not held at epoch {epoch} any more; it is at epoch {current}")]
    Lost {
        /// The run.
        run: RunId,
        /// The writer's epoch.
        epoch: u64,
        /// The epoch that it is at.
        current: u64,
        /// Who owns it now.
        owner: Option<String>,
    },
    /// The records do not come right after the last one that is stored.
    #[error("a record of run {run} is to have position {given}, and the next is {next}")]
    WrongPosition {
        /// The run.
        run: RunId,
        /// The position that was given.
        given: u64,
        /// The position of the next record.
        next: u64,
    },
    /// An event does not come after the last one that is stored.
    #[error("an event of run {run} is to have number {given}, and the last one has {last}")]
    WrongNumber {
        /// The run.
        run: RunId,
        /// The number that was given.
        given: u64,
        /// The number of the event before it.
        last: u64,
    },
    /// A record with that key is there already.
    #[error("run {run} has recorded `{key}` already, at position {position}")]
    Duplicate {
        /// The run.
        run: RunId,
        /// The key.
        key: String,
        /// The position of the record that has it.
        position: u64,
    },
    /// A record names a graph that was not [put](super::Store::put_graph).
    #[error("run {run} is to go on by graph {fingerprint}, which is not stored")]
    NoSuchGraph {
        /// The run.
        run: RunId,
        /// The fingerprint.
        fingerprint: String,
    },
    /// A message that was decided about is not in the inbox of the run, or has its verdict.
    #[error("message {message} is not in the inbox of run {run}, or was decided about before")]
    NotInInbox {
        /// The run.
        run: RunId,
        /// The message.
        message: MessageId,
    },
}
