//! What the caller holds: a run, its questions, and how it ended.

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workflow_graph::{Graph, Param};

use crate::driver::{Host, step_name};
use crate::engine::{InvocationId, Refused, Request, Stall, Status, Tick, Time};
use crate::error::StepError;
use crate::event::{Prompt, RequestId};
use crate::snapshot::{ResumeError, Snapshot, SnapshotError};
use crate::stream::RunEvents;
use crate::workflow::{AnswerError, Asks, Signals, Workflow};

/// Starts and resumes runs, on a workflow or on an `Arc` of one.
pub trait WorkflowExt<W: Workflow>: Into<Arc<W>> {
    /// Starts a run. It starts now, not when the handle is awaited.
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
    /// Outside a tokio runtime, like `tokio::spawn`.
    fn run_with(self, input: W::Input, options: RunOptions) -> Run<W> {
        Run { host: Host::start(self.into(), input, options) }
    }

    /// Takes up a run where a snapshot left it, under its old id. Steps that had finished do not run again;
    /// steps that were running start again from their input, and so does the step that had failed.
    ///
    /// # Errors
    /// The snapshot is of another workflow or of a newer format, does not fit the workflow as it is now, or
    /// is of a run that has its output. Everything that does not fit is listed, and nothing has started.
    ///
    /// # Panics
    /// Outside a tokio runtime, like `tokio::spawn`.
    fn resume(self, snapshot: Snapshot) -> Result<Run<W>, ResumeError> {
        let restored = snapshot.restore(W::GRAPH)?;
        let state = restored.state::<W::State>()?;
        Ok(Run { host: Host::resume(self.into(), restored, state) })
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
    #[must_use]
    pub fn deadline(mut self, deadline: SystemTime) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

impl<W: Workflow> WorkflowExt<W> for W {}

impl<W: Workflow> WorkflowExt<W> for Arc<W> {}

/// The id of a run: made when it starts, kept over every snapshot and restore.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Arc<str>);

impl RunId {
    /// A new id: 128 random bits, in hexadecimal.
    #[must_use]
    pub fn random() -> Self {
        use std::hash::{BuildHasher, RandomState};

        let mut bits = [0; 16];
        if getrandom::fill(&mut bits).is_err() {
            // The system gives no randomness, as some sandboxes do. The seeds of hash maps are the next best.
            let half = || RandomState::new().hash_one(0).to_le_bytes();
            bits[..8].copy_from_slice(&half());
            bits[8..].copy_from_slice(&half());
        }
        Self(format!("{:032x}", u128::from_le_bytes(bits)).into())
    }

    /// A number that depends on the id alone (FNV-1a).
    pub(crate) fn seed(&self) -> u64 {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, step)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for RunId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for RunId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

/// A run that has started. Await it (or a reference to it) for the output.
///
/// Clones are handles of the same run.
///
/// # Dropping
/// Dropping a handle does not stop the run: steps go on, to the end if nobody needs to be asked. A run that
/// waits for an answer when its last handle goes can never be answered; it is freed, and its stream ends
/// with [`Cancelled`](crate::RunEventKind::Cancelled). To stop a run, [`cancel`](Self::cancel) or
/// [`suspend`](Self::suspend) it.
#[must_use = "dropping the last handle of a run loses its output; await it, or keep it"]
pub struct Run<W: Workflow> {
    host: Arc<Host<W>>,
}

impl<W: Workflow> Clone for Run<W> {
    fn clone(&self) -> Self {
        Self { host: Arc::clone(&self.host) }
    }
}

impl<W: Workflow> fmt::Debug for Run<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("workflow", &W::GRAPH.name).field("id", self.id()).finish_non_exhaustive()
    }
}

impl<W: Workflow> Run<W> {
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
        self.events_after(0)
    }

    /// Its events after the one of that number.
    ///
    /// If those are not kept any more, the reader is told how many it missed, and every question that is
    /// still open.
    pub fn events_after(&self, number: u64) -> RunEvents<W> {
        RunEvents::new(Arc::clone(self.host.stream()), number)
    }

