//! The trait that `#[workflow]` implements, and what a step looks like from outside.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use workflow_graph::{EventId, Graph, StepId};

use crate::context::Context;
use crate::engine::{Emitted, Input, Payload};
use crate::error::StepError;
use crate::event::{Prompt, RequestId};
use crate::forms::Stored;
use crate::retry::Retry;
use crate::room::Room;

/// A workflow: a value with steps, and the graph that connects them.
///
/// `#[workflow]` implements this trait; writing it by hand is possible and shown in the `by_hand` example.
/// Start runs with [`WorkflowExt`](crate::WorkflowExt). The value is shared by its runs, so it has to be `Send` and `Sync`,
/// which is asked where it is [shared](Self::share).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a workflow",
    label = "this is no workflow",
    note = "put `#[workflow]` on the `impl` block with its steps"
)]
pub trait Workflow: Sized + 'static {
    /// What a run starts with: the `I` of `Start<I>`.
    type Input: Stored + Send + Sync + 'static;
    /// What a run ends with: the `O` of `Stop<O>`.
    type Output: Clone + Stored + Send + Sync + 'static;
    /// What the steps of a run share and change (`state = S`); `()` where they share nothing. A run begins with the
    /// default.
    type State: Clone + Default + Stored + Send + Sync + 'static;
    /// What steps publish while they work (`progress = P`); `()` where nothing is published.
    type Progress: Clone + Stored + Send + Sync + 'static;
    /// Every question a step asks, as one enum; [`NoPrompt`](crate::NoPrompt) where none is asked.
    type Prompt: Clone + Serialize + Send + Sync + 'static;
    /// Everything that crosses a step boundary, as one enum.
    type Event: Events;

    /// The routing table: which step accepts and emits what.
    const GRAPH: &'static Graph;

    /// The event that starts a run.
    fn start(input: Self::Input) -> Self::Event;

    /// The output, if this is the event that stops a run.
    ///
    /// # Errors
    /// It is another event, which comes back.
    fn output(event: Self::Event) -> Result<Self::Output, Self::Event>;

    /// The question, if this is one.
    fn prompt(asked: &Self::Event) -> Option<Self::Prompt>;

    /// The event that an answer in JSON becomes, where `asked` is the question.
    ///
    /// # Errors
    /// The answer is not of the response's type, or the prompt's `validate` refuses it.
    fn answer_json(
        asked: &Self::Event,
        request: RequestId,
        response: &RawValue,
    ) -> Result<Self::Event, AnswerError>;

    /// The workflow as its runs share it: [`Shared::new`], which is where it has to be `Send` and `Sync`.
    fn share(self: Arc<Self>) -> Shared<Self>;

    /// Calls one step of [`context.workflow()`](Context::workflow).
    ///
    /// The driver calls it outside every lock and catches panics. An input that the step cannot take (it
    /// does not happen while the graph and this method agree) is an error, not a panic.
    ///
    /// A step that is an `async fn` [puts its future into the room](Room::hold); any other one leaves that as it is.
    //
    // Without `self`, which a future would have to own beside the context: it borrows the workflow from there.
    fn call(
        step: StepId,
        input: Input<Self::Event>,
        context: Context<Self>,
        room: &mut Room<Self::Event>,
    ) -> StepCall<Self::Event>;

    /// What to do when this step fails, and how long an attempt may take.
    fn policy(step: StepId) -> StepPolicy {
        let _ = step;
        StepPolicy::NONE
    }

    /// JSON schemas of the input, the prompts and the responses that have one (feature `schemars`).
    fn schemas() -> Vec<Schema> {
        Vec::new()
    }
}

/// The JSON schema of one type that crosses the border of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The type, as the graph names it.
    pub name: &'static str,
    /// Its JSON schema.
    pub schema: serde_json::Value,
}

/// When a step is run again, and how long an attempt may take: the options of `#[step(..)]` that the driver knows.
#[derive(Clone, Copy, Debug)]
pub struct StepPolicy {
    /// When a failed attempt is made again; `None`: never.
    pub retry: Option<Retry>,
    /// How long an attempt may take. The time stands while the run is not in memory.
    pub timeout: Option<Duration>,
}

impl StepPolicy {
    /// No attempt is made again, and each may take for ever.
    pub const NONE: Self = Self { retry: None, timeout: None };
}

/// A workflow that takes the signal `T`. `#[workflow]` implements it for each, so that an undeclared one does not
/// compile.
#[diagnostic::on_unimplemented(
    message = "the workflow `{Self}` takes no signal `{T}`",
    label = "no step of this workflow takes `Signal<{T}>` or `Inbox<{T}>`"
)]
pub trait Signals<T>: Workflow {
    /// The event that a signal becomes.
    fn signal(signal: T) -> Self::Event;
}

/// A workflow that its runs share, on several threads.
pub struct Shared<W: Workflow> {
    value: Arc<dyn Value<W>>,
}

impl<W: Workflow> Shared<W> {
    /// Shares it.
    pub fn new(workflow: Arc<W>) -> Self
    where
        W: Send + Sync,
    {
        Self { value: workflow }
    }

    /// The workflow itself.
    pub(crate) fn value(&self) -> &W {
        self.value.value()
    }

    /// The workflow itself, for somebody who keeps it.
    pub(crate) fn to_arc(&self) -> Arc<W> {
        Arc::clone(&self.value).into_arc()
    }
}

impl<W: Workflow> Clone for Shared<W> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value) }
    }
}

