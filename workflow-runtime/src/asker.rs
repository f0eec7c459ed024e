//! Asking from inside a step.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use serde_json::value::RawValue;
use workflow_graph::EventId;

use crate::calls::Call;
use crate::context::Context;
use crate::driver::event_name;
use crate::engine::{Note, NoteKind, Noted};
use crate::event::{Answered, InputRequired, RequestId, Text};
use crate::workflow::Workflow;

/// Asks people while the step runs: `person: Asker<Q>` in its signature. `Asker` alone asks [`Text`].
///
/// The question is open like any other, and is answered in the same way; but its answer comes back to this step and
/// to no other. Choose it where the answer is needed in the middle of something; where it is the next thing that
/// happens, returning [`InputRequired`] keeps the wait in the graph.
///
/// While the process lives, the step just waits. When the run is resumed, or the step is run again because it failed
/// afterwards, nobody is asked a second time: each call finds its answer, by what it asked and how often this attempt
/// had asked just that before. Another question is a new question, never an old answer. So what a step decides by
/// the clock, by randomness or by the state before it asks goes through a [`memo`](Context::memo), and the step asks
/// the same again.
///
/// What it asks belongs to the step: a question that is open when the step finishes is withdrawn, and a future that
/// was moved to where it outlives the step is never ready.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[prompt(response = u32)]
/// struct HowMany {
///     item: String,
/// }
///
/// struct Shop;
///
/// #[workflow]
/// impl Shop {
///     #[step]
///     async fn sell(&self, Start(items): Start<Vec<String>>, person: Asker<HowMany>) -> Result<Stop<u32>, AskError> {
///         let mut count = 0;
///         for item in items {
///             count += person.ask(HowMany { item }).await?;
///         }
///         Ok(Stop(count))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let run = Shop.run(vec!["lamp".to_owned(), "chair".to_owned()]);
/// let mut events = run.events();
/// while let Some(event) = events.next().await {
///     if let Some(ask) = event?.ask::<HowMany>() {
///         run.respond(&ask, 2).await?;
///     }
/// }
/// assert_eq!(run.await?, 4);
/// # Ok(())
/// # }
/// ```
//
// `R` is the response type of `Q` and never written; see `HumanResponse` for why it stands here.
pub struct Asker<Q = Text, R = <Q as Answered>::Response> {
    ask: Box<dyn Fn(Q) -> Asking<R> + Send + Sync>,
}

impl<Q, R> Asker<Q, R> {
    /// Not public API: what the expansion of `#[workflow]` calls.
    #[doc(hidden)]
    pub fn new<W: Workflow>(
        context: &Context<W>,
        prompt: EventId,
        encode: fn(&Q) -> Result<Box<RawValue>, serde_json::Error>,
        asked: fn(InputRequired<Q>) -> W::Event,
        answered: fn(W::Event) -> Option<R>,
    ) -> Self
    where
        Q: Send + 'static,
        R: 'static,
    {
        let caller = context.caller();
        let name = event_name::<W>(prompt);
        let ask = move |question: Q| {
            let content = encode(&question);
            let key =
                content.as_ref().map_or_else(|_| name.to_owned(), |json| format!("{name} {}", json.get()));
            let call = caller.clone().call(NoteKind::Ask, key);
            let unfit = content.err().map(|source| AskError::Encode { source: Arc::new(source) });
            let question = Some(InputRequired::new(question));
            Asking { inner: Box::new(Question { call, prompt: name, question, asked, answered, unfit }) }
        };
        Self { ask: Box::new(ask) }
    }

    /// Asks a question. It is open from the first poll on; dropping the future withdraws it.
    ///
    /// Several questions can be open at once, for example joined, or each raced against something else. To wait
    /// at most so long, there is [`expires_in`](Asking::expires_in), which holds in another process as well.
    ///
    /// # Errors
    /// Nobody answered in time, or the question cannot be saved; see [`AskError`].
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready withdraws the question for good: where the step is run again, the same
    /// call is never ready. Polling it again after a pause loses nothing.
    pub fn ask(&self, question: Q) -> Asking<R> {
        (self.ask)(question)
    }
}

