//! Steps at work, and how they report.

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context as Poller, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow_graph::Tool;

use super::clock::millis;
use super::lane::{Lane, Next};
use super::{Afterwards, Changed, Happening, Host, Kept, Live, Permit, most_lanes, panicked};
use crate::calls::Calls;
use crate::context::{Context, Updates};
use crate::engine::{Emitted, Input, InvocationId, Invoke, Tick, Verdict};
use crate::error::{StepError, StepErrorKind};
use crate::room::Room;
use crate::workflow::{BlockingStep, StepResult, Workflow};

/// One attempt at a step, at work. Whoever polls it owes the run a report.
pub(super) struct Attempt<W: Workflow> {
    /// What is attempted. Its input goes to the step.
    pub(super) invoke: Invoke<W::Event>,
    pub(super) updates: Updates<W::State>,
    /// What it has called; made here where it may wait for somebody, whom it can also give up.
    pub(super) calls: Option<Arc<Calls>>,
    /// It is over when the step is.
    pub(super) permit: Permit,
}

impl<W: Workflow> Attempt<W> {
    /// Of a step that is counted in `at_work`.
    pub(super) fn of(invoke: Invoke<W::Event>, permit: Permit) -> Self {
        Self { invoke, updates: None, calls: None, permit }
    }

    /// Of nothing: room for an attempt.
    pub(super) fn none() -> Self {
        let permit = Permit { turn: None, counts_as_short: false };
        Self::of(Invoke::at_work(InvocationId(0), 0), permit)
    }

    /// The attempt, for somebody else.
    pub(super) fn move_out(&mut self) -> Self {
        std::mem::replace(self, Self::none())
    }

    /// What the step is given, and what it is told. To be asked for once.
    #[inline]
    pub(super) fn begin(&mut self, host: &Arc<Host<W>>) -> (Input<W::Event>, Context<W>) {
        let step = self.invoke.step;
        if size_of::<W::State>() > 0 {
            self.updates = Some(Arc::default());
        }
        let waits = |tool: &Tool| matches!(tool, Tool::Asker(_) | Tool::Inbox(_));
        if W::GRAPH.step(step).is_some_and(|step| step.tools.iter().any(waits)) {
            self.calls = Some(Arc::default());
        }
        let context = Context::new(Arc::clone(host), &self.invoke, self.updates.clone(), self.calls.clone());
        (std::mem::replace(&mut self.invoke.input, Input::Parts(Vec::new())), context)
    }

    /// Which invocation, and which attempt at it.
    #[inline]
    pub(super) fn which(&self) -> (InvocationId, u32) {
        (self.invoke.invocation, self.invoke.attempt)
    }

    /// Whether nothing has to be seen to when it has finished but what it emitted.
    #[inline]
    pub(super) fn only_emits(&self) -> bool {
        self.updates.is_none() && self.calls.is_none() && self.permit.turn.is_none()
    }

    /// What the step's retry policy says. The policy may call the author's code, so this is not done under the lock.
    fn verdict(&self, host: &Host<W>, error: &StepError) -> Verdict {
        let Some(retry) = W::policy(self.invoke.step).retry else { return Verdict::Final };
        let since_first = self.invoke.first_failed_at();
        let since_first = since_first.map_or(0, |first| host.clock.now().0.saturating_sub(first.0));
        let seed = host.id().seed() ^ self.invoke.invocation.0.rotate_left(32);
        let decide = || retry.decide(error, self.invoke.attempt, Duration::from_millis(since_first), seed);
        match catch_unwind(AssertUnwindSafe(decide)) {
            Ok(Some(after)) => Verdict::Retry { after: millis(after) },
            Ok(None) | Err(_) => Verdict::Final,
        }
    }

