//! What is kept of an event until somebody reads it.

use std::sync::Arc;

use workflow_graph::{EventId, StepId};

use super::{EventCounts, RunEvent, RunEventKind};
use crate::driver::{event_name, step_name};
use crate::engine::{Counted, InvocationId, Time};
use crate::workflow::Workflow;

/// An event as it is kept. Its number follows from where that is.
pub(super) struct Kept<W: Workflow> {
    pub(super) tick: u64,
    pub(super) at: Time,
    pub(super) what: What<W>,
}

/// An event that was taken from where it was kept.
pub(super) struct Numbered<W: Workflow> {
    pub(super) number: u64,
    pub(super) kept: Kept<W>,
}

/// What happened. There are many events of the kinds that happen all the time, and each may never be read: so they are
/// small, and their names are looked up for who reads them.
pub(super) enum What<W: Workflow> {
    Started {
        step: StepId,
        invocation: InvocationId,
        attempt: u32,
    },
    Progress {
        step: StepId,
        invocation: InvocationId,
        attempt: u32,
        value: W::Progress,
    },
    Sent {
        step: StepId,
        invocation: InvocationId,
        event: EventId,
    },
    /// Of a step that returned no fan-out; that would not be small.
    Finished {
        step: StepId,
        invocation: InvocationId,
        emitted: Option<EventId>,
    },
    /// Anything else. Shared with readers that have taken it, so that what is the author's is cloned when they look at
    /// it, and not under the lock of the run, as progress is.
    Told(Arc<RunEventKind<W>>),
}

impl<W: Workflow> What<W> {
    pub(super) fn is_progress(&self) -> bool {
        matches!(self, Self::Progress { .. })
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Told(kind) if kind.is_terminal())
    }
}

impl<W: Workflow> From<What<W>> for RunEventKind<W> {
    #[inline]
    fn from(what: What<W>) -> Self {
        match what {
            What::Started { step, invocation, attempt } => {
                Self::StepStarted { step: step_name::<W>(step), invocation, attempt }
            }
            What::Progress { step, invocation, attempt, value } => {
                Self::Progress { step: step_name::<W>(step), invocation, attempt, value }
            }
            What::Sent { step, invocation, event } => {
                Self::StepSent { step: step_name::<W>(step), invocation, event: event_name::<W>(event) }
            }
            What::Finished { step, invocation, emitted } => {
                let emitted = EventCounts::new(W::GRAPH, emitted.map_or(Counted::None, Counted::One));
                Self::StepFinished { step: step_name::<W>(step), invocation, emitted }
            }
            What::Told(kind) => Arc::unwrap_or_clone(kind),
        }
    }
}

impl<W: Workflow> From<Numbered<W>> for RunEvent<W> {
    #[inline]
    fn from(Numbered { number, kept }: Numbered<W>) -> Self {
        let Kept { tick, at, what } = kept;
        Self { number, tick, at, kind: what.into() }
    }
}

impl<W: Workflow> Clone for What<W> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Self::Started { step, invocation, attempt } => {
                Self::Started { step: *step, invocation: *invocation, attempt: *attempt }
            }
            Self::Progress { step, invocation, attempt, value } => Self::Progress {
                step: *step,
                invocation: *invocation,
                attempt: *attempt,
                value: value.clone(),
            },
            Self::Sent { step, invocation, event } => {
                Self::Sent { step: *step, invocation: *invocation, event: *event }
            }
            Self::Finished { step, invocation, emitted } => {
                Self::Finished { step: *step, invocation: *invocation, emitted: *emitted }
            }
            Self::Told(kind) => Self::Told(Arc::clone(kind)),
        }
    }
}

impl<W: Workflow> Clone for Kept<W> {
    #[inline]
    fn clone(&self) -> Self {
        Self { tick: self.tick, at: self.at, what: self.what.clone() }
    }
}

impl<W: Workflow> Clone for Numbered<W> {
    #[inline]
    fn clone(&self) -> Self {
        Self { number: self.number, kept: self.kept.clone() }
    }
}
