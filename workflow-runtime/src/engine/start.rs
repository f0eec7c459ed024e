//! Which steps start when a tick is done: those that it has made, and those that have waited for a worker.

use workflow_graph::{Graph, StepId};

use super::command::Invoke;
use super::payload::Payload;
use super::state::{InvocationId, InvocationState};
use super::turn::Turn;

/// Lists that live for one tick.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) fresh: Fresh,
    /// Limited steps of which an invocation came or a worker became free.
    pub(super) limited: Vec<StepId>,
}

/// Invocations made in one tick, in delivery order. Mostly it is one, which takes no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    first: Option<InvocationId>,
    /// Empty if there is no first.
    others: Vec<InvocationId>,
}

impl Fresh {
    #[inline]
    pub(super) fn push(&mut self, id: InvocationId) {
        match self.first {
            None => self.first = Some(id),
            Some(_) => self.others.push(id),
        }
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<InvocationId> {
        match place.checked_sub(1) {
            None => self.first,
            Some(place) => self.others.get(place).copied(),
        }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(super) fn clear(&mut self) {
        self.first = None;
        self.others.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = InvocationId> {
        self.first.into_iter().chain(self.others.iter().copied())
    }
}

impl<E: Payload> Turn<'_, E> {
    pub(super) fn start_what_is_ready(&mut self) {
        // Starting adds to neither list, so both can be read in place.
        self.runs.reserve(self.scratch.fresh.len());
        let mut next = 0;
        while let Some(id) = self.scratch.fresh.get(next) {
            next += 1;
            let Some(step) = self.state.invocations.get(&id).map(|invocation| invocation.step) else {
                continue;
            };
            if workers(self.graph, step).is_some() {
                self.state.queue(step).push_back(id);
                self.scratch.limited.push(step);
            } else {
                self.run(id);
            }
        }
        self.scratch.fresh.clear();
        let mut next = 0;
        while let Some(step) = self.scratch.limited.get(next).copied() {
            next += 1;
            self.start_from_queue(step);
        }
        self.scratch.limited.clear();
    }

    fn start_from_queue(&mut self, step: StepId) {
        let limit = workers(self.graph, step).unwrap_or(u32::MAX);
        while let Some(extras) = self.state.extras.get_mut() {
            if extras.busy.get(&step).is_some_and(|busy| *busy >= limit) {
                return;
            }
            let Some(queue) = extras.queues.get_mut(&step) else { return };
            let Some(id) = queue.pop_front() else {
                extras.queues.remove(&step);
                return;
            };
            // Cancelling leaves its entries in the queue, so that its cost is that of what it cancels.
            if self.state.invocations.contains_key(&id) {
                *extras.busy.entry(step).or_default() += 1;
                self.run(id);
            }
        }
    }

    fn run(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        invocation.state = InvocationState::Running;
        let (step, attempt) = (invocation.step, invocation.attempt);
        let depth = self.state.scopes.get(&invocation.branch.scope).map_or(0, |scope| scope.depth);
        let input = invocation.input.clone();
        let mut failed = None;
        if let Some(history) = invocation.history.get() {
            failed = Some(&history.failed).filter(|failed| !failed.is_empty()).cloned();
            self.state.recount(id);
        }
        if self.graph.step(step).is_some_and(|step| !step.tools.is_empty()) {
            self.open_emitters(id);
        }
        self.runs.push_back(Invoke { invocation: id, attempt, step, depth, input, failed: failed.into() });
    }

    /// A retry is due. It goes ahead of what has not run yet.
    pub(super) fn run_again(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        if !matches!(invocation.state, InvocationState::Delayed(_)) {
            return;
        }
        invocation.state = InvocationState::Queued;
        let step = invocation.step;
        if workers(self.graph, step).is_some() {
            self.state.queue(step).push_front(id);
            self.scratch.limited.push(step);
        } else {
            self.scratch.fresh.push(id);
        }
    }

    /// A worker of the step has become free.
    pub(super) fn release(&mut self, step: StepId) {
        if workers(self.graph, step).is_none() {
            return;
        }
        let extras = self.state.extras.get_mut();
        if extras.is_some_and(|extras| extras.free_worker(step)) {
            self.scratch.limited.push(step);
        }
    }
}

pub(super) fn workers(graph: &Graph, step: StepId) -> Option<u32> {
    graph.step(step)?.options.workers
}