    /// Hands in how the step ended, under a lock that is held already, at the time of the latest tick. Whether this has
    /// become the attempt of another step; else what has been released is in the ready queue.
    #[inline]
    pub(super) fn hand_on<'h>(
        &mut self,
        host: &'h Arc<Host<W>>,
        mut live: MutexGuard<'h, Live<W>>,
        result: StepResult<W::Event>,
        afterwards: &mut Afterwards,
    ) -> (MutexGuard<'h, Live<W>>, bool) {
        match result {
            Ok(emitted) if self.only_emits() && !host.is_kept() => {
                let starts = host.has_emitted(&mut live, self, emitted, afterwards);
                (live, starts)
            }
            other => {
                drop(live);
                (self.report(host, other, afterwards), false)
            }
        }
    }

    /// Hands in how the step ended, where there is more to do than the lock is to be held for.
    #[inline(never)]
    fn report<'h>(
        &mut self,
        host: &'h Arc<Host<W>>,
        result: StepResult<W::Event>,
        afterwards: &mut Afterwards,
    ) -> MutexGuard<'h, Live<W>> {
        let turn = self.permit.turn.take();
        let live = match result {
            Ok(emitted) => {
                // A signal that has come for a call which the step gave up belongs to who waits next.
                self.withdraw_given_up(host);
                self.hand_in_what_it_emitted(host, emitted, afterwards)
            }
            Err(error) => self.hand_in(host, self.failed(host, error), afterwards),
        };
        // Others may be waiting for their turn.
        drop(turn);
        live
    }

    /// What it emitted has no effect, if the step was cancelled while it finished.
    fn hand_in_what_it_emitted<'h>(
        &self,
        host: &'h Host<W>,
        emitted: Emitted<W::Event>,
        afterwards: &mut Afterwards,
    ) -> MutexGuard<'h, Live<W>> {
        let (invocation, attempt) = self.which();
        let (mut live, finished) = if host.is_kept() {
            // What the step emitted is written down, which is the author's code.
            let finished = || host.happening(Tick::Finished { invocation, attempt, emitted });
            let error = match catch_unwind(AssertUnwindSafe(finished)) {
                Ok(Ok(finished)) => Ok(self.with_state(host, finished)),
                Ok(Err(unsaved)) => Err(StepError::of_kind(StepErrorKind::Misused, unsaved)),
                Err(panic) => Err(panicked(&*panic)),
            };
            match error {
                Ok(finished) => finished,
                Err(error) => return self.hand_in(host, self.failed(host, error), afterwards),
            }
        } else {
            self.with_state(host, Happening::new(Tick::Finished { invocation, attempt, emitted }, None))
        };
        self.leave(&mut live, invocation);
        let _ = host.apply(&mut live, finished, afterwards);
        live
    }

    fn hand_in<'h>(
        &self,
        host: &'h Host<W>,
        ended: Happening<W>,
        afterwards: &mut Afterwards,
    ) -> MutexGuard<'h, Live<W>> {
        let mut live = host.lock();
        self.leave(&mut live, self.invoke.invocation);
        let _ = host.apply(&mut live, ended, afterwards);
        live
    }

    /// The step is not at work any more, which was of that invocation.
    #[inline]
    pub(super) fn leave(&self, live: &mut Live<W>, invocation: InvocationId) {
        live.at_work -= 1;
        live.at_short_steps -= u32::from(self.permit.counts_as_short);
        live.take_task(invocation);
    }

    /// What the step has led to, with what it changes in the state as that is now.
    fn with_state<'h>(
        &self,
        host: &'h Host<W>,
        finished: Happening<W>,
    ) -> (MutexGuard<'h, Live<W>>, Happening<W>) {
        let live = host.lock();
        match self.changed_state(host, &live.state) {
            Ok(Some((state, json))) => {
                let finished = Happening { state: Some(state), ..finished };
                (live, finished.keeping(|kept| Kept { state: json, ..kept }))
            }
            Ok(None) => (live, finished),
            Err(error) => {
                // The retry policy may call the author's code.
                drop(live);
                let failed = self.failed(host, error);
                (host.lock(), failed)
            }
        }
    }

    /// What the step wanted changed goes here, since what the changes hold is the author's: not under the lock, and not
    /// without a net.
    fn forget_updates(&self) {
        if let Some(updates) = &self.updates {
            let updates = std::mem::take(&mut *updates.lock().unwrap_or_else(PoisonError::into_inner));
            let _ = catch_unwind(AssertUnwindSafe(|| drop(updates)));
        }
    }

    fn withdraw_given_up(&self, host: &Arc<Host<W>>) {
        if let Some(calls) = &self.calls {
            host.withdraw(self.invoke.invocation, self.invoke.attempt, calls.take_given_up());
        }
    }

    /// Polls the step, whose panics are caught by who polls it. What it gave up and goes on without is withdrawn.
    #[inline]
    pub(super) fn poll(
        &self,
        host: &Arc<Host<W>>,
        step: &mut Room<W::Event>,
        poller: &mut Poller<'_>,
    ) -> Poll<StepResult<W::Event>> {
        let Some(calls) = &self.calls else { return step.poll(poller) };
        let poll = calls.attention.poll(poller, |poller| poll_step(step, poller));
        if poll.is_pending() {
            self.withdraw_given_up(host);
            host.rest_if_idle();
        }
        poll
    }

    /// Ready at that time, when the attempt has taken too long. Its time stands while it waits for an answer or a signal.
    async fn out_of_time(&self, times_out: Option<Instant>) {
        let Some(at) = times_out else { return pending().await };
        let mut timer = pin!(tokio::time::sleep_until(at));
        let mut stands_since = None;
        // Polled after the step, in one task with it, so it sees each change.
        poll_fn(|poller| {
            if self.calls.as_ref().is_some_and(|calls| calls.wait()) {
                stands_since.get_or_insert_with(Instant::now);
                return Poll::Pending;
            }
            if let Some(since) = stands_since.take() {
                let at = timer.deadline() + since.elapsed();
                timer.as_mut().reset(at);
            }
            timer.as_mut().poll(poller)
        })
        .await;
    }

    fn took_too_long(&self) -> StepError {
        let limit = W::policy(self.invoke.step).timeout.unwrap_or_default();
        StepError::of_kind(StepErrorKind::TimedOut, format_args!("the step took longer than {limit:?}"))
    }

    fn failed(&self, host: &Host<W>, error: StepError) -> Happening<W> {
        self.forget_updates();
        let verdict = self.verdict(host, &error);
        let (invocation, attempt) = self.which();
        host.happening_of_run(Tick::Failed { invocation, attempt, error, verdict })
    }

    /// What is cancelled when the step is; `None` if it was, already.
    fn cancellation(&self, host: &Host<W>) -> Option<CancellationToken> {
        host.cancellation(self.invoke.invocation, self.invoke.attempt)
    }

    /// It is not a lane that the step keeps any more.
    pub(super) fn leave_the_lane(&mut self, host: &Host<W>) {
        if std::mem::take(&mut self.permit.counts_as_short) {
            host.lock().at_short_steps -= 1;
        }
    }

    /// The state with the step's changes, if it has made any. They are made on a copy, so that a panic tears nothing.
    fn changed_state(&self, host: &Host<W>, state: &W::State) -> Result<Option<Changed<W>>, StepError> {
        let Some(updates) = &self.updates else { return Ok(None) };
        let updates = std::mem::take(&mut *updates.lock().unwrap_or_else(PoisonError::into_inner));
        if updates.is_empty() {
            return Ok(None);
        }
        let change = AssertUnwindSafe(move || {
            let mut copy = state.clone();
            updates.iter().for_each(|update| update(&mut copy));
            // What they hold is the author's as well.
            drop(updates);
            let json = host.state_json(&copy);
            (copy, json)
        });
        let (changed, json) = catch_unwind(change).map_err(|panic| panicked(&*panic))?;
        let json = json.map_err(|unsaved| {
            StepError::of_kind(
                StepErrorKind::Misused,
                format_args!("the state does not serialise: {unsaved}"),
            )
        })?;
        Ok(Some((Arc::new(changed), json)))
    }

    /// It ends without a report: because it was cancelled, or because the runtime that runs it shuts down.
    fn abandon(&self, host: &Arc<Host<W>>) {
        let mut afterwards = Afterwards::default();
        {
            let mut live = host.lock();
            let (invocation, attempt) = self.which();
            self.leave(&mut live, invocation);
            live.now.look_at(&host.clock);
            if Host::is_current(&live, invocation, attempt) {
                // Nobody cancelled it. The run can be resumed.
                let suspended = host.happening_of_run(Tick::Suspended);
                let suspended = suspended.keeping(|kept| Kept { leaves: true, ..kept });
                let _ = host.apply(&mut live, suspended, &mut afterwards);
            }
            host.announce_if_over(&mut live, &mut afterwards);
        }
        host.finish(afterwards);
    }
}

