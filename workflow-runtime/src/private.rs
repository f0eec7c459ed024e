//! What the macros' expansions call. Not public API: it changes without notice.
//!
//! Checks ask one thing of one type and say what is wrong in words for an author. Everything else is
//! *tolerant*: where a type does not do what it should, [`Otherwise`] supplies a method that compiles in place
//! of the one that does the work. So a mistake is reported once, by its check, and nothing is reported about
//! generated code.

use std::any::type_name;
use std::future::Future;

pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::default::Default;
pub use std::iter::{IntoIterator, Iterator};
pub use std::marker::{PhantomData, Send, Sync};
pub use std::option::Option::{self, None, Some};
pub use std::primitive::{bool, u32, u64};
pub use std::result::Result::{self, Err, Ok};
pub use std::string::{String, ToString};
pub use std::sync::Arc;
pub use std::time::Duration;
pub use std::vec::Vec;

pub use serde;
pub use serde::{Deserialize, Serialize, Serializer};
pub use serde_json::Error as JsonError;
pub use serde_json::value::RawValue;
pub use workflow_graph as graph;
pub use workflow_macros::__Resolved;

pub use crate::asker::Asker;
pub use crate::context::Context;
pub use crate::emitter::Emitter;
pub use crate::engine::{Emitted, Failure, Input, Part, Payload};
pub use crate::error::StepError;
use crate::error::StepErrorKind;
pub use crate::event::{
    Answered, Event, Expired, HumanResponse, InputRequired, IsEvent, NoPrompt, Prompt, RequestId, Signal,
    Start, StepFailed, Stop, Text,
};
pub use crate::forms::{
    Copied, Fallible, Form, HasDefault, SameEvent, Saved, Shareable, SharedByRuns, TakenByValue,
};
pub use crate::inbox::Inbox;
pub use crate::one_of::{Never, OneOf};
use crate::registry::__register::Built;
pub use crate::retry::Retry;
use crate::retry::duration;
pub use crate::room::Room;
pub use crate::workflow::{
    AnswerError, Asks, Events, Schema, Shared, Signals, StepCall, StepPolicy, StepResult, Workflow,
};

// ---- checks ----

/// `W` is a value that runs can share.
pub const fn shared_by_runs<W: SharedByRuns>() {}

/// `T`, as a signature writes it, is `Ours`.
pub const fn form<T: Form<Ours>, Ours>() {}

/// `T`, as a signature writes it, is a `Result` of `O`.
pub const fn fallible<T: Fallible<O>, O>() {}

/// `Type` is the type itself, where all checks have passed; where one has not, there is no `PASSED` to look it up with,
/// and the compiler, which has reported that, takes every use of `Type` for granted.
pub trait Checked<const PASSED: bool> {
    /// `Self`.
    type Type;
}

impl<T> Checked<true> for T {
    type Type = T;
}

/// A type, as the receiver of what can be done with it.
pub struct Of<T: ?Sized>(PhantomData<fn() -> PhantomData<T>>);

impl<T: ?Sized> Of<T> {
    /// The receiver.
    #[expect(clippy::new_without_default, reason = "nobody writes it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

// The questions about a type. It stands in the question once more, as `U`, because that is what the compiler underlines
// then. A question in an `impl` with a bound is not asked where the bound does not hold, which has been reported.

impl<T> Of<T> {
    /// Whether it can be saved.
    pub fn saved<U: Saved>() {}

    /// Whether it is a prompt.
    pub fn prompt<U: Prompt>() {}

    /// Whether there is a value to begin with.
    pub fn has_default<U: HasDefault>() {}

    /// Whether it can be shared between threads, whatever else is asked.
    pub fn shareable<U: Shareable>() {}
}

impl<T: IsEvent> Of<T> {
    /// The checks of an event that our attributes have put at its definition.
    pub const EVENT_IS_DEFINED: bool = T::DEFINED;

    /// Whether `U` is what a step may take and return: not asked, because our attributes say so.
    pub fn event<U>() {}
}

impl<Q: Prompt> Of<Q> {
    /// The checks of a prompt that our attributes have put at its definition.
    pub const PROMPT_IS_DEFINED: bool = Q::DEFINED;
}

// Our attributes make all of it true together: so what is missing is reported as one thing.
impl<T: Saved> Of<T> {
    /// Whether `U`, of which it is made, can be saved: not asked, because it can.
    pub fn else_saved<U>() {}

    /// Whether `U`, which is made of it, can be saved.
    pub fn then_saved<U: Saved>() {}

    /// Whether it can be shared between threads.
    pub fn is_shareable<U: Shareable>() {}

