//! What a step that waits listens to: only its run, or something else as well.
//!
//! A step that waits for an answer may race it against a timer of its own, a channel, or anything else that the run
//! knows nothing of. Such a step is polled with a waker of its own, of which every clone counts: who has kept one can
//! wake the step.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Poller, Poll, Wake, Waker};

use super::Live;
use crate::calls::Calls;
use crate::engine::{NoteKey, NoteKind};
use crate::workflow::Workflow;

/// The waker of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    task: Option<Waker>,
    polling: bool,
    /// It was woken since the last poll began.
    woken: bool,
}

impl Attention {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the step with this waker, which wakes the task that polls.
    pub(super) fn poll<T>(
        self: &Arc<Self>,
        poller: &Poller<'_>,
        poll: impl FnOnce(&mut Poller<'_>) -> Poll<T>,
    ) -> Poll<T> {
        *self.lock() = Inner { task: Some(poller.waker().clone()), polling: true, woken: false };
        let waker = Waker::from(Arc::clone(self));
        let polled = poll(&mut Poller::from_waker(&waker));
        drop(waker);
        self.lock().polling = false;
        polled
    }

    /// Whether nobody can wake the step but who wakes these.
    fn is_only_for(self: &Arc<Self>, listeners: &[&Listener]) -> bool {
        // What wakes has said so before it lets its clone go, so under the lock both are seen as they belong together.
        let inner = self.lock();
        let waker = Waker::from(Arc::clone(self));
        let kept = Arc::strong_count(self) - 2;
        !inner.polling
            && !inner.woken
            && kept <= listeners.iter().filter(|listener| waker.will_wake(&listener.waker)).count()
    }
}

impl Wake for Attention {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let task = {
            let mut inner = self.lock();
            inner.woken = true;
            inner.task.clone()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// Who polls a call that waits.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) attempt: u32,
    pub(crate) waker: Waker,
    pub(crate) calls: Arc<Calls>,
}

impl<W: Workflow> Live<W> {
    /// Whether each step that waits can be woken by the run alone.
    pub(super) fn only_the_run_wakes(&self) -> bool {
        let state = self.engine.state();
        // Each of them has one at least, so as long as there are fewer, somebody has not come so far.
        let Some(apart) = self.apart.get() else { return state.how_many_wait() == 0 };
        if apart.listeners.len() < state.how_many_wait() {
            return false;
        }
        state.waiting().all(|invocation| {
            let first = NoteKey { kind: NoteKind::Memo, name: Arc::default(), count: 0 };
            let listeners = apart.listeners.range((invocation, first)..);
            let listeners: Vec<&Listener> = listeners
                .take_while(|((id, _), _)| *id == invocation)
                .map(|(_, listener)| listener)
                .collect();
            listeners.first().is_some_and(|listener| listener.calls.attention.is_only_for(&listeners))
        })
    }
}
