//! The calls of a step that outlive its attempt: how memos, sleeps, questions and inboxes reach the run.
//!
//! A call gets its key when the method is called, so that the same code gives the same keys in every attempt,
//! whatever is polled first. At its first poll it looks for its key in the notes of the invocation, and notes what
//! it wants if nothing stands there.
//!
//! Dropping a call that waits gives it up. That counts only while the attempt goes on: when a step fails, its
//! futures are dropped as well, and nobody wants their questions withdrawn. So what was given up is remembered, and
//! withdrawn when the step turns out to go on, or to have finished.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Poller, Poll};

use crate::driver::{Attention, Host, Listener};
use crate::engine::{InvocationId, Note, NoteKey, NoteKind, Noted, Refused};
use crate::runner::NotStored;
use crate::workflow::Workflow;

/// What one attempt has called.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    inner: Mutex<Inner>,
    /// What the attempt is polled with, if it may wait for somebody.
    pub(crate) attention: Arc<Attention>,
}

#[derive(Debug, Default)]
struct Inner {
    made: BTreeMap<(NoteKind, Arc<str>), u32>,
    waiting: u32,
    given_up: Vec<NoteKey>,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the next call of that kind and name.
    pub(crate) fn key(&self, kind: NoteKind, name: impl Into<Arc<str>>) -> NoteKey {
        let name = name.into();
        let mut inner = self.lock();
        let made = inner.made.entry((kind, Arc::clone(&name))).or_insert(0);
        let count = *made;
        *made += 1;
        NoteKey { kind, name, count }
    }

    /// The key of the call that was made just now, under another name.
    fn renamed(&self, key: &NoteKey, name: &str) -> NoteKey {
        if let Some(made) = self.lock().made.get_mut(&(key.kind, Arc::clone(&key.name))) {
            // The call does not count among those without a name.
            *made -= u32::from(*made == key.count + 1);
        }
        self.key(key.kind, name)
    }

    /// Whether the attempt waits for an answer or a signal.
    pub(crate) fn wait(&self) -> bool {
        self.lock().waiting > 0
    }

    /// What was given up since this was asked last.
    pub(crate) fn take_given_up(&self) -> Vec<NoteKey> {
        std::mem::take(&mut self.lock().given_up)
    }
}

/// Who calls: one attempt of one step.
pub(crate) struct Caller<W: Workflow> {
    pub(crate) host: Arc<Host<W>>,
    pub(crate) invocation: InvocationId,
    pub(crate) attempt: u32,
    pub(crate) calls: Arc<Calls>,
}

impl<W: Workflow> Clone for Caller<W> {
    fn clone(&self) -> Self {
        let Self { host, invocation, attempt, calls } = self;
        Self { host: Arc::clone(host), invocation: *invocation, attempt: *attempt, calls: Arc::clone(calls) }
    }
}

impl<W: Workflow> Caller<W> {
    /// A call with that kind and name.
    pub(crate) fn call(self, kind: NoteKind, name: impl Into<Arc<str>>) -> Call<W> {
        let key = self.calls.key(kind, name);
        Call { caller: self, key, waits: false, settling: None }
    }

    /// Withdraws what the attempt has given up so far, because it goes on.
    pub(crate) fn withdraw_given_up(&self) {
        self.host.withdraw(self.invocation, self.attempt, self.calls.take_given_up());
    }
}

/// One call of a step.
pub(crate) struct Call<W: Workflow> {
    pub(crate) caller: Caller<W>,
    pub(crate) key: NoteKey,
    /// It waits for an answer or a signal.
    waits: bool,
    /// Ready when what has come for it is stored.
    settling: Option<Settling>,
}

type Settling = Pin<Box<dyn Future<Output = Result<(), NotStored>> + Send + Sync>>;

impl<W: Workflow> Call<W> {
    /// Gives the call a name in place of its content.
    pub(crate) fn rename(&mut self, name: &str) {
        self.key = self.caller.calls.renamed(&self.key, name);
    }

    /// What stands under the call's key, of calls that do not wait for anybody; `note` is noted, where nothing does.
    pub(crate) fn look(&self, note: Option<Note<W::Event>>) -> Option<Noted<W::Event>> {
        let Caller { host, invocation, attempt, .. } = &self.caller;
        self.caller.withdraw_given_up();
        host.noted((*invocation, *attempt), &self.key, &mut { note }, None).ok().flatten()
    }

    /// What stands under the call's key; what `note` gives is noted first, where nothing does. Pending while the run
    /// waits for what is to stand there, and for ever where this attempt is over.
    ///
    /// # Errors
    /// The step may not do that, which is possible only where a workflow is written by hand.
    pub(crate) fn poll(
        &mut self,
        poller: &mut Poller<'_>,
        note: &mut Option<Note<W::Event>>,
    ) -> Poll<Result<Noted<W::Event>, Refused>> {
        let Caller { host, invocation, attempt, calls } = &self.caller;
        if !self.waits {
            self.caller.withdraw_given_up();
        }
        let (waker, calls) = (poller.waker().clone(), Arc::clone(calls));
        let listener = Listener { attempt: *attempt, waker, calls };
        let found = match host.noted((*invocation, *attempt), &self.key, note, Some(listener)) {
            Ok(found) => found,
            Err(Refused::Ended | Refused::NotCurrent { .. }) => return Poll::Pending,
            Err(refused) => return Poll::Ready(Err(refused)),
        };
        let waits = found.as_ref().is_none_or(Noted::is_wait);
        let comes_from_outside = matches!(self.key.kind, NoteKind::Ask | NoteKind::Receive);
        let waits = waits || (comes_from_outside && self.is_settling(poller));
        if waits != self.waits {
            let mut inner = self.caller.calls.lock();
            if waits {
                inner.waiting += 1
            } else {
                inner.waiting -= 1
            }
            self.waits = waits;
        }
        match found.filter(|_| !waits) {
            // What was given up stays so, also where the step is run again.
            None | Some(Noted::Withdrawn) => Poll::Pending,
            Some(found) => Poll::Ready(Ok(found)),
        }
    }
}

impl<W: Workflow> Call<W> {
    /// Whether what has come is not stored yet, so that nobody may act upon it. For ever, where it could not be: the run
    /// is lost, and the step about to be dropped.
    fn is_settling(&mut self, poller: &mut Poller<'_>) -> bool {
        let host = &self.caller.host;
        if !host.is_kept() {
            return false;
        }
        let settling = self.settling.get_or_insert_with(|| {
            let host = Arc::clone(host);
            Box::pin(async move { host.settled().await })
        });
        match settling.as_mut().poll(poller) {
            Poll::Ready(Ok(())) => {
                self.settling = None;
                false
            }
            Poll::Ready(Err(_)) => {
                self.settling = Some(Box::pin(std::future::pending()));
                true
            }
            Poll::Pending => true,
        }
    }
}

impl<W: Workflow> Drop for Call<W> {
    fn drop(&mut self) {
        if !self.waits {
            return;
        }
        let Caller { host, invocation, attempt, calls } = &self.caller;
        host.forget((*invocation, *attempt), &self.key);
        let mut inner = calls.lock();
        inner.waiting -= 1;
        inner.given_up.push(self.key.clone());
    }
}