impl<W: Workflow> fmt::Debug for Shared<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&W::GRAPH.name).finish()
    }
}

/// The workflow of which a [`Shared`] knows that it is `Send` and `Sync`.
//
// `Send` and `Sync` stand here and not above `Workflow`: there, the compiler would report what is neither at each `impl`
// for the workflow and at each use of one, and not once.
trait Value<W: Workflow>: Send + Sync {
    fn value(&self) -> &W;

    fn into_arc(self: Arc<Self>) -> Arc<W>;
}

impl<W: Workflow + Send + Sync> Value<W> for W {
    fn value(&self) -> &W {
        self
    }

    fn into_arc(self: Arc<Self>) -> Arc<W> {
        self
    }
}

/// What calling a step gives.
pub enum StepCall<E> {
    /// The step is a plain `fn` and has finished.
    Done(StepResult<E>),
    /// The step is an `async fn`, and [is in the room](Room::hold). Its work is done where the run polls it.
    Running,
    /// The step is a `fn` that blocks or computes for long (`blocking`); calling this does the work, on a thread
    /// where that harms nobody.
    Blocking(BlockingStep<E>),
}

/// A step that blocks its thread.
pub type BlockingStep<E> = Box<dyn FnOnce() -> StepResult<E> + Send>;

/// What a step comes to.
pub type StepResult<E> = Result<Emitted<E>, StepError>;

/// The event enum of a workflow: a [`Payload`] that can be saved.
pub trait Events: Payload {
    /// The value as JSON, without its name.
    ///
    /// # Errors
    /// What the type's own `Serialize` reports.
    fn encode(&self) -> Result<Box<RawValue>, serde_json::Error>;

    /// The value of the event with that number. Nothing outside this enum can be built.
    ///
    /// # Errors
    /// What the type's own `Deserialize` reports, or that there is no such event.
    fn decode(event: EventId, json: &RawValue) -> Result<Self, serde_json::Error>;
}

/// A workflow that asks `Q`. `#[workflow]` implements it for each prompt, so that an undeclared one does not compile.
///
/// `R` is the response type of `Q` and never written.
#[diagnostic::on_unimplemented(
    message = "the workflow `{Self}` never asks `{Q}`",
    label = "no step of this workflow returns `InputRequired<{Q}>` or takes `Asker<{Q}>`"
)]
pub trait Asks<Q, R = <Q as Prompt>::Response>: Workflow {
    /// The prompt, if this is a `Q`.
    fn pick(prompt: &Self::Prompt) -> Option<&Q>;

    /// The event that an answer becomes, where `asked` is the question.
    ///
    /// # Errors
    /// `asked` is not a `Q`, no step takes the answer, or the prompt's `validate` refuses it.
    fn answer(asked: &Self::Event, request: RequestId, response: R) -> Result<Self::Event, AnswerError>;
}

/// A question of the workflow `W`: each `Q` that `W` [`Asks`].
///
/// It says the same about the question, and is what the methods of a run ask for: so the compiler knows which question
/// it is about before it looks for who asks it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a question of the workflow `{W}`",
    label = "no step of this workflow asks it",
    note = "a question is a type with `#[prompt(response = ..)]` of which some step returns `InputRequired<{Self}>` or \
            takes an `Asker<{Self}>`"
)]
pub trait AskedBy<W: Workflow>: Prompt {
    /// The prompt, if this is one.
    fn pick(prompt: &W::Prompt) -> Option<&Self>;

    /// The event that an answer becomes, where `asked` is the question.
    ///
    /// # Errors
    /// As [`Asks::answer`].
    fn answer(
        asked: &W::Event,
        request: RequestId,
        response: Self::Response,
    ) -> Result<W::Event, AnswerError>;
}

#[diagnostic::do_not_recommend]
impl<W: Asks<Q>, Q: Prompt> AskedBy<W> for Q {
    fn pick(prompt: &W::Prompt) -> Option<&Q> {
        W::pick(prompt)
    }

    fn answer(asked: &W::Event, request: RequestId, response: Q::Response) -> Result<W::Event, AnswerError> {
        W::answer(asked, request, response)
    }
}

/// A signal to the workflow `W`: each `T` of which `W` takes [`Signals`]. As [`AskedBy`] is for questions.
#[diagnostic::on_unimplemented(
    message = "the workflow `{W}` takes no signal `{Self}`",
    label = "no step of this workflow takes `Signal<{Self}>` or `Inbox<{Self}>`"
)]
pub trait SentTo<W: Workflow> {
    /// The event that it becomes.
    fn into_event(self) -> W::Event;
}

#[diagnostic::do_not_recommend]
impl<W: Signals<T>, T> SentTo<W> for T {
    fn into_event(self) -> W::Event {
        W::signal(self)
    }
}

/// Why an answer cannot be taken. Nothing has changed: the question is still open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The answer is not of the response's type.
    #[error("the answer is not a `{expected}`: {reason}")]
    WrongType {
        /// The response's type.
        expected: &'static str,
        /// What reading it reported.
        reason: String,
    },
    /// The prompt's `validate` refuses the answer. Its words are written for the person who answered.
    #[error("{reason}")]
    Invalid {
        /// What `validate` said.
        reason: String,
    },
    /// The request asks something else.
    #[error("the request asks `{asked}`, not `{answered}`")]
    OtherPrompt {
        /// The prompt that is open under this id.
        asked: String,
        /// The prompt that the answer belongs to.
        answered: String,
    },
}