    /// Whether it can be copied out.
    pub fn is_copied<U: Copied>() {}
}

impl<T: Event> Of<T> {
    /// Whether an event can be saved.
    pub fn event_is_saved<U: Saved>() {}
}

impl<T: Event + Saved> Of<T> {
    /// Whether an event can be shared between threads.
    pub fn event_is_shareable<U: Shareable>() {}

    /// Whether a step can take the event by value.
    pub fn event_is_taken<U: TakenByValue>() {}
}

impl<Q: Prompt> Of<Q> {
    /// Whether a question can be saved.
    pub fn prompt_is_saved<U: Saved>() {}

    /// Whether its answer can be saved.
    pub fn response_is_saved<U: Prompt<Response: Saved>>() {}

    /// Whether both can be shared between threads.
    pub fn prompt_is_shareable<U: Shareable + Prompt<Response: Shareable>>() {}
}

impl<I: Saved> Of<Start<I>> {
    /// Whether a step can take the input by value.
    pub fn is_taken<U: TakenByValue>() {}
}

impl<T: Saved> Of<Signal<T>> {
    /// Whether a step can take the signal by value.
    pub fn is_taken<U: TakenByValue>() {}
}

// That a prompt is `Clone` is asked where it is defined.
impl<Q: Prompt<Response: Saved> + Clone> Of<Q> {
    /// Whether a step can take the answer by value.
    pub fn answer_is_taken<U: TakenByValue>() {}

    /// Whether the answer can be copied out.
    pub fn answer_is_copied<U: Prompt<Response: Copied>>() {}
}

// ---- what is done with types that passed their checks ----

impl<W: Workflow + Send + Sync> Of<W> {
    /// The workflow as its runs share it.
    pub fn share(workflow: Arc<W>) -> Shared<W> {
        Shared::new(workflow)
    }

    /// A step that is an `async fn`. Its future is moved between threads.
    pub fn every_step_is_send<E: 'static, F>(step: F, room: &mut Room<E>) -> StepCall<E>
    where
        F: Future<Output = StepResult<E>> + Send + 'static,
    {
        room.hold_block(step)
    }

    /// Calls a step that blocks its thread, later and elsewhere.
    pub fn blocking<E>(step: impl FnOnce() -> StepResult<E> + Send + 'static) -> StepCall<E> {
        StepCall::Blocking(Box::new(step))
    }

    /// The workflow that the registry is given.
    pub fn built(workflow: W) -> Built {
        Arc::new(Shared::new(Arc::new(workflow)))
    }
}

impl<T: Saved> Of<T> {
    /// The value as JSON.
    ///
    /// # Errors
    /// What its `Serialize` reports.
    pub fn encode(&self, value: &T) -> Result<Box<RawValue>, JsonError> {
        serde_json::value::to_raw_value(value)
    }

    /// The value of that JSON.
    ///
    /// # Errors
    /// What its `Deserialize` reports.
    pub fn decode(&self, json: &RawValue) -> Result<T, JsonError> {
        serde_json::from_str(json.get())
    }

    /// One variant of a prompt enum.
    ///
    /// # Errors
    /// What the serializer reports.
    pub fn serialize<S: Serializer>(
        &self,
        value: &T,
        name: &'static str,
        index: u32,
        variant: &'static str,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_variant(name, index, variant, value)
    }
}

impl<T: Clone> Of<T> {
    /// A clone.
    pub fn copy(&self, value: &T) -> T {
        value.clone()
    }

    /// The value, cloned only where somebody else still holds it.
    pub fn unshare(&self, value: Arc<T>) -> T {
        Arc::unwrap_or_clone(value)
    }
}

impl<I> Of<Start<I>> {
    /// The event that starts a run.
    pub fn start(&self, input: I) -> Start<I> {
        Start(input)
    }
}

impl<O> Of<Stop<O>> {
    /// The output of a run.
    pub fn output(&self, stop: Stop<O>) -> O {
        stop.0
    }
}

impl<T> Of<Signal<T>> {
    /// The event that a signal becomes.
    pub fn signal(&self, signal: T) -> Signal<T> {
        Signal(signal)
    }
}

impl<Q> Of<InputRequired<Q>> {
    /// The question.
    pub fn asked<'a>(&self, asked: &'a InputRequired<Q>) -> &'a Q {
        &asked.prompt
    }

    /// How many milliseconds it stays open.
    pub fn expires_in(&self, asked: &InputRequired<Q>) -> Option<u64> {
        asked.expires_in
    }
}

