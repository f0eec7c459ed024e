//! The reading end: a cursor into what is kept.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Poller, Poll, Waker};

use super::kept::{Kept, Numbered, What};
use super::ring::Stream;
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
/// It keeps the events readable, and does not keep the run going: a run without a handle that waits for an answer ends, whoever
/// reads. Until the terminal event was read, or the reader is dropped, what is left of the run stays in memory, with its
/// workflow. A run of a [`Runner`](crate::Runner) with a store does not leave memory while there is a reader.
#[must_use = "a reader sees nothing until it is asked for the next event"]
pub struct RunEvents<W: Workflow> {
    /// `None` after the terminal event.
    keeper: Option<Arc<dyn Keeper<W>>>,
    /// The number of the last event that was taken from what is kept.
    pub(super) after: u64,
    /// Taken, and still to be delivered.
    pub(super) taken: VecDeque<Numbered<W>>,
    place: Place,
    /// Keeps a run with a store in memory, because there it would go on unseen.
    _attends: Option<Handle<W>>,
}

/// Who keeps the stream of a run, for those who read it.
pub(crate) trait Keeper<W: Workflow>: Send + Sync {
    /// Looks at the stream, which is locked meanwhile.
    fn look_at_stream(&self, look: &mut dyn FnMut(&mut Stream<W>));

    /// As [`look_at_stream`](Self::look_at_stream), for who is going to read: what the run has come to is told first.
    fn read_stream(&self, read: &mut dyn FnMut(&mut Stream<W>));
}

/// How many events a reader takes at once, so that it and whoever writes do not meet at the lock for each of them.
const TAKEN_AT_ONCE: usize = 64;

impl<W: Workflow> Drop for RunEvents<W> {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.look_at_stream(&mut |stream| stream.readers.leave(&self.place));
        }
    }
}

impl<W: Workflow> RunEvents<W> {
    pub(crate) fn new(keeper: Arc<dyn Keeper<W>>, after: u64, attends: Option<Handle<W>>) -> Self {
        Self {
            keeper: Some(keeper),
            after,
            taken: VecDeque::new(),
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
        let mut newest = self.after;
        if let Some(keeper) = &self.keeper {
            keeper.look_at_stream(&mut |stream| newest = stream.newest());
        }
        newest
    }

    #[inline]
    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<Option<Result<RunEvent<W>, StreamError>>> {
        if self.keeper.is_none() {
            return Poll::Ready(None);
        }
        let Some(next) = self.taken.pop_front().or_else(|| self.take(poller.waker())) else {
            return Poll::Pending;
        };
        if next.kept.what.is_terminal() {
            // It waits for nothing, so its place is free.
            self.keeper = None;
            self.taken = VecDeque::new();
        }
        Poll::Ready(Some(Ok(next.into())))
    }

    /// The next event of those that are kept, and some more for the next calls; if there is none, `waker` is woken when
    /// there is.
    #[inline(never)]
    fn take(&mut self, waker: &Waker) -> Option<Numbered<W>> {
        let Self { keeper, after, taken, place, .. } = self;
        let mut next = None;
        let keeper = keeper.as_ref()?;
        keeper.read_stream(&mut |stream| next = take(stream, after, taken, place, waker));
        next
    }
}

/// Takes what comes after that number out of what is kept.
fn take<W: Workflow>(
    stream: &mut Stream<W>,
    after: &mut u64,
    taken: &mut VecDeque<Numbered<W>>,
    place: &mut Place,
    waker: &Waker,
) -> Option<Numbered<W>> {
    let missed = stream.missed_after(*after);
    if missed > 0 {
        *after += missed;
        taken.extend(stream.asked_until(*after));
        let what = What::Told(Arc::new(RunEventKind::Missed { count: missed }));
        return Some(Numbered { number: *after, kept: Kept { tick: stream.tick, at: stream.at, what } });
    }
    // What is not only bits is cloned under the lock one at a time, because that may take long, and hold much.
    let at_once = if std::mem::needs_drop::<W::Progress>() { 1 } else { TAKEN_AT_ONCE };
    let mut shown = stream.shown_after(*after).take(at_once);
    let Some(next) = shown.next() else {
        drop(shown);
        stream.readers.wait(place, waker);
        // Who waits holds nothing.
        *taken = VecDeque::new();
        return None;
    };
    // Makes room for all of them at once.
    taken.extend(shown);
    *after = taken.back().map_or(next.number, |last| last.number);
    Some(next)
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