    /// The questions that are open now, oldest first.
    #[must_use]
    pub fn pending(&self) -> Pending<W> {
        let questions = self.host.look(|engine| {
            if *engine.state().status() != Status::Running {
                return Vec::new();
            }
            let open = engine.state().requests().filter_map(|(id, request)| {
                let prompt = W::prompt(&request.prompt)?;
                let Request { asked_at, expires_at, .. } = *request;
                Some(Question { id, step: step_name::<W>(request.step), prompt, asked_at, expires_at })
            });
            open.collect()
        });
        Pending { run: self.id().clone(), questions }
    }

    /// Answers a question.
    ///
    /// # Errors
    /// The question is not open (any more), or the prompt's `validate` refuses the answer. Nothing has changed.
    ///
    /// # Cancel safety
    /// Cancel safe: the answer is taken as a whole or not at all.
    pub async fn respond<Q: Prompt>(&self, ask: &Ask<Q>, response: Q::Response) -> Result<(), RespondError>
    where
        W: Asks<Q>,
    {
        self.answer(ask.id, |asked| <W as Asks<Q>>::answer(asked, ask.id, response))
    }

    /// Answers a question with JSON of the response's type, for callers that do not have the type.
    ///
    /// # Errors
    /// The question is not open (any more), the JSON is not of the response's type, or the prompt's `validate`
    /// refuses the answer. Nothing has changed.
    ///
    /// # Cancel safety
    /// Cancel safe: the answer is taken as a whole or not at all.
    pub async fn respond_json(&self, request: RequestId, response: &RawValue) -> Result<(), RespondError> {
        self.answer(request, |asked| W::answer_json(asked, request, response))
    }

    /// Sends an event from outside to every step that takes `Signal<T>`. A `T` that no step takes does not compile.
    ///
    /// # Errors
    /// The run has ended.
    ///
    /// # Cancel safety
    /// Cancel safe: the signal is taken as a whole or not at all.
    pub async fn send<T>(&self, signal: T) -> Result<(), SendError>
    where
        W: Signals<T>,
    {
        let event = W::signal(signal);
        self.host.tick(Tick::Signal { event }).map_err(|_| SendError { run: self.id().clone() })
    }

    fn answer(
        &self,
        request: RequestId,
        answer: impl FnOnce(&W::Event) -> Result<W::Event, AnswerError>,
    ) -> Result<(), RespondError> {
        let run = || self.id().clone();
        // The prompt's `validate` is the author's code, so it runs outside the lock.
        let asked = self.host.look(|engine| match engine.state().status() {
            Status::Running => {
                let open = engine.state().request(request).map(|open| open.prompt.clone());
                open.ok_or_else(|| RespondError::NotOpen { run: run(), request })
            }
            _ => Err(RespondError::Ended { run: run(), request }),
        })?;
        let response = answer(&asked).map_err(|reason| RespondError::Refused { run: run(), request, reason })?;
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
        self.host.look_at_all(|engine, state| {
            let next_event = self.host.stream().next_number();
            let snapshot = Snapshot::take(self.id(), engine, next_event)?;
            if size_of::<W::State>() == 0 { Ok(snapshot) } else { snapshot.with_state(state) }
        })
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

    /// Whether nothing is at work and questions are open: the run goes on when somebody answers, or when one expires.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.host.look(|engine| engine.state().is_waiting())
    }

    /// Whether the run has ended, in whatever way.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.host.is_over()
    }
}

/// Waits for the end of a run. Cancel safe: waiting has no effect on the run.
pub struct RunFuture<W: Workflow> {
    host: Arc<Host<W>>,
}

impl<W: Workflow> Future for RunFuture<W> {
    type Output = Result<W::Output, RunError>;

    fn poll(self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Self::Output> {
        self.host.poll_outcome(poller.waker())
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
        RunFuture { host: self.host }
    }
}

impl<W: Workflow> IntoFuture for &Run<W> {
    type Output = Result<W::Output, RunError>;
    type IntoFuture = RunFuture<W>;

