//! Which runs there are, and which are kept.

use std::fmt;

use super::run::{RunStatus, StoredRun};
use crate::engine::Time;

/// Which runs to list. By default, all of them, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of a workflow.
    pub workflow: Option<String>,
    /// Those with one of these; empty for any.
    pub statuses: Vec<RunStatus>,
    /// Those whose id begins so, to the letter.
    pub prefix: Option<String>,
    /// Those with a question that has been open since this time or longer.
    pub waiting_since: Option<Time>,
    /// Those created at this time or later.
    pub created_from: Option<Time>,
    /// Those created before this time.
    pub created_before: Option<Time>,
    /// Those that have this tag.
    pub tag: Option<(String, String)>,
    /// In which order.
    pub order: Order,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was created first comes first.
    #[default]
    OldestFirst,
    /// What was created last comes first.
    NewestFirst,
}

/// Where a page ends and the next one begins. It stays good while runs come and go, for the same filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor that is written so. For stores, and for those who pass one on, as in an address.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// How it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Some of the runs that match a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<StoredRun>,
    /// Where to go on; `None` if there are no more.
    pub next: Option<Cursor>,
}

/// Which runs are kept. A run that neither rule keeps is deleted.
///
/// Only completed runs are ever deleted, unless [`resumable`](Self::resumable) is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Of which workflow; `None` for each of them.
    pub workflow: Option<String>,
    /// Keeps so many of each workflow: those that ended last.
    pub keep_last: Option<u64>,
    /// Keeps those that ended at this time or later.
    pub ended_from: Option<Time>,
    /// Counts, and deletes, the runs that ended without an output as well: suspended, cancelled, failed and timed-out
    /// ones. They could have been resumed.
    pub resumable: bool,
    /// How many to delete at most. Others wait while runs are deleted, so this is better small.
    pub most: usize,
}

impl Retention {
    /// Keeps the last `n` completed runs of each workflow.
    #[must_use]
    pub fn keep_last(n: u64) -> Self {
        Self { keep_last: Some(n), ended_from: None, ..Self::new() }
    }

    /// Keeps the completed runs that ended at this time or later.
    #[must_use]
    pub fn ended_from(time: Time) -> Self {
        Self { keep_last: None, ended_from: Some(time), ..Self::new() }
    }

    fn new() -> Self {
        Self { workflow: None, keep_last: None, ended_from: None, resumable: false, most: 100 }
    }
}
