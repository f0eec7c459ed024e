//! What happens to a run.

use serde::{Deserialize, Serialize};
use workflow_graph::PointId;

use super::notes::{Note, NoteKey};
use super::payload::Emitted;
use super::state::InvocationId;
use crate::error::StepError;
use crate::event::RequestId;

/// Something that happened. Its time comes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tick<E> {
    /// The run starts with this event.
    Started {
        /// The event of the run's input.
        input: E,
    },
    /// A step finished: what it emits takes effect now, as a whole.
    Finished {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt of it, from 1.
        attempt: u32,
        /// What it emits.
        emitted: Emitted<E>,
    },
    /// A step failed: nothing of this attempt takes effect.
    Failed {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt of it, from 1.
        attempt: u32,
        /// Why.
        error: StepError,
        /// What its retry policy says. It is part of the tick, because it may be decided by the author's code.
        verdict: Verdict,
    },
    /// Time has passed: what is due happens. So it does at the start of every other tick.
    Time,
    /// Somebody outside has sent an event.
    Signal {
        /// The event.
        event: E,
    },
    /// An emitter of a running step has sent an event. It takes effect now, whatever becomes of the step.
    Sent {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt of it, from 1.
        attempt: u32,
        /// Which emitter: its fan-out point.
        point: PointId,
        /// How many events this attempt has sent through it before this one. An attempt that repeats what
        /// another one has sent already changes nothing.
        place: u32,
        /// The event.
        event: E,
    },
    /// A running step wants something remembered over attempts and restores, or waits for something.
    Noted {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt of it, from 1. A memo is taken from an older attempt, too.
        attempt: u32,
        /// Which call of the step's code.
        key: NoteKey,
        /// What it wants.
        note: Note<E>,
    },
    /// A running step has stopped waiting for a question or a signal.
    Withdrawn {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt of it, from 1.
        attempt: u32,
        /// Which call of the step's code.
        key: NoteKey,
    },
    /// A person answered.
    Answered {
        /// The question.
        request: RequestId,
        /// The answer, as the event that a step takes.
        response: E,
    },
    /// Somebody cancelled the run.
    Cancelled {
        /// Why, in the caller's words.
        reason: String,
    },
    /// The run is put down for now; what is running is run again later.
    Suspended,
    /// The run is taken up again, from a snapshot or after it ended without an output.
    Resumed,
}

/// What becomes of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The step has failed for good.
    Final,
    /// The step is run again.
    Retry {
        /// After so many milliseconds.
        after: u64,
    },
}

/// The tick is not legal now. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The run has already started.
    #[error("the run has already started")]
    AlreadyStarted,
    /// The run has not started.
    #[error("the run has not started")]
    NotStarted,
    /// The run has ended; what the tick reports or asks for comes too late.
    #[error("the run has ended")]
    Ended,
    /// The run has its output; there is nothing to resume.
    #[error("the run has completed; a completed run cannot be continued")]
    Completed,
    /// The run is running; there is nothing to resume.
    #[error("the run is running already")]
    Running,
    /// That attempt of that invocation is not running: it was cancelled, or another has taken its place.
    #[error("attempt {attempt} of invocation {invocation} is not running")]
    NotCurrent {
        /// The invocation.
        invocation: InvocationId,
        /// The attempt.
        attempt: u32,
    },
    /// The step has no such emitter, the event is none that it sends, or an event before it is missing.
    #[error("`{event}` cannot be sent there")]
    NotSent {
        /// The event.
        event: String,
    },
    /// That call has been noted already.
    #[error("invocation {invocation} has noted `{name}` already")]
    Noted {
        /// The invocation.
        invocation: InvocationId,
        /// The name of the call.
        name: String,
    },
    /// That call does not wait for anything.
    #[error("invocation {invocation} does not wait for `{name}`")]
    NotWaiting {
        /// The invocation.
        invocation: InvocationId,
        /// The name of the call.
        name: String,
    },
    /// The step does not ask that.
    #[error("the step has no `Asker` that asks `{event}`")]
    NotAsked {
        /// The event.
        event: String,
    },
    /// No such question is open.
    #[error("no question {request} is open")]
    NotOpen {
        /// The request.
        request: RequestId,
    },
    /// The event cannot be the answer to that question.
    #[error("`{event}` does not answer question {request}")]
    NotAnAnswer {
        /// The request.
        request: RequestId,
        /// The event that was given as an answer.
        event: String,
    },
    /// No step takes that signal.
    #[error("no step takes the signal `{event}`")]
    NotASignal {
        /// The event that was sent.
        event: String,
    },
    /// The event does not serialise. An engine does not look; a driver that stores what happens does.
    #[error("`{event}` does not serialise: {reason}")]
    Unsaved {
        /// The event.
        event: String,
        /// What its `Serialize` reported.
        reason: String,
    },
    /// The event does not start a run of this workflow.
    #[error("`{event}` does not start a run")]
    NotAnInput {
        /// The event that was given as the input.
        event: String,
    },
}
