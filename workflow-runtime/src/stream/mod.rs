//! What observers see of a run: a numbered stream of events, for any number of readers.
//!
//! The latest events are kept in a ring. Readers are cursors into it: they slow nothing down, and learn by
//! [`RunEventKind::Missed`] when they fell behind it. A reader that is behind takes some events at once and hands them out
//! one by one; one that waits holds nothing. The terminal event is the last one and
//! makes room for no other, so every reader gets it, once. A question that is open outlives the ring.
//!
//! `kept` is what an event is until somebody reads it, `latest` the memory of the ring, `ring` who writes and `reader` who
//! reads.

mod kept;
mod latest;
mod reader;
mod ring;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Serialize, Serializer};
use workflow_graph::Graph;

use crate::driver::{event_name, step_name};
use crate::engine::{Counted, InvocationId, Notice, Time};
use crate::error::StepError;
use crate::event::RequestId;
use crate::forms::Stored;
use crate::handle::{Ask, Question, RunError, RunId};
use crate::workflow::{AskedBy, Workflow};

pub use reader::{RunEvents, StreamError};

pub(crate) use reader::Keeper;
pub(crate) use ring::Stream;

/// How many events a run keeps for readers that come late or fall behind.
pub const EVENTS_KEPT: usize = 1_024;

/// Something that happened in a run, as observers see it.
///
/// It serialises; that is the form in which it goes over the wire.
#[derive(Serialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct RunEvent<W: Workflow> {
    /// Its number in the stream of the run, from 1.
    pub number: u64,
    /// The tick of the engine in which it happened, or, for progress, after which.
    pub tick: u64,
    /// When it happened.
    pub at: Time,
    /// What happened.
    #[serde(flatten)]
    pub kind: RunEventKind<W>,
}

/// What happened in a run.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case", bound = "")]
#[non_exhaustive]
pub enum RunEventKind<W: Workflow> {
    /// A step starts.
    StepStarted {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// A step published how far it is. Seen at once, even if the step fails afterwards.
    Progress {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
        /// What it published.
        #[serde(serialize_with = "Stored::store")]
        value: W::Progress,
    },
    /// A step has sent an event through its [`Emitter`](crate::Emitter), and goes on.
    StepSent {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// The name of the event.
        event: &'static str,
    },
    /// A step has finished.
    StepFinished {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// What it returned, by name of event. What it sent while it ran was told event by event.
        emitted: EventCounts,
    },
    /// An attempt has failed, and the step will be run again.
    StepRetrying {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Why.
        error: StepError,
        /// When the next attempt is due.
        due: Time,
    },
    /// A step has failed for good.
    StepFailed {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
        /// Why.
        error: StepError,
    },
    /// A question is open, and its branch waits for the answer.
    InputRequired(Question<W>),
    /// A question was answered.
    InputReceived {
        /// Its id.
        request: RequestId,
    },
    /// Nobody answered a question in time.
    InputExpired {
        /// Its id.
        request: RequestId,
    },
    /// A question was withdrawn: its answer is not needed any more.
    InputWithdrawn {
        /// Its id.
        request: RequestId,
    },
    /// Events were left over in a join, or arrived where no gather could take them.
    Unpaired {
        /// The step that would have taken them.
        step: &'static str,
        /// The names of the events, one entry each.
        events: Vec<&'static str>,
    },
    /// This reader fell behind what is kept. The questions that are still open follow, also those that it has
    /// seen before, then the oldest event kept.
    Missed {
        /// How many events it missed.
        count: u64,
    },
    /// The run has its output. Terminal.
    Completed {
        /// The output.
        #[serde(serialize_with = "Stored::store")]
        output: W::Output,
    },
    /// The run failed. Terminal.
    Failed {
        /// Why.
        error: RunError,
    },
    /// The run took longer than it may. Terminal.
    TimedOut {
        /// The steps that were running.
        running: Vec<String>,
    },
    /// The run was cancelled. Terminal.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// The run was put down, to be resumed. Terminal for this stream.
    Suspended,
}

impl<W: Workflow> RunEvent<W> {
    /// The question `Q`, if that is what this event is: what is needed to answer it.
    ///
    /// A `Q` that the workflow never asks does not compile.
    ///
    /// # Examples
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// # #[allow(dead_code)]
    /// fn what_to_print<W: Asks<Text>>(event: &RunEvent<W>) -> Option<String> {
    ///     event.ask::<Text>().map(|ask| ask.prompt.message)
    /// }
    /// ```
    #[must_use]
    pub fn ask<Q: AskedBy<W>>(&self) -> Option<Ask<Q>> {
        match &self.kind {
            RunEventKind::InputRequired(question) => question.ask(),
            _ => None,
        }
    }

    /// Whether this is the last event of the stream.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.kind.is_terminal()
    }
}

impl<W: Workflow> Clone for RunEvent<W> {
    fn clone(&self) -> Self {
        Self { number: self.number, tick: self.tick, at: self.at, kind: self.kind.clone() }
    }
}

