//! Who takes a failure.

use std::collections::BTreeSet;

use workflow_runtime::StepError;
use workflow_runtime::engine::{Failure, Input, InvocationId, Part, Status, Verdict};
use workflow_runtime::graph::{Catches, ParamForm, StepId};

use super::seen::Expectation;
use super::{At, Came, Counts, Model, Way, WorkState, said};
use crate::case::Value;

const GIVEN_BACK: &str = "signals given back by failed steps";

impl Model {
    pub(super) fn attempt_failed(&mut self, position: usize, error: StepError, verdict: Verdict) {
        let Verdict::Retry { after } = verdict else { return self.fail(position, error) };
        let (now, due) = (self.now, self.now.saturating_add(after));
        let work = &mut self.work[position];
        self.expected.retrying = work.id.map(|id| (id, work.attempt, error.clone(), due));
        work.state = WorkState::Delayed(due);
        work.attempt += 1;
        work.first_failed_at.get_or_insert(now);
        work.last_error = Some(error);
        self.seen.count("retries");
        if after == 0 {
            self.what_is_due_happens(None);
        }
    }

    /// A step has failed for good.
    pub(super) fn fail(&mut self, position: usize, error: StepError) {
        let work = self.work[position].clone();
        let Some(id) = work.id else { return };
        self.expected.failed.push((id, work.attempt, error.clone()));
        let failure = Failure {
            step: self.name(work.step),
            invocation: id,
            attempts: work.attempt,
            error: error.clone(),
        };
        let way = Way { at: work.at, from: work.step, counts: work.counts };
        let own: Vec<(usize, u32)> = work.senders.iter().flatten().map(|it| (it.scope, it.sent)).collect();

        if let Some((handler, counts)) = self.handler(work.step, &way.counts) {
            let taken = self.discard(position, GIVEN_BACK);
            self.give_back(taken);
            own.iter().for_each(|(scope, _)| self.tear(*scope));
            return self.recover(handler, failure, work.input, work.at, counts);
        }
        if !way.counts.is_empty() {
            self.seen.count("failures that go on after an error handler has run");
        }
        if own.iter().any(|(scope, _)| !self.failure_gathers(*scope).is_empty()) {
            let taken = self.discard(position, GIVEN_BACK);
            self.give_back(taken);
            for (scope, index) in own {
                self.hand_over(&failure, &Way { at: At { scope, index }, ..way.clone() });
            }
            return self.seen.count("failures of senders taken as their last event");
        }
        match self.taker(work.at) {
            Some(taker) => {
                let taken = self.discard(position, GIVEN_BACK);
                self.give_back(taken);
                own.iter().for_each(|(scope, _)| self.tear(*scope));
                self.give(taker, &failure, &way);
            }
            None => {
                self.work[position].state = WorkState::Failed(error.clone());
                self.seen.count("failures that nobody took");
                self.put_down(Status::Failed, Expectation::Failed(id, work.step, error));
            }
        }
    }

    /// Nobody has answered in time.
    pub(super) fn expire(&mut self, position: usize) {
        let Some(id) = self.questions[position].id else { return };
        self.expected.expired.push(id);
        self.seen.count("questions expired");
        let question = self.questions[position].clone();
        if let Some(caller) = question.asker {
            self.questions.remove(position);
            self.seen.count("questions of steps expired");
            return self.has_come(&caller, Came::Expired(id));
        }
        let way = Way { at: question.at, from: question.step, counts: question.counts };
        if let Some(expired) = question.prompt.closed(id) {
            self.questions.remove(position);
            return self.deliver(expired, &way);
        }
        let step = self.name(question.step);
        let error = said("expired", format!("nobody answered question {id} of step `{step}` in time"));
        let failure = Failure { step, invocation: InvocationId(id.0), attempts: 1, error: error.clone() };
        // What the step was given is gone, so only a handler that does not want it can run.
        let handler = self.handler(question.step, &way.counts).filter(|(it, _)| !self.wants_input(*it));
        if let Some((handler, counts)) = handler {
            self.questions.remove(position);
            self.seen.count("expiries taken by an error handler");
            return self.recover(handler, failure, Input::Parts(Vec::new()), question.at, counts);
        }
        match self.taker(question.at) {
            Some(taker) => {
                self.questions.remove(position);
                self.seen.count("expiries taken outwards");
                self.give(taker, &failure, &way);
            }
            None => {
                self.questions[position].is_over = true;
                self.seen.count("expiries that nobody took");
                self.put_down(Status::Failed, Expectation::Failed(failure.invocation, question.step, error));
            }
        }
    }

