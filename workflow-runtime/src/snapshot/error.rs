//! Why a run could not be saved or taken up.

use std::sync::Arc;

use crate::handle::RunId;

/// Why a run could not be saved.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The run has its output; await it.
    #[error("run {run} has completed, so there is nothing to save; await it for its output")]
    Completed {
        /// The run.
        run: RunId,
    },
    /// The author's `Clone` or `Drop` of an event panicked, and what was left is not worth saving. An earlier snapshot
    /// can still be resumed.
    #[error("run {run} is broken, because an event panicked while it was cloned or dropped: {message}")]
    Broken {
        /// The run.
        run: RunId,
        /// The message of the panic.
        message: String,
    },
    /// What the steps share does not serialise.
    #[error("the state of run {run} does not serialise")]
    State {
        /// The run.
        run: RunId,
        /// What its `Serialize` reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A value does not serialise.
    #[error("event `{event}` of run {run} does not serialise")]
    Encode {
        /// The run.
        run: RunId,
        /// The event.
        event: String,
        /// What its `Serialize` reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
}

/// Why a snapshot could not be resumed. Nothing has started, and the snapshot is as it was.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The text is not JSON, or not a snapshot.
    #[error("this is not a snapshot that can be read")]
    Unreadable {
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The snapshot was written by a newer version.
    #[error("the snapshot has format {found}; the newest that this version reads is {newest}")]
    NewerFormat {
        /// The snapshot's format.
        found: u32,
        /// The newest format that can be read.
        newest: u32,
    },
    /// The snapshot was taken from a newer engine, which may do otherwise than this one.
    #[error("the snapshot is of engine {found}; the newest that this version knows is {newest}")]
    NewerEngine {
        /// The snapshot's engine.
        found: u32,
        /// The newest engine that is known.
        newest: u32,
    },
    /// The snapshot is of another workflow.
    #[error("the snapshot is of workflow `{found}`, not of `{expected}`")]
    OtherWorkflow {
        /// The workflow that was to resume it.
        expected: String,
        /// The workflow that it is of.
        found: String,
    },
    /// The run has its output.
    #[error("run {run} has completed; a completed run cannot be continued")]
    Completed {
        /// The run.
        run: RunId,
    },
    /// The workflow has changed, and something alive in the run has no place in it any more.
    #[error("run {run} does not fit the workflow as it is now: {}", list(misfits))]
    DoesNotFit {
        /// The run.
        run: RunId,
        /// Everything that has no place.
        misfits: Vec<Misfit>,
    },
    /// The snapshot contradicts itself; no version has written it so.
    #[error("the snapshot of run {run} contradicts itself: {reason}")]
    Corrupt {
        /// The run.
        run: RunId,
        /// What contradicts what.
        reason: String,
    },
}

fn list(misfits: &[Misfit]) -> String {
    misfits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Something alive in a run that has no place in the workflow as it is now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
#[non_exhaustive]
pub struct Misfit {
    /// What has no place, for example "invocation 3 of step `fetch`".
    pub what: String,
    /// Why not.
    pub reason: MisfitReason,
}

/// Why something alive in a run has no place in the workflow as it is now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MisfitReason {
    /// The step is gone.
    #[error("there is no step `{step}` any more; if it was renamed, write `#[step(was = \"{step}\")]` on it")]
    NoSuchStep {
        /// The step.
        step: String,
    },
    /// The event is gone.
    #[error("there is no event `{event}` any more")]
    NoSuchEvent {
        /// The event.
        event: String,
    },
    /// The event cannot be read.
    #[error("its event `{event}` cannot be read: {reason}")]
    Undecodable {
        /// The event.
        event: String,
        /// What its `Deserialize` reported.
        reason: String,
    },
    /// The step does not take the event there any more.
    #[error("the step does not take `{event}` there any more")]
    NotAccepted {
        /// The event.
        event: String,
    },
    /// The question is not asked any more, or no step takes its answer.
    #[error("`{event}` is not asked any more, or no step takes its answer")]
    NotAsked {
        /// The question.
        event: String,
    },
    /// The step that asks has no `Asker` for the question any more.
    #[error("the step has no `Asker` for `{event}` any more")]
    NoAsker {
        /// The question.
        event: String,
    },
    /// The step, or every step, has lost its `Inbox` for a signal.
    #[error("no `Inbox` takes `{event}` there any more")]
    NoInbox {
        /// The signal.
        event: String,
    },
    /// The step takes another number of events.
    #[error("the step takes {takes} events now, and has {has}")]
    OtherParameters {
        /// How many it takes now.
        takes: usize,
        /// How many are saved.
        has: usize,
    },
    /// The parameter takes one event where it took many, or the other way round.
    #[error("parameter {param} of the step takes its events in another form now")]
    OtherForm {
        /// Position among the event parameters, from 0.
        param: u16,
    },
    /// The step does not fan out there any more.
    #[error("the step does not return a `Vec` of {items:?} any more")]
    NoSuchFanOut {
        /// What the elements were.
        items: Vec<String>,
    },
    /// What was saved is not the state of this workflow.
    #[error("it cannot be read as the state of this workflow: {reason}")]
    OtherState {
        /// What reading it reported.
        reason: String,
    },
    /// The step has another number of emitters.
    #[error("the step has another number of emitters now")]
    OtherEmitters,
    /// Other steps gather the fan-out than when it was opened.
    #[error("other steps gather it than when it was opened")]
    OtherGathers,
}