impl<W: Workflow> RunEventKind<W> {
    /// What observers of that run see of a notice.
    pub(crate) fn told(notice: Notice<W::Event>, run: impl FnOnce() -> RunId) -> Option<Self> {
        Some(match notice {
            Notice::StepSent { invocation, step, event } => {
                Self::StepSent { step: step_name::<W>(step), invocation, event: event_name::<W>(event) }
            }
            Notice::StepFinished { invocation, step, emitted } => {
                let emitted = EventCounts::new(W::GRAPH, emitted);
                Self::StepFinished { step: step_name::<W>(step), invocation, emitted }
            }
            Notice::StepFailed { invocation, attempt, step, error } => {
                Self::StepFailed { step: step_name::<W>(step), invocation, attempt, error }
            }
            Notice::InputRequired { request, step, prompt, asked_at, expires_at } => {
                // `None` only where a workflow written by hand calls something a question that is none.
                let prompt = W::prompt(&prompt)?;
                let step = step_name::<W>(step);
                Self::InputRequired(Question { run: run(), id: request, step, prompt, asked_at, expires_at })
            }
            Notice::StepRetrying { invocation, attempt, step, error, due } => {
                Self::StepRetrying { step: step_name::<W>(step), invocation, attempt, error, due }
            }
            Notice::InputExpired { request } => Self::InputExpired { request },
            Notice::InputReceived { request } => Self::InputReceived { request },
            Notice::InputWithdrawn { request } => Self::InputWithdrawn { request },
            Notice::Unpaired { step, events } => {
                let events = events.into_iter().map(event_name::<W>).collect();
                Self::Unpaired { step: step_name::<W>(step), events }
            }
        })
    }

    /// The last event of a run that ended so.
    pub(crate) fn terminal(outcome: Result<W::Output, RunError>) -> Self {
        match outcome {
            Ok(output) => Self::Completed { output },
            Err(RunError::Cancelled { reason, .. }) => Self::Cancelled { reason },
            Err(RunError::TimedOut { running, .. }) => Self::TimedOut { running },
            Err(RunError::Suspended { .. }) => Self::Suspended,
            Err(error) => Self::Failed { error },
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. }
                | Self::Failed { .. }
                | Self::TimedOut { .. }
                | Self::Cancelled { .. }
                | Self::Suspended
        )
    }
}

impl<W: Workflow> Clone for RunEventKind<W> {
    fn clone(&self) -> Self {
        match self {
            Self::StepStarted { step, invocation, attempt } => {
                Self::StepStarted { step, invocation: *invocation, attempt: *attempt }
            }
            Self::Progress { step, invocation, attempt, value } => {
                Self::Progress { step, invocation: *invocation, attempt: *attempt, value: value.clone() }
            }
            Self::StepSent { step, invocation, event } => {
                Self::StepSent { step, invocation: *invocation, event }
            }
            Self::StepFinished { step, invocation, emitted } => {
                Self::StepFinished { step, invocation: *invocation, emitted: emitted.clone() }
            }
            Self::StepRetrying { step, invocation, attempt, error, due } => {
                let error = error.clone();
                Self::StepRetrying { step, invocation: *invocation, attempt: *attempt, error, due: *due }
            }
            Self::StepFailed { step, invocation, attempt, error } => {
                Self::StepFailed { step, invocation: *invocation, attempt: *attempt, error: error.clone() }
            }
            Self::InputRequired(question) => Self::InputRequired(question.clone()),
            Self::InputReceived { request } => Self::InputReceived { request: *request },
            Self::InputExpired { request } => Self::InputExpired { request: *request },
            Self::InputWithdrawn { request } => Self::InputWithdrawn { request: *request },
            Self::Unpaired { step, events } => Self::Unpaired { step, events: events.clone() },
            Self::Missed { count } => Self::Missed { count: *count },
            Self::Completed { output } => Self::Completed { output: output.clone() },
            Self::Failed { error } => Self::Failed { error: error.clone() },
            Self::TimedOut { running } => Self::TimedOut { running: running.clone() },
            Self::Cancelled { reason } => Self::Cancelled { reason: reason.clone() },
            Self::Suspended => Self::Suspended,
        }
    }
}

/// Shows the wire form, because the author's types need not be `Debug`.
impl<W: Workflow> fmt::Debug for RunEvent<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Shows the wire form, because the author's types need not be `Debug`.
impl<W: Workflow> fmt::Debug for RunEventKind<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// How many of which events a step returned.
///
/// It serialises as a map from the name of the event to the number of them: `{"Task": 3, "Note": 0}` for
/// a fan-out, `{"Priced": 1}` for one event, `{}` for nothing. A fan-out lists every event that an element
/// can be, so that one without elements is told from nothing.
#[derive(Clone)]
pub struct EventCounts {
    /// Knows the names, so that a step's counts are numbers only.
    graph: &'static Graph,
    counted: Counted,
}

impl EventCounts {
    pub(crate) fn new(graph: &'static Graph, counted: Counted) -> Self {
        Self { graph, counted }
    }

    /// Each event, by name, and how many of it.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let one = match &self.counted {
            Counted::One(event) => Some((*event, 1)),
            Counted::None | Counted::Many(..) => None,
        };
        let (items, counts) = match &self.counted {
            Counted::Many(point, counts) => {
                (self.graph.point(*point).map_or(&[][..], |point| &point.items), &counts[..])
            }
            Counted::None | Counted::One(_) => (&[][..], &[][..]),
        };
        let each = items.iter().copied().zip(counts.iter().copied());
        let name = |event| self.graph.event(event).map_or("?", |event| &*event.name);
        one.into_iter().chain(each).map(move |(event, count)| (name(event), count))
    }

    /// How many events in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| u64::from(count)).sum()
    }

    /// Whether the step returned nothing. A fan-out without elements is something: what gathers it fires.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self.counted, Counted::None)
    }

    /// Whether the step returned a fan-out.
    #[must_use]
    pub fn is_fan_out(&self) -> bool {
        matches!(self.counted, Counted::Many(..))
    }
}

impl PartialEq for EventCounts {
    fn eq(&self, other: &Self) -> bool {
        self.is_fan_out() == other.is_fan_out() && self.iter().eq(other.iter())
    }
}

impl Eq for EventCounts {}

impl Serialize for EventCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl fmt::Debug for EventCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
