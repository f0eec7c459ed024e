//! Who takes a failure.
//!
//! In this order: the step's retry policy (its verdict comes with the tick), the error handler of the step, then,
//! scope by scope from the inside, a gather that takes failures, then the run. The search comes first: only when a
//! taker is found is anything torn down, and only below it.

use std::sync::Arc;

use workflow_graph::{ParamForm, Slot, StepId};

use super::command::{Ending, Notice};
use super::delivery::Way;
use super::members::Member;
use super::payload::{Failure, Input, Part, Payload};
use super::state::{Branch, InvocationId, InvocationState, Recoveries, ScopeId, Status, Timer};
use super::tick::Verdict;
use super::turn::Turn;
use crate::error::StepError;
use crate::event::RequestId;

/// How often an error handler runs on one lineage, if it does not say.
const MOST_RECOVERIES: u32 = 1;

/// Who takes a failure that has left its step.
enum Taker {
    /// Gathers of this scope, which get it at the index of this branch.
    Gathers(Branch),
    /// Every gather of this scope has fired, and it runs on: the failure ends its branch, and nothing else.
    Nobody(Branch),
}

impl<E: Payload> Turn<'_, E> {
    /// An attempt has failed: it is run again, or the step has failed for good.
    pub(super) fn attempt_failed(&mut self, id: InvocationId, error: StepError, verdict: Verdict) {
        let Verdict::Retry { after } = verdict else { return self.fail(id, error) };
        let due = self.state.now.plus(after);
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        let (step, attempt) = (invocation.step, invocation.attempt);
        invocation.state = InvocationState::Delayed(due);
        invocation.attempt += 1;
        let history = invocation.history.make();
        history.failed.first_failed_at.get_or_insert(self.state.now);
        history.failed.last_error = Some(error.clone());
        self.state.start_timer(Some(due), Timer::Retry(id));
        self.state.recount(id);
        self.release(step);
        self.publish(Notice::StepRetrying { invocation: id, attempt, step, error, due });
        if after == 0 {
            self.fire_what_is_due(None);
        }
    }

    /// A step has failed for good.
    pub(super) fn fail(&mut self, id: InvocationId, error: StepError) {
        let Some(invocation) = self.state.invocations.get(&id) else { return };
        let (step, attempt, branch) = (invocation.step, invocation.attempt, invocation.branch);
        let way = Way { branch, from: step, recoveries: invocation.recoveries.clone() };
        self.publish(Notice::StepFailed { invocation: id, attempt, step, error: error.clone() });
        let failure =
            Failure { step: self.step_name(step).to_owned(), invocation: id, attempts: attempt, error };
        if let Some((handler, recoveries)) = self.handler(step, &way.recoveries) {
            let Some(invocation) = self.discard(id) else { return };
            for sender in invocation.emitters() {
                self.drop_scope(sender.scope);
            }
            self.release(step);
            self.recover(handler, failure, invocation.input, branch, recoveries);
            return self.leave(branch.scope, Member::Invocation(id));
        }
        let own = self.state.invocations.get(&id).map(|it| it.emitters().to_vec()).unwrap_or_default();
        if own.iter().any(|sender| !self.failure_gathers(sender.scope).is_empty()) {
            self.discard(id);
            self.release(step);
            for sender in own {
                let last = Branch { scope: sender.scope, index: sender.sent };
                self.hand_failure_to_gathers(failure.clone(), &Way { branch: last, ..way.clone() });
                self.leave(sender.scope, Member::Filler(id));
            }
            return self.leave(branch.scope, Member::Invocation(id));
        }
        let Some(taker) = self.look_outwards(branch) else { return self.fail_the_run(id, failure.error) };
        self.discard(id);
        self.release(step);
        for sender in own {
            self.drop_scope(sender.scope);
        }
        self.give(taker, failure, &way, Member::Invocation(id));
    }

    /// A question was not answered in time, and no step takes that.
    pub(super) fn question_failed(&mut self, id: RequestId, way: &Way, error: StepError) {
        let step = self.step_name(way.from).to_owned();
        // The invocation that asked is over; the question's own id stands for it.
        let failure = Failure { step, invocation: InvocationId(id.0), attempts: 1, error };
        // What the step was given is gone, so a handler that wants it cannot run.
        let handler =
            self.handler(way.from, &way.recoveries).filter(|(handler, _)| !self.wants_input(*handler));
        if let Some((handler, recoveries)) = handler {
            self.state.requests.remove(&id);
            self.recover(handler, failure, Input::Parts(Vec::new()), way.branch, recoveries);
            return self.leave(way.branch.scope, Member::Request(id));
        }
        match self.look_outwards(way.branch) {
            Some(taker) => {
                self.state.requests.remove(&id);
                self.give(taker, failure, way, Member::Request(id));
            }
            None => {
                let (invocation, step, error) = (failure.invocation, way.from, failure.error);
                self.end(Status::Failed, Ending::Failed { invocation, step, error });
            }
        }
    }

    /// The error handler of a step, with its count on this lineage, unless it has run often enough.
    fn handler(&self, step: StepId, recoveries: &Recoveries) -> Option<(StepId, Recoveries)> {
        let handler = self.graph.handler_of(step)?;
        let most = self.graph.step(handler)?.options.max_recoveries.unwrap_or(MOST_RECOVERIES);
        let mut counts = recoveries.as_deref().cloned().unwrap_or_default();
        let count = counts.entry(handler).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some((handler, Some(Arc::new(counts))))
    }

    /// Whether an error handler takes `StepFailed<T>`.
    fn wants_input(&self, handler: StepId) -> bool {
        let params = self.graph.step(handler).map_or(&[][..], |step| &step.params);
        params.iter().any(|param| param.form == ParamForm::Failed && !param.events.is_empty())
    }

    fn recover(
        &mut self,
        handler: StepId,
        failure: Failure,
        input: Input<E>,
        branch: Branch,
        recoveries: Recoveries,
    ) {
        let input = Input::Parts(vec![Part::Failed(failure, Box::new(input))]);
        self.invoke(handler, input, branch, recoveries);
    }

    /// The nearest scope that does something with a failure in this branch.
    fn look_outwards(&self, mut branch: Branch) -> Option<Taker> {
        loop {
            let scope = self.state.scopes.get(&branch.scope)?;
            if !self.failure_gathers(branch.scope).is_empty() {
                return Some(Taker::Gathers(branch));
            }
            if !scope.gathers.is_empty() && scope.gathers.iter().all(|gather| gather.fired) {
                return Some(Taker::Nobody(branch));
            }
            branch = scope.parent?;
        }
    }

    /// The gathers of a scope that take failures and have not fired.
    fn failure_gathers(&self, scope: ScopeId) -> Vec<Slot> {
        let gathers = self.state.scopes.get(&scope).map_or(&[][..], |scope| &scope.gathers);
        let takes = |slot: Slot| {
            let param = self.graph.step(slot.step).and_then(|step| step.params.get(usize::from(slot.param)));
            param.is_some_and(|param| param.form == ParamForm::Gather { failures: true })
        };
        gathers
            .iter()
            .filter(|gather| !gather.fired && takes(gather.slot))
            .map(|gather| gather.slot)
            .collect()
    }

    /// Gives a failure to its taker. What lies between the taker and the failure is cancelled.
    fn give(&mut self, taker: Taker, failure: Failure, way: &Way, failed: Member) {
        let (Taker::Gathers(at) | Taker::Nobody(at)) = taker;
        let below = self.scope_below(at.scope, way.branch.scope);
        if let Taker::Gathers(_) = taker {
            self.hand_failure_to_gathers(failure, &Way { branch: at, ..way.clone() });
        }
        match below {
            Some(scope) => {
                self.cancel_scope(scope);
                self.leave(at.scope, Member::Scope(scope));
            }
            None => self.leave(at.scope, failed),
        }
    }

    fn hand_failure_to_gathers(&mut self, failure: Failure, way: &Way) {
        for slot in self.failure_gathers(way.branch.scope) {
            self.gather(slot, Err(Box::new(failure.clone())), way);
        }
    }

    /// The scope on the way from `inner` outwards that lies directly in `outer`; `None` if they are one.
    fn scope_below(&self, outer: ScopeId, mut inner: ScopeId) -> Option<ScopeId> {
        while inner != outer {
            let parent = self.state.scopes.get(&inner)?.parent?.scope;
            if parent == outer {
                return Some(inner);
            }
            inner = parent;
        }
        None
    }

    /// Cancels a scope that its sender leaves behind.
    fn drop_scope(&mut self, id: ScopeId) {
        let Some(parent) = self.state.scopes.get(&id).and_then(|scope| scope.parent) else { return };
        self.cancel_scope(id);
        self.leave(parent.scope, Member::Scope(id));
    }
}