    /// The handler that names the step, else the one for the rest, unless it has run often enough on this way.
    fn handler(&self, step: StepId, counts: &Counts) -> Option<(StepId, Counts)> {
        let steps = || (0..).map(StepId).zip(self.graph.steps.iter());
        if self.graph.steps[step.index()].options.catches.is_some() {
            return None;
        }
        let names = |catches: &Catches| matches!(catches, Catches::Steps(caught) if caught.contains(&step));
        let by_name = steps().find(|(_, it)| it.options.catches.as_ref().is_some_and(names));
        let rest = || steps().find(|(_, it)| it.options.catches == Some(Catches::Rest));
        let (handler, declared) = by_name.or_else(rest)?;
        let before = counts.get(&handler).copied().unwrap_or(0);
        if before >= declared.options.max_recoveries.unwrap_or(1) {
            return None;
        }
        let mut counts = counts.clone();
        counts.insert(handler, before + 1);
        Some((handler, counts))
    }

    fn wants_input(&self, handler: StepId) -> bool {
        let params = &self.graph.steps[handler.index()].params;
        params.iter().any(|it| it.form == ParamForm::Failed && !it.events.is_empty())
    }

    fn recover(&mut self, handler: StepId, failure: Failure, input: Input<Value>, at: At, counts: Counts) {
        self.seen.count("failures taken by an error handler");
        let input = Input::Parts(vec![Part::Failed(failure, Box::new(input))]);
        self.invoke(handler, input, at, counts);
    }

    /// From the inside outwards: the branch of the first scope with a gather that takes failures, or of one that has
    /// had all it needs, where a failure bothers nobody.
    fn taker(&self, mut at: At) -> Option<At> {
        loop {
            let scope = self.scope(at.scope)?;
            let has_all = !scope.gathers.is_empty() && scope.gathers.iter().all(|gather| gather.fired);
            if has_all || !self.failure_gathers(at.scope).is_empty() {
                return Some(at);
            }
            at = scope.parent;
        }
    }

    /// Whether a failure there would be taken by nobody.
    pub fn would_fail_the_run(&self, position: usize) -> bool {
        let work = &self.work[position];
        let own = work.senders.iter().flatten();
        self.handler(work.step, &work.counts).is_none()
            && own.into_iter().all(|sender| self.failure_gathers(sender.scope).is_empty())
            && self.taker(work.at).is_none()
    }

    /// The failure arrives at the index of its branch, and what lies below is cancelled.
    fn give(&mut self, taker: At, failure: &Failure, way: &Way) {
        let below = self.scopes.iter().find(|it| it.parent == taker && self.lies_in(way.at.scope, it.number));
        let below = below.map(|it| it.number);
        if self.failure_gathers(taker.scope).is_empty() {
            self.seen.count("failures that bothered nobody");
        }
        self.hand_over(failure, &Way { at: taker, ..way.clone() });
        if let Some(below) = below {
            self.seen.count("failures that left a fan-out");
            self.tear(below);
        }
    }

    fn lies_in(&self, inner: usize, outer: usize) -> bool {
        inner == outer || self.scope(inner).is_some_and(|it| self.lies_in(it.parent.scope, outer))
    }

    fn hand_over(&mut self, failure: &Failure, way: &Way) {
        for slot in self.failure_gathers(way.at.scope) {
            self.seen.count("failures taken by a gather");
            self.gather(slot, Err(Box::new(failure.clone())), way);
        }
    }

    /// Cancels a scope because of a failure.
    fn tear(&mut self, scope: usize) {
        if !self.is_open(scope) {
            return;
        }
        let all: BTreeSet<usize> = self.all_in(scope);
        let lives = self.work.iter().any(|it| {
            all.contains(&it.at.scope) || it.senders.iter().flatten().any(|it| all.contains(&it.scope))
        });
        self.seen.torn = true;
        self.seen.torn_alive |= lives || self.questions.iter().any(|it| all.contains(&it.at.scope));
        self.cancel(scope);
    }
}
