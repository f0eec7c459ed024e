//! What a lane does at once: one step, or some that are known to be short.
//!
//! Where many steps are ready that take no longer than the lock of the run and a look at the clock, a lane takes some of
//! them under one lock, polls one after the other, and reports them all under one lock, under which it takes the next
//! ones. What one of them leads to happens when the last one has been polled; where it cancels others of them, those
//! have been at work in vain, like steps that other lanes were at.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;
use workflow_graph::StepId;

use super::lane::{Next, Shift};
use super::pace::SHORT;
use super::ticket::Attempt;
use super::{Afterwards, Host, Live};
use crate::workflow::{StepResult, Workflow};

/// So many steps are done at once. What they share is little for each of them then, and where they turn out to be long,
/// others wait for no more of them.
const MOST_AT_ONCE: usize = 8;

/// What a lane has taken.
pub(super) struct AtHand<W: Workflow>(Vec<Taken<W>>);

/// One step.
pub(super) struct Taken<W: Workflow> {
    pub(super) attempt: Attempt<W>,
    /// Of which step; the attempt becomes that of another one when it is reported.
    step: StepId,
    /// What it has come to, if it has ended and was not reported yet.
    pub(super) result: Option<StepResult<W::Event>>,
}

impl<W: Workflow> Taken<W> {
    fn new(attempt: Attempt<W>) -> Self {
        Self { step: attempt.invoke.step, attempt, result: None }
    }
}

impl<W: Workflow> Default for AtHand<W> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<W: Workflow> AtHand<W> {
    /// The lane is given its first step.
    pub(super) fn is_given(&mut self, first: Attempt<W>) -> Next<()> {
        self.0.push(Taken::new(first));
        Next::Step(())
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Taken<W>> {
        self.0.iter_mut()
    }

    pub(super) fn len(&self) -> u32 {
        self.0.len() as u32
    }

    /// Learns how long the steps take that have ended now, where that matters.
    #[inline]
    pub(super) fn learn(&self, live: &mut Live<W>, shift: &Shift, now: Instant) {
        let believed_short = self.0.first().is_some_and(|taken| taken.attempt.permit.counts_as_short);
        // Alone with one step after the other, nobody asks. What others were left out for is looked at always, but
        // changes nothing where it is as believed.
        let looks = if believed_short {
            !shift.took_less(self.each(SHORT), now)
        } else {
            live.ready.len() > 1 || live.lanes > 1
        };
        if looks {
            // Which of several it was is not known.
            let took = shift.since_last(now) / self.len().max(1);
            let paces = live.paces.make();
            self.0.iter().for_each(|taken| paces.saw(taken.step, took));
        }
    }

    fn each(&self, time: Duration) -> Duration {
        if self.0.len() == 1 { time } else { time * self.len() }
    }

    /// Reports what has ended, and takes what is next.
    #[inline]
    pub(super) fn report<'h>(
        &mut self,
        host: &'h Arc<Host<W>>,
        mut live: MutexGuard<'h, Live<W>>,
        may_take: bool,
        afterwards: &mut Afterwards,
    ) -> Next<()> {
        let is_alone = self.0.len() == 1;
        for taken in &mut self.0 {
            let Some(result) = taken.result.take() else { continue };
            let starts;
            (live, starts) = taken.attempt.hand_on(host, live, result, afterwards);
            if starts && is_alone && may_take && live.is_nobody_elses() {
                taken.step = taken.attempt.invoke.step;
                taken.attempt.permit = live.start(taken.step);
                live.tell_readers(afterwards);
                return Next::Step(());
            }
            live.release(&mut taken.attempt, starts);
        }
        live.tell_readers(afterwards);
        self.take(&mut live, may_take, afterwards)
    }

    /// Takes the next step for a lane that is counted in `lanes`, and others if they are all short.
    pub(super) fn take(
        &mut self,
        live: &mut Live<W>,
        may_take: bool,
        afterwards: &mut Afterwards,
    ) -> Next<()> {
        self.0.clear();
        let first = match Host::next(live, may_take, afterwards) {
            Next::Step(first) => first,
            Next::GiveWay => return Next::GiveWay,
            Next::Leave => return Next::Leave,
        };
        let takes_more = first.permit.counts_as_short;
        self.0.push(Taken::new(first));
        if takes_more {
            self.take_more(live);
        }
        Next::Step(())
    }

    fn take_more(&mut self, live: &mut Live<W>) {
        // Where runs take turns, each step needs one; in a store, each is a record of its own.
        if live.gate.is_some() || live.ledger.is_some() {
            return;
        }
        while self.0.len() < MOST_AT_ONCE {
            Host::drop_stale(live);
            if !live.is_short(0) {
                return;
            }
            let Some(invoke) = live.ready.pop_front() else { return };
            let permit = live.start(invoke.step);
            self.0.push(Taken::new(Attempt::of(invoke, permit)));
        }
    }
}
