//! What carries an answer or a signal to a run.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Poller, Poll};

/// An answer or a signal on its way to a run: what [`Run::respond`](crate::Run::respond) and
/// [`Run::send`](crate::Run::send) give. Nothing happens until it is awaited.
//
// A type with a name, because the future of an `async fn` repeats the bounds of the function, and the compiler reports a
// question that is never asked at each mention of it.
#[must_use = "nothing is delivered until this is awaited"]
pub struct Delivery<'run, E> {
    deliver: Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'run>>,
}

impl<'run, E> Delivery<'run, E> {
    pub(crate) fn new(deliver: impl Future<Output = Result<(), E>> + Send + 'run) -> Self {
        Self { deliver: Box::pin(deliver) }
    }
}

impl<E> Future for Delivery<'_, E> {
    type Output = Result<(), E>;

    fn poll(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Self::Output> {
        self.deliver.as_mut().poll(poller)
    }
}

impl<E> fmt::Debug for Delivery<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}
