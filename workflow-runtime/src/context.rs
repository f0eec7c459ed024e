//! What a step is told about its run, and how it speaks while it works.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use workflow_graph::StepId;

use crate::driver::{Host, step_name};
use crate::engine::{InvocationId, Invoke};
use crate::error::StepError;
use crate::handle::RunId;
use crate::stream::RunEventKind;
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
}

/// What a step wants changed in the state, until it has finished. `None` for a workflow without a state, which
/// would pay for it at every step.
pub(crate) type Updates<S> = Option<Arc<Mutex<Vec<Update<S>>>>>;

/// One change of the state.
pub(crate) type Update<S> = Box<dyn Fn(&mut S) + Send>;

impl<W: Workflow> Context<W> {
    pub(crate) fn new(host: Arc<Host<W>>, invoke: &Invoke<W::Event>, updates: Updates<W::State>) -> Self {
        let Invoke { invocation, attempt, step, depth, .. } = *invoke;
        Self { host, step, invocation, attempt, depth, last_error: invoke.last_error.clone(), updates }
    }

    pub(crate) fn origin(&self) -> (Arc<Host<W>>, InvocationId, u32) {
        (Arc::clone(&self.host), self.invocation, self.attempt)
    }

    /// Tells the observers how far this step is. They see it at once, and keep it if the step fails
    /// afterwards; it has no effect on the run.
    ///
    /// It never waits and never fails: a reader that is too slow misses events.
    pub fn publish(&self, value: W::Progress) {
        let (step, invocation, attempt) = (self.step(), self.invocation, self.attempt);
        self.host.publish(RunEventKind::Progress { step, invocation, attempt, value });
    }

    /// The state of the run, as the steps that have finished left it. It is at least as new as the start of this
    /// attempt; what other steps do meanwhile is not in the value that was returned.
    #[must_use]
    pub fn state(&self) -> Arc<W::State> {
        self.host.state()
    }

    /// Changes the state when this step finishes.
    ///
    /// The change is made together with what the step emits, in the order in which steps finish, on the state as it
    /// is then: so parallel steps neither lose nor double a change, and a step that fails or is cancelled changes
    /// nothing. A change that panics fails the step.
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