/// An attempt that no lane polls. Dropping it says that it was cancelled.
pub(super) struct Ticket<W: Workflow> {
    host: Arc<Host<W>>,
    attempt: Attempt<W>,
    open: bool,
}

impl<W: Workflow> Ticket<W> {
    /// The attempt leaves its lane.
    pub(super) fn of(host: &Arc<Host<W>>, mut attempt: Attempt<W>) -> Self {
        attempt.leave_the_lane(host);
        Self { host: Arc::clone(host), attempt, open: true }
    }

    /// Hands in how the step ended. `then` looks for what to do next under the same lock.
    fn pass_on<T>(
        mut self,
        result: StepResult<W::Event>,
        then: impl FnOnce(&mut Live<W>, &mut Afterwards) -> T,
    ) -> T {
        self.open = false;
        let Self { host, attempt, .. } = &mut self;
        let mut afterwards = Afterwards::default();
        let then = {
            let mut live = host.lock();
            live.now.look_at(&host.clock);
            let (mut live, starts) = attempt.hand_on(host, live, result, &mut afterwards);
            live.release(attempt, starts);
            live.tell_readers(&mut afterwards);
            then(&mut live, &mut afterwards)
        };
        host.finish(afterwards);
        then
    }

    /// Runs a step that blocks its thread. It cannot be stopped from outside; a step that was cancelled is waited for.
    pub(super) fn block(self, work: BlockingStep<W::Event>) {
        let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)));
        self.pass_on(result, |live, afterwards| {
            live.want_lane(afterwards);
        });
    }

    /// Gives a step that is not ready a task of its own.
    pub(super) fn detach(self, step: Room<W::Event>, times_out: Option<Instant>) {
        let Some(token) = self.attempt.cancellation(&self.host) else {
            // It was cancelled while it was polled. The step goes before the ticket, and how is no matter any more.
            let _ = drop_step(step, Ok(Emitted::None));
            return;
        };
        let runtime = self.host.runtime.clone();
        runtime.spawn(Detached { step, token, times_out, ticket: self }.run());
    }
}

