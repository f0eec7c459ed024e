//! Why a runner does not do what it is asked for.

use std::sync::Arc;

use super::commit::NotStored;
use crate::handle::RunId;
use crate::journal::{GraphError, ReplayError};
use crate::snapshot::ResumeError;
use crate::store::{RunStatus, StoreError};

/// Why a stored run could not be taken up. It is put aside as [`RunStatus::Blocked`], and stays as it is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The workflow has changed, and something alive in the run has no place in it any more.
    #[error(transparent)]
    Resume(ResumeError),
    /// What is stored does not lead to a run.
    #[error(transparent)]
    Replay(ReplayError),
    /// A graph that the run was written under cannot be used.
    #[error(transparent)]
    Graph(GraphError),
    /// The store could not give what is needed.
    #[error(transparent)]
    Store(StoreError),
    /// The input cannot be read.
    #[error("the input of run {run} cannot be read")]
    Input {
        /// The run.
        run: RunId,
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
}

/// Why a runner did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunnerError {
    /// The runner does not host the workflow.
    #[error("this runner does not host workflow `{workflow}`; add it with `RunnerBuilder::workflow`")]
    NotHosted {
        /// The workflow.
        workflow: String,
    },
    /// Two workflows of one name.
    #[error("two workflows of this runner are called `{workflow}`")]
    TwoOfOneName {
        /// The workflow.
        workflow: String,
    },
    /// There is a run of that id, with another input or of another workflow.
    #[error("there is a run {run} already, and it was started with something else")]
    OtherInput {
        /// The run.
        run: RunId,
    },
    /// There is no such run.
    #[error("there is no run {run}")]
    NoSuchRun {
        /// The run.
        run: RunId,
    },
    /// Another process has the run.
    #[error("run {run} is in the hands of `{owner}`")]
    HeldElsewhere {
        /// The run.
        run: RunId,
        /// Who has it.
        owner: String,
    },
    /// The run has ended; `show` it for what came of it, or `resume` it.
    #[error("run {run} is not running: it is {}", status.name())]
    NotRunning {
        /// The run.
        run: RunId,
        /// Where it stands.
        status: RunStatus,
    },
    /// The input does not serialise.
    #[error("the input of run {run} does not serialise")]
    Input {
        /// The run.
        run: RunId,
        /// What its `Serialize` reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The output of the run cannot be read as that of the workflow as it is now.
    #[error("the output of run {run} cannot be read")]
    Output {
        /// The run.
        run: RunId,
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The run has refused the message. Nothing has changed.
    #[error("run {run} has refused that: {reason}")]
    Refused {
        /// The run.
        run: RunId,
        /// Why, in the words of the run.
        reason: String,
    },
    /// The run could not be taken up.
    #[error("run {run} cannot be taken up")]
    Load {
        /// The run.
        run: RunId,
        /// Why not.
        #[source]
        source: LoadError,
    },
    /// What was to happen could not be stored.
    #[error(transparent)]
    NotStored(NotStored),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The runner has no store, which that needs.
    #[error("the runner has no store; give it one with `Runner::builder().store(..)`")]
    NoStore,
    /// The runner was shut down.
    #[error("the runner was shut down")]
    Closed,
}