/// What a question becomes when nobody has answered it, and it says what the answer is then.
pub fn default_answer<E: Events>(asked: &E, request: RequestId, event: graph::EventId) -> Option<E> {
    crate::journal::default_answer(asked, request, event)
}

impl<Q: Clone> Of<Expired<Q>> {
    /// What the question becomes when nobody has answered.
    pub fn expired(&self, asked: &InputRequired<Q>, request: RequestId) -> Expired<Q> {
        Expired { request, prompt: asked.prompt.clone() }
    }
}

impl<Q: Prompt> Of<Q> {
    /// The answer, if `validate` lets it pass.
    ///
    /// # Errors
    /// `validate` refuses it.
    pub fn answer(
        &self,
        prompt: &Q,
        request: RequestId,
        response: Q::Response,
    ) -> Result<HumanResponse<Q>, AnswerError> {
        match prompt.validate(&response) {
            Ok(()) => Ok(HumanResponse { request, prompt: prompt.clone(), response }),
            Err(reason) => Err(AnswerError::Invalid { reason }),
        }
    }
}

impl<Q: Prompt<Response: Saved>> Of<Q> {
    /// The answer in that JSON, if `validate` lets it pass.
    ///
    /// # Errors
    /// The JSON is not a response, or `validate` refuses it.
    pub fn answer_json(
        &self,
        prompt: &Q,
        request: RequestId,
        response: &RawValue,
    ) -> Result<HumanResponse<Q>, AnswerError> {
        match serde_json::from_str::<Q::Response>(response.get()) {
            Ok(response) => self.answer(prompt, request, response),
            Err(error) => Err(AnswerError::WrongType {
                expected: short_name::<Q::Response>(),
                reason: error.to_string(),
            }),
        }
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> Of<T> {
    /// Adds the schema of `T`.
    pub fn schema(&self, name: &'static str, list: &mut Vec<Schema>) {
        list.push(Schema { name, schema: schemars::schema_for!(T).to_value() });
    }
}

#[cfg(feature = "schemars")]
impl<Q: Prompt<Response: schemars::JsonSchema>> Of<Q> {
    /// Adds the schema of what answers `Q`.
    pub fn response_schema(&self, name: &'static str, list: &mut Vec<Schema>) {
        list.push(Schema { name, schema: schemars::schema_for!(Q::Response).to_value() });
    }
}

/// What stands in where a type failed its check, so that nothing more is reported.
///
/// Method resolution prefers the methods above; it comes here only where their bounds do not hold. The
/// methods that had to do something are never called, because the check has stopped the build.
pub trait Otherwise {
    /// The type.
    type T;

    /// No event of our attributes.
    const EVENT_IS_DEFINED: bool = true;

    /// Whether `U` is what a step may take and return.
    fn event<U: Event>() {}

    /// No prompt.
    const PROMPT_IS_DEFINED: bool = true;

    /// Cannot be saved: perhaps because `U`, of which it is made, cannot.
    fn else_saved<U: Saved>() {}

    /// Cannot be saved, which is why `U`, which is made of it, cannot.
    fn then_saved<U>() {}

    /// Cannot be saved.
    fn is_shareable<U>() {}

    /// Cannot be saved.
    fn is_copied<U>() {}

    /// Is none of ours, or cannot be saved.
    fn is_taken<U>() {}

    /// No event.
    fn event_is_saved<U>() {}

    /// No event, or it cannot be saved.
    fn event_is_shareable<U>() {}

    /// No event, or it cannot be saved.
    fn event_is_taken<U>() {}

    /// No prompt.
    fn prompt_is_saved<U>() {}

    /// No prompt.
    fn response_is_saved<U>() {}

    /// No prompt.
    fn prompt_is_shareable<U>() {}

    /// No prompt, or its answer cannot be saved.
    fn answer_is_taken<U>() {}

    /// No prompt, or its answer cannot be saved.
    fn answer_is_copied<U>() {}

    /// Cannot be shared.
    fn share<W>(_: Arc<Self::T>) -> W {
        refused()
    }

    /// Cannot be shared with it.
    fn every_step_is_send<E, F: Future<Output = StepResult<E>>>(_: F, _: &mut Room<E>) -> StepCall<E> {
        refused()
    }

    /// Cannot be shared with it.
    fn blocking<E>(_: impl FnOnce() -> StepResult<E>) -> StepCall<E> {
        refused()
    }

    /// Cannot be shared.
    fn built(_: Self::T) -> Built {
        refused()
    }

    /// Cannot be saved.
    fn encode(&self, _: &Self::T) -> Result<Box<RawValue>, JsonError> {
        refused()
    }

    /// Cannot be saved.
    fn decode(&self, _: &RawValue) -> Result<Self::T, JsonError> {
        refused()
    }

    /// Cannot be saved.
    fn serialize<S: Serializer>(
        &self,
        _: &Self::T,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: S,
    ) -> Result<S::Ok, S::Error> {
        refused()
    }

    /// Cannot be cloned.
    fn copy(&self, _: &Self::T) -> Self::T {
        refused()
    }

    /// Cannot be cloned.
    fn unshare(&self, _: Arc<Self::T>) -> Self::T {
        refused()
    }

    /// Is not our `Start`.
    fn start<I>(&self, _: I) -> Self::T {
        refused()
    }

    /// Is not our `Stop`.
    fn output<O>(&self, _: Self::T) -> O {
        refused()
    }

    /// Is not our `InputRequired`.
    fn asked<'a, Q>(&self, _: &'a Self::T) -> &'a Q {
        refused()
    }

