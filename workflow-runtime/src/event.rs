//! Events, prompts, and the forms that stand in step signatures.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::{Failure, InvocationId};
use crate::error::StepError;

/// A value that travels between steps. Put [`#[event]`](crate::event) on the type.
///
/// An event is saved with its run, so it must also be [`Saved`](crate::Saved), and `Clone` if some step takes
/// it by value. The `impl` block that uses it is where that is checked.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// struct Priced {
///     cents: u64,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "a step can take or return events only",
    note = "put `#[event]` on the type; if it is not yours, wrap it in a type that is",
    note = "signatures are read as they are written: an alias of `OneOf`, `Vec`, `Option` or `Result` has to be written out"
)]
pub trait Event: Send + Sync + 'static {}

/// A question to a person. Put [`#[prompt(response = ..)]`](crate::prompt) on the type.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[prompt(response = u32, validate = in_range)]
/// struct HowMany {
///     at_most: u32,
/// }
///
/// fn in_range(question: &HowMany, answer: &u32) -> Result<(), String> {
///     if *answer <= question.at_most { Ok(()) } else { Err(format!("at most {}", question.at_most)) }
/// }
///
/// assert_eq!(HowMany { at_most: 3 }.validate(&7), Err("at most 3".to_owned()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    label = "a person can be asked prompts only",
    note = "put `#[prompt(response = ..)]` on the type; for a plain question there is `InputRequired::text(\"..\")`"
)]
pub trait Prompt: Clone + Send + Sync + 'static {
    /// What an answer is made of.
    type Response: Send + Sync + 'static;

    /// Refuses answers that make no sense. The person is told why and can answer again.
    ///
    /// # Errors
    /// What is wrong with the answer, in words for the person.
    fn validate(&self, response: &Self::Response) -> Result<(), String> {
        let _ = response;
        Ok(())
    }
}

/// The id of one question to a person, made when it is asked. Unique within its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The input of a run. Exactly one type `I` per workflow; `Start` alone is `Start<()>`.
///
/// # Examples
/// ```
/// # use workflow_runtime::prelude::*;
/// # #[data] struct Order { id: u64 }
/// # #[event] struct Priced { id: u64 }
/// # struct Checkout;
/// # impl Checkout {
/// fn price(&self, Start(order): Start<Order>) -> Priced {
///     Priced { id: order.id }
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Start<I = ()>(pub I);

/// Ends the run with `O`; everything else in it is cancelled. Exactly one type `O` per workflow; `Stop`
/// alone is `Stop<()>`, and `Stop(())` its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stop<O = ()>(pub O);

/// Asks a person. This branch of the run waits for the answer, everything else goes on.
///
/// A step that takes [`HumanResponse<Q>`] gets the answer. Where a step needs the answer in the middle of its work, it
/// takes an [`Asker<Q>`](crate::Asker).
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// let ask = InputRequired::text("Enter a number: ");
/// assert_eq!(ask.prompt.message, "Enter a number: ");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputRequired<Q = Text> {
    /// The question.
    pub prompt: Q,
    /// How many milliseconds the question stays open; `None`: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in: Option<u64>,
}

impl<Q> InputRequired<Q> {
    /// Asks `prompt`.
    pub const fn new(prompt: Q) -> Self {
        Self { prompt, expires_in: None }
    }

    /// Closes the question if nobody has answered after so long. A step that takes [`Expired<Q>`] goes on then; where
    /// none does, it is a failure of the step that asked.
    #[must_use]
    pub fn expires_in(mut self, after: Duration) -> Self {
        self.expires_in = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl InputRequired {
    /// Asks for a line of text.
    pub fn text(message: impl Into<String>) -> Self {
        Self::new(Text { message: message.into() })
    }
}

/// The answer to an [`InputRequired<Q>`].
///
/// `R` is the response type of `Q` and never written.
//
// `R` stands here so that `Q` needs no bound: with one, a `Q` that is not a prompt would be reported at every
// mention of a value of this type, not once at the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanResponse<Q = Text, R = <Q as Prompt>::Response> {
    /// Which question this answers.
    pub request: RequestId,
    /// The question.
    pub prompt: Q,
    /// The answer.
    pub response: R,
}

/// Nobody answered an [`InputRequired<Q>`] in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Expired<Q = Text> {
    /// The question that stayed open.
    pub request: RequestId,
    /// The question.
    pub prompt: Q,
}

/// A step that failed for good: what an error handler takes, and what a gather that takes failures finds in place of a
/// member.
///
/// `StepFailed<T>` carries the event that the step was given. It can be taken where every step that it is about takes
/// a `T`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepFailed<T = ()> {
    /// Name of the step.
    pub step: String,
    /// Which invocation of it.
    pub invocation: InvocationId,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why the last one failed.
    pub error: StepError,
    /// What the step was given.
    pub input: T,
}

impl<T> StepFailed<T> {
    /// Not public API: what the expansion of `#[workflow]` calls.
    #[doc(hidden)]
    pub fn new(failure: Failure, input: T) -> Self {
        let Failure { step, invocation, attempts, error } = failure;
        Self { step, invocation, attempts, error, input }
    }
}

impl<T> fmt::Display for StepFailed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step `{}` failed after {} attempts", self.step, self.attempts)
    }
}

impl<T: fmt::Debug> std::error::Error for StepFailed<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error.as_error())
    }
}

/// An event that is sent from outside, at any moment of the run: each step that takes `Signal<T>` gets each one.
///
/// Where a step takes signals while it runs, one after the other, it has an [`Inbox<T>`](crate::Inbox).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signal<T>(pub T);

/// The plain question: a message, answered by a `String`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    /// What the person reads.
    pub message: String,
}

#[diagnostic::do_not_recommend]
impl Prompt for Text {
    type Response = String;
}

/// The prompt enum of a workflow that asks nothing. It has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NoPrompt {}
