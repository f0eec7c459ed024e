//! What steps remember and wait for while they run.

use workflow_runtime::RequestId;
use workflow_runtime::engine::{InvocationId, Json, Note, NoteKey, Payload as _, WaitId};
use workflow_runtime::graph::{EventId, StepId, Tool};

use super::{At, Counts, Extract as _, Model, Question, Work, WorkState};
use crate::case::Value;

/// What one call of an invocation has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    Memo(Json),
    Sleeping(u64),
    Asked,
    Answered(Value),
    Expired(RequestId),
    Waiting,
    Received(Value),
    Withdrawn,
}

/// A call of an invocation, by the mark of that and the key of the call.
pub type Caller = (usize, NoteKey);

/// A call that waits for a signal.
pub struct Wait {
    pub caller: Caller,
    pub event: EventId,
    /// What the engine calls it, once that has been seen.
    pub id: Option<WaitId>,
}

impl Came {
    pub fn is_wait(&self) -> bool {
        matches!(self, Self::Asked | Self::Waiting)
    }
}

impl Work {
    pub fn came(&self, key: &NoteKey) -> Option<&Came> {
        self.notes.iter().find(|(it, _)| it == key).map(|(_, came)| came)
    }

    /// Whether it waits for an answer or a signal.
    pub fn waits(&self) -> bool {
        self.notes.iter().any(|(_, came)| came.is_wait())
    }
}

impl Model {
    fn named(&self, id: InvocationId) -> Option<&Work> {
        self.work.iter().find(|it| it.id == Some(id))
    }

    /// What a memo says has happened, whoever did it; anything else is for the attempt that runs.
    pub(super) fn may_note(&self, id: InvocationId, attempt: u32, key: &NoteKey, note: &Note<Value>) -> bool {
        let Some(work) = self.named(id) else { return false };
        let runs = work.state == WorkState::Running && work.attempt == attempt;
        let tools = &self.graph.steps[work.step.index()].tools;
        let may = match note {
            Note::Memo(_) => true,
            Note::Sleep(_) => runs,
            Note::Ask(prompt) => runs && tools.contains(&Tool::Asker(prompt.event)),
            Note::Receive(event) => runs && tools.contains(&Tool::Inbox(*event)),
        };
        may && work.came(key).is_none()
    }

    pub(super) fn may_withdraw(&self, id: InvocationId, attempt: u32, key: &NoteKey) -> bool {
        let work = self.named(id).filter(|it| it.state == WorkState::Running && it.attempt == attempt);
        let came = work.and_then(|it| it.came(key));
        came.is_some_and(|came| !matches!(came, Came::Memo(_) | Came::Sleeping(_) | Came::Withdrawn))
    }

    pub(super) fn note(&mut self, position: usize, attempt: u32, key: &NoteKey, note: &Note<Value>) {
        let Work { mark, step, at, counts, .. } = self.work[position].clone();
        let caller = (mark, key.clone());
        if attempt != self.work[position].attempt {
            self.seen.count("memos of attempts that were over");
        }
        let came = match note {
            Note::Memo(value) => Came::Memo(value.clone()),
            Note::Sleep(after) => Came::Sleeping(self.now.saturating_add(*after)),
            Note::Ask(prompt) => {
                self.seen.count("questions of steps");
                self.ask(step, at, *prompt, counts, Some(caller));
                Came::Asked
            }
            Note::Receive(event) => match self.oldest_unread(*event) {
                Some(signal) => {
                    self.seen.count("signals received that came early");
                    Came::Received(signal)
                }
                None => {
                    self.waits.push(Wait { caller, event: *event, id: None });
                    Came::Waiting
                }
            },
        };
        self.work[position].interruptions = 0;
        self.work[position].notes.push((key.clone(), came));
    }

    pub(super) fn withdraw(&mut self, position: usize, key: &NoteKey) {
        let work = &mut self.work[position];
        let caller = (work.mark, key.clone());
        let Some((_, came)) = work.notes.iter_mut().find(|(it, _)| it == key) else { return };
        match std::mem::replace(came, Came::Withdrawn) {
            Came::Received(signal) => {
                self.seen.count("signals given back by who gave up");
                self.give_back(vec![signal]);
            }
            came => {
                self.seen.count(if came.is_wait() { "waits given up" } else { "what came given up unseen" });
                self.stop_waiting(&caller);
            }
        }
    }

