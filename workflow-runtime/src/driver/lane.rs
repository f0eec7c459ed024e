//! Lanes: who polls the steps that are ready.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::pace::SHORT;
use super::ticket::{Attempt, Ticket, drop_step};
use super::{Afterwards, Host, panicked};
use crate::room::Rooms;
use crate::workflow::{BlockingStep, StepCall, StepResult, Workflow};

/// A lane gives way to other tasks after so long ..
const SHORTEST_SHIFT: Duration = Duration::from_micros(200);
/// .. and after up to so long, if there was nobody to give way to: doing so wakes another worker in vain.
const LONGEST_SHIFT: Duration = Duration::from_micros(800);
/// A lane that has its turn again so soon has given way to nobody, or to hardly anything.
const AT_ONCE: Duration = Duration::from_micros(50);
/// A shift has no more steps than that, so that it ends where a clock stands still, as a paused one does.
const MOST_STEPS: u32 = 4_096;
/// After so long, a lane sees to it that its worker looks at its timers, and at what came from elsewhere.
const LOOKS_AROUND_AFTER: Duration = Duration::from_millis(4);

/// After so many polls, each worker of tokio's has looked around at least once (its interval is 127 at most).
const POLLS_UNTIL_IT_LOOKS: u32 = 128;

/// What a lane does next.
pub(super) enum Next {
    /// It does the step at hand.
    Step,
    /// Let other tasks run, then ask again.
    GiveWay,
    /// Nothing is ready. The lane is not counted any more.
    Leave,
}

/// Takes steps from the ready queue of one run, one at a time, and polls them in place.
pub(super) struct Lane<W: Workflow> {
    pub(super) host: Arc<Host<W>>,
    /// Whether it still counts in `lanes`.
    counted: bool,
}

impl<W: Workflow> Lane<W> {
    /// A lane that is counted in `lanes`.
    pub(super) fn counted(host: Arc<Host<W>>) -> Self {
        Self { host, counted: true }
    }

    pub(super) async fn work(mut self, mut first: Option<Attempt<W>>) {
        let mut shift = Shift::first(Instant::now());
        loop {
            let goes_on =
                poll_fn(|poller| Poll::Ready(self.work_a_shift(first.take(), &mut shift, poller))).await;
            if !goes_on {
                self.counted = false;
                return;
            }
            // A worker looks at what came from elsewhere, and at its timers, once in so many polls. After a
            // step that has kept it for long, or some shifts, that must not take as many of them. (Not `yield_now`:
            // what that defers cannot be taken over by another worker, while this one may be kept again.)
            let looks_around = shift.ended_with_a_long_step || shift.last >= shift.looks_around_at;
            for _ in 0..if looks_around { POLLS_UNTIL_IT_LOOKS } else { 1 } {
                give_way().await;
            }
            shift = shift.next(Instant::now(), looks_around);
        }
    }

    /// Polls one step after the other. `false` if the lane is not counted any more.
    fn work_a_shift(&self, first: Option<Attempt<W>>, shift: &mut Shift, poller: &mut Poller<'_>) -> bool {
        let is_given = first.is_some();
        let mut at_hand = first.unwrap_or_else(Attempt::none);
        let mut next = if is_given { Next::Step } else { self.next(&mut at_hand, shift, shift.last) };
        let mut rooms = Rooms::new();
        loop {
            next = match next {
                Next::Step => self.step(&mut at_hand, shift, &mut rooms, poller),
                Next::GiveWay => return true,
                Next::Leave => return false,
            };
        }
    }

    fn next(&self, at_hand: &mut Attempt<W>, shift: &mut Shift, now: Instant) -> Next {
        let mut afterwards = Afterwards::default();
        let next = Host::next(&mut self.host.lock(), shift.goes_on(now), at_hand, &mut afterwards);
        self.host.finish(afterwards);
        next
    }

