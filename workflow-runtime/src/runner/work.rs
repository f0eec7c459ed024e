//! What a runner with a store does by itself: it takes up what is due, brings messages, and shows that it is alive.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::commit::{News, NotStored, json_text};
use super::error::LoadError;
use super::hosted::{self, options};
use super::inner::{Inner, Kept};
use super::{ON_ITS_WAY, lock};
use crate::driver::{Standing, millis};
use crate::engine::Time;
use crate::handle::RunId;
use crate::journal;
use crate::store::{Append, Claimed, Due, Interest, Message, RunStatus, StoreError};

/// The most runs that are claimed at once.
const MOST_CLAIMED: usize = 64;
/// The most messages that are read at once.
const MOST_MESSAGES: usize = 512;
/// How long to wait after the store has failed.
const PATIENCE: Duration = Duration::from_millis(250);

/// Looks after the runs of a runner, until it is told to stop.
pub(super) async fn look_after(inner: Arc<Inner>, mut news: mpsc::UnboundedReceiver<News>) {
    let Some(kept) = &inner.kept else { return };
    let mut watch = kept.store.watch(Interest::Work);
    let mut renewed_at = None;
    loop {
        let looked = round(&inner, kept, &mut renewed_at).await;
        let in_trouble = looked.is_err();
        let wait = *looked.as_ref().unwrap_or(&PATIENCE);
        *lock(&inner.trouble) = looked.err();
        let mut wait = pin!(tokio::time::sleep(wait));
        loop {
            tokio::select! {
                biased;
                () = inner.stop.cancelled() => return,
                Some(new) = news.recv() => match new {
                    News::Released(run) => {
                        if !inner.forget_if_over(&run) {
                            // Its steps are still being dropped.
                            let soon = Instant::now() + ON_ITS_WAY;
                            let looks_at = wait.deadline().min(soon);
                            wait.as_mut().reset(looks_at);
                        }
                    }
                    News::Failed => {
                        // What was thrown away is given back when the store has had a moment.
                        renewed_at = None;
                        wait.as_mut().reset(Instant::now() + PATIENCE);
                    }
                },
                changed = watch.changed(), if !in_trouble => {
                    if changed.is_err() {
                        // The store does not tell any more; it is asked now and then.
                        tokio::time::sleep(PATIENCE).await;
                    }
                    break;
                }
                () = &mut wait => break,
            }
        }
    }
}

/// One look around. Gives back how long there is nothing to do unless something changes.
async fn round(inner: &Inner, kept: &Kept, renewed_at: &mut Option<Time>) -> Result<Duration, StoreError> {
    let third = millis(kept.lease) / 3;
    let now = inner.clock.now();
    inner.forget_what_is_over();
    let mut missing = false;
    if renewed_at.is_none_or(|at| at.plus(third) <= now) {
        missing |= renew(inner, kept).await?;
        *renewed_at = Some(now).filter(|_| !missing);
    }
    let workflows: Vec<&str> = inner.kinds.keys().copied().collect();
    loop {
        let _taking = inner.taking.read().await;
        let claimed =
            kept.store.claim_due(&workflows, MOST_CLAIMED, inner.lease(kept), inner.clock.now()).await?;
        let count = claimed.len();
        let mut trouble = None;
        for claimed in claimed {
            match inner.load(kept, claimed).await {
                // It was given back, and is due as it was.
                Err(LoadError::Store(error)) if !is_damage(&error) => trouble = Some(error),
                // What cannot be loaded was put aside, where everybody can see why.
                Ok(()) | Err(_) => {}
            }
        }
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        if count < MOST_CLAIMED {
            break;
        }
    }
    lock(&inner.hosted).values().for_each(|host| host.forget_decided());
    let messages = kept.store.inbox(&kept.owner, MOST_MESSAGES).await?;
    let many = messages.len() == MOST_MESSAGES;
    for message in messages {
        missing |= !bring(inner, message);
    }
    let now = inner.clock.now();
    let renew_in = renewed_at.map_or(0, |at| at.plus(third).0.saturating_sub(now.0));
    let due_in = kept.store.next_due(&workflows).await?.map_or(u64::MAX, |due| due.0.saturating_sub(now.0));
    if missing {
        return Ok(ON_ITS_WAY);
    }
    let wait = if many { 1 } else { renew_in.min(due_in).max(1) };
    Ok(Duration::from_millis(wait))
}

