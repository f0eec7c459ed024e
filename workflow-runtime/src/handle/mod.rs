//! What the caller holds: a run, its questions, and how it ended.

mod delivery;
mod error;
mod id;
mod question;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use crate::driver::{Host, step_name};
use crate::engine::{Refused, Request, Status, Tick};
use crate::event::RequestId;
use crate::snapshot::{ResumeError, Snapshot, SnapshotError};
use crate::stream::RunEvents;
use crate::wakers::Place;
use crate::workflow::{AnswerError, AskedBy, Events as _, SentTo, Workflow};

pub use delivery::Delivery;
pub use error::{PendingError, RespondError, RunError, SendError, Stalled, WaitingJoin};
pub use id::RunId;
pub use question::{Ask, Pending, Question};

/// Starts and resumes runs, on a workflow or on an `Arc` of one.
pub trait WorkflowExt<W: Workflow>: Into<Arc<W>> {
    /// Starts a run. It starts now, not when the handle is awaited.
    ///
    /// Retries, timeouts and expiries need the runtime's timers (`enable_time`). Without them, a run that has to wait for a
    /// time is cancelled, with that as the reason.
    ///
    /// # Panics
    /// Outside a tokio runtime, like `tokio::spawn`.
    ///
    /// # Examples
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// struct Double;
    ///
    /// #[workflow]
    /// impl Double {
    ///     #[step]
    ///     fn double(&self, Start(n): Start<u32>) -> Stop<u32> {
    ///         Stop(n * 2)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), RunError> {
    /// let run = Double.run(21);
    /// assert_eq!(run.await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    fn run(self, input: W::Input) -> Run<W> {
        self.run_with(input, RunOptions::default())
    }

    /// Starts a run under an id of the caller's, or with a limit to its time.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    fn run_with(self, input: W::Input, options: RunOptions) -> Run<W> {
        Run { host: Handle(Host::start(self.into().share(), input, options)) }
    }

    /// Takes up a run where a snapshot left it, under its old id. Steps that had finished do not run again;
    /// steps that were running start again from their input, and so does the step that had failed.
    ///
    /// # Errors
    /// The snapshot is of another workflow or of a newer format, does not fit the workflow as it is now, or
    /// is of a run that has its output. Everything that does not fit is listed, and nothing has started.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    fn resume(self, snapshot: Snapshot) -> Result<Run<W>, ResumeError> {
        let restored = snapshot.restore(W::GRAPH)?;
        let state = restored.state::<W::State>()?;
        Ok(Run { host: Handle(Host::resume(self.into().share(), restored, state)) })
    }
}

/// How a run is started.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use workflow_runtime::RunOptions;
///
/// let options = RunOptions::default().id("order-17").timeout(Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    pub(crate) id: Option<RunId>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<SystemTime>,
}

impl RunOptions {
    /// The id of the run; else it is random.
    #[must_use]
    pub fn id(mut self, id: impl Into<RunId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// How long the run may be at work. It does not count while the run only waits for people or signals, nor while
    /// no process holds it. A run that timed out can be resumed, and has this time anew.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// When the run must have ended, by the wall clock, whatever it waits for and whether or not a process holds it.
    /// A run that is continued after its deadline has none any more.
    #[must_use]
    pub fn deadline(mut self, deadline: SystemTime) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

impl<W: Workflow> WorkflowExt<W> for W {}

impl<W: Workflow> WorkflowExt<W> for Arc<W> {}

/// A run that has started. Await it (or a reference to it) for the output.
///
/// Clones are handles of the same run.
///
/// # Dropping
/// Dropping a handle does not stop the run: steps go on, to the end if nobody needs to be asked. A run that only
/// waits for an answer or a signal, with no handle left to give one, waits in vain; it is cancelled, and its stream ends
/// with [`Cancelled`](crate::RunEventKind::Cancelled). A step that waits for something else beside the answer, such as
/// a timer, keeps its run going. To stop a run, [`cancel`](Self::cancel) or
/// [`suspend`](Self::suspend) it.
#[must_use = "dropping the last handle of a run loses its output; await it, or keep it"]
pub struct Run<W: Workflow> {
    host: Handle<W>,
}

/// A run that somebody can still answer or wait for. The host counts them.
pub(crate) struct Handle<W: Workflow>(Arc<Host<W>>);

impl<W: Workflow> Clone for Handle<W> {
    fn clone(&self) -> Self {
        self.0.add_handle();
        Self(Arc::clone(&self.0))
    }
}

impl<W: Workflow> Drop for Handle<W> {
    fn drop(&mut self) {
        self.0.drop_handle();
    }
}

impl<W: Workflow> Deref for Handle<W> {
    type Target = Arc<Host<W>>;

    fn deref(&self) -> &Arc<Host<W>> {
        &self.0
    }
}

impl<W: Workflow> Clone for Run<W> {
    fn clone(&self) -> Self {
        Self { host: self.host.clone() }
    }
}

impl<W: Workflow> fmt::Debug for Run<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("workflow", &W::GRAPH.name).field("id", self.id()).finish_non_exhaustive()
    }
}

