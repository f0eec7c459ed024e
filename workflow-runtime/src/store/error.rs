//! Why a store could not do what it was asked for.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::handle::RunId;

/// What a store's own tools reported. Shared, because one failure may concern many who wait.
pub type Source = Arc<dyn Error + Send + Sync>;

/// Why a store could not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such run; it may have been deleted.
    #[error("there is no run {run}")]
    NoSuchRun {
        /// The run.
        run: RunId,
    },
    /// There is a run of that id.
    #[error("there is a run {run} already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The run has not come so far.
    #[error("run {run} has no position {position}; its last is {last}")]
    NoSuchPosition {
        /// The run.
        run: RunId,
        /// The position that was given.
        position: u64,
        /// The position of its last record.
        last: u64,
    },
    /// There is no such message in the inbox of the run.
    #[error("run {run} was never sent a message {message}")]
    NoSuchMessage {
        /// The run.
        run: RunId,
        /// The message.
        message: super::MessageId,
    },
    /// The graph was not [put](super::Store::put_graph).
    #[error("there is no graph {fingerprint}")]
    NoSuchGraph {
        /// The fingerprint.
        fingerprint: String,
    },
    /// The text is not a cursor of this store.
    #[error("`{cursor}` is not a place in a list")]
    BadCursor {
        /// The text.
        cursor: String,
    },
    /// Others kept the store busy for longer than it waits. Try again.
    #[error("the store is locked by somebody else")]
    Busy {
        /// What the store's tools reported.
        #[source]
        source: Source,
    },
    /// There is no room for more.
    #[error("the store is full")]
    Full {
        /// What the store's tools reported.
        #[source]
        source: Source,
    },
    /// The store cannot be written to.
    #[error("the store cannot be written to")]
    ReadOnly {
        /// What the store's tools reported.
        #[source]
        source: Source,
    },
    /// What is stored does not add up. No version has written it so.
    #[error("{corrupt}")]
    Corrupt {
        /// What is wrong, and where.
        corrupt: Corrupt,
        /// What the store's tools reported.
        #[source]
        source: Option<Source>,
    },
    /// The store was written by an older version, and is not to be upgraded.
    #[error("the store has schema {found}, and this version knows {known}; open it so that it is upgraded")]
    OlderSchema {
        /// The store's schema.
        found: u32,
        /// The schema of this version.
        known: u32,
    },
    /// The store was written by a newer version.
    #[error("the store has schema {found}, which is newer than {known}, the newest that this version knows")]
    NewerSchema {
        /// The store's schema.
        found: u32,
        /// The newest schema that this version knows.
        known: u32,
    },
    /// It is something else than a store of runs.
    #[error("{place} is not a store of runs")]
    NotAStore {
        /// Where it was looked for.
        place: String,
        /// What the store's tools reported, if it is no database at all.
        #[source]
        source: Option<Source>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Reading or writing failed. Of what was to be written, it is not known whether it was.
    #[error("the store could not be read or written")]
    Io {
        /// What the store's tools reported.
        #[source]
        source: Source,
    },
    /// Something else, which only this kind of store knows.
    #[error("the store failed")]
    Other {
        /// What the store's tools reported.
        #[source]
        source: Source,
    },
}

/// What does not add up in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Corrupt {
    /// In which run, if that is known.
    pub run: Option<RunId>,
    /// What: a record, an event, a snapshot.
    pub what: &'static str,
    /// The position or number of it, if it has one.
    pub position: Option<u64>,
}

impl Corrupt {
    /// Something that does not add up.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { run: None, what, position: None }
    }

    /// In which run.
    #[must_use]
    pub fn in_run(self, run: &RunId) -> Self {
        Self { run: Some(run.clone()), ..self }
    }

    /// At which position, or with which number.
    #[must_use]
    pub fn at(self, position: u64) -> Self {
        Self { position: Some(position), ..self }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store is damaged: {}", self.what)?;
        if let Some(position) = self.position {
            write!(f, " {position}")?;
        }
        match &self.run {
            Some(run) => write!(f, " of run {run}"),
            None => Ok(()),
        }
    }
}