/// Says that this runner is alive, and gives back what it owns and does not know. Whether some of that is not gone yet,
/// so that this has to be done again soon.
async fn renew(inner: &Inner, kept: &Kept) -> Result<bool, StoreError> {
    let held: Vec<(RunId, u64)> = {
        let hosted = lock(&inner.hosted);
        hosted.iter().filter_map(|(run, host)| Some((run.clone(), host.epoch()?))).collect()
    };
    let renewed = kept.store.renew(inner.lease(kept), &held).await?;
    for run in renewed.lost {
        // One that was claimed anew since is another one; one that was given back since is nobody's loss.
        let epoch = held.iter().find(|(listed, _)| *listed == run).map(|(_, epoch)| *epoch);
        if let Some(host) = inner.find(&run).filter(|host| host.epoch() == epoch) {
            host.throw_away(&NotStored::TakenOver);
        }
    }
    if renewed.unlisted.is_empty() {
        return Ok(false);
    }
    // What was on its way has come then.
    let _taking = inner.taking.write().await;
    inner.forget_what_is_over();
    let mut missing = false;
    for (run, epoch) in renewed.unlisted {
        match inner.find(&run) {
            // The answer to a claim was lost, or a run went back just now; then this changes nothing.
            None => drop(kept.store.release(&run, epoch, None).await?),
            // Steps of a run that was thrown away are still at work.
            Some(host) => missing |= host.is_over(),
        }
    }
    Ok(missing)
}

/// Hands a message to its run. `false` if the run is not here yet.
fn bring(inner: &Inner, message: Message) -> bool {
    let found = inner.find(&message.run);
    found.map(|host| host.take(message)).is_some()
}

impl Inner {
    /// Drops the runs of which nothing is left to do here.
    pub(super) fn forget_what_is_over(&self) {
        lock(&self.hosted).retain(|_, host| {
            host.give_back_if_idle();
            !host.is_gone()
        });
    }

    /// Drops a run that was given back. `false` if something of it is left to do here.
    fn forget_if_over(&self, run: &RunId) -> bool {
        let mut hosted = lock(&self.hosted);
        let gone = hosted.get(run).is_none_or(|host| host.is_gone());
        if gone {
            hosted.remove(run);
        }
        gone
    }

    /// Takes up a run that was claimed. One that cannot be taken up is put aside, with the reason.
    pub(super) async fn load(&self, kept: &Kept, claimed: Claimed) -> Result<(), LoadError> {
        let run = claimed.run.run.clone();
        let loaded = self.try_load(kept, &claimed).await;
        if let Err(error) = &loaded {
            if matches!(error, LoadError::Store(error) if !is_damage(error)) {
                // It may go better next time.
                let _ = kept.store.release(&run, claimed.run.epoch, None).await;
                return loaded;
            }
            let mut append = Append::new(run, claimed.run.epoch, claimed.run.position, self.clock.now());
            append.status = Some(RunStatus::Blocked);
            append.due = Some(Due::Aside);
            append.outcome = Some(json_text(&chain(error)));
            append.release = true;
            if let Err(error) = kept.store.append(vec![append]).await {
                return Err(LoadError::Store(error));
            }
        }
        loaded
    }

    async fn try_load(&self, kept: &Kept, claimed: &Claimed) -> Result<(), LoadError> {
        let run = &claimed.run;
        let Some(kind) = self.kinds.get(&*run.workflow) else { return Ok(()) };
        let replayed = hosted::replay(&*kept.store, claimed).await?;
        let fingerprint = journal::fingerprint(kind.graph());
        let (tail, snapshot) = claimed.history.as_ref().map_or((0, 0), |history| {
            let tail = history.tail.iter().map(|record| record.body.get().len()).sum();
            (tail, history.snapshot.as_ref().map_or(0, |saved| saved.body.get().len()))
        });
        let standing = Standing {
            position: run.position,
            fingerprint: (replayed.fingerprint != fingerprint).then_some(fingerprint),
            tail,
            snapshot,
        };
        let place = self.kept_at(kept, run.epoch, standing);
        let options = options::from_tags(&run.tags).id(run.run.clone());
        let messages = claimed.history.as_ref().map(|history| history.inbox.clone()).unwrap_or_default();
        let host = kind.load(claimed, replayed, options, place, self.limit.clone())?;
        self.add(&run.run, Arc::clone(&host));
        for message in messages {
            let host = Arc::clone(&host);
            if run.status.is_end() && message.key.is_none() {
                // Who sent it was told that the run does not go on. With a key, it may be said again.
                host.refuse(message, "the run did not go on when this was said");
            } else {
                host.take(message);
            }
        }
        Ok(())
    }
}

/// Whether what is stored is at fault, not the store.
fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt { .. })
}

fn chain(error: &dyn std::error::Error) -> String {
    let links = std::iter::successors(Some(error), |&error| error.source());
    links.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
