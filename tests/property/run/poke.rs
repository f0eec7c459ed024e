//! Ticks that are not legal.

use workflow_runtime::engine::{Emitted, InvocationId, Note, NoteKey, NoteKind, Status, Tick, Time, Verdict};
use workflow_runtime::graph::PointId;
use workflow_runtime::{RequestId, StepError};

use super::{Held, Run, ensure};
use crate::case::{Value, memo};
use crate::dice::Dice;
use crate::model::{Came, WorkState};

impl Run<'_> {
    /// A tick that is not legal is refused, and changes nothing, not even the time.
    pub fn poke(&mut self, dice: &mut Dice) -> Held {
        let due = self.model.next_due();
        if due.is_some_and(|due| due <= self.clock) {
            return Ok(());
        }
        let tick = self.illegal(dice);
        let at = due.unwrap_or(u64::MAX).saturating_sub(1).min(self.clock + 1_000_000);
        let before = self.engine.state().clone();
        self.out.clear();
        let handled = self.engine.handle(Time(at), tick.clone(), &mut self.out);
        ensure!(handled.is_err(), "an illegal tick is taken: {tick:?}");
        ensure!(self.out.is_empty(), "a refused tick gives commands: {tick:?}");
        ensure!(*self.engine.state() == before, "a refused tick changes something: {tick:?}");
        Ok(())
    }

    /// A call that was noted already, is not of the attempt that runs, is none that the step can make, or does not wait.
    fn illegal_note(&self, dice: &mut Dice) -> Option<Tick<Value>> {
        if !self.case.has_calls() || self.model.work.is_empty() || dice.percent(50) {
            return None;
        }
        let work = &self.model.work[dice.below(self.model.work.len())];
        let (invocation, attempt) = (work.id?, work.attempt);
        let old = if work.state == WorkState::Running { attempt - 1 } else { attempt };
        let unknown = NoteKey { kind: NoteKind::Sleep, name: "never called".into(), count: 0 };
        let (input, value) = (self.case.input(), Note::Memo(memo(attempt)));
        let can_end = |came: &Came| !matches!(came, Came::Memo(_) | Came::Sleeping(_) | Came::Withdrawn);
        let known = (!work.notes.is_empty()).then(|| dice.pick(&work.notes));
        let noted = |attempt, key, note| Some(Tick::Noted { invocation, attempt, key, note });
        let withdrawn = |attempt, key| Some(Tick::Withdrawn { invocation, attempt, key });
        match (dice.below(8), known) {
            (0, _) if self.model.status != Status::Running => noted(attempt, unknown, value),
            (0, Some((key, _))) => noted(attempt, key, value),
            (1, Some((key, _))) => noted(attempt, key, Note::Sleep(1)),
            (2, _) => noted(old, unknown, Note::Sleep(1)),
            (3, _) => noted(attempt, unknown, Note::Ask(input)),
            (4, _) => noted(attempt, unknown, Note::Receive(input.event)),
            (5 | 6, Some((key, came))) => withdrawn(if can_end(&came) { old } else { attempt }, key),
            _ => withdrawn(attempt, unknown),
        }
    }

    fn illegal(&self, dice: &mut Dice) -> Tick<Value> {
        let input = self.case.input();
        let nobody = (InvocationId(1_000_000), 1);
        let finished = |(invocation, attempt): (InvocationId, u32)| Tick::Finished {
            invocation,
            attempt,
            emitted: Emitted::One(input),
        };
        let failed = |(invocation, attempt): (InvocationId, u32), verdict| Tick::Failed {
            invocation,
            attempt,
            error: StepError::new("old"),
            verdict,
        };
        if let Some(tick) = self.illegal_note(dice) {
            return tick;
        }
        if self.model.status != Status::Running {
            return match dice.below(7) {
                0 => Tick::Started { input },
                1 => finished(self.last_finished.unwrap_or(nobody)),
                2 => Tick::Suspended,
                3 => Tick::Cancelled { reason: "late".to_owned() },
                4 if self.model.status == Status::Completed => Tick::Resumed,
                5 => Tick::Time,
                _ => Tick::Answered { request: RequestId(1), response: input },
            };
        }
        let work: Vec<_> = self.model.work.iter().filter_map(|it| Some((it.id?, it))).collect();
        let some = (!work.is_empty()).then(|| dice.pick(&work));
        match (dice.below(10), some) {
            (0, _) => Tick::Started { input },
            (1, Some((id, it))) => finished((id, it.attempt + 1)),
            (2 | 3, Some((id, it))) if it.state != WorkState::Running => finished((id, it.attempt)),
            (2 | 3, Some((id, it))) => failed((id, it.attempt - 1), Verdict::Final),
            (4, Some((id, it))) => failed((id, it.attempt - 1), Verdict::Retry { after: 3 }),
            (5, Some((invocation, it))) if it.senders.iter().flatten().count() > 0 => {
                let sender = it.senders.iter().flatten().last().copied();
                let (point, sent) = sender.map_or((PointId(0), 0), |it| (it.point, it.sent));
                let event = self.case.value_of(self.case.graph.points[point.index()].items[0]);
                let (attempt, place) = match dice.below(3) {
                    0 => (it.attempt, sent + 1),
                    1 => (it.attempt - 1, sent),
                    _ => (it.attempt + 1, sent),
                };
                Tick::Sent { invocation, attempt, point, place, event }
            }
            (6, _) if !self.model.questions.is_empty() => {
                let open: Vec<RequestId> = self.model.questions.iter().filter_map(|it| it.id).collect();
                Tick::Answered { request: dice.pick(&open), response: input }
            }
            (7, _) => Tick::Answered { request: RequestId(1_000_000), response: input },
            (8, _) => Tick::Signal { event: input },
            _ => finished(self.last_finished.unwrap_or(nobody)),
        }
    }
}