    fn into_future(self) -> RunFuture<W> {
        RunFuture { host: Arc::clone(&self.host) }
    }
}

/// An open question, whatever its prompt.
#[derive(Serialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Question<W: Workflow> {
    /// Its id, under which it is answered.
    pub id: RequestId,
    /// The step that asks.
    pub step: &'static str,
    /// What is asked.
    pub prompt: W::Prompt,
    /// When it was asked.
    pub asked_at: Time,
    /// When it closes, if nobody has answered.
    pub expires_at: Option<Time>,
}

impl<W: Workflow> Question<W> {
    /// The question as a `Q`, if it is one.
    #[must_use]
    pub fn ask<Q: Prompt>(&self) -> Option<Ask<Q>>
    where
        W: Asks<Q>,
    {
        let prompt = <W as Asks<Q>>::pick(&self.prompt)?.clone();
        let Self { id, step, asked_at, expires_at, .. } = *self;
        Some(Ask { id, step, prompt, asked_at, expires_at })
    }
}

impl<W: Workflow> Clone for Question<W> {
    fn clone(&self) -> Self {
        Self { prompt: self.prompt.clone(), ..*self }
    }
}

/// Shows the wire form, because the author's prompts need not be `Debug`.
impl<W: Workflow> fmt::Debug for Question<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// An open question of one type: what [`Run::respond`] needs to take an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask<Q> {
    /// Its id.
    pub id: RequestId,
    /// The step that asks.
    pub step: &'static str,
    /// What is asked.
    pub prompt: Q,
    /// When it was asked.
    pub asked_at: Time,
    /// When it closes, if nobody has answered.
    pub expires_at: Option<Time>,
}

/// The questions of a run that were open at one moment, oldest first.
#[derive(Clone, Debug)]
pub struct Pending<W: Workflow> {
    run: RunId,
    questions: Vec<Question<W>>,
}

impl<W: Workflow> Pending<W> {
    /// The only open `Q`.
    ///
    /// # Errors
    /// None is open, or several.
    pub fn one<Q: Prompt>(&self) -> Result<Ask<Q>, PendingError>
    where
        W: Asks<Q>,
    {
        let mut found = self.all::<Q>();
        match (found.pop(), found.len()) {
            (Some(ask), 0) => Ok(ask),
            (_, others) => {
                let open = if others == 0 { 0 } else { others + 1 };
                Err(PendingError { run: self.run.clone(), prompt: short_type_name::<Q>(), open })
            }
        }
    }

    /// Every open `Q`, oldest first.
    #[must_use]
    pub fn all<Q: Prompt>(&self) -> Vec<Ask<Q>>
    where
        W: Asks<Q>,
    {
        self.questions.iter().filter_map(Question::ask).collect()
    }

    /// How many questions are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether no question is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// The questions, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, Question<W>> {
        self.questions.iter()
    }
}

impl<W: Workflow> IntoIterator for Pending<W> {
    type Item = Question<W>;
    type IntoIter = std::vec::IntoIter<Question<W>>;

    fn into_iter(self) -> Self::IntoIter {
        self.questions.into_iter()
    }
}

impl<'a, W: Workflow> IntoIterator for &'a Pending<W> {
    type Item = &'a Question<W>;
    type IntoIter = std::slice::Iter<'a, Question<W>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let path = name.split('<').next().unwrap_or(name);
    name.get(path.rfind("::").map_or(0, |at| at + 2)..).unwrap_or(name)
}

/// Not exactly one question of the type is open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run} has {open} open questions `{prompt}`, not one")]
#[non_exhaustive]
pub struct PendingError {
    /// The run.
    pub run: RunId,
    /// The prompt that was looked for.
    pub prompt: &'static str,
    /// How many are open.
    pub open: usize,
}

/// An answer was not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RespondError {
    /// The question was answered or withdrawn before, or never asked.
    #[error("question {request} of run {run} is not open: it was answered or withdrawn, or never asked")]
    NotOpen {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
    },
    /// The run has ended. A run that can be resumed may take the answer then.
    #[error("question {request} cannot be answered: run {run} has ended")]
    Ended {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
    },
    /// The answer is not one that the question takes. The question is still open.
    #[error("the answer to question {request} of run {run} was not taken")]
    Refused {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
        /// What is wrong with the answer.
        #[source]
        reason: AnswerError,
    },
}

