//! What a step is told about its run, and how it speaks while it works.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context as Poller, Poll, ready};
use std::time::Duration;

use serde_json::value::RawValue;
use workflow_graph::StepId;

use crate::calls::{Call, Caller, Calls};
use crate::driver::{Host, step_name};
use crate::engine::{InvocationId, Invoke, Json, Note, NoteKind, Noted};
use crate::error::{IntoStepError, StepError, StepErrorKind};
use crate::forms::Saved;
use crate::handle::RunId;
use crate::workflow::Workflow;

/// The run, as one step sees it: `ctx: &Context<Self>`.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// struct Copy;
///
/// #[workflow(progress = u32)]
/// impl Copy {
///     #[step]
///     async fn copy(&self, Start(bytes): Start<u32>, ctx: &Context<Self>) -> Stop<u32> {
///         for done in 0..bytes {
///             ctx.publish(done);
///         }
///         Stop(bytes)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RunError> {
/// assert_eq!(Copy.run(3).await?, 3);
/// # Ok(())
/// # }
/// ```
pub struct Context<W: Workflow> {
    host: Arc<Host<W>>,
    step: StepId,
    invocation: InvocationId,
    attempt: u32,
    depth: u32,
    last_error: Option<StepError>,
    updates: Updates<W::State>,
    /// Made when the step calls something that has to be found again.
    calls: OnceLock<Arc<Calls>>,
}

/// What a step wants changed in the state, until it has finished. `None` for a workflow without a state, which
/// would pay for it at every step.
pub(crate) type Updates<S> = Option<Arc<Mutex<Vec<Update<S>>>>>;

/// One change of the state.
pub(crate) type Update<S> = Box<dyn Fn(&mut S) + Send>;

impl<W: Workflow> Context<W> {
    pub(crate) fn new(
        host: Arc<Host<W>>,
        invoke: &Invoke<W::Event>,
        updates: Updates<W::State>,
        calls: Option<Arc<Calls>>,
    ) -> Self {
        let Invoke { invocation, attempt, step, depth, .. } = *invoke;
        let last_error = invoke.last_error().cloned();
        let calls = match calls {
            Some(calls) => OnceLock::from(calls),
            None => OnceLock::new(),
        };
        Self { host, step, invocation, attempt, depth, last_error, updates, calls }
    }

    pub(crate) fn caller(&self) -> Caller<W> {
        let calls = Arc::clone(self.calls.get_or_init(Arc::default));
        Caller { host: Arc::clone(&self.host), invocation: self.invocation, attempt: self.attempt, calls }
    }

    pub(crate) fn origin(&self) -> (Arc<Host<W>>, InvocationId, u32) {
        (Arc::clone(&self.host), self.invocation, self.attempt)
    }