impl<W: Workflow> Run<W> {
    /// The first handle of a run, which was counted when the run was made.
    pub(crate) fn first(host: Arc<Host<W>>) -> Self {
        Self { host: Handle(host) }
    }

    /// One more handle of a run.
    pub(crate) fn another(host: Arc<Host<W>>) -> Self {
        host.add_handle();
        Self::first(host)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &RunId {
        self.host.id()
    }

    /// Its events, from the oldest that is kept.
    ///
    /// Readers are independent: each sees every event that is kept, and the terminal one last. A run that was
    /// resumed tells its open questions first.
    pub fn events(&self) -> RunEvents<W> {
        self.events_after(self.host.look(|_, stream| stream.before_first()))
    }

    /// Its events after the one of that number.
    ///
    /// If those are not kept any more, the reader is told how many it missed, and every question that is
    /// still open.
    pub fn events_after(&self, number: u64) -> RunEvents<W> {
        let attends = self.host.is_kept().then(|| self.host.clone());
        RunEvents::new(Arc::<Host<W>>::clone(&self.host), number, attends)
    }

    /// The questions that are open now, oldest first.
    #[must_use]
    pub fn pending(&self) -> Pending<W> {
        let run = self.id();
        let questions = self.host.look(|engine, stream| {
            if *engine.state().status() != Status::Running {
                return Vec::new();
            }
            let open = engine.state().requests().filter(|(id, _)| stream.shows(*id));
            let open = open.filter_map(|(id, request)| {
                let prompt = W::prompt(&request.prompt)?;
                let Request { asked_at, expires_at, .. } = *request;
                let (run, step) = (run.clone(), step_name::<W>(request.step));
                Some(Question { run, id, step, prompt, asked_at, expires_at })
            });
            open.collect()
        });
        Pending { run: run.clone(), questions }
    }

    /// Answers a question.
    ///
    /// # Errors
    /// The question is not open (any more), is of another run, or the prompt's `validate` refuses the answer. Nothing has
    /// changed.
    ///
    /// # Panics
    /// The prompt's `validate` panics. Nothing has changed.
    ///
    /// # Cancel safety
    /// Cancel safe: the answer is taken as a whole or not at all.
    pub fn respond<Q>(&self, ask: &Ask<Q>, response: Q::Response) -> Delivery<'_, RespondError>
    where
        Q: AskedBy<W, Response: Send>,
    {
        let request = ask.id;
        let other = (ask.run != *self.id()).then(|| ask.run.clone());
        Delivery::new(async move {
            if let Some(of) = other {
                return Err(RespondError::OtherRun { run: self.id().clone(), request, of });
            }
            self.answer(request, |asked| Q::answer(asked, request, response))?;
            self.answer_is_stored(request).await
        })
    }

    /// Answers a question with JSON of the response's type, for callers that do not have the type. (`RawValue` is
    /// `serde_json`'s, with its feature `raw_value`.)
    ///
    /// # Errors
    /// The question is not open (any more), the JSON is not of the response's type, or the prompt's `validate`
    /// refuses the answer. Nothing has changed.
    ///
    /// # Panics
    /// The prompt's `validate` panics. Nothing has changed.
    ///
    /// # Cancel safety
    /// Cancel safe: the answer is taken as a whole or not at all.
    pub async fn respond_json(&self, request: RequestId, response: &RawValue) -> Result<(), RespondError> {
        self.answer(request, |asked| W::answer_json(asked, request, response))?;
        self.answer_is_stored(request).await
    }

    /// Sends an event from outside to every step that takes `Signal<T>`. A `T` that no step takes does not compile.
    ///
    /// # Errors
    /// The run has ended.
    ///
    /// # Cancel safety
    /// Cancel safe: the signal is taken as a whole or not at all.
    pub fn send<T: SentTo<W>>(&self, signal: T) -> Delivery<'_, SendError> {
        let event = signal.into_event();
        Delivery::new(async move { self.take_signal(event).await })
    }

