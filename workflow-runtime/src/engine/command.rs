//! What is to be done for a run, and what is to be told about it.

use workflow_graph::{EventId, Graph, PointId, StepId};

use super::notes::NoteKey;
use super::payload::{Emitted, Input, Payload};
use super::state::{FailedAttempts, InvocationId, Time};
use crate::error::StepError;
use crate::event::RequestId;
use crate::seldom::Seldom;

/// Something for the driver to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<E> {
    /// Run a step, and report how it ended. Observers are told that it starts.
    Run(Invoke<E>),
    /// Stop running this invocation. What it reports later is refused.
    Abort {
        /// Which invocation.
        invocation: InvocationId,
    },
    /// What a running step waits for has come, or its time has; it stands in the notes of the invocation.
    Wake {
        /// Which invocation.
        invocation: InvocationId,
        /// Which call of the step's code.
        key: NoteKey,
    },
    /// Tell the observers.
    Publish(Notice<E>),
    /// The run has ended; always the last command of its tick.
    Finish(Ending<E>),
}

/// One attempt to run one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoke<E> {
    /// Which invocation; the same over all attempts.
    pub invocation: InvocationId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The step.
    pub step: StepId,
    /// How many fan-out scopes are open around it.
    pub depth: u32,
    /// Its input.
    pub input: Input<E>,
    pub(crate) failed: Seldom<FailedAttempts>,
}

impl<E> Invoke<E> {
    /// An attempt of which no more is known, as of one whose input the step has.
    pub(crate) fn at_work(invocation: InvocationId, attempt: u32) -> Self {
        Self {
            invocation,
            attempt,
            step: StepId(0),
            depth: 0,
            input: Input::Parts(Vec::new()),
            failed: Seldom::NEVER,
        }
    }

    /// Why the attempt before this one failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&StepError> {
        self.failed.get()?.last_error.as_ref()
    }

    /// When the first attempt that failed did so.
    #[must_use]
    pub fn first_failed_at(&self) -> Option<Time> {
        self.failed.get()?.first_failed_at
    }
}

/// Something that observers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice<E> {
    /// A running step has sent an event through an emitter, and it has taken effect.
    ///
    /// One notice per event: a count when the step finishes would never be told of a step that is cancelled.
    StepSent {
        /// Which invocation.
        invocation: InvocationId,
        /// The step.
        step: StepId,
        /// The event.
        event: EventId,
    },
    /// A step has finished, and what it emitted has taken effect.
    StepFinished {
        /// Which invocation.
        invocation: InvocationId,
        /// The step.
        step: StepId,
        /// What it returned.
        emitted: Counted,
    },
    /// A step has failed for good.
    StepFailed {
        /// Which invocation.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
        /// The step.
        step: StepId,
        /// Why.
        error: StepError,
    },
    /// An attempt has failed, and the step will be run again.
    StepRetrying {
        /// Which invocation.
        invocation: InvocationId,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// The step.
        step: StepId,
        /// Why.
        error: StepError,
        /// When the next attempt is due.
        due: Time,
    },
    /// A question is open.
    InputRequired {
        /// Its id.
        request: RequestId,
        /// The step that asks.
        step: StepId,
        /// The question.
        prompt: E,
        /// When it was asked. Where a run is taken up, its open questions are told again.
        asked_at: Time,
        /// When it closes, if nobody has answered.
        expires_at: Option<Time>,
    },
    /// Nobody has answered a question in time.
    InputExpired {
        /// Its id.
        request: RequestId,
    },
    /// A question was answered.
    InputReceived {
        /// Its id.
        request: RequestId,
    },
    /// A question was withdrawn: nobody needs its answer any more.
    InputWithdrawn {
        /// Its id.
        request: RequestId,
    },
    /// Events were left over: their scope closed before the rest of their join arrived, or no gather
    /// could take them.
    Unpaired {
        /// The step that would have taken them.
        step: StepId,
        /// The events, one entry each.
        events: Vec<EventId>,
    },
}

/// What a finished step emitted, counted: an [`Emitted`] without its values.
///
/// Only a fan-out costs an allocation here, and it has made larger ones already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Nothing.
    None,
    /// One event.
    One(EventId),
    /// A fan-out of that point: how many elements of each event that an element can be, in the order of
    /// [`Point::items`](workflow_graph::Point::items).
    Many(PointId, Box<[u32]>),
}

impl Counted {
    pub(super) fn of<E: Payload>(emitted: &Emitted<E>, graph: &Graph) -> Self {
        match emitted {
            Emitted::None => Self::None,
            Emitted::One(event) => Self::One(event.event()),
            Emitted::Many(point, events) => {
                let items = graph.point(*point).map_or(&[][..], |point| &point.items);
                let mut counts: Box<[u32]> = items.iter().map(|_| 0).collect();
                for event in events {
                    let position = items.iter().position(|item| *item == event.event());
                    if let Some(count) = position.and_then(|position| counts.get_mut(position)) {
                        *count += 1;
                    }
                }
                Self::Many(*point, counts)
            }
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending<E> {
    /// A step stopped the run with this event.
    Completed {
        /// The event that carries the output.
        output: E,
    },
    /// A step failed, and nothing took the failure.
    Failed {
        /// Which invocation.
        invocation: InvocationId,
        /// The step.
        step: StepId,
        /// Why.
        error: StepError,
    },
    /// Nothing can ever happen again, and no step has stopped the run.
    Stalled(Stall),
    /// The run took longer than it may.
    TimedOut {
        /// The steps that were running, in the order in which they were started.
        running: Vec<StepId>,
    },
    /// Somebody cancelled the run.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// The run was put down for now.
    Suspended,
}

/// Why nothing can happen any more.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stall {
    /// The joins that wait for an event which cannot come.
    pub waiting: Vec<Missing>,
    /// The steps that ended a branch by emitting nothing, in source order.
    pub ended: Vec<StepId>,
}

/// What one half-filled join waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The step that joins.
    pub step: StepId,
    /// The parameters for which something has arrived.
    pub arrived: Vec<u16>,
    /// The parameters for which nothing has arrived.
    pub missing: Vec<u16>,
}
