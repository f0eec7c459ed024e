//! Where the futures of steps are put.

use std::fmt;
use std::future::Future;
use std::task::{Context as Poller, Poll};

use tokio_util::sync::ReusableBoxFuture;
use workflow_graph::StepId;

use crate::workflow::{StepCall, StepResult};

/// A step at work. Dropping it cancels the step.
pub struct StepFuture<E>(ReusableBoxFuture<'static, StepResult<E>>);

impl<E> StepFuture<E> {
    #[inline]
    pub(crate) fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<StepResult<E>> {
        self.0.poll(poller)
    }
}

impl<E> fmt::Debug for StepFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepFuture").finish_non_exhaustive()
    }
}

/// Room for the future of a step: where another one has been just before, if it fits, so that a loop of some steps does
/// not allocate for each of them.
#[derive(Debug)]
pub struct Room<E>(Option<StepFuture<E>>);

impl<E: 'static> Room<E> {
    /// Puts a step there. It is polled when [`Workflow::call`](crate::Workflow::call) has returned it, and dropped when it has finished.
    #[expect(clippy::redundant_async_block, reason = "a block drops what it awaits when that is ready")]
    pub fn hold(self, step: impl Future<Output = StepResult<E>> + Send + 'static) -> StepCall<E> {
        self.hold_block(async move { step.await })
    }

    /// Puts an `async` block there. When it has finished, what is left of it stays there until the room is used again or
    /// given up; of a block, that is nothing.
    pub(crate) fn hold_block(
        self,
        step: impl Future<Output = StepResult<E>> + Send + 'static,
    ) -> StepCall<E> {
        StepCall::Running(match self.0 {
            Some(StepFuture(mut used)) => {
                used.set(step);
                StepFuture(used)
            }
            None => StepFuture(ReusableBoxFuture::new(step)),
        })
    }
}

/// The rooms of some steps that are done, which hold nothing.
#[derive(Debug)]
pub(crate) struct Rooms<E>([Room<E>; MOST_ROOMS]);

/// Most loops have few steps, and each finds its own room, which fits.
const MOST_ROOMS: usize = 4;

impl<E> Rooms<E> {
    pub(crate) fn new() -> Self {
        Self([const { Room(None) }; MOST_ROOMS])
    }

    /// The room of a step.
    #[inline]
    pub(crate) fn take(&mut self, step: StepId) -> Room<E> {
        Room(self.0.get_mut(usize::from(step.0) % MOST_ROOMS).and_then(|room| room.0.take()))
    }

    /// A step has finished there.
    #[inline]
    pub(crate) fn give_back(&mut self, step: StepId, done: Option<StepFuture<E>>) {
        if let Some(room) = self.0.get_mut(usize::from(step.0) % MOST_ROOMS) {
            *room = Room(done);
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
            let StepCall::Running(mut step) = rooms.take(StepId(1)).hold(step) else { panic!("it runs") };
            assert!(step.poll(&mut poller).is_ready());
            assert_eq!(Arc::strong_count(&held), 1);
            rooms.give_back(StepId(1), Some(step));
        }
    }
}
