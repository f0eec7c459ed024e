//! Tells whoever waits that something has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use super::StoreError;
use crate::handle::RunId;

/// What somebody wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interest {
    /// What those who run workflows act upon: a run was created, forked or given back, or a message was put.
    Work,
    /// Anything in one run: an append, a message, a verdict; also that it was created, claimed or deleted.
    Run(RunId),
    /// Anything at all.
    Anything,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something in a run that those who run workflows do not act upon.
    Run(RunId),
    /// Something in a run that makes work.
    Work(RunId),
    /// Something; what it is is not known.
    Unknown,
}

/// The change notice of a store: it tells each [`Watch`] of what it is interested in.
///
/// # Examples
/// ```
/// use workflow_runtime::RunId;
/// use workflow_runtime::store::{Change, Interest, Notices};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let notices = Notices::new();
/// let mut watch = notices.watch(Interest::Run(RunId::from("order-1")));
/// notices.tell(&Change::Work(RunId::from("order-2")));
/// notices.tell(&Change::Run(RunId::from("order-1")));
/// watch.changed().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Notices(Arc<Hub>);

#[derive(Debug, Default)]
struct Hub {
    work: watch::Sender<()>,
    anything: watch::Sender<()>,
    /// Those that somebody is interested in.
    runs: Mutex<HashMap<RunId, watch::Sender<()>>>,
}

impl Notices {
    /// Nobody is interested in anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells of changes from now on.
    #[must_use]
    pub fn watch(&self, interest: Interest) -> Watch {
        let (changes, run) = match interest {
            Interest::Work => (self.0.work.subscribe(), None),
            Interest::Anything => (self.0.anything.subscribe(), None),
            Interest::Run(run) => {
                let changes = self.0.runs().entry(run.clone()).or_default().subscribe();
                (changes, Some((Arc::downgrade(&self.0), run)))
            }
        };
        Watch { changes, run }
    }

    /// Says that something has changed.
    pub fn tell(&self, change: &Change) {
        let hub = &*self.0;
        hub.anything.send_replace(());
        if !matches!(change, Change::Run(_)) {
            hub.work.send_replace(());
        }
        match change {
            Change::Run(run) | Change::Work(run) => {
                if let Some(changes) = hub.runs().get(run) {
                    changes.send_replace(());
                }
            }
            Change::Unknown => hub.runs().values().for_each(|changes| changes.send_replace(())),
        }
    }
}

impl Hub {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, watch::Sender<()>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for changes. Dropping it ends that.
#[derive(Debug)]
pub struct Watch {
    changes: watch::Receiver<()>,
    run: Option<(Weak<Hub>, RunId)>,
}

impl Watch {
    /// Returns when something of interest has changed since the last time, or since the beginning. Several changes may
    /// be told as one, and now and then it returns though nothing has changed.
    ///
    /// # Errors
    /// [`StoreError::Closed`]: nothing will change any more, because the store was closed or dropped.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call returns at once if something has changed.
    pub async fn changed(&mut self) -> Result<(), StoreError> {
        self.changes.changed().await.map_err(|_| StoreError::Closed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some((hub, run)) = self.run.take() else { return };
        let Some(hub) = hub.upgrade() else { return };
        let mut runs = hub.runs();
        // This one is still counted.
        if runs.get(&run).is_some_and(|changes| changes.receiver_count() <= 1) {
            runs.remove(&run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(watch: &mut Watch) -> bool {
        let heard = watch.changes.has_changed().unwrap();
        watch.changes.borrow_and_update();
        heard
    }

    #[test]
    fn each_hears_of_what_it_is_interested_in() {
        let notices = Notices::new();
        let run = RunId::from("a");
        let mut work = notices.watch(Interest::Work);
        let mut one = notices.watch(Interest::Run(run.clone()));
        let mut anything = notices.watch(Interest::Anything);
        let mut all = || [heard(&mut work), heard(&mut one), heard(&mut anything)];
        assert_eq!(all(), [false; 3]);
        notices.tell(&Change::Run(run.clone()));
        assert_eq!(all(), [false, true, true]);
        notices.tell(&Change::Work(run));
        assert_eq!(all(), [true; 3]);
        notices.tell(&Change::Run(RunId::from("b")));
        assert_eq!(all(), [false, false, true]);
        notices.tell(&Change::Unknown);
        assert_eq!(all(), [true; 3]);
    }

    #[test]
    fn a_watch_that_was_given_up_leaves_nothing_behind() {
        let notices = Notices::new();
        let interest = Interest::Run(RunId::from("a"));
        let (one, other) = (notices.watch(interest.clone()), notices.watch(interest));
        drop(one);
        assert_eq!(notices.0.runs().len(), 1);
        drop(other);
        assert!(notices.0.runs().is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_learns_that_the_store_is_gone() {
        let notices = Notices::new();
        let mut watch = notices.watch(Interest::Run(RunId::from("a")));
        drop(notices);
        assert!(matches!(watch.changed().await, Err(StoreError::Closed)));
    }
}
