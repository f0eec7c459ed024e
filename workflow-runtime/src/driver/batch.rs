//! What a lane does at once: one step, or some that are known to be short.
//!
//! Where many steps are ready that take no longer than the lock of the run and a look at the clock, a lane takes some of
//! them under one lock, polls one after the other, and reports them all under one lock, under which it takes the next
//! ones. What one of them leads to happens when the last one has been polled; where it cancels others of them, those
//! have been at work in vain, like steps that other lanes were at.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use workflow_graph::StepId;

use super::lane::Next;
use super::pace::Paces;
use super::ticket::Attempt;
use super::{Afterwards, Host, Live};
use crate::workflow::{StepResult, Workflow};

/// So many steps are done at once. What they share is little for each of them then, and where they turn out to be long,
/// others wait for no more of them.
const MOST_AT_ONCE: usize = 8;

/// What a lane has taken. Mostly it is one step, which takes no memory of its own.
pub(super) struct AtHand<W: Workflow> {
    first: Taken<W>,
    more: Vec<Taken<W>>,
}

/// One step.
pub(super) struct Taken<W: Workflow> {
    pub(super) attempt: Attempt<W>,
    /// Of which step; the attempt becomes that of another one when it is reported.
    step: StepId,
    /// What it has come to, if it has ended and was not reported yet.
    pub(super) result: Option<StepResult<W::Event>>,
    /// It has become the attempt of another step, which waits nowhere else.
    goes_on: bool,
    /// Others left it to this lane.
    counts_as_short: bool,
}

impl<W: Workflow> Taken<W> {
    fn new(attempt: Attempt<W>) -> Self {
        let (step, counts_as_short) = (attempt.invoke.step, attempt.permit.counts_as_short);
        Self { attempt, step, result: None, goes_on: false, counts_as_short }
    }

    /// What the attempt has become waits for its turn, if it has become a step.
    fn waits(&mut self, live: &mut Live<W>) {
        live.release(&mut self.attempt, std::mem::take(&mut self.goes_on));
    }

    /// It is the turn of the step that the attempt has become.
    #[inline]
    fn starts(&mut self, live: &mut Live<W>) {
        self.goes_on = false;
        self.step = self.attempt.invoke.step;
        self.attempt.permit = live.start(self.step);
        self.counts_as_short = self.attempt.permit.counts_as_short;
    }
}

impl<W: Workflow> Default for AtHand<W> {
    fn default() -> Self {
        Self { first: Taken::new(Attempt::none()), more: Vec::new() }
    }
}

impl<W: Workflow> AtHand<W> {
    /// The lane is given its first step.
    pub(super) fn is_given(&mut self, first: Attempt<W>) -> Next<()> {
        self.first = Taken::new(first);
        Next::Step(())
    }

    #[inline]
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Taken<W>> {
        std::iter::once(&mut self.first).chain(&mut self.more)
    }

    pub(super) fn len(&self) -> u32 {
        1 + self.more.len() as u32
    }

    fn get_mut(&mut self, place: usize) -> Option<&mut Taken<W>> {
        match place.checked_sub(1) {
            None => Some(&mut self.first),
            Some(place) => self.more.get_mut(place),
        }
    }

    /// Learns how long the steps that have ended now `took`. Alone with one step after the other, nobody asks.
    #[inline]
    pub(super) fn learn(&self, live: &mut Live<W>, took: impl FnOnce() -> Duration) {
        if self.first.counts_as_short || live.ready.len() > 1 || live.lanes > 1 {
            self.look_at_paces(live.paces.make(), took());
        }
    }

    fn look_at_paces(&self, paces: &mut Paces, took: Duration) {
        // Which of several it was is not known.
        let each = if self.more.is_empty() { took } else { took / self.len() };
        let (mut step, mut times) = (self.first.step, 1);
        for taken in &self.more {
            if taken.step != step {
                paces.saw(step, times, each);
                (step, times) = (taken.step, 0);
            }
            times += 1;
        }
        paces.saw(step, times, each);
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
        if !self.more.is_empty() {
            return self.report_all(host, live, may_take, afterwards);
        }
        let taken = &mut self.first;
        if let Some(result) = taken.result.take() {
            let starts;
            (live, starts) = taken.attempt.hand_on(host, live, result, afterwards);
            if starts && may_take && live.is_nobody_elses() {
                taken.starts(&mut live);
                live.tell_readers(afterwards);
                return Next::Step(());
            }
            taken.goes_on = starts;
        }
        live.tell_readers(afterwards);
        self.take(&mut live, may_take, afterwards)
    }