    /// A question is open, of the branch of the step or of the step itself.
    pub(super) fn ask(&mut self, step: StepId, at: At, prompt: Value, counts: Counts, asker: Option<Caller>) {
        let closes = prompt.expires_in().map(|after| self.now.saturating_add(after));
        self.seen.count("questions asked");
        self.expected.asked.push((step, prompt, closes));
        let asked = self.now;
        self.questions.push(Question {
            id: None,
            step,
            at,
            prompt,
            asked,
            closes,
            is_over: false,
            counts,
            asker,
        });
    }

    /// A signal for inboxes has come.
    pub(super) fn post(&mut self, signal: Value) {
        self.posted += 1;
        if self.waits.iter().filter(|it| it.event == signal.event).count() > 1 {
            self.seen.count("signals for the longest waiting of several");
        }
        if !self.hand_to_the_longest_waiting(signal) {
            self.unread.push(signal);
        }
    }

    fn hand_to_the_longest_waiting(&mut self, signal: Value) -> bool {
        let Some(first) = self.waits.iter().position(|it| it.event == signal.event) else { return false };
        let Wait { caller, .. } = self.waits.remove(first);
        self.seen.count("signals received by who waited longest");
        self.has_come(&caller, Came::Received(signal));
        true
    }

    fn oldest_unread(&mut self, event: EventId) -> Option<Value> {
        let first = self.unread.iter().position(|it| it.event == event)?;
        Some(self.unread.remove(first))
    }

    /// What was taken counts as not taken: it goes to who waits, else ahead of what is unread.
    pub(super) fn give_back(&mut self, mut signals: Vec<Value>) {
        signals.retain(|signal| {
            let taken = self.hand_to_the_longest_waiting(*signal);
            self.seen.count(if taken {
                "signals given back to who waits"
            } else {
                "signals given back unread"
            });
            !taken
        });
        self.unread.splice(0..0, signals);
    }

    /// A call has what it waited for, and is told so if its step runs.
    pub(super) fn has_come(&mut self, (mark, key): &Caller, came: Came) {
        let Some(work) = self.work.iter_mut().find(|it| it.mark == *mark) else { return };
        let Some((_, before)) = work.notes.iter_mut().find(|(it, _)| it == key) else { return };
        *before = came;
        if work.state == WorkState::Running {
            self.expected.woken.extend(work.id.map(|id| (id, key.clone())));
        } else {
            self.seen.count("what came for a step that does not run");
        }
    }

    fn stop_waiting(&mut self, caller: &Caller) {
        self.waits.retain(|it| it.caller != *caller);
        for question in self.questions.extract(|it| it.asker.as_ref() == Some(caller)) {
            self.seen.count("questions of steps withdrawn");
            self.expected.withdrawn.extend(question.id);
        }
    }

    /// A step has finished: it waits for nothing any more, and what it took is taken.
    pub(super) fn let_go(&mut self, position: usize) {
        let mark = self.work[position].mark;
        for (key, came) in std::mem::take(&mut self.work[position].notes) {
            self.taken += usize::from(matches!(came, Came::Received(_)));
            self.stop_waiting(&(mark, key));
        }
    }

    /// A step comes to nothing, and what it took is given back.
    pub(super) fn discard(&mut self, position: usize, why: &'static str) -> Vec<Value> {
        let Work { mark, notes, .. } = self.work.remove(position);
        for (key, _) in &notes {
            self.stop_waiting(&(mark, key.clone()));
        }
        // Of calls for the same, the earlier have the smaller counts and are made first.
        let taken = notes.into_iter().filter_map(|(_, came)| match came {
            Came::Received(signal) => Some(signal),
            _ => None,
        });
        let taken: Vec<Value> = taken.collect();
        taken.iter().for_each(|_| self.seen.count(why));
        taken
    }

    /// Checks that every signal that was ever sent to inboxes is somewhere, once.
    pub(super) fn every_signal_is_somewhere(&self) -> Result<(), String> {
        let notes = self.work.iter().flat_map(|it| &it.notes);
        let held = notes.filter(|(_, came)| matches!(came, Came::Received(_))).count();
        let (posted, taken, unread) = (self.posted, self.taken, self.unread.len());
        if posted == taken + unread + held {
            return Ok(());
        }
        Err(format!("of {posted} signals {taken} are taken, {unread} unread and {held} held by steps"))
    }
}