impl<R> Asker<Text, R> {
    /// Asks for a line of text.
    pub fn text(&self, message: impl Into<String>) -> Asking<R> {
        self.ask(Text { message: message.into() })
    }
}

impl<Q, R> fmt::Debug for Asker<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").finish_non_exhaustive()
    }
}

/// A question that a step asks; ready with the answer. See [`Asker::ask`].
#[must_use = "a question is asked when it is awaited"]
pub struct Asking<R> {
    inner: Box<dyn PollAnswer<R>>,
}

impl<R> Asking<R> {
    /// Closes the question if nobody has answered after so long. That is then [`AskError::Expired`].
    ///
    /// To be said before the first poll; later it has no effect.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use workflow_runtime::prelude::*;
    ///
    /// struct Door;
    ///
    /// #[workflow]
    /// impl Door {
    ///     #[step]
    ///     async fn ring(&self, _: Start, person: Asker) -> Result<Stop<String>, AskError> {
    ///         match person.text("Who is there?").expires_in(Duration::from_secs(60)).await {
    ///             Err(AskError::Expired { .. }) => Ok(Stop("nobody".to_owned())),
    ///             name => Ok(Stop(name?)),
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), RunError> {
    /// assert_eq!(Door.run(()).await?, "nobody"); // a minute later
    /// # Ok(())
    /// # }
    /// ```
    pub fn expires_in(mut self, after: Duration) -> Self {
        self.inner.expires_in(after);
        self
    }

    /// Names the call. A call without a name is found again by its question, so this is for questions that do not
    /// read the same in each attempt.
    ///
    /// To be said before the first poll.
    pub fn named(mut self, name: &str) -> Self {
        self.inner.named(name);
        self
    }
}

impl<R> Future for Asking<R> {
    type Output = Result<R, AskError>;

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Self::Output> {
        self.inner.poll(poller)
    }
}

impl<R> fmt::Debug for Asking<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}

/// Why a question of a step has no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nobody answered in time. It stays so in every attempt; only a run that failed of it, and is continued, asks anew.
    #[error("nobody answered question {request} in time")]
    Expired {
        /// The question.
        request: RequestId,
    },
    /// The question does not serialise, so it cannot be saved with the run.
    #[error("the question does not serialise")]
    Encode {
        /// What its `Serialize` reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The graph does not say that the step asks this. Possible only where a workflow is written by hand.
    #[error("{reason}")]
    Misrouted {
        /// What the graph says.
        reason: String,
    },
}

/// A question, without the types of its workflow and its prompt.
trait PollAnswer<R>: Send {
    fn expires_in(&mut self, after: Duration);
    fn named(&mut self, name: &str);
    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<Result<R, AskError>>;
}

struct Question<W: Workflow, Q, R> {
    call: Call<W>,
    /// The name of what is asked: a name tells the calls of one prompt apart.
    prompt: &'static str,
    /// Until it is asked.
    question: Option<InputRequired<Q>>,
    asked: fn(InputRequired<Q>) -> W::Event,
    answered: fn(W::Event) -> Option<R>,
    unfit: Option<AskError>,
}

impl<W: Workflow, Q: Send, R> PollAnswer<R> for Question<W, Q, R> {
    fn expires_in(&mut self, after: Duration) {
        self.question = self.question.take().map(|question| question.expires_in(after));
    }

    fn named(&mut self, name: &str) {
        self.call.rename(&format!("{}: {name}", self.prompt));
    }

    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<Result<R, AskError>> {
        if let Some(unfit) = &self.unfit {
            return Poll::Ready(Err(unfit.clone()));
        }
        let mut note = self.question.take().map(|question| Note::Ask((self.asked)(question)));
        self.call.poll(poller, &mut note).map(|found| match found {
            Ok(Noted::Answered(answer)) => (self.answered)(answer).ok_or_else(|| {
                let reason = "the answer belongs to another question".to_owned();
                AskError::Misrouted { reason }
            }),
            Ok(Noted::Expired(request)) => Err(AskError::Expired { request }),
            Ok(_) => {
                Err(AskError::Misrouted { reason: "something else was noted for this question".to_owned() })
            }
            Err(refused) => Err(AskError::Misrouted { reason: refused.to_string() }),
        })
    }
}
