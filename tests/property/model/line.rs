//! What waits for a start, and how a run is put down and taken up again.

use workflow_runtime::engine::{InvocationId, MAX_INTERRUPTIONS, Payload as _, Status};
use workflow_runtime::graph::PointId;

use super::seen::Expectation;
use super::{Came, Model, Sender, Work, WorkState, said};
use crate::case::emitters;

impl Model {
    /// The first in line first, as far as there are workers.
    pub(super) fn start_what_may_start(&mut self) {
        for mark in std::mem::take(&mut self.line) {
            let Some(position) = self.work.iter().position(|it| it.mark == mark) else { continue };
            let step = self.work[position].step;
            let declared = &self.graph.steps[step.index()];
            let busy = self.work.iter().filter(|it| it.step == step && it.state == WorkState::Running);
            if declared.options.workers.is_some_and(|workers| busy.count() >= workers as usize) {
                self.seen.count("waits for a worker");
                self.line.push(mark);
                continue;
            }
            self.work[position].state = WorkState::Running;
            self.expected.started.push(mark);
            if self.work[position].senders.is_none() {
                let points: Vec<PointId> = emitters(declared).collect();
                let at = self.work[position].at;
                let open = |point| Sender { point, scope: self.open(point, at), sent: 0 };
                let senders = points.into_iter().map(open).collect();
                self.work[position].senders = Some(senders);
            }
        }
    }

    /// Everything stays as it is. What ran will be run again, ahead of what has not run yet.
    pub(super) fn put_down(&mut self, status: Status, ending: Expectation) {
        let ran = self.back_in_line(|_| {});
        self.expected.aborted.extend(ran);
        self.status = status;
        self.expected.ending = Some(ending);
    }

    fn back_in_line(&mut self, also: impl Fn(&mut Work)) -> Vec<InvocationId> {
        let (mut ids, mut marks) = (Vec::new(), Vec::new());
        for work in self.work.iter_mut().filter(|it| it.state == WorkState::Running) {
            work.state = WorkState::Queued;
            also(work);
            ids.extend(work.id);
            marks.push(work.mark);
        }
        self.line.splice(0..0, marks);
        ids
    }

    /// What ran or failed runs again, what failed first; what has a time keeps it.
    pub(super) fn take_up(&mut self) {
        let lost = self.status == Status::Running;
        let ran = self.back_in_line(|work| {
            // Waiting for somebody wears no process out.
            work.interruptions += u32::from(lost && !work.waits());
        });
        if lost && !ran.is_empty() {
            self.seen.count("interruptions");
        }
        if self.status == Status::TimedOut {
            self.left = self.limits.timeout;
            self.limits.deadline = self.limits.deadline.filter(|deadline| *deadline > self.now);
        }
        self.status = Status::Running;
        for work in &mut self.work {
            if let WorkState::Failed(_) = work.state {
                work.state = WorkState::Queued;
                (work.attempt, work.interruptions) = (1, 0);
                (work.last_error, work.first_failed_at) = (None, None);
                // What nobody answered in time is asked anew.
                work.notes.retain(|(_, came)| !matches!(came, Came::Expired(_)));
                self.line.retain(|mark| *mark != work.mark);
                self.line.insert(0, work.mark);
            }
        }
        for question in &mut self.questions {
            if std::mem::take(&mut question.is_over) {
                question.closes = question.prompt.expires_in().map(|after| self.now.saturating_add(after));
            }
            self.expected.asked.push((question.step, question.prompt, question.closes));
        }
        self.what_was_interrupted_too_often_fails();
        let time_is_up_at = self.time_is_up_at();
        self.what_is_due_happens(time_is_up_at);
    }

    fn what_was_interrupted_too_often_fails(&mut self) {
        let is_worn_out = |it: &&Work| it.state == WorkState::Queued && it.interruptions >= MAX_INTERRUPTIONS;
        let marks: Vec<usize> = self.work.iter().filter(is_worn_out).map(|it| it.mark).collect();
        for mark in marks {
            let found = self.work.iter().position(|it| it.mark == mark);
            if let (Some(position), Status::Running) = (found, &self.status) {
                self.seen.count("failures by interruption");
                let step = self.name(self.work[position].step);
                let text =
                    format!("the run was interrupted {MAX_INTERRUPTIONS} times while step `{step}` ran");
                self.fail(position, said("interrupted", text));
                if self.status == Status::Running {
                    self.close_what_is_over();
                }
            }
        }
    }
}