    /// The workflow that the run is of: `self`, where only the context is at hand.
    ///
    /// # Examples
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// struct Archive {
    ///     suffix: String,
    /// }
    ///
    /// #[workflow(progress = String)]
    /// impl Archive {
    ///     #[step]
    ///     async fn store(&self, Start(names): Start<Vec<String>>, ctx: &Context<Self>) -> Stop<u32> {
    ///         let mut bytes = 0;
    ///         for name in names {
    ///             bytes += pack(&name, ctx).await;
    ///         }
    ///         Stop(bytes)
    ///     }
    /// }
    ///
    /// async fn pack(name: &str, ctx: &Context<Archive>) -> u32 {
    ///     let packed = format!("{name}.{}", ctx.workflow().suffix);
    ///     ctx.publish(packed.clone());
    ///     packed.len() as u32
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), RunError> {
    /// let archive = Archive { suffix: "zip".to_owned() };
    /// assert_eq!(archive.run(vec!["notes".to_owned(), "map".to_owned()]).await?, 16);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn workflow(&self) -> &W {
        self.host.workflow()
    }

    /// Tells the observers how far this step is. They see it at once, and keep it if the step fails
    /// afterwards; it has no effect on the run.
    ///
    /// What is published is of the type that the workflow names: `#[workflow(progress = P)]`. Without that it is `()`.
    ///
    /// It waits for no reader and never fails: a reader that is too slow misses events. It does wait for what the run is
    /// doing at the moment, as [`state`](Self::state) does. So hold no lock over it that a change of the state takes as
    /// well, or the `Clone`, `Serialize` or `Drop` of an event, of the state or of what is published.
    pub fn publish(&self, value: W::Progress) {
        self.host.publish(self.step, self.invocation, self.attempt, value);
    }

    /// The state of the run, as the steps that have finished left it. It is at least as new as the start of this
    /// attempt; what other steps do meanwhile is not in the value that was returned.
    #[must_use]
    pub fn state(&self) -> Arc<W::State> {
        self.host.state()
    }

    /// Changes the state when this step finishes. It is of the type that the workflow names: `#[workflow(state = S)]`.
    /// Without that it is `()`.
    ///
    /// The change is made together with what the step emits, in the order in which steps finish, on the state as it
    /// is then: so parallel steps neither lose nor double a change, and a step that fails or is cancelled changes
    /// nothing. A change that panics fails the step.
    ///
    /// While it is made, the run stands: it must not wait for anything that waits for the run.
    ///
    /// # Examples
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// #[data]
    /// #[derive(Default)]
    /// struct Tally {
    ///     words: usize,
    /// }
    ///
    /// #[event]
    /// struct Line(String);
    ///
    /// #[event]
    /// struct Read;
    ///
    /// struct Count;
    ///
    /// #[workflow(state = Tally)]
    /// impl Count {
    ///     #[step]
    ///     fn split(&self, Start(text): Start<String>) -> Vec<Line> {
    ///         text.lines().map(|line| Line(line.to_owned())).collect()
    ///     }
    ///
    ///     #[step]
    ///     async fn read(&self, Line(line): Line, ctx: &Context<Self>) -> Read {
    ///         let words = line.split_whitespace().count();
    ///         ctx.update(move |tally| tally.words += words);
    ///         Read
    ///     }
    ///
    ///     #[step]
    ///     fn all(&self, _: Vec<Read>, ctx: &Context<Self>) -> Stop<usize> {
    ///         Stop(ctx.state().words)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), RunError> {
    /// assert_eq!(Count.run("to be\nor not to be".to_owned()).await?, 6);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, change: impl Fn(&mut W::State) + Send + 'static) {
        if let Some(updates) = &self.updates {
            updates.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(change));
        }
    }

    /// Does something once, however often the step is run: records its value the moment it is there, and gives the
    /// recorded value where the step is run again, because it failed afterwards or because the run was resumed.
    ///
    /// The name tells one memo of the step from the others. Within one attempt each name is used once; in a loop, put
    /// the item into the name. Between the effect of `work` and the record there is a moment in which the process can
    /// die; where that matters, hand [`idempotency_key`](Self::idempotency_key) to whom you call.
    ///
    /// What a step decides by the clock, by randomness or by the state should go through a memo, so that a step which
    /// is run again goes the same way.
    ///
    /// # Errors
    /// The name was used before in this attempt; or the value does not serialise, or, recorded by other code, does not
    /// deserialise any more.
    ///
    /// # Cancel safety
    /// Dropping the future drops `work`, and records nothing.
    ///
    /// # Examples
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// struct Shop;
    ///
    /// #[workflow]
    /// impl Shop {
    ///     #[step(retry = Retry::fixed("1s"))]
    ///     async fn buy(&self, Start(items): Start<Vec<String>>, ctx: &Context<Self>) -> Result<Stop<u32>, StepError> {
    ///         let mut total = 0;
    ///         for item in items {
    ///             total += ctx.memo(&format!("price of {item}"), || look_up(&item)).await?;
    ///         }
    ///         if ctx.attempt() == 1 {
    ///             // The prices are not looked up again.
    ///             return Err(StepError::new("the shop is closed"));
    ///         }
    ///         Ok(Stop(total))
    ///     }
    /// }
    ///
    /// async fn look_up(item: &str) -> u32 {
    ///     item.len() as u32
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), RunError> {
    /// assert_eq!(Shop.run(vec!["lamp".to_owned()]).await?, 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn memo<T, F, Fut>(
        &self,
        name: &str,
        work: F,
    ) -> impl Future<Output = Result<T, StepError>> + use<W, T, F, Fut>
    where
        T: Saved,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let call = self.memo_call(name);
        async move {
            let call = call?;
            if let Some(known) = recorded(&call)? {
                return Ok(known);
            }
            record(&call, work().await).await
        }
    }

    /// As [`memo`](Self::memo), for work that may fail. A failure is not recorded: where the step is run again, so is the
    /// work.
    ///
    /// # Errors
    /// What the work fails with, and what `memo` fails with.
    ///
    /// # Cancel safety
    /// Dropping the future drops `work`, and records nothing.
    pub fn try_memo<T, E, F, Fut>(
        &self,
        name: &str,
        work: F,
    ) -> impl Future<Output = Result<T, StepError>> + use<W, T, E, F, Fut>
    where
        T: Saved,
        E: IntoStepError,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let call = self.memo_call(name);
        async move {
            let call = call?;
            if let Some(known) = recorded(&call)? {
                return Ok(known);
            }
            record(&call, work().await.map_err(IntoStepError::into_step_error)?).await
        }
    }

    fn memo_call(&self, name: &str) -> Result<Call<W>, StepError> {
        let call = self.caller().call(NoteKind::Memo, name);
        if call.key.count == 0 {
            return Ok(call);
        }
        let message = format!(
            "step `{}` has a memo `{name}` already in this attempt; put what tells them apart into the name",
            self.step()
        );
        Err(StepError::of_kind(StepErrorKind::Misused, message))
    }

    /// Waits. The end of the wait is recorded when it begins, so a step that is run again waits for the rest of it only,
    /// also in another process.
    ///
    /// While the step sleeps, the time of its run and its own `timeout` go on, unless it waits for an answer or a signal
    /// as well. For a pause that may be forgotten, such as
    /// one between two looks at something, there is `tokio::time::sleep`.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait; where the step is run again, the same call waits until the recorded time.
    pub fn sleep(&self, duration: Duration) -> Sleeping<W> {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let call = self.caller().call(NoteKind::Sleep, millis.to_string());
        Sleeping { call, millis, timer: None }
    }

    /// The run.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        self.host.id()
    }

    /// The name of this step.
    #[must_use]
    pub fn step(&self) -> &'static str {
        step_name::<W>(self.step)
    }

    /// This piece of work. Unique within the run, and the same over all attempts and restores.
    #[must_use]
    pub fn invocation(&self) -> InvocationId {
        self.invocation
    }

    /// Which attempt at this invocation it is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Waits until this step is cancelled: because the run was stopped, or because nobody needs its result.
    ///
    /// An `async` step is simply dropped then, and need not ask. This is for what cannot be dropped: threads, tasks and
    /// processes that the step has started.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        let token = self.host.cancellation(self.invocation, self.attempt);
        async move {
            if let Some(token) = token {
                token.cancelled_owned().await;
            }
        }
    }

    /// Whether this step was cancelled. A step that computes for long, such as a `blocking` one, looks now and then
    /// and returns early; what it returns then has no effect.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.host.cancellation(self.invocation, self.attempt).is_none()
    }

    /// Why the attempt before this one failed; `None` in the first one.
    #[must_use]
    pub fn last_error(&self) -> Option<&StepError> {
        self.last_error.as_ref()
    }

    /// How many fan-outs are open around this step: 0 outside every fan-out.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// A key for calls to the outside that must not happen twice: the same over all attempts and restores
    /// of this invocation, different for every other one, in this run and in others.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}", self.host.id(), self.invocation)
    }
}