impl<W: Workflow> Drop for Ticket<W> {
    fn drop(&mut self) {
        if self.open {
            self.attempt.abandon(&self.host);
        }
    }
}

/// A step that has a task of its own. The fields are dropped in this order: the run is told that the step
/// is gone when its future is gone.
struct Detached<W: Workflow> {
    step: Room<W::Event>,
    token: CancellationToken,
    /// When it has taken too long.
    times_out: Option<Instant>,
    ticket: Ticket<W>,
}

impl<W: Workflow> Detached<W> {
    async fn run(mut self) {
        let poll = |poller: &mut Poller<'_>| {
            let Ticket { host, attempt, .. } = &self.ticket;
            let poll = AssertUnwindSafe(|| attempt.poll(host, &mut self.step, poller));
            catch_unwind(poll).unwrap_or_else(|panic| Poll::Ready(Err(panicked(&*panic))))
        };
        let result = tokio::select! {
            biased;
            () = self.token.cancelled() => return,
            result = poll_fn(poll) => result,
            () = self.ticket.attempt.out_of_time(self.times_out) => Err(self.ticket.attempt.took_too_long()),
        };
        let Self { step, ticket, .. } = self;
        let result = drop_step(step, result);
        let host = Arc::clone(&ticket.host);
        let next = ticket.pass_on(result, |live, afterwards| {
            let nothing_to_do = live.ready.is_empty() || live.holds > 0 || live.is_left_to_another();
            if nothing_to_do || live.lanes >= most_lanes() {
                return Next::Leave;
            }
            live.lanes += 1;
            Host::next(live, true, afterwards)
        });
        let lane = match next {
            Next::Step(first) => Lane::counted(host, Some(first)).work(),
            Next::GiveWay => Lane::counted(host, None).work(),
            Next::Leave => return,
        };
        // Boxed, so that a waiting step does not carry the room for a lane.
        Box::pin(lane).await;
    }
}

/// Polls a step. A panic is a failure of the step.
fn poll_step<E>(step: &mut Room<E>, poller: &mut Poller<'_>) -> Poll<StepResult<E>> {
    match catch_unwind(AssertUnwindSafe(|| step.poll(poller))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(panicked(&*panic))),
    }
}

/// Drops a step that has come to that. What its destructors do is part of the step, a panic included.
pub(super) fn drop_step<E>(step: Room<E>, result: StepResult<E>) -> StepResult<E> {
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        drop(step);
        result
    }));
    dropped.unwrap_or_else(|panic| Err(panicked(&*panic)))
}
