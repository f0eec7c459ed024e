//! Events, prompts, and the forms that stand in step signatures.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::{Failure, InvocationId, Json};
use crate::error::StepError;
use crate::one_of::Never;
use crate::table::Numbered;

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
    note = "put `#[event]` on the type; if it is not yours, wrap it in a type that is; if it is a question, return \
            `InputRequired<..>`",
    note = "signatures are read as they are written: an alias of `OneOf`, `Vec`, `Option` or `Result` has to be written out"
)]
pub trait Event: Send + Sync + 'static {}

/// What `#[event]` and the derive say of a type. Not public API.
//
// Not `Event` itself: what is asked by that would be reported in the compiler's words, at the definition and wherever
// the type is used. This one asks nothing, and is looked at first.
pub trait IsEvent {
    /// What is asked at the definition. An error in it is an error in this value, so a workflow that looks at the value
    /// does not report the same again.
    const DEFINED: bool = true;
}

#[diagnostic::do_not_recommend]
impl<T: IsEvent + Send + Sync + 'static> Event for T {}

/// A question to a person. Put [`#[prompt(response = ..)]`](crate::prompt) on the type.
///
/// The question and its answer go from thread to thread and are saved with the run, so both must also be `Send`, `Sync`
/// and [`Saved`](crate::Saved). `#[prompt]` asks for it at the definition, and an `impl` block that asks the question
/// does where the trait was implemented by hand.
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
pub trait Prompt: Clone + 'static {
    /// What an answer is made of.
    type Response: 'static;

    /// Not public API: see `IsEvent`.
    #[doc(hidden)]
    const DEFINED: bool = true;

    /// Refuses answers that make no sense. The person is told why and can answer again.
    ///
    /// # Errors
    /// What is wrong with the answer, in words for the person.
    fn validate(&self, response: &Self::Response) -> Result<(), String> {
        let _ = response;
        Ok(())
    }
}

/// A type with answers, which every [`Prompt`] is. Not public API.
//
// A form that names `<Q as Prompt>::Response` as a parameter of its own has the compiler look `Prompt` up wherever the
// form stands, with all that is asked of prompts, at the smallest type that says so *and* at the whole one around it.
// Through this trait it looks for one thing, and says in one place that it is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    label = "a person can be asked prompts only",
    note = "put `#[prompt(response = ..)]` on the type; for a plain question there is `InputRequired::text(\"..\")`"
)]
pub trait Answered {
    /// What an answer is made of.
    type Response;
}

#[diagnostic::do_not_recommend]
impl<Q: Prompt> Answered for Q {
    type Response = Q::Response;
}

/// The id of one question to a person, made when it is asked. Unique within its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl Numbered for RequestId {
    fn number(self) -> u64 {
        self.0
    }
}

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
    /// The answer, if nobody gives one in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Box<DefaultAnswer>>,
}

/// An answer as JSON, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DefaultAnswer(Result<Json, Arc<str>>);

impl Serialize for DefaultAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(json) => json.serialize(serializer),
            Err(reason) => Err(S::Error::custom(reason)),
        }
    }
}

impl<'de> Deserialize<'de> for DefaultAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(|json| Self(Ok(json)))
    }
}

impl<Q> InputRequired<Q> {
    /// Asks `prompt`.
    pub const fn new(prompt: Q) -> Self {
        Self { prompt, expires_in: None, default: None }
    }

    /// Closes the question if nobody has answered after so long. A step that takes [`Expired<Q>`] goes on then; where
    /// none does, it is a failure of the step that asked. To go on with an answer all the same, there is
    /// [`or_answer`](Self::or_answer).
    #[must_use]
    pub fn expires_in(mut self, after: Duration) -> Self {
        self.expires_in = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl<Q: Prompt> InputRequired<Q> {
    /// What counts as the answer if nobody has given one in [time](Self::expires_in); without a time, the question just
    /// stays open. The steps that take
    /// [`HumanResponse<Q>`] get it as they would get any other; the prompt's `validate` is not asked about it.
    ///
    /// An answer that does not serialise is a failure of the step that asks, wherever the question is saved, and counts as
    /// none elsewhere.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use workflow_runtime::prelude::*;
    ///
    /// #[prompt(response = bool)]
    /// struct Publish;
    ///
    /// struct Article;
    ///
    /// #[workflow]
    /// impl Article {
    ///     #[step]
    ///     fn ask(&self, _: Start) -> InputRequired<Publish> {
    ///         InputRequired::new(Publish).expires_in(Duration::from_secs(3_600)).or_answer(&false)
    ///     }
    ///
    ///     #[step]
    ///     fn decide(&self, answer: HumanResponse<Publish>) -> Stop<bool> {
    ///         Stop(answer.response)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), RunError> {
    /// assert!(!Article.run(()).await?); // an hour later
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn or_answer(mut self, response: &Q::Response) -> Self
    where
        Q::Response: Serialize,
    {
        let json = serde_json::value::to_raw_value(response);
        let answer = json.map(Json).map_err(|error| error.to_string().into());
        self.default = Some(Box::new(DefaultAnswer(answer)));
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
pub struct HumanResponse<Q = Text, R = <Q as Answered>::Response> {
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
//
// See `Emitter` for the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signal<T = Never>(pub T);

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