/// What was recorded under the name of a memo.
fn recorded<W: Workflow, T: Saved>(call: &Call<W>) -> Result<Option<T>, StepError> {
    match call.look(None) {
        Some(Noted::Memo(Json(value))) => read_memo(call, &value).map(Some),
        _ => Ok(None),
    }
}

fn read_memo<W: Workflow, T: Saved>(call: &Call<W>, value: &RawValue) -> Result<T, StepError> {
    serde_json::from_str(value.get()).map_err(|error| {
        let name = &call.key.name;
        StepError::of_kind(
            StepErrorKind::Misused,
            format_args!("the value of memo `{name}` cannot be read: {error}"),
        )
    })
}

/// Records the value of a memo. If an older attempt that still runs has recorded its own meanwhile, that one counts.
async fn record<W: Workflow, T: Saved>(call: &Call<W>, value: T) -> Result<T, StepError> {
    let json = serde_json::value::to_raw_value(&value).map_err(|error| {
        let name = &call.key.name;
        StepError::of_kind(
            StepErrorKind::Misused,
            format_args!("the value of memo `{name}` does not serialise: {error}"),
        )
    })?;
    let stands = call.look(Some(Note::Memo(Json(json.clone()))));
    if call.caller.host.settled().await.is_err() {
        // The run is lost, and the step about to be dropped.
        std::future::pending::<()>().await;
    }
    match stands {
        Some(Noted::Memo(Json(first))) if first.get() != json.get() => read_memo(call, &first),
        _ => Ok(value),
    }
}

/// A wait of a step. See [`Context::sleep`].
#[must_use = "a wait begins when it is awaited"]
pub struct Sleeping<W: Workflow> {
    call: Call<W>,
    millis: u64,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<W: Workflow> Sleeping<W> {
    /// Names the call. A call without a name is found again by its duration, so this is for durations that are not the
    /// same in each attempt.
    ///
    /// To be said before the first poll.
    pub fn named(mut self, name: &str) -> Self {
        self.call.rename(name);
        self
    }
}

impl<W: Workflow> Future for Sleeping<W> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<()> {
        let Self { call, millis, timer } = &mut *self;
        if timer.is_none() {
            let mut note = Some(Note::Sleep(*millis));
            let Ok(Noted::Sleeping(until)) = ready!(call.poll(poller, &mut note)) else {
                // The step is not current any more, and about to be dropped.
                return Poll::Pending;
            };
            *timer = Some(Box::pin(tokio::time::sleep_until(call.caller.host.instant(until))));
        }
        timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(poller))
    }
}

impl<W: Workflow> fmt::Debug for Sleeping<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleeping").field("millis", &self.millis).finish_non_exhaustive()
    }
}

impl<W: Workflow> fmt::Debug for Context<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("run", self.run_id())
            .field("step", &self.step())
            .field("invocation", &self.invocation)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
