//! How a run ends, and how it is taken up again.

use workflow_graph::Role;

use super::MAX_INTERRUPTIONS;
use super::command::{Command, Ending, Missing, Notice, Stall};
use super::notes::Noted;
use super::payload::Payload;
use super::start::workers;
use super::state::{Budget, FailedAttempts, Invocation, InvocationId, InvocationState, State, Status, Timer};
use super::turn::Turn;
use crate::error::{StepError, StepErrorKind};

impl<E: Payload> Turn<'_, E> {
    /// The run has its output: everything else is cancelled, and only then is the end announced.
    pub(super) fn stop(&mut self, output: E) {
        let running =
            self.state.invocations.iter().filter(|(_, other)| other.state == InvocationState::Running);
        self.out.extend(running.map(|(id, _)| Command::Abort { invocation: *id }));
        let open = self.state.requests.keys();
        self.out.extend(open.map(|id| Command::Publish(Notice::InputWithdrawn { request: *id })));
        self.scratch.fresh.clear();
        self.scratch.limited.clear();
        self.state.complete();
        self.out.push(Command::Finish(Ending::Completed { output }));
    }

    /// Nobody takes a failure: the run fails. Everything stays as it is, so that it can be continued from here.
    pub(super) fn fail_the_run(&mut self, id: InvocationId, error: StepError) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        let step = invocation.step;
        let before = std::mem::replace(&mut invocation.state, InvocationState::Failed(error.clone()));
        let queue = self.state.extras.get_mut().and_then(|extras| extras.queues.get_mut(&step));
        if let (InvocationState::Queued, Some(queue)) = (before, queue) {
            // One that was interrupted too often fails where it waits, and must not wait twice when it is run again.
            queue.retain(|other| *other != id);
        }
        self.state.recount(id);
        self.release(step);
        self.end(Status::Failed, Ending::Failed { invocation: id, step, error });
    }

    /// Ends the run in a way that can be resumed: what runs is aborted, and will be run again.
    pub(super) fn end(&mut self, status: Status, ending: Ending<E>) {
        self.requeue_running(|_, id, out| out.push(Command::Abort { invocation: id }));
        self.scratch.fresh.clear();
        self.scratch.limited.clear();
        self.state.status = status;
        self.out.push(Command::Finish(ending));
    }

    /// Puts what runs back to where it waits for a start, ahead of what has not run yet.
    fn requeue_running(
        &mut self,
        mut each: impl FnMut(&mut Invocation<E>, InvocationId, &mut Vec<Command<E>>),
    ) {
        let mut limited = Vec::new();
        for (id, invocation) in self.state.invocations.iter_mut() {
            if invocation.state != InvocationState::Running {
                continue;
            }
            invocation.state = InvocationState::Queued;
            each(invocation, *id, self.out);
            if workers(self.graph, invocation.step).is_some() {
                limited.push((invocation.step, *id));
            }
        }
        for (step, id) in limited.into_iter().rev() {
            self.state.queue(step).push_front(id);
        }
        if let Some(extras) = self.state.extras.get_mut() {
            extras.busy.clear();
            extras.waiting.clear();
        }
        // What was made in the same tick as the end has not reached its queue yet.
        for id in std::mem::take(&mut self.scratch.fresh).iter() {
            if let Some(invocation) = self.state.invocations.get(&id) {
                if workers(self.graph, invocation.step).is_some() {
                    self.state.queue(invocation.step).push_back(id);
                }
            }
        }
    }

    /// Takes the run up again: what ran when it was put down runs again, and so does what failed.
    pub(super) fn resume(&mut self) {
        let interrupted = self.state.status == Status::Running;
        self.requeue_running(|invocation, _, _| {
            // A step that waits for somebody does not wear the process out.
            if interrupted && invocation.waits() == 0 {
                invocation.history.make().interruptions += 1;
            }
        });
        if self.state.status == Status::TimedOut {
            // A run that is continued has its time anew. A deadline that has passed has had its effect.
            let now = self.state.now;
            if let Some(extras) = self.state.extras.get_mut() {
                extras.budget = extras.budget.map(|budget| Budget { left: budget.whole, ..budget });
                extras.deadline = extras.deadline.filter(|deadline| *deadline > now);
            }
        }
        self.state.status = Status::Running;
        let now = self.state.now;
        let State { requests, extras, .. } = &mut *self.state;
        for (id, request) in requests.iter_mut() {
            // One that expired without a taker failed the run; it is asked anew.
            let is_due =
                |due| extras.get().is_some_and(|extras| extras.timers.contains(&(due, Timer::Expiry(*id))));
            if request.expires_at.is_some_and(|due| !is_due(due)) {
                request.expires_at = request.prompt.expires_in().map(|after| now.plus(after));
                let timers = &mut extras.make().timers;
                timers.extend(request.expires_at.map(|due| (due, Timer::Expiry(*id))));
            }
            self.out.push(Command::Publish(request.notice(*id)));
        }
        let mut worn_out = Vec::new();
        for (id, invocation) in self.state.invocations.iter_mut() {
            if let InvocationState::Delayed(_) = invocation.state {
                continue;
            }
            let failed = matches!(invocation.state, InvocationState::Failed(_));
            if failed {
                invocation.state = InvocationState::Queued;
                invocation.attempt = 1;
                if let Some(history) = invocation.history.get_mut() {
                    history.interruptions = 0;
                    history.failed = FailedAttempts::default();
                    // What nobody answered in time is asked anew.
                    history.notes.retain(|_, noted| !matches!(noted, Noted::Expired(_)));
                }
            }
            if invocation.interruptions() >= MAX_INTERRUPTIONS {
                worn_out.push((*id, invocation.step));
            }
            match workers(self.graph, invocation.step) {
                None => self.scratch.fresh.push(*id),
                Some(_) => {
                    self.scratch.limited.push(invocation.step);
                    if failed {
                        self.state.extras.make().queue(invocation.step).push_front(*id);
                    }
                }
            }
        }
        for (id, step) in worn_out {
            if self.state.status != Status::Running {
                break;
            }
            let message = format!(
                "the run was interrupted {MAX_INTERRUPTIONS} times while step `{}` ran",
                self.step_name(step)
            );
            self.fail(id, StepError::of_kind(StepErrorKind::Interrupted, message));
        }
        if self.state.status == Status::Running {
            self.fire_what_is_due(self.state.time_is_up());
        }
    }

    /// Nothing on the way, nobody who could send anything, and no output: an error now rather than a hang.
    pub(super) fn notice_a_stall(&mut self) {
        if self.state.status != Status::Running || !self.state.scopes.root().members.is_empty() {
            return;
        }
        if self.graph.events.iter().any(|event| event.role == Role::Signal && !event.accepted_by.is_empty()) {
            return;
        }
        let stall = self.stall();
        self.end(Status::Failed, Ending::Stalled(stall));
    }

    fn stall(&self) -> Stall {
        let joins = self.state.scopes.root().joins.get().into_iter().flatten();
        let waiting = joins.map(|((_, step), slots)| {
            let (mut arrived, mut missing) = (Vec::new(), Vec::new());
            for (param, waiting) in (0..).zip(slots) {
                if waiting.is_empty() { missing.push(param) } else { arrived.push(param) }
            }
            Missing { step: *step, arrived, missing }
        });
        let ended = self.state.extras.get().map(|extras| extras.ended.iter().copied().collect());
        Stall { waiting: waiting.collect(), ended: ended.unwrap_or_default() }
    }
}
