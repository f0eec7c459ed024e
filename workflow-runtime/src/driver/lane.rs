//! Lanes: who polls the steps that are ready.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::ticket::{Ticket, drop_step};
use super::{Afterwards, Host, Permit, panicked};
use crate::context::Context;
use crate::engine::Invoke;
use crate::workflow::{StepCall, Workflow};

/// A lane gives way to other tasks after so many steps ..
const STEPS_PER_SHIFT: u32 = 256;
/// .. or after so long, whichever comes first.
const TIME_PER_SHIFT: Duration = Duration::from_micros(200);

/// So many polls after a long shift, each worker of tokio's has looked around at least once (its interval is 127 at most).
const POLLS_AFTER_LONG: u32 = 128;

/// What a lane does next.
pub(super) enum Next<E> {
    /// This one, if it is its turn.
    Step(Invoke<E>, Permit),
    /// Let other tasks run, then ask again.
    GiveWay,
    /// Nothing is ready. The lane is not counted any more.
    Leave,
}

/// Takes steps from the ready queue of one run, one at a time, and polls them in place.
pub(super) struct Lane<W: Workflow> {
    pub(super) host: Arc<Host<W>>,
    /// Whether it still counts in `lanes`.
    pub(super) counted: bool,
}

impl<W: Workflow> Lane<W> {
    pub(super) async fn work(mut self, first: Option<(Invoke<W::Event>, Permit)>) {
        let mut shift = Shift::start();
        let mut next = match first {
            Some((invoke, permit)) => Next::Step(invoke, permit),
            None => self.next(&shift),
        };
        loop {
            next = match next {
                Next::Step(invoke, permit) => {
                    shift.steps += 1;
                    self.step(invoke, permit, &shift).await
                }
                Next::GiveWay => {
                    // A worker looks at what came from elsewhere, and at its timers, once in so many polls. After a
                    // step that has kept it for long, that must not take as many such steps. (Not `yield_now`:
                    // what that defers cannot be taken over by another worker, while this one may be kept again.)
                    let polls = if shift.is_long(Instant::now()) { POLLS_AFTER_LONG } else { 1 };
                    for _ in 0..polls {
                        give_way().await;
                    }
                    shift = Shift::start();
                    self.next(&shift)
                }
                Next::Leave => {
                    self.counted = false;
                    return;
                }
            }
        }
    }

    fn next(&self, shift: &Shift) -> Next<W::Event> {
        let mut afterwards = Afterwards::default();
        let next = Host::next(&mut self.host.lock(), shift.goes_on(Instant::now()), &mut afterwards);
        self.host.finish(afterwards);
        next
    }

    /// Calls a step and polls it once.
    async fn step(&self, invoke: Invoke<W::Event>, permit: Permit, shift: &Shift) -> Next<W::Event> {
        let host = &self.host;
        let ticket = Ticket::of(host, &invoke, permit);
        let context = Context::new(Arc::clone(host), &invoke, ticket.updates.clone(), ticket.calls.clone());
        let Invoke { step, input, .. } = invoke;
        let call = AssertUnwindSafe(|| host.workflow.call(step, input, context));
        let result = match catch_unwind(call) {
            Ok(StepCall::Done(result)) => result,
            Ok(StepCall::Running(mut future)) => {
                match poll_fn(|poller| Poll::Ready(ticket.poll(&mut future, poller))).await {
                    Poll::Ready(result) => drop_step(future).and(result),
                    Poll::Pending => {
                        ticket.detach(future);
                        return self.next(shift);
                    }
                }
            }
            Ok(StepCall::Blocking(work)) => {
                let runtime = host.runtime.clone();
                runtime.spawn_blocking(move || ticket.block(work));
                return self.next(shift);
            }
            Err(panic) => Err(panicked(&*panic)),
        };
        ticket.report(result, |live, afterwards| Host::next(live, shift.goes_on(live.now), afterwards))
    }
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

/// How long a lane has been working without giving way.
struct Shift {
    since: Instant,
    steps: u32,
}

impl Shift {
    fn start() -> Self {
        Self { since: Instant::now(), steps: 0 }
    }

    /// Whether a step has kept its worker busy for so long that others may be waiting.
    fn is_long(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= TIME_PER_SHIFT
    }

    fn goes_on(&self, now: Instant) -> bool {
        self.steps < STEPS_PER_SHIFT && !self.is_long(now)
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