    /// Sends a signal by its name and as JSON, for callers that do not have the type: `send_json("Pay", ..)` for a
    /// `Signal<Pay>` or an `Inbox<Pay>`.
    ///
    /// # Errors
    /// The workflow takes no such signal, the JSON is not of its type, or the run has ended. Nothing has changed.
    ///
    /// # Cancel safety
    /// Cancel safe: the signal is taken as a whole or not at all.
    pub async fn send_json(&self, signal: &str, value: &RawValue) -> Result<(), SendError> {
        let run = || self.id().clone();
        let name = || signal.to_owned();
        let found = W::GRAPH.event_named(&format!("Signal<{signal}>"));
        let Some(event) = found.filter(|event| W::GRAPH.takes_signal(*event)) else {
            return Err(SendError::NoSuchSignal { run: run(), signal: name() });
        };
        let event = W::Event::decode(event, value).map_err(|source| SendError::WrongType {
            run: run(),
            signal: name(),
            source: Arc::new(source),
        })?;
        self.take_signal(event).await
    }

    async fn take_signal(&self, event: W::Event) -> Result<(), SendError> {
        let run = || self.id().clone();
        self.host.tick(Tick::Signal { event }).map_err(|_| SendError::Ended { run: run() })?;
        self.host.settled().await.map_err(|why| SendError::NotStored { run: run(), why })
    }

    async fn answer_is_stored(&self, request: RequestId) -> Result<(), RespondError> {
        let run = || self.id().clone();
        self.host.settled().await.map_err(|why| RespondError::NotStored { run: run(), request, why })
    }

    fn answer(
        &self,
        request: RequestId,
        answer: impl FnOnce(&W::Event) -> Result<W::Event, AnswerError>,
    ) -> Result<(), RespondError> {
        let run = || self.id().clone();
        // The prompt's `validate` is the author's code, so it runs outside the lock.
        let asked = self.host.look(|engine, _| match engine.state().status() {
            Status::Running => {
                let open = engine.state().request(request).map(|open| open.prompt.clone());
                open.ok_or_else(|| RespondError::NotOpen { run: run(), request })
            }
            _ => Err(RespondError::Ended { run: run(), request }),
        })?;
        let response =
            answer(&asked).map_err(|reason| RespondError::Refused { run: run(), request, reason })?;
        self.host.tick(Tick::Answered { request, response }).map_err(|refused| match refused {
            Refused::Ended => RespondError::Ended { run: run(), request },
            _ => RespondError::NotOpen { run: run(), request },
        })
    }

