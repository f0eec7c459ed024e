//! The reading end: a cursor into what is kept.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll};

use super::ring::{Asked, Stream};
use super::{RunEvent, RunEventKind};
use crate::handle::Handle;
use crate::wakers::Place;
use crate::workflow::Workflow;

/// Why a stream could not go on.
///
/// A run in memory has no such reason: what a reader missed is an event,
/// [`Missed`](RunEventKind::Missed). Stores that read older events from a disk have reasons.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {}

/// A reader of the events of a run.
///
/// It keeps the events readable, not the run alive. Dropping it has no effect on anything else. While there is a reader,
/// a run of a [`Runner`](crate::Runner) with a store stays in memory.
pub struct RunEvents<W: Workflow> {
    stream: Arc<Stream<W>>,
    /// The number of the event delivered last.
    after: u64,
    /// Open questions still to be delivered to a reader that fell behind.
    replay: VecDeque<RunEvent<W>>,
    over: bool,
    place: Place,
    /// Keeps a run with a store in memory, because there it would go on unseen.
    _attends: Option<Handle<W>>,
}

impl<W: Workflow> Drop for RunEvents<W> {
    fn drop(&mut self) {
        self.stream.lock().readers.leave(&self.place);
    }
}

impl<W: Workflow> RunEvents<W> {
    pub(crate) fn new(stream: Arc<Stream<W>>, after: u64, attends: Option<Handle<W>>) -> Self {
        Self {
            stream,
            after,
            replay: VecDeque::new(),
            over: false,
            place: Place::default(),
            _attends: attends,
        }
    }

    /// The next event; `None` after the terminal one.
    ///
    /// # Errors
    /// The stream cannot go on; see [`StreamError`].
    ///
    /// # Cancel safety
    /// Cancel safe: an event is delivered or still there.
    pub async fn next(&mut self) -> Option<Result<RunEvent<W>, StreamError>> {
        poll_fn(|poller| self.poll(poller)).await
    }

    /// The number of the latest event, 0 before the first one.
    pub(crate) fn newest(&self) -> u64 {
        self.stream.next_number().saturating_sub(1)
    }

    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<Option<Result<RunEvent<W>, StreamError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Some(question) = self.replay.pop_front() {
            return Poll::Ready(Some(Ok(question)));
        }
        let mut ring = self.stream.lock();
        let missed = ring.first.saturating_sub(self.after + 1);
        if missed > 0 {
            self.after += missed;
            self.replay.extend(ring.open.values().filter_map(Asked::dropped).cloned());
            let event = RunEvent {
                number: self.after,
                tick: ring.tick,
                at: ring.at,
                kind: RunEventKind::Missed { count: missed },
            };
            return Poll::Ready(Some(Ok(event)));
        }
        let shown = |event: &&RunEvent<W>| event.number <= ring.shown;
        // Whoever is past the end gets the end.
        let next = ring.at(self.after + 1).or_else(|| ring.kept.back().filter(|_| ring.over));
        if let Some(event) = next.filter(shown) {
            self.after = event.number;
            self.over = event.is_terminal();
            return Poll::Ready(Some(Ok(event.clone())));
        }
        ring.readers.wait(&mut self.place, poller.waker());
        Poll::Pending
    }
}

impl<W: Workflow> futures_core::Stream for RunEvents<W> {
    type Item = Result<RunEvent<W>, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Option<Self::Item>> {
        self.poll(poller)
    }
}

impl<W: Workflow> Unpin for RunEvents<W> {}

impl<W: Workflow> fmt::Debug for RunEvents<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunEvents").field("after", &self.after).finish_non_exhaustive()
    }
}
