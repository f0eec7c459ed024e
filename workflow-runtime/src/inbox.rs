//! Taking signals inside a step.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Poller, Poll};

use workflow_graph::EventId;

use crate::calls::{Call, Caller};
use crate::context::Context;
use crate::driver::event_name;
use crate::engine::{Note, NoteKind, Noted};
use crate::error::StepErrorKind;
use crate::one_of::Never;
use crate::workflow::Workflow;

/// Takes signals while the step runs: `inbox: Inbox<T>` in its signature. [`Run::send`](crate::Run::send) sends them.
///
/// Each signal goes to one inbox of the run: to the call of [`next`](Self::next) that has waited longest, else it is
/// kept, in order, until somebody asks. A signal that comes early is not lost. A type of signal is taken by inboxes or
/// by steps ([`Signal<T>`](crate::Signal)), not by both.
///
/// When the run is resumed, or the step is run again because it failed afterwards, each call finds the signal that it
/// had taken: the n-th call of the new attempt the one of the n-th call before. A signal that was taken is kept until
/// the step has finished, so an endless conversation belongs into the graph, as a loop of steps. What a step took that is
/// cancelled, or whose failure goes elsewhere, goes to who waits next, else back to the front: step by step, and in the
/// order of their calls.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[data]
/// enum Order {
///     Add(u32),
///     Pay,
/// }
///
/// struct Table;
///
/// #[workflow]
/// impl Table {
///     #[step]
///     async fn serve(&self, _: Start, orders: Inbox<Order>) -> Stop<u32> {
///         let mut bill = 0;
///         loop {
///             match orders.next().await {
///                 Order::Add(price) => bill += price,
///                 Order::Pay => return Stop(bill),
///             }
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let run = Table.run(());
/// run.send(Order::Add(7)).await?;
/// run.send(Order::Add(5)).await?;
/// run.send(Order::Pay).await?;
/// assert_eq!(run.await?, 12);
/// # Ok(())
/// # }
/// ```
//
// See `Emitter` for the default.
pub struct Inbox<T = Never> {
    next: Box<dyn Fn() -> Receiving<T> + Send + Sync>,
}

impl<T> Inbox<T> {
    /// Not public API: what the expansion of `#[workflow]` calls.
    #[doc(hidden)]
    pub fn new<W: Workflow>(context: &Context<W>, signal: EventId, taken: fn(W::Event) -> Option<T>) -> Self
    where
        T: 'static,
    {
        let caller = context.caller();
        let name = event_name::<W>(signal);
        let next = move || {
            let call = caller.clone().call(NoteKind::Receive, name);
            Receiving { inner: Box::new(Receive { call, signal, taken }) }
        };
        Self { next: Box::new(next) }
    }

    /// Waits for the next signal: the oldest that is kept, or one to come.
    ///
    /// Dropping the future leaves the line; what it waited for goes to who comes next.
    ///
    /// # Cancel safety
    /// A signal that has come for a future which is dropped goes to whoever waits next, ahead of all that came after
    /// it. Where the step is run again, the same call is never ready.
    pub fn next(&self) -> Receiving<T> {
        (self.next)()
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// A wait for a signal; ready with the signal. See [`Inbox::next`].
#[must_use = "a signal is taken when this is awaited"]
pub struct Receiving<T> {
    inner: Box<dyn PollSignal<T>>,
}

impl<T> Future for Receiving<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<T> {
        self.inner.poll(poller)
    }
}

impl<T> fmt::Debug for Receiving<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving").finish_non_exhaustive()
    }
}

/// A wait for a signal, without the type of its workflow.
trait PollSignal<T>: Send {
    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<T>;
}

struct Receive<W: Workflow, T> {
    call: Call<W>,
    signal: EventId,
    taken: fn(W::Event) -> Option<T>,
}

impl<W: Workflow, T> PollSignal<T> for Receive<W, T> {
    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<T> {
        let mut note = Some(Note::Receive(self.signal));
        let found = std::task::ready!(self.call.poll(poller, &mut note));
        // Only in a workflow written by hand, or in a saved run that was edited, is it anything but such a signal.
        let reason = match found {
            Ok(Noted::Received(signal)) => match (self.taken)(signal) {
                Some(signal) => return Poll::Ready(signal),
                None => "the signal belongs to another inbox".to_owned(),
            },
            Ok(_) => "something else was noted for this inbox".to_owned(),
            Err(refused) => refused.to_string(),
        };
        let Caller { host, invocation, attempt, .. } = &self.call.caller;
        host.fail_inside((*invocation, *attempt), StepErrorKind::Misrouted, reason);
        Poll::Pending
    }
}
