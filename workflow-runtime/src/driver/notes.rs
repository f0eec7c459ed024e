//! What running steps remember and wait for: between their calls and the engine.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::attention::Listener;
use super::{Afterwards, Host, Live};
use crate::engine::{InvocationId, Note, NoteKey, Noted, Refused, Tick, Verdict};
use crate::error::{StepError, StepErrorKind};
use crate::workflow::Workflow;

impl<W: Workflow> Host<W> {
    /// What stands under a key in the notes of an invocation. Where nothing does, `note` is noted, if there is one.
    /// While it is a wait, the `listener` is woken when that changes.
    ///
    /// # Errors
    /// The attempt is not current any more, or may not note that.
    pub(crate) fn noted(
        self: &Arc<Self>,
        (invocation, attempt): (InvocationId, u32),
        key: &NoteKey,
        note: &mut Option<Note<W::Event>>,
        listener: Option<Listener>,
    ) -> Result<Option<Noted<W::Event>>, Refused> {
        let mut afterwards = Afterwards::default();
        let found = {
            let mut live = self.lock();
            let mut found = live.find(invocation, key);
            let mut taken = Ok(());
            if found.is_none() {
                if let Some(note) = note.take() {
                    // Made ready under the lock: this tick is rare, and nobody else may come in between.
                    let tick = Tick::Noted { invocation, attempt, key: key.clone(), note };
                    taken = self
                        .happening(tick)
                        .and_then(|happening| self.apply(&mut live, happening, &mut afterwards));
                    live.want_lane(&mut afterwards);
                    found = live.find(invocation, key);
                }
            }
            // What an older attempt has left in a task of its own must not wake in place of this one.
            if found.as_ref().is_some_and(Noted::is_wait) && Self::is_current(&live, invocation, attempt) {
                if let Some(listener) = listener {
                    live.apart.make().listeners.insert((invocation, key.clone()), listener);
                }
            }
            match taken {
                // An older attempt has got there first, with the same call.
                Err(Refused::Noted { .. }) => Ok(found),
                Ok(()) if Self::is_current(&live, invocation, attempt) => Ok(found),
                Ok(()) => Err(Refused::NotCurrent { invocation, attempt }),
                Err(refused) => Err(refused),
            }
        };
        self.finish(afterwards);
        found
    }

    /// That attempt does not poll the call any more.
    pub(crate) fn forget(&self, (invocation, attempt): (InvocationId, u32), key: &NoteKey) {
        let mut live = self.lock();
        let Some(apart) = live.apart.get_mut() else { return };
        if let Entry::Occupied(listener) = apart.listeners.entry((invocation, key.clone())) {
            if listener.get().attempt == attempt {
                listener.remove();
            }
        }
    }

    /// The step has given these calls up.
    pub(crate) fn withdraw(self: &Arc<Self>, invocation: InvocationId, attempt: u32, mut keys: Vec<NoteKey>) {
        // What came for them and was not seen goes to the front, so the first call comes last.
        keys.sort_unstable();
        for key in keys.into_iter().rev() {
            // Refused where the step is gone.
            let _ = self.tick(Tick::Withdrawn { invocation, attempt, key });
        }
    }

    /// A step does what it cannot, in the middle of its work; it fails, and its future is dropped where it stands.
    pub(crate) fn fail_inside(
        self: &Arc<Self>,
        (invocation, attempt): (InvocationId, u32),
        kind: StepErrorKind,
        reason: impl std::fmt::Display,
    ) {
        let error = StepError::of_kind(kind, reason);
        let tick = Tick::Failed { invocation, attempt, error, verdict: Verdict::Final };
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.lock();
            let failed = self.apply(&mut live, self.happening_of_run(tick), &mut afterwards);
            // It has failed without a report, so nothing else stops it. Refused if the step is gone, too.
            if failed.is_ok() {
                afterwards.cancel(live.take_task(invocation));
            }
            live.want_lane(&mut afterwards);
        }
        self.finish(afterwards);
    }
}

impl<W: Workflow> Live<W> {
    fn find(&self, invocation: InvocationId, key: &NoteKey) -> Option<Noted<W::Event>> {
        self.engine.state().invocation(invocation)?.noted(key).cloned()
    }
}
