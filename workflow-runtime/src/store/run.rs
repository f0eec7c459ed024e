//! A run, as a store keeps it.

use std::collections::BTreeMap;

use super::append::Record;
use super::inbox::Message;
use super::{Json, StoreError};
use crate::engine::Time;
use crate::event::RequestId;
use crate::handle::RunId;

/// A run that is to be created.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its id.
    pub run: RunId,
    /// The name of its workflow.
    pub workflow: String,
    /// The fingerprint of its graph, which was [put](super::Store::put_graph) before.
    pub fingerprint: String,
    /// Its input.
    pub input: Json,
    /// What tells its input from others: the same for the same input, however it is written. A hash, or a canonical
    /// text.
    pub input_key: String,
    /// When it is created.
    pub at: Time,
    /// When it is due.
    pub due: Due,
    /// Words to find it by.
    pub tags: BTreeMap<String, String>,
    /// Who owns it from the start. Without one, it is there to be claimed.
    pub lease: Option<Lease>,
}

/// What became of a run that was to be created.
#[derive(Clone, Debug)]
pub enum Created {
    /// It is new.
    New {
        /// Its epoch: 1 if it was created with a lease, else 0.
        epoch: u64,
    },
    /// There is a run of that id.
    Exists {
        /// Whether it is of the same workflow and was created with the same input.
        same_input: bool,
        /// The run.
        run: Box<StoredRun>,
    },
}

/// When a run is to be taken up by somebody, if nobody owns it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Due {
    /// At once: there is something to do in it.
    #[default]
    Now,
    /// It waits, and may leave memory: it is due when there is a message in its inbox, or at a time.
    Idle {
        /// The time.
        wake: Option<Time>,
    },
    /// Never; it is only claimed by its id. For runs that nobody can go on with as they are.
    Aside,
}

/// Who owns runs, and until when that holds unless it is renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The owner.
    pub owner: String,
    /// Until when it holds. From this time on, others may claim its runs.
    pub until: Time,
}

/// The answer to a claim.
#[derive(Debug)]
pub enum Claim {
    /// The run is the claimant's.
    Claimed(Box<Claimed>),
    /// Somebody else owns it.
    Held(Lease),
}

/// A run that was claimed.
#[derive(Debug)]
pub struct Claimed {
    /// The run, with its new owner and [epoch](StoredRun::epoch).
    pub run: StoredRun,
    /// What is needed to go on with it; or why that could not be read. The run is claimed in either case.
    pub history: Result<History, StoreError>,
}

/// What is needed to load a run.
#[derive(Clone, Debug)]
pub struct History {
    /// Its input.
    pub input: Json,
    /// The fingerprint of the graph that the tail begins under: that of the snapshot, or that with which the run was
    /// created.
    pub fingerprint: String,
    /// The latest snapshot; none if none was stored yet.
    pub snapshot: Option<SavedSnapshot>,
    /// The records after the snapshot, or all of them.
    pub tail: Vec<Record>,
    /// The messages without a verdict, oldest first.
    pub inbox: Vec<Message>,
}

/// A run as it was after a position.
#[derive(Clone, Debug)]
pub struct SavedSnapshot {
    /// The position.
    pub position: u64,
    /// When it was stored.
    pub at: Time,
    /// The snapshot.
    pub body: Json,
}

/// Where a run stands, for those who look at it from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// It was created and nobody has begun with it.
    New,
    /// It is at work, or is to be.
    Running,
    /// It waits for a person, a signal or a time.
    Waiting,
    /// It was put down, and can be resumed.
    Suspended,
    /// It was cancelled, and can be resumed.
    Cancelled,
    /// A step failed or nothing could happen any more; it can be resumed.
    Failed,
    /// It took longer than it may; it can be resumed.
    TimedOut,
    /// It cannot be taken up as things are: its workflow has changed too much, or what is stored does not add up.
    Blocked,
    /// It has its output.
    Completed,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::Running,
        Self::Waiting,
        Self::Suspended,
        Self::Cancelled,
        Self::Failed,
        Self::TimedOut,
        Self::Blocked,
        Self::Completed,
    ];

    /// Its name, as stores write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Blocked => "blocked",
            Self::Completed => "completed",
        }
    }

    /// The status of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the run has come to an end. All but a completed one can be resumed.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Suspended | Self::Cancelled | Self::Failed | Self::TimedOut | Self::Completed)
    }
}

/// A run, without what may be large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    /// Its id.
    pub run: RunId,
    /// The name of its workflow.
    pub workflow: String,
    /// The fingerprint of the graph by which it ran last.
    pub fingerprint: String,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was created.
    pub created_at: Time,
    /// When something was last appended.
    pub updated_at: Time,
    /// When it came to an end, if it has.
    pub ended_at: Option<Time>,
    /// The position of its last record; 0 before the first.
    pub position: u64,
    /// The number of its last event; 0 before the first.
    pub last_event: u64,
    /// The run that it was forked from, and the position after which.
    pub forked_from: Option<(RunId, u64)>,
    /// How often it was claimed.
    pub epoch: u64,
    /// Who owns it. The lease may have lapsed.
    pub lease: Option<Lease>,
    /// When it is due, messages aside.
    pub due: Due,
    /// How many messages without a verdict are in its inbox.
    pub messages: u64,
    /// Its open questions, in the order of their ids.
    pub questions: Vec<OpenQuestion>,
    /// Words to find it by.
    pub tags: BTreeMap<String, String>,
}

/// A run, with what it was given and what came of it.
#[derive(Clone, Debug)]
pub struct RunDetails {
    /// The run.
    pub run: StoredRun,
    /// Its input.
    pub input: Json,
    /// Its output, or why it has none; the status says which.
    pub outcome: Option<Json>,
}

/// A question that waits for its answer.
#[derive(Clone, Debug)]
pub struct OpenQuestion {
    /// Its id, under which it is answered.
    pub request: RequestId,
    /// The step that asks.
    pub step: String,
    /// What is asked.
    pub prompt: Json,
    /// When it was asked.
    pub asked_at: Time,
    /// When it closes, if nobody has answered.
    pub expires_at: Option<Time>,
}

impl PartialEq for OpenQuestion {
    fn eq(&self, other: &Self) -> bool {
        self.request == other.request
            && self.step == other.step
            && self.prompt.get() == other.prompt.get()
            && self.asked_at == other.asked_at
            && self.expires_at == other.expires_at
    }
}

impl Eq for OpenQuestion {}

/// A run that is to begin as a copy of another one.
#[derive(Clone, Debug)]
pub struct Fork {
    /// The run to copy from.
    pub from: RunId,
    /// The last position that is copied; 0 for none.
    pub position: u64,
    /// The number of the last event that is copied; 0 for none.
    pub events: u64,
    /// The id of the new run.
    pub run: RunId,
    /// When it is created.
    pub at: Time,
    /// When it is due.
    pub due: Due,
}