    /// Is not our `Signal`.
    fn signal<S>(&self, _: S) -> Self::T {
        refused()
    }

    /// Is not our `InputRequired`.
    fn expires_in(&self, _: &Self::T) -> Option<u64> {
        refused()
    }

    /// Is not our `Expired`, or about no prompt.
    fn expired<A>(&self, _: &A, _: RequestId) -> Self::T {
        refused()
    }

    /// No prompt.
    fn answer<R, A>(&self, _: &Self::T, _: RequestId, _: R) -> Result<A, AnswerError> {
        refused()
    }

    /// No prompt, or the response cannot be saved.
    fn answer_json<A>(&self, _: &Self::T, _: RequestId, _: &RawValue) -> Result<A, AnswerError> {
        refused()
    }

    /// Has no schema.
    fn schema(&self, _: &'static str, _: &mut Vec<Schema>) {}

    /// The response has no schema.
    fn response_schema(&self, _: &'static str, _: &mut Vec<Schema>) {}
}

impl<T> Otherwise for Of<T> {
    type T = T;
}

/// Never called: a check has stopped the build.
pub fn refused() -> ! {
    unreachable!("a type that failed its check is used")
}

/// The workflow that the registry is given.
pub fn built_by<W>(build: fn() -> W) -> W {
    build()
}

// ---- the inputs and outputs of steps ----

/// Runs a step that is a plain `fn`.
pub fn done<E>(step: impl FnOnce() -> StepResult<E>) -> StepCall<E> {
    StepCall::Done(step())
}

/// The input of a step with one parameter.
///
/// # Errors
/// The input is of another shape.
#[inline]
pub fn one<E>(input: Input<E>, step: &'static str) -> Result<E, StepError> {
    match input {
        Input::One(event) => Ok(event),
        Input::Parts(_) => misrouted(step),
    }
}

/// The inputs of a join or a gather.
///
/// # Errors
/// The input is of another shape.
pub fn parts<E, const N: usize>(input: Input<E>, step: &'static str) -> Result<[Part<E>; N], StepError> {
    match input {
        Input::Parts(parts) => parts.try_into().or_else(|_| misrouted(step)),
        Input::One(_) => misrouted(step),
    }
}

/// The event in one place of a join.
///
/// # Errors
/// The input is of another shape.
pub fn part<E>(part: Part<E>, step: &'static str) -> Result<E, StepError> {
    match part {
        Part::One(event) => Ok(event),
        Part::All(_) | Part::Failed(..) => misrouted(step),
    }
}

/// The events of a gather.
///
/// # Errors
/// The input is of another shape, or holds a failure.
pub fn all<E>(part: Part<E>, step: &'static str) -> Result<Vec<E>, StepError> {
    match part {
        Part::All(members) => members.into_iter().collect::<Result<_, _>>().map_err(|failure| failure.error),
        Part::One(_) | Part::Failed(..) => misrouted(step),
    }
}

/// The events of a gather that takes failures.
///
/// # Errors
/// The input is of another shape.
pub fn all_or_failed<E>(
    part: Part<E>,
    step: &'static str,
) -> Result<Vec<Result<E, Box<Failure>>>, StepError> {
    match part {
        Part::All(members) => Ok(members),
        Part::One(_) | Part::Failed(..) => misrouted(step),
    }
}

/// The failure that an error handler is given, and what the failed step was given.
///
/// # Errors
/// The input is of another shape.
pub fn failed<E>(part: Part<E>, step: &'static str) -> Result<(Failure, Input<E>), StepError> {
    match part {
        Part::Failed(failure, input) => Ok((failure, *input)),
        Part::One(_) | Part::All(_) => misrouted(step),
    }
}

/// The event of one of these kinds that a failed step was given.
///
/// # Errors
/// It was given none.
pub fn given<E: Payload>(
    input: Input<E>,
    events: &[graph::EventId],
    step: &'static str,
) -> Result<E, StepError> {
    let found = match input {
        Input::One(event) => Some(event).filter(|event| events.contains(&event.event())),
        Input::Parts(parts) => parts.into_iter().find_map(|part| match part {
            Part::One(event) if events.contains(&event.event()) => Some(event),
            _ => None,
        }),
    };
    found.map_or_else(|| misrouted(step), Ok)
}

/// A step was given what its graph does not allow.
///
/// # Errors
/// Always.
pub fn misrouted<T>(step: &'static str) -> Result<T, StepError> {
    Err(StepError::of_kind(
        StepErrorKind::Misrouted,
        format_args!("step `{step}` was given an event that it does not take"),
    ))
}

/// There is no such step.
///
/// # Errors
/// Always.
pub fn no_such_step<T>(step: graph::StepId) -> Result<T, StepError> {
    let message = format!("the workflow has no step number {}", step.0);
    Err(StepError::of_kind(StepErrorKind::Misrouted, message))
}

/// A step that was called, or was given what it cannot take.
pub type Called<E> = Result<StepCall<E>, StepError>;

/// It has failed, then.
#[inline]
pub fn called<E>(call: Called<E>) -> StepCall<E> {
    call.unwrap_or_else(|error| StepCall::Done(Err(error)))
}

/// An answer for something that is no open question of that type.
///
/// # Errors
/// Always.
pub fn other_prompt<E: Payload, T>(
    graph: &graph::Graph,
    asked: &E,
    answered: &str,
) -> Result<T, AnswerError> {
    let asked = graph.event(asked.event()).map_or("?", |event| event.name.as_ref());
    let asked = asked.strip_prefix("InputRequired<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(asked);
    Err(AnswerError::OtherPrompt { asked: asked.to_owned(), answered: answered.to_owned() })
}

/// An answer to something that is no question.
///
/// # Errors
/// Always.
pub fn no_question<T>() -> Result<T, AnswerError> {
    Err(AnswerError::OtherPrompt { asked: "nothing".to_owned(), answered: "a question".to_owned() })
}

/// What `validate` said, as text.
///
/// # Errors
/// It refused.
pub fn refusal<E: std::fmt::Display>(verdict: Result<(), E>) -> Result<(), String> {
    verdict.map_err(|reason| reason.to_string())
}

/// The value of an option that counts something.
///
/// # Panics
/// It is zero: while compiling, because it is called in constants.
#[track_caller]
pub const fn at_least_one(count: u32) -> u32 {
    assert!(count > 0, "this option must be at least 1");
    count
}

/// The value of `timeout`.
///
/// # Panics
/// The text is no duration, or of no length: while compiling, because it is called in constants.
#[track_caller]
pub const fn timeout(text: &str) -> Duration {
    let timeout = duration(text);
    assert!(!timeout.is_zero(), "a step needs some time; leave the option out for no limit");
    timeout
}

/// There is no event of that number.
///
/// # Errors
/// Always.
pub fn no_such_event<E>(event: graph::EventId) -> Result<E, JsonError> {
    Err(serde::de::Error::custom(format_args!("the workflow has no event number {}", event.0)))
}

/// A type's name without its path.
fn short_name<T>() -> &'static str {
    let name = type_name::<T>();
    if name.contains('<') { name } else { name.rsplit("::").next().unwrap_or(name) }
}

// ---- what a workflow with mistakes gets in place of an implementation ----

/// The event type of a workflow that does not compile. It has no values.
#[derive(Clone)]
pub enum Unfinished {}

impl Payload for Unfinished {
    fn event(&self) -> graph::EventId {
        match *self {}
    }
}

impl Events for Unfinished {
    fn encode(&self) -> Result<Box<RawValue>, JsonError> {
        match *self {}
    }

    fn decode(event: graph::EventId, _: &RawValue) -> Result<Self, JsonError> {
        no_such_event(event)
    }
}

/// The start of a workflow that does not compile.
pub fn unfinished() -> Unfinished {
    refused()
}

/// The graph of a workflow that does not compile.
pub const NO_GRAPH: &graph::Graph = &graph::Graph {
    name: Cow::Borrowed(""),
    docs: Cow::Borrowed(""),
    events: Cow::Borrowed(&[]),
    steps: Cow::Borrowed(&[]),
    points: Cow::Borrowed(&[]),
};