/// A signal was not taken: the run has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signal was not taken: run {run} has ended")]
#[non_exhaustive]
pub struct SendError {
    /// The run.
    pub run: RunId,
}

/// Why a run has no output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunError {
    /// A step failed, and nothing took the failure. [`StepError`] says why and is this error's source.
    Failed {
        /// The run.
        run: RunId,
        /// The step.
        step: String,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Why.
        error: StepError,
    },
    /// Nothing could happen any more, and no step had stopped the run.
    Stalled(Stalled),
    /// The run took longer than it may.
    TimedOut {
        /// The run.
        run: RunId,
        /// The steps that were running, in the order in which they were started.
        running: Vec<String>,
    },
    /// Somebody cancelled the run.
    Cancelled {
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// The run was put down, to be resumed from its snapshot.
    Suspended {
        /// The run.
        run: RunId,
    },
    /// The workflow does not do what its graph says, which is possible only where
    /// [`Workflow`] was implemented by hand.
    Misrouted {
        /// The run.
        run: RunId,
        /// What does not fit.
        reason: String,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { run, step, .. } => write!(f, "step `{step}` of run {run} failed"),
            Self::Stalled(stalled) => stalled.fmt(f),
            Self::TimedOut { run, running } if running.is_empty() => write!(f, "run {run} took too long"),
            Self::TimedOut { run, running } => {
                write!(f, "run {run} took too long; {} still ran", quoted(running))
            }
            Self::Cancelled { run, reason } => write!(f, "run {run} was cancelled: {reason}"),
            Self::Suspended { run } => write!(f, "run {run} was suspended"),
            Self::Misrouted { run, reason } => {
                write!(f, "run {run} does not follow the graph of its workflow: {reason}")
            }
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error.as_error()),
            _ => None,
        }
    }
}

/// Nothing could happen any more, and no step had stopped the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stalled {
    /// The run.
    pub run: RunId,
    /// The joins that wait for something which cannot come.
    pub waiting: Vec<WaitingJoin>,
    /// The steps that ended a branch by emitting nothing.
    pub ended: Vec<String>,
}

/// A join of which a part has not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WaitingJoin {
    /// The step that joins.
    pub step: String,
    /// What has arrived.
    pub arrived: Vec<String>,
    /// What is missing.
    pub missing: Vec<String>,
}

impl Stalled {
    pub(crate) fn new(run: RunId, graph: &Graph, stall: &Stall) -> Self {
        let step_name = |id| graph.step(id).map_or_else(String::new, |step| step.name.to_string());
        let waiting = stall.waiting.iter().map(|join| {
            let params = graph.step(join.step).map_or(&[][..], |step| &step.params);
            let name = |param: &u16| params.get(usize::from(*param)).map(|param| param_name(graph, param));
            WaitingJoin {
                step: step_name(join.step),
                arrived: join.arrived.iter().filter_map(name).collect(),
                missing: join.missing.iter().filter_map(name).collect(),
            }
        });
        Self { run, waiting: waiting.collect(), ended: stall.ended.iter().copied().map(step_name).collect() }
    }
}

/// What a parameter takes, for a message: `A`, or `A or B`.
fn param_name(graph: &Graph, param: &Param) -> String {
    let names = param.events.iter().filter_map(|id| graph.event(*id)).map(|event| &*event.name);
    names.collect::<Vec<_>>().join(" or ")
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} stalled: nothing can happen any more and no step has stopped it", self.run)?;
        for join in &self.waiting {
            let (arrived, missing) = (quoted(&join.arrived), quoted(&join.missing));
            write!(f, "; step `{}` has {arrived} and waits for {missing}", join.step)?;
        }
        if self.waiting.is_empty() && !self.ended.is_empty() {
            write!(f, "; its branches ended in {}", quoted(&self.ended))?;
        }
        Ok(())
    }
}

impl Error for Stalled {}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