    /// Copies the run as it is now; the run goes on.
    ///
    /// Steps that are running now will run again, from their input, in whatever resumes the copy.
    ///
    /// # Errors
    /// The run has its output, so nothing is left to save; or a value does not serialise.
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let taken = self.host.look_at_all(|engine, stream, state| {
            let snapshot = Snapshot::take(self.id(), engine, stream.next_number())?;
            if size_of::<W::State>() == 0 { Ok(snapshot) } else { snapshot.with_state(state) }
        });
        taken.unwrap_or_else(|message| Err(SnapshotError::Broken { run: self.id().clone(), message }))
    }

    /// Stops the run where it is, and saves it. Steps that were running are cancelled, and run again, from
    /// their input, when it is resumed.
    ///
    /// A run that has already failed, or was cancelled, is saved as it stands.
    ///
    /// # Errors
    /// The run has its output, so there is nothing to save; or a value does not serialise.
    ///
    /// # Cancel safety
    /// The run is stopped by the first poll. Dropped after that, the snapshot can still be had with
    /// [`snapshot`](Self::snapshot).
    pub async fn suspend(&self) -> Result<Snapshot, SnapshotError> {
        // Refused where the run has ended by itself; then its end is what is saved, or reported.
        let _ = self.host.tick(Tick::Suspended);
        let _ = self.await;
        self.snapshot()
    }

    /// As [`suspend`](Self::suspend), but lets the steps that run now finish first, for as long as `grace`. No other step
    /// starts meanwhile; steps that wait for an answer or a signal are not waited for.
    ///
    /// # Errors
    /// As `suspend`; also where a step ends the run in that time.
    ///
    /// # Cancel safety
    /// Steps are held back from the first poll on. Dropped after that, the run goes on as if nothing had been said.
    pub async fn suspend_after(&self, grace: Duration) -> Result<Snapshot, SnapshotError> {
        let _held = self.host.hold();
        // It does not matter which of the two it was.
        let _ = tokio::time::timeout(grace, self.host.quiet()).await;
        self.suspend().await
    }

    /// Cancels the run, and returns when its steps have stopped. A run that has already ended stays as it is.
    ///
    /// # Cancel safety
    /// The run is cancelled by the first poll.
    pub async fn cancel(&self, reason: impl Into<String>) {
        // Refused where the run has ended by itself.
        let _ = self.host.tick(Tick::Cancelled { reason: reason.into() });
        let _ = self.await;
    }

    /// The state of the run, as the steps that have finished left it.
    #[must_use]
    pub fn state(&self) -> Arc<W::State> {
        self.host.state()
    }

    /// Whether nothing is at work, and an answer or a signal is waited for: the run goes on when it comes, or when a
    /// question expires.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.host.look(|engine, _| engine.state().is_waiting())
    }

    /// Whether the run has ended, in whatever way.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.host.is_over()
    }
}

/// Waits for the end of a run. Cancel safe: waiting has no effect on the run.
pub struct RunFuture<W: Workflow> {
    host: Handle<W>,
    place: Place,
}

impl<W: Workflow> Drop for RunFuture<W> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.host.leave(&self.place);
        }
    }
}

impl<W: Workflow> Future for RunFuture<W> {
    type Output = Result<W::Output, RunError>;

    fn poll(self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Self::Output> {
        let Self { host, place } = self.get_mut();
        let outcome = host.poll_outcome(place, poller.waker());
        if outcome.is_ready() {
            // There is none to be given back any more.
            *place = Place::default();
        }
        outcome
    }
}

impl<W: Workflow> fmt::Debug for RunFuture<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFuture").field("run", self.host.id()).finish_non_exhaustive()
    }
}

impl<W: Workflow> IntoFuture for Run<W> {
    type Output = Result<W::Output, RunError>;
    type IntoFuture = RunFuture<W>;

    fn into_future(self) -> RunFuture<W> {
        RunFuture { host: self.host, place: Place::default() }
    }
}

impl<W: Workflow> IntoFuture for &Run<W> {
    type Output = Result<W::Output, RunError>;
    type IntoFuture = RunFuture<W>;

    fn into_future(self) -> RunFuture<W> {
        RunFuture { host: self.host.clone(), place: Place::default() }
    }
}
