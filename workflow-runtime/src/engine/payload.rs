//! What the engine knows of the values it carries: next to nothing.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workflow_graph::{EventId, PointId};

use super::state::InvocationId;

use crate::error::StepError;
use crate::event::RequestId;

/// A value that travels between steps, with the number of its event in the graph.
///
/// A workflow's own event enum implements it (the macro writes that enum), and so does the [raw form](crate::journal::Raw),
/// an event number with undecoded JSON, for programs that carry runs whose types they do not have.
pub trait Payload: Clone + Send + Sync + 'static {
    /// Which event of the graph this is.
    fn event(&self) -> EventId;

    /// What a question becomes when nobody has answered it in time: that event, which some step takes.
    fn expired(&self, request: RequestId, event: EventId) -> Option<Self> {
        let _ = (request, event);
        None
    }

    /// What a question becomes when nobody has answered it in time and it says what the answer is then: the event of an
    /// answer.
    fn unanswered(&self, request: RequestId, event: EventId) -> Option<Self> {
        let _ = (request, event);
        None
    }

    /// How many milliseconds a question stays open, if not for ever.
    fn expires_in(&self) -> Option<u64> {
        None
    }
}

/// A value that only the author's code understands, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Box<RawValue>);

/// Two values are equal if they are written alike.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Json {}

/// What a finished step emits.
///
/// Whether an event is a question or the end of the run is said by its role in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emitted<E> {
    /// Nothing: this branch ends.
    None,
    /// One event.
    One(E),
    /// The elements of a fan-out, in order, and the point of the graph that they fan out from.
    Many(PointId, Vec<E>),
}

/// What a step is given: one [`Part`] for each of its event parameters, in source order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<E> {
    /// The only parameter takes one event; the usual case, kept free of an allocation.
    One(E),
    /// Anything else: joins, gathers, failures.
    Parts(Vec<Part<E>>),
}

/// What one event parameter is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<E> {
    /// One event.
    One(E),
    /// The members of a fan-out scope, in fan-out order; a failure only where the parameter takes failures. Boxed, because
    /// there may be many members, of which few have failed.
    All(Vec<Result<E, Box<Failure>>>),
    /// The failure of another step, and what that step was given.
    Failed(Failure, Box<Input<E>>),
}

/// A step that failed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Name of the step.
    pub step: String,
    /// Which invocation of it.
    pub invocation: InvocationId,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why the last one failed.
    pub error: StepError,
}

impl<E: Payload> Part<E> {
    /// The events it is made of.
    pub fn events(&self) -> impl Iterator<Item = EventId> {
        let (one, all) = match self {
            Self::One(event) => (Some(event), &[][..]),
            Self::All(all) => (None, &all[..]),
            Self::Failed(..) => (None, &[][..]),
        };
        one.into_iter().chain(all.iter().flatten()).map(Payload::event)
    }
}