    /// Calls a step and polls it once.
    #[inline]
    fn step(
        &self,
        at_hand: &mut Attempt<W>,
        shift: &mut Shift,
        rooms: &mut Rooms<W::Event>,
        poller: &mut Poller<'_>,
    ) -> Next {
        let host = &self.host;
        let (step, input, context) = at_hand.begin(host);
        let believed_short = at_hand.permit.counts_as_short;
        let times_out = W::policy(step).timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let room = rooms.of(step);
        let begun = catch_unwind(AssertUnwindSafe(|| match W::call(step, input, context, &mut *room) {
            StepCall::Done(result) => Begun::Ended(result),
            StepCall::Running => match at_hand.poll(host, room, poller) {
                Poll::Ready(result) => Begun::Ended(result),
                Poll::Pending => Begun::Waits,
            },
            StepCall::Blocking(work) => Begun::Blocks(work),
        }));
        let result = match begun {
            Ok(Begun::Ended(result)) => result,
            Ok(Begun::Waits) => {
                Ticket::of(host, at_hand.move_out()).detach(room.move_out(), times_out);
                let now = Instant::now();
                if believed_short {
                    host.lock().paces.make().saw(step, shift.since_last(now));
                }
                return self.next(at_hand, shift, now);
            }
            Ok(Begun::Blocks(work)) => {
                let runtime = host.runtime.clone();
                let ticket = Ticket::of(host, at_hand.move_out());
                runtime.spawn_blocking(move || ticket.block(work));
                return self.next(at_hand, shift, Instant::now());
            }
            Err(panic) => drop_step(room.move_out(), Err(panicked(&*panic))),
        };
        at_hand.pass_on(host, result, |live, at_hand, starts, afterwards| {
            let now = live.now.moment;
            let others = live.ready.len() + usize::from(starts);
            // Alone with one step after the other, nobody asks. What others were left out for is looked at always, but
            // changes nothing where it is as believed.
            let looks = if believed_short { !shift.was_short(now) } else { others > 1 || live.lanes > 1 };
            if looks {
                live.paces.make().saw(step, shift.since_last(now));
            }
            Host::go_on(live, at_hand, starts, shift.goes_on(now), afterwards)
        })
    }
}

/// What has become of a step that a lane has polled once.
enum Begun<E> {
    Ended(StepResult<E>),
    Waits,
    Blocks(BlockingStep<E>),
}

/// A lane that goes while steps are ready was dropped by a runtime that shuts down.
impl<W: Workflow> Drop for Lane<W> {
    fn drop(&mut self) {
        if self.counted {
            let mut live = self.host.lock();
            live.lanes -= 1;
            // What was put down before is nobody's work any more. A lane for it would be dropped like this one.
            Host::drop_stale(&mut live);
            let abandoned = !live.ready.is_empty();
            drop(live);
            if abandoned {
                // In a store, it is there to be taken up by whoever comes next.
                self.host.leave_behind();
            }
        }
    }
}

/// What a lane has done since it gave way.
struct Shift {
    length: Duration,
    ends: Instant,
    steps: u32,
    /// When the last step ended, or the shift began.
    last: Instant,
    /// Its last step has kept the worker for so long that others may be waiting.
    ended_with_a_long_step: bool,
    looks_around_at: Instant,
}

impl Shift {
    fn first(now: Instant) -> Self {
        Self::start(now, SHORTEST_SHIFT, now + LOOKS_AROUND_AFTER)
    }

    fn start(now: Instant, length: Duration, looks_around_at: Instant) -> Self {
        Self {
            length,
            ends: now + length,
            steps: 0,
            last: now,
            ended_with_a_long_step: false,
            looks_around_at,
        }
    }

    /// The shift after this one.
    fn next(&self, now: Instant, looked_around: bool) -> Self {
        // Looking around takes long by itself, so it says nothing about who else waits.
        let (length, looks_around_at) = match () {
            () if self.ended_with_a_long_step => (SHORTEST_SHIFT, now + LOOKS_AROUND_AFTER),
            () if looked_around => (self.length, now + LOOKS_AROUND_AFTER),
            () if self.since_last(now) < AT_ONCE => {
                (LONGEST_SHIFT.min(self.length * 2), self.looks_around_at)
            }
            () => (SHORTEST_SHIFT, self.looks_around_at),
        };
        Self::start(now, length, looks_around_at)
    }

    /// How long the step that has ended now has kept the worker.
    fn since_last(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last)
    }

    /// Whether the step that has ended now was short.
    #[inline]
    fn was_short(&self, now: Instant) -> bool {
        now < self.last + SHORT
    }

    /// Whether there is time for another step.
    #[inline]
    fn goes_on(&mut self, now: Instant) -> bool {
        let goes_on = now < self.ends && self.steps < MOST_STEPS;
        if !goes_on {
            self.ended_with_a_long_step = self.since_last(now) >= SHORTEST_SHIFT;
        }
        self.steps += 1;
        self.last = now;
        goes_on
    }
}

/// Lets the other tasks of this worker run. Unlike tokio's `yield_now`, which defers the wake-up until the
/// worker has polled its drivers, this goes to the back of the queue at once.
pub(crate) async fn give_way() {
    let mut gave_way = false;
    poll_fn(|poller| {
        if gave_way {
            return Poll::Ready(());
        }
        gave_way = true;
        poller.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
