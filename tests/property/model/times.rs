//! What happens in its time: retries, expiries, the end of a run's time.

use workflow_runtime::engine::Status;
use workflow_runtime::graph::StepId;

use super::seen::Expectation;
use super::{Model, Work, WorkState};

/// How long a run may take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub deadline: Option<u64>,
    /// How long it may be at work.
    pub timeout: Option<u64>,
}

/// Something that has a time. At one moment, retries come before expiries, and the older before the younger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Retry(usize),
    Expiry(usize),
}

impl Model {
    /// The next moment at which something happens by itself.
    pub fn next_due(&self) -> Option<u64> {
        if self.status != Status::Running {
            return None;
        }
        let first = self.dues().into_iter().map(|(due, _)| due).min();
        first.into_iter().chain(self.time_is_up_at()).min()
    }

    /// A run is at work while any step is queued, delayed, or running without an answer or a signal that it waits for.
    fn is_at_work(&self) -> bool {
        let waits = |it: &Work| it.state == WorkState::Running && it.waits();
        self.status == Status::Running && !self.work.iter().all(waits)
    }

    fn dues(&self) -> Vec<(u64, Due)> {
        let mut dues = Vec::new();
        for (position, work) in self.work.iter().enumerate() {
            if let WorkState::Delayed(due) = work.state {
                dues.push((due, Due::Retry(position)));
            }
        }
        for (position, question) in self.questions.iter().enumerate() {
            if let (Some(due), false) = (question.closes, question.is_over) {
                dues.push((due, Due::Expiry(position)));
            }
        }
        dues
    }

    pub(super) fn time_is_up_at(&self) -> Option<u64> {
        let left = self.left.filter(|_| self.is_at_work());
        left.map(|left| self.now + left).into_iter().chain(self.limits.deadline).min()
    }

    pub(super) fn pass_time(&mut self, at: u64) {
        let passed = at.saturating_sub(self.now);
        if self.is_at_work() {
            self.left = self.left.map(|left| left.saturating_sub(passed));
        } else if passed > 0 && self.left.is_some() && !self.work.is_empty() {
            self.seen.count("times at which the time of a run stood because its steps waited");
        }
        self.now = self.now.max(at);
    }

    /// In due order, until the run has ended, by itself or because its time was up.
    pub(super) fn what_is_due_happens(&mut self, time_is_up_at: Option<u64>) {
        let end = time_is_up_at.filter(|up| *up <= self.now);
        while self.status == Status::Running {
            let next = self.dues().into_iter().min();
            match next.filter(|(due, _)| *due <= end.unwrap_or(self.now)) {
                Some((_, Due::Retry(position))) => self.run_again(position),
                Some((_, Due::Expiry(position))) => self.expire(position),
                None if end.is_some() => self.time_out(),
                None => return,
            }
            if self.status == Status::Running {
                self.close_what_is_over();
            }
        }
    }

    /// It holds no worker until then, and goes to the front of its queue.
    fn run_again(&mut self, position: usize) {
        self.work[position].state = WorkState::Queued;
        self.line.insert(0, self.work[position].mark);
    }

    fn time_out(&mut self) {
        let running = self.work.iter().filter(|it| it.state == WorkState::Running);
        let mut running: Vec<StepId> = running.map(|it| it.step).collect();
        running.sort();
        self.seen.count("runs out of time");
        self.put_down(Status::TimedOut, Expectation::TimedOut(running));
    }
}
