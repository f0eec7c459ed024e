//! Where the futures of steps are put.

use std::fmt;
use std::future::Future;
use std::task::{Context as Poller, Poll};

use tokio_util::sync::ReusableBoxFuture;
use workflow_graph::StepId;

use crate::error::{StepError, StepErrorKind};
use crate::workflow::{StepCall, StepResult};

/// Room for the future of a step: where another one has been just before, if it fits, so that a loop of some steps does
/// not allocate for each of them. Dropping it cancels the step that is in it.
pub struct Room<E> {
    /// Of the step that is there, or of one that was.
    future: Option<ReusableBoxFuture<'static, StepResult<E>>>,
    is_taken: bool,
}

impl<E: 'static> Room<E> {
    /// Puts a step there. It is polled when [`Workflow::call`](crate::Workflow::call) has returned, and dropped when it has
    /// finished.
    #[expect(clippy::redundant_async_block, reason = "a block drops what it awaits when that is ready")]
    pub fn hold(&mut self, step: impl Future<Output = StepResult<E>> + Send + 'static) -> StepCall<E> {
        self.hold_block(async move { step.await })
    }

    /// Puts an `async` block there. When it has finished, what is left of it stays there until the room is used again or
    /// given up; of a block, that is nothing.
    #[inline]
    pub(crate) fn hold_block(
        &mut self,
        step: impl Future<Output = StepResult<E>> + Send + 'static,
    ) -> StepCall<E> {
        match &mut self.future {
            Some(used) => used.set(step),
            None => self.future = Some(ReusableBoxFuture::new(step)),
        }
        self.is_taken = true;
        StepCall::Running
    }
}

impl<E> Room<E> {
    /// A room that holds nothing.
    pub(crate) const fn empty() -> Self {
        Self { future: None, is_taken: false }
    }

    /// The step that is in it, in a room of its own.
    pub(crate) fn move_out(&mut self) -> Self {
        std::mem::replace(self, Self::empty())
    }

    /// Polls the step that is in it.
    #[inline]
    pub(crate) fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<StepResult<E>> {
        let Some(step) = self.future.as_mut().filter(|_| self.is_taken) else {
            return Poll::Ready(Err(StepError::of_kind(
                StepErrorKind::Misrouted,
                "the step is said to be running, and was not put into the room that it was given",
            )));
        };
        let poll = step.poll(poller);
        self.is_taken = poll.is_pending();
        poll
    }
}

impl<E> fmt::Debug for Room<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}

/// The rooms of some steps, which hold nothing when those are done. Most loops have few steps, and each finds its own
/// room, which fits.
#[derive(Debug)]
pub(crate) struct Rooms<E> {
    rooms: [Room<E>; 4],
    /// Which was used last.
    last: usize,
    /// Which were used at all, a bit each.
    used: u8,
}

impl<E> Rooms<E> {
    pub(crate) fn new() -> Self {
        Self { rooms: [const { Room::empty() }; 4], last: 0, used: 0 }
    }

    /// The room of a step. What that needs for the first time is taken over from the step before, which may not come
    /// again, and mostly fits.
    #[inline]
    pub(crate) fn of(&mut self, step: StepId) -> &mut Room<E> {
        let place = usize::from(step.0 % 4);
        if self.used & (1 << place) == 0 {
            self.used |= 1 << place;
            let before = self.place(self.last);
            if !before.is_taken {
                let before = before.move_out();
                *self.place(place) = before;
            }
        }
        self.last = place;
        self.place(place)
    }

    fn place(&mut self, place: usize) -> &mut Room<E> {
        let [first, second, third, fourth] = &mut self.rooms;
        match place {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::task::Waker;

    use super::*;
    use crate::engine::Emitted;

    #[test]
    fn a_step_that_was_not_put_there_fails() {
        let mut poller = Poller::from_waker(Waker::noop());
        let mut room = Room::<u8>::empty();
        let mut is_refused = |room: &mut Room<u8>| matches!(room.poll(&mut poller), Poll::Ready(Err(error)) if error.kind() == StepErrorKind::Misrouted);
        assert!(is_refused(&mut room));
        room.hold(async { Ok(Emitted::One(7)) });
        assert!(!is_refused(&mut room));
        assert!(is_refused(&mut room), "the one before has left");
    }

    #[test]
    fn a_room_is_lent_once_and_only_when_the_step_in_it_is_done() {
        let mut poller = Poller::from_waker(Waker::noop());
        let mut rooms = Rooms::<u8>::new();
        rooms.of(StepId(1)).hold(async { Ok(Emitted::One(7)) });
        assert!(rooms.of(StepId(2)).future.is_none(), "there is a step in it");
        assert!(rooms.of(StepId(1)).poll(&mut poller).is_ready());
        assert!(rooms.of(StepId(3)).future.is_some());
        assert!(rooms.of(StepId(1)).future.is_none(), "it was lent");
        assert!(rooms.of(StepId(2)).future.is_none(), "a step borrows the first time only");
    }

    #[test]
    fn a_step_that_has_finished_holds_nothing_in_its_room() {
        let mut poller = Poller::from_waker(Waker::noop());
        let (held, mut rooms) = (Arc::new(()), Rooms::<u8>::new());
        for _ in 0..3 {
            let guard = Arc::clone(&held);
            // Keeps what it has captured, also after it was ready.
            let step = poll_fn(move |_| {
                let () = *guard;
                Poll::Ready(Ok(Emitted::One(7)))
            });
            let room = rooms.of(StepId(1));
            assert!(matches!(room.hold(step), StepCall::Running));
            assert!(room.poll(&mut poller).is_ready());
            assert_eq!(Arc::strong_count(&held), 1);
        }
    }
}
