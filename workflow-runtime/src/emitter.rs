//! Sending events while a step still runs.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use workflow_graph::PointId;

use crate::context::Context;
use crate::driver::{Host, give_way};
use crate::engine::{InvocationId, Refused, Tick};
use crate::error::StepErrorKind;
use crate::one_of::Never;
use crate::runner::NotStored;
use crate::workflow::Workflow;

/// Sends events while the step still runs: `out: Emitter<T>` in its signature, or `Emitter<OneOf<A, B>>`.
///
/// What is sent forms a fan-out: each event opens a branch of it, work on it starts at once, and a gather
/// downstream fires once, when the step has returned and everything sent has arrived.
///
/// Unlike what a step returns, what it sends takes effect at once, whatever becomes of the step. If the step is
/// run again, because the run was resumed, the events that it has sent already are not sent a second time: the
/// n-th event of the new attempt counts as the n-th of the old one. So a step should send the same events in the
/// same order each time.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// struct Line(String);
///
/// #[event]
/// struct Length(usize);
///
/// struct Measure;
///
/// #[workflow]
/// impl Measure {
///     #[step]
///     async fn read(&self, Start(text): Start<String>, mut lines: Emitter<Line>) {
///         for line in text.lines() {
///             lines.send(Line(line.to_owned())).await;
///         }
///     }
///
///     #[step]
///     fn measure(&self, Line(line): Line) -> Length {
///         Length(line.len())
///     }
///
///     #[step]
///     fn all(&self, lengths: Vec<Length>) -> Stop<Vec<usize>> {
///         Stop(lengths.into_iter().map(|Length(length)| length).collect())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RunError> {
/// assert_eq!(Measure.run("to be\nor not".to_owned()).await?, [5, 6]);
/// # Ok(())
/// # }
/// ```
//
// The default is no event: it is there so that of `Emitter` alone the macro says what is missing, and nobody else.
pub struct Emitter<T = Never> {
    send: Box<dyn FnMut(T) -> Result<(), Gone> + Send>,
    settled: Box<dyn Fn() -> Settled + Send + Sync>,
}

type Settled = Pin<Box<dyn Future<Output = Result<(), NotStored>> + Send>>;

/// The step is not current any more: it was cancelled, and will be dropped.
struct Gone;

impl<T> Emitter<T> {
    /// Not public API: what the expansion of `#[workflow]` calls.
    #[doc(hidden)]
    pub fn new<W: Workflow>(
        context: &Context<W>,
        point: PointId,
        event: impl Fn(T) -> W::Event + Send + 'static,
    ) -> Self {
        let (host, invocation, attempt) = context.origin();
        let mut place = 0;
        let send = move |value| {
            let tick = Tick::Sent { invocation, attempt, point, place, event: event(value) };
            place += 1;
            deliver(&host, invocation, attempt, tick)
        };
        let host = context.origin().0;
        let settled = move || -> Settled {
            let host = Arc::clone(&host);
            Box::pin(async move { host.settled().await })
        };
        Self { send: Box::new(send), settled: Box::new(settled) }
    }

    /// Sends an event. Work on it starts at once.
    ///
    /// If the step has been cancelled meanwhile, this does not return; the step ends here.
    ///
    /// # Cancel safety
    /// The event is sent by the first poll.
    pub async fn send(&mut self, event: T) {
        if (self.send)(event).is_err() {
            pending::<()>().await;
        }
        // In a run with a store, work on it starts when it is stored. A step whose run is lost ends here.
        if (self.settled)().await.is_err() {
            pending::<()>().await;
        }
        // Lets what was just released run, also where this step never waits for anything.
        give_way().await;
    }
}

fn deliver<W: Workflow>(
    host: &Arc<Host<W>>,
    invocation: InvocationId,
    attempt: u32,
    tick: Tick<W::Event>,
) -> Result<(), Gone> {
    match host.tick(tick) {
        Ok(()) => Ok(()),
        Err(refused) => {
            let kind = match refused {
                Refused::NotSent { .. } => Some(StepErrorKind::Misrouted),
                Refused::Unsaved { .. } => Some(StepErrorKind::Misused),
                _ => None,
            };
            if let Some(kind) = kind {
                host.fail_inside((invocation, attempt), kind, refused);
            }
            Err(Gone)
        }
    }
}

impl<T> fmt::Debug for Emitter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").finish_non_exhaustive()
    }
}
