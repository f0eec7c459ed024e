//! Commits: what happened in runs, on its way to the store.
//!
//! One task hands everything that has gathered to the store at once, so that runs which commit at the same time share
//! a transaction.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::handle::RunId;
use crate::store::{Append, Json, MessageId, Refusal, Store, StoreError};

/// The most commits of one transaction.
const MOST_AT_ONCE: usize = 1_024;

/// A text as JSON.
pub(crate) fn json_text(text: &str) -> Json {
    // A text always serialises.
    serde_json::value::to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A message that a tick comes from.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) message: MessageId,
    /// What tells what it says from all else that happens to the run.
    pub(crate) key: Option<String>,
}

/// What became of commits, for who looks after the runs.
#[derive(Debug)]
pub(crate) enum News {
    /// A run was given back.
    Released(RunId),
    /// The store has failed: what it did not store was thrown away, and goes on from what is stored.
    Failed,
}

/// Somebody who is told what became of a commit, in the order in which they were sent.
pub(crate) trait Committed: Send + Sync {
    fn stored(self: Arc<Self>, result: Result<(), NotStored>);
}

/// One commit, and whose it is.
pub(crate) struct Commit {
    pub(crate) append: Append,
    pub(crate) host: Arc<dyn Committed>,
}

/// Where commits are sent.
#[derive(Clone, Debug)]
pub(crate) struct Commits {
    queue: mpsc::UnboundedSender<Commit>,
}

impl Commits {
    /// Where to send commits, and where they come out.
    pub(crate) fn channel() -> (Self, mpsc::UnboundedReceiver<Commit>) {
        let (queue, commits) = mpsc::unbounded_channel();
        (Self { queue }, commits)
    }

    pub(crate) fn send(&self, commit: Commit) {
        if let Err(mpsc::error::SendError(commit)) = self.queue.send(commit) {
            // Told from elsewhere, because whoever sends holds the lock of the run.
            tokio::spawn(async move { commit.host.stored(Err(NotStored::Closed)) });
        }
    }
}

/// Stores what comes, until nobody is left who could send something.
/// `news` is told what the runner has to look at then.
pub(crate) async fn store_all(
    store: Arc<dyn Store>,
    mut commits: mpsc::UnboundedReceiver<Commit>,
    news: mpsc::UnboundedSender<News>,
) {
    let mut batch = Vec::new();
    while commits.recv_many(&mut batch, MOST_AT_ONCE).await > 0 {
        let released: Vec<RunId> =
            batch.iter().filter(|it| it.append.release).map(|it| it.append.run.clone()).collect();
        let (appends, hosts): (Vec<_>, Vec<_>) = batch.drain(..).map(|it| (it.append, it.host)).unzip();
        match store.append(appends).await {
            Ok(results) => {
                let results = results.into_iter().map(|result| result.map_err(NotStored::Refused));
                // A store that answers too little has not stored the rest.
                let results = results.chain(std::iter::repeat_with(|| Err(NotStored::Closed)));
                hosts.into_iter().zip(results).for_each(|(host, result)| host.stored(result));
                // Nobody listens any more while the runner stops.
                released.into_iter().for_each(|run| drop(news.send(News::Released(run))));
            }
            Err(error) => {
                hosts.into_iter().for_each(|host| host.stored(Err(NotStored::Store(error.clone()))));
                drop(news.send(News::Failed));
            }
        }
    }
}

/// Why something that happened in a run could not be stored. It has not happened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotStored {
    /// The run belongs to somebody else now, or does not stand where it was thought to.
    #[error(transparent)]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The lease of this process has lapsed, and somebody else has claimed the run.
    #[error("somebody else has taken the run over")]
    TakenOver,
    /// The runner was shut down before.
    #[error("the runner was shut down")]
    Closed,
}

/// Equal if they read the same.
impl PartialEq for NotStored {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for NotStored {}

impl Serialize for NotStored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self as &dyn fmt::Display)
    }
}