    #[inline(never)]
    fn report_all<'h>(
        &mut self,
        host: &'h Arc<Host<W>>,
        mut live: MutexGuard<'h, Live<W>>,
        may_take: bool,
        afterwards: &mut Afterwards,
    ) -> Next<()> {
        for place in 0..=self.more.len() {
            let Some(taken) = self.get_mut(place) else { break };
            let Some(result) = taken.result.take() else { continue };
            if result.is_err() || !taken.attempt.only_emits() {
                // The lock is let go for that one, and others may cancel what waits.
                self.iter_mut().take(place).for_each(|before| before.waits(&mut live));
            }
            let Some(taken) = self.get_mut(place) else { break };
            let starts;
            (live, starts) = taken.attempt.hand_on(host, live, result, afterwards);
            taken.goes_on = starts && live.ready.is_empty();
            if !taken.goes_on {
                live.release(&mut taken.attempt, starts);
            }
            if !live.ready.is_empty() {
                self.stand_before_others(place, &mut live);
            }
        }
        live.tell_readers(afterwards);
        if may_take && self.goes_on(&mut live) {
            Next::Step(())
        } else {
            self.take(&mut live, may_take, afterwards)
        }
    }

    /// Those before that place that were released when nothing waited stand before what has come since.
    fn stand_before_others(&mut self, place: usize, live: &mut Live<W>) {
        for place in (0..place).rev() {
            let Some(taken) = self.get_mut(place) else { break };
            if std::mem::take(&mut taken.goes_on) {
                live.ready.push_front(taken.attempt.move_out().invoke);
            }
        }
    }

    /// Goes on with what the steps at hand have become, if that can be: if it is one step, or all are short.
    fn goes_on(&mut self, live: &mut Live<W>) -> bool {
        if !live.is_nobody_elses() {
            return false;
        }
        self.more.retain(|taken| taken.goes_on);
        if !self.first.goes_on {
            if self.more.is_empty() {
                return false;
            }
            self.first = self.more.remove(0);
        }
        let paces = live.paces.get();
        let is_short =
            |taken: &mut Taken<W>| paces.is_some_and(|paces| paces.is_short(taken.attempt.invoke.step));
        if !self.more.is_empty() && !self.iter_mut().all(is_short) {
            return false;
        }
        self.iter_mut().for_each(|taken| taken.starts(live));
        true
    }

    /// Takes the next step for a lane that is counted in `lanes`, and others if they are all short.
    pub(super) fn take(
        &mut self,
        live: &mut Live<W>,
        may_take: bool,
        afterwards: &mut Afterwards,
    ) -> Next<()> {
        self.iter_mut().for_each(|taken| taken.waits(live));
        self.more.clear();
        let first = match Host::next(live, may_take, afterwards) {
            Next::Step(first) => first,
            Next::GiveWay => return Next::GiveWay,
            Next::Leave => return Next::Leave,
        };
        let takes_more = first.permit.counts_as_short;
        self.first = Taken::new(first);
        if takes_more {
            self.take_more(live);
        }
        Next::Step(())
    }

    fn take_more(&mut self, live: &mut Live<W>) {
        // Where runs take turns, each step needs one; in a store, each is a record of its own. And no lane would be asked
        // for what stands behind, if that is long.
        let last = live.ready.len().checked_sub(1);
        if live.gate.is_some() || live.ledger.is_some() || !last.is_some_and(|last| live.is_short(last)) {
            return;
        }
        self.more.reserve_exact(MOST_AT_ONCE - 1);
        while self.more.len() < MOST_AT_ONCE - 1 {
            Host::drop_stale(live);
            if !live.is_short(0) {
                return;
            }
            let Some(invoke) = live.ready.pop_front() else { return };
            let permit = live.start(invoke.step);
            self.more.push(Taken::new(Attempt::of(invoke, permit)));
        }
    }
}
