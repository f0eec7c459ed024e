//! Which step starts next, and whose turn it is where runs share a limit.
//!
//! A run stands in line at the gate once, however many of its steps are ready; each turn starts one of them. The gate
//! is fair, so runs take turns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use workflow_graph::StepId;

use super::lane::{Lane, Next};
use super::ticket::Attempt;
use super::{Afterwards, End, Host, Live};
use crate::workflow::Workflow;

/// What comes with a step that is started.
pub(super) struct Permit {
    /// The step's turn, where runs take turns.
    pub(super) turn: Option<OwnedSemaphorePermit>,
    /// It counts in `at_short_steps`.
    pub(super) counts_as_short: bool,
}

impl<W: Workflow> Host<W> {
    /// The next step for a lane, which is counted in `lanes`.
    #[inline]
    pub(super) fn next(live: &mut Live<W>, may_take: bool, afterwards: &mut Afterwards) -> Next<Attempt<W>> {
        Self::drop_stale(live);
        let counts_as_short = live.is_short(0);
        let is_left_to_another = counts_as_short && live.at_short_steps > 0;
        if live.ready.is_empty() || live.holds > 0 || is_left_to_another {
            live.lanes -= 1;
            return Next::Leave;
        }
        // Of two short steps, this lane does the other one as well.
        if live.ready.len() > 1 && !(counts_as_short && live.is_short(1)) {
            live.want_lane(afterwards);
        }
        // A task that is spawned here lies in a slot of this worker that nobody can steal from, so it
        // would not run before this lane gives way.
        if !may_take || afterwards.spawn_lane {
            return Next::GiveWay;
        }
        let Ok(turn) = live.turn() else {
            live.lanes -= 1;
            live.queue_up(afterwards);
            return Next::Leave;
        };
        match live.ready.pop_front() {
            Some(invoke) => {
                live.some_are_stale &= !live.ready.is_empty();
                let permit = Permit { turn, ..live.start(invoke.step) };
                Next::Step(Attempt::of(invoke, permit))
            }
            None => Next::GiveWay,
        }
    }

    /// Takes out of the ready queue what was cancelled before its turn.
    pub(super) fn drop_stale(live: &mut Live<W>) {
        // In a run with a store, others can put down what waits here.
        if !live.some_are_stale && live.ledger.is_none() {
            return;
        }
        live.some_are_stale &= !live.ready.is_empty();
        while live.ready.get(0).is_some_and(|next| !Self::is_current(live, next.invocation, next.attempt)) {
            live.ready.pop_front();
        }
    }

    /// It is this run's turn: one step may start.
    pub(super) fn granted(self: &Arc<Self>, permit: OwnedSemaphorePermit) {
        let invoke = {
            let mut live = self.lock();
            live.queued = false;
            Self::drop_stale(&mut live);
            let invoke = if live.holds == 0 { live.ready.pop_front() } else { None };
            if invoke.is_some() {
                live.lanes += 1;
                live.at_work += 1;
            }
            invoke
        };
        if let Some(invoke) = invoke {
            let permit = Permit { turn: Some(permit), counts_as_short: false };
            let lane = Lane::counted(Arc::clone(self), Some(Attempt::of(invoke, permit)));
            self.runtime.spawn(lane.work());
        }
    }
}

impl<W: Workflow> Live<W> {
    /// Whether a step that is released now can be taken without a look at others: none waits before it, and no lane does
    /// short steps for all.
    #[inline]
    pub(super) fn is_nobody_elses(&self) -> bool {
        let may_start = self.ready.is_empty() && self.gate.is_none() && self.holds == 0;
        may_start && self.at_short_steps == 0 && !self.some_are_stale && self.goes_on()
    }

    /// Whether a step may still start.
    #[inline]
    fn goes_on(&self) -> bool {
        matches!(self.end, End::NotYet) && !self.is_broken()
    }

    /// A lane starts that step.
    #[inline]
    pub(super) fn start(&mut self, step: StepId) -> Permit {
        let counts_as_short = self.paces.get().is_some_and(|paces| paces.is_short(step));
        self.at_work += 1;
        self.at_short_steps += u32::from(counts_as_short);
        Permit { turn: None, counts_as_short }
    }

    /// Puts what an attempt has become into the ready queue, if it has become one and the run goes on.
    pub(super) fn release(&mut self, attempt: &mut Attempt<W>, starts: bool) {
        if starts && self.goes_on() {
            self.ready.push_back(attempt.move_out().invoke);
        } else if starts {
            // What it is given is the author's.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(attempt.move_out())));
        }
    }

    /// What a step needs to start: nothing, or a turn.
    fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        self.gate.as_ref().map(|gate| Arc::clone(gate).try_acquire_owned()).transpose()
    }

    /// Gets into line at the gate, once.
    pub(super) fn queue_up(&mut self, afterwards: &mut Afterwards) {
        if !self.queued {
            self.queued = true;
            afterwards.more.make().queue_at = self.gate.clone();
        }
    }

    /// Whether the step in that place of the ready queue is known to be short.
    pub(super) fn is_short(&self, place: usize) -> bool {
        let paces = self.paces.get();
        let next = self.ready.get(place);
        paces.zip(next).is_some_and(|(paces, invoke)| paces.is_short(invoke.step))
    }

    /// Whether the next step is left to a lane that is at work.
    pub(super) fn is_left_to_another(&self) -> bool {
        self.at_short_steps > 0 && self.is_short(0)
    }

    /// Asks for another lane if there is work for one.
    pub(super) fn want_lane(&mut self, afterwards: &mut Afterwards) {
        let wanted = !self.ready.is_empty() && self.holds == 0 && !self.queued && !self.is_left_to_another();
        if wanted && self.lanes < most_lanes() {
            self.lanes += 1;
            afterwards.spawn_lane = true;
        }
    }
}

pub(super) fn most_lanes() -> u32 {
    static MOST: OnceLock<u32> = OnceLock::new();
    *MOST.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        u32::try_from(cores).unwrap_or(u32::MAX)
    })
}
