//! Lanes: who polls the steps that are ready.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context as Poller, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::batch::AtHand;
use super::pool::Worked;
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
pub(super) const LOOKS_AROUND_AFTER: Duration = Duration::from_millis(4);

/// After so many polls, each worker of tokio's has looked around at least once (its interval is 127 at most).
pub(super) const POLLS_UNTIL_IT_LOOKS: u32 = 128;

/// What a lane does next.
pub(super) enum Next<S> {
    /// It works at that.
    Step(S),
    /// Let other tasks run, then ask again.
    GiveWay,
    /// Nothing is ready. The lane is not counted any more.
    Leave,
}

/// Takes steps from the ready queue of one run, and polls them in place.
pub(super) struct Lane<W: Workflow> {
    pub(super) host: Arc<Host<W>>,
    /// What it begins with, if that was taken for it. Boxed, because most lanes begin with nothing, and there may be as
    /// many of them as runs.
    first: Option<Box<Attempt<W>>>,
    /// Whether it still counts in `lanes`.
    counted: bool,
}

impl<W: Workflow> Lane<W> {
    /// A lane that is counted in `lanes`.
    pub(super) fn counted(host: Arc<Host<W>>, first: Option<Attempt<W>>) -> Self {
        Self { host, first: first.map(Box::new), counted: true }
    }

    /// Works until nothing is ready. When its last shift was.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` would hold the lane twice, in as many tasks as there are runs"
    )]
    pub(super) fn work(mut self) -> impl Future<Output = Worked> + Send + use<W> {
        async move {
            let mut shift = Shift::first(Instant::now());
            loop {
                if !self.work_a_shift(&mut shift) {
                    self.is_counted_no_more();
                    return shift.worked();
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
    }

    // Written in the future itself, the compiler would warn that nobody reads it: `drop` does.
    fn is_counted_no_more(&mut self) {
        self.counted = false;
    }

    /// Polls one step after the other. `false` if the lane is not counted any more.
    fn work_a_shift(&mut self, shift: &mut Shift) -> bool {
        let mut at_hand = AtHand::default();
        let mut next = match self.first.take() {
            Some(first) => at_hand.is_given(*first),
            None => self.next(&mut at_hand, shift),
        };
        let mut rooms = Rooms::new();
        loop {
            next = match next {
                Next::Step(()) => self.work_at(&mut at_hand, shift, &mut rooms),
                Next::GiveWay => return true,
                Next::Leave => return false,
            };
        }
    }

    fn next(&self, at_hand: &mut AtHand<W>, shift: &mut Shift) -> Next<()> {
        let mut afterwards = Afterwards::default();
        let may_take = shift.goes_on(shift.last, 1);
        let next = at_hand.take(&mut self.host.lock(), may_take, &mut afterwards);
        self.host.finish(afterwards);
        next
    }

    /// Does what is at hand, and takes what is next under the lock under which it is reported.
    #[inline]
    fn work_at(&self, at_hand: &mut AtHand<W>, shift: &mut Shift, rooms: &mut Rooms<W::Event>) -> Next<()> {
        let host = &self.host;
        for taken in at_hand.iter_mut() {
            taken.result = self.poll(&mut taken.attempt, rooms);
        }
        let now = Instant::now();
        let mut afterwards = Afterwards::default();
        let next = {
            let mut live = host.lock();
            live.now.time_at(now, &host.clock);
            at_hand.learn(&mut live, || shift.since_last(now));
            let may_take = shift.goes_on(now, at_hand.len());
            at_hand.report(host, live, may_take, &mut afterwards)
        };
        host.finish(afterwards);
        next
    }

    /// Calls a step and polls it once. What it has come to; `None` if somebody else sees to it from here on.
    ///
    /// Nobody is woken for it: whoever sees to a step that is pending begins with polling it.
    #[inline]
    fn poll(&self, attempt: &mut Attempt<W>, rooms: &mut Rooms<W::Event>) -> Option<StepResult<W::Event>> {
        let host = &self.host;
        let step = attempt.invoke.step;
        let room = rooms.of(step);
        let begun = catch_unwind(AssertUnwindSafe(|| {
            let (input, context) = attempt.begin(host);
            let times_out = W::policy(step).timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            match W::call(step, input, context, &mut *room) {
                StepCall::Done(result) => Begun::Ended(result),
                StepCall::Running => match attempt.poll(host, room, &mut Poller::from_waker(Waker::noop())) {
                    Poll::Ready(result) => Begun::Ended(result),
                    Poll::Pending => Begun::Waits { times_out },
                },
                StepCall::Blocking(work) => Begun::Blocks(work),
            }
        }));
        match begun {
            Ok(Begun::Ended(result)) => Some(result),
            Ok(Begun::Waits { times_out }) => {
                Ticket::of(host, attempt.move_out()).detach(room.move_out(), times_out);
                None
            }
            Ok(Begun::Blocks(work)) => {
                let runtime = host.runtime.clone();
                let ticket = Ticket::of(host, attempt.move_out());
                // Where there is no thread for it, the ticket says so when it goes.
                let _ = catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(move || ticket.block(work))));
                None
            }
            Err(panic) => Some(drop_step(room.move_out(), Err(panicked(&*panic)))),
        }
    }
}

/// What has become of a step that a lane has polled once.
enum Begun<E> {
    Ended(StepResult<E>),
    Waits { times_out: Option<Instant> },
    Blocks(BlockingStep<E>),
}

/// A lane that goes while steps are ready was dropped by a runtime that shuts down.
impl<W: Workflow> Drop for Lane<W> {
    fn drop(&mut self) {
        if let Some(first) = self.first.take() {
            // Nobody will report it.
            drop(Ticket::of(&self.host, *first));
        }
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
    /// When the last steps ended, or the shift began.
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

    fn worked(&self) -> Worked {
        Worked { began: self.ends - self.length, ended: self.last }
    }

    /// How long the worker was kept by what has ended now.
    fn since_last(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last)
    }

    /// Whether there is time for more, after so many steps that have ended now.
    #[inline]
    fn goes_on(&mut self, now: Instant, steps: u32) -> bool {
        let goes_on = now < self.ends && self.steps < MOST_STEPS;
        if !goes_on {
            self.ended_with_a_long_step = self.since_last(now) >= SHORTEST_SHIFT;
        }
        self.steps = self.steps.saturating_add(steps);
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
