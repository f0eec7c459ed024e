//! What steps remember and wait for while they run: memos, sleeps, questions of their own, inboxes.
//!
//! Each call of a step's code that outlives the attempt has a [`NoteKey`], and what it came to stands under that
//! key in the notes of its invocation. They stay through retries and restores and go with the invocation, so
//! whoever runs the step again finds, call by call, what it had found before.
//!
//! ```text
//!  memo ─────▶ Memo(value)          ask ──▶ Asked ──┬─▶ Answered      next ──▶ Waiting ──┬─▶ Received
//!  sleep ────▶ Sleeping(until)                      ├─▶ Expired         └──────unread────┘
//!                                                   └─▶ Withdrawn ◀── the future was dropped ──┘
//! ```
//!
//! A future can be dropped when something has come for it that it has not seen. That is withdrawn all the same: the step
//! went on without it, and does so when it is run again. A signal goes to who waits next.
//!
//! A signal is taken for good when the step that took it finishes. A step that comes to nothing, because it is cancelled
//! or its failure is somebody else's, has taken none: what came for it goes to who waits next, else back to the front, in
//! the order of the steps and their calls.
//!
//! An open question and a waiting inbox are *waits*. A running invocation with a wait is not at work: the time of
//! its run stands. A question of a step is no member of a scope, because the step that asks is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_graph::{EventId, Role, Tool};

use super::command::{Command, Notice};
use super::payload::{Json, Payload};
use super::state::{Branch, Invocation, InvocationId, InvocationState, Request, State, Time, Timer};
use super::tick::Refused;
use super::turn::Turn;
use crate::event::RequestId;

/// What tells one call of a step from the others: the same call has the same key in every attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoteKey {
    /// Which method was called.
    pub kind: NoteKind,
    /// The name that the author gave the call, else its content: the question as JSON, how long to sleep, which
    /// signal to take.
    pub name: Arc<str>,
    /// How many calls with this kind and name the attempt made before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u32,
}

/// Which method of a step's tools was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoteKind {
    /// [`Context::memo`](crate::Context::memo)
    Memo,
    /// [`Context::sleep`](crate::Context::sleep)
    Sleep,
    /// [`Asker::ask`](crate::Asker::ask)
    Ask,
    /// [`Inbox::next`](crate::Inbox::next)
    Receive,
}

/// What a running step wants remembered, or waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note<E> {
    /// A value that was computed.
    Memo(Json),
    /// Nothing happens for so many milliseconds.
    Sleep(u64),
    /// A question, to be asked now.
    Ask(E),
    /// The next signal of that kind, unread or to come.
    Receive(EventId),
}

/// What a call of a step has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted<E> {
    /// The value that was computed.
    Memo(Json),
    /// The step sleeps until then, or has.
    Sleeping(Time),
    /// The question is open.
    Asked(RequestId),
    /// The answer.
    Answered(E),
    /// Nobody answered in time.
    Expired(RequestId),
    /// The step waits for a signal.
    Waiting(WaitId),
    /// The signal.
    Received(E),
    /// The step has stopped waiting.
    Withdrawn,
}

/// One wait of a step for a signal. Those that wait longer have smaller ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaitId(pub u64);

/// The notes of one invocation.
pub(crate) type Notes<E> = BTreeMap<NoteKey, Noted<E>>;

/// Which call of which invocation waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub(crate) invocation: InvocationId,
    pub(crate) key: NoteKey,
}

impl<E> Noted<E> {
    /// Whether it is a question that is open, or a signal that has not come.
    #[must_use]
    pub fn is_wait(&self) -> bool {
        matches!(self, Self::Asked(_) | Self::Waiting(_))
    }
}

impl<E> Invocation<E> {
    /// What it took from inboxes, because it comes to nothing.
    pub(super) fn give_up_signals(&mut self) -> impl Iterator<Item = E> + use<E> {
        let notes = self.history.get_mut().map(|history| std::mem::take(&mut history.notes));
        notes.into_iter().flat_map(BTreeMap::into_values).filter_map(|noted| match noted {
            Noted::Received(signal) => Some(signal),
            _ => None,
        })
    }
}

impl<E> State<E> {
    /// Sees to it that an invocation counts as waiting exactly while it runs and has a wait.
    pub(crate) fn recount(&mut self, id: InvocationId) {
        let waits = |it: &Invocation<E>| it.state == InvocationState::Running && it.waits() > 0;
        if self.invocations.get(&id).is_some_and(waits) {
            self.extras.make().waiting.insert(id);
        } else if let Some(extras) = self.extras.get_mut() {
            extras.waiting.remove(&id);
        }
    }
}

impl<E: Payload> Turn<'_, E> {
    /// Whether an invocation may note that. A memo is taken from an attempt that is over, too: what it did has
    /// happened.
    pub(super) fn may_note(
        &self,
        (id, attempt): (InvocationId, u32),
        key: &NoteKey,
        note: &Note<E>,
    ) -> Result<(), Refused> {
        let found = match note {
            Note::Memo(_) => self.state.invocations.get(&id),
            Note::Sleep(_) | Note::Ask(_) | Note::Receive(_) => Some(self.current(id, attempt)?),
        };
        let found = found.ok_or(Refused::NotCurrent { invocation: id, attempt })?;
        if found.noted(key).is_some() {
            return Err(Refused::Noted { invocation: id, name: key.name.to_string() });
        }
        let has = |tool| self.graph.step(found.step).is_some_and(|step| step.tools.contains(&tool));
        match note {
            Note::Ask(prompt) if !has(Tool::Asker(prompt.event())) => {
                Err(Refused::NotAsked { event: self.event_name(prompt.event()) })
            }
            Note::Receive(event) if !has(Tool::Inbox(*event)) => {
                Err(Refused::NotASignal { event: self.event_name(*event) })
            }
            _ => Ok(()),
        }
    }

    /// Whether the current attempt can stop waiting there, or do without what it has not seen.
    pub(super) fn may_withdraw(
        &self,
        (id, attempt): (InvocationId, u32),
        key: &NoteKey,
    ) -> Result<(), Refused> {
        match self.current(id, attempt)?.noted(key) {
            Some(
                Noted::Asked(_)
                | Noted::Answered(_)
                | Noted::Expired(_)
                | Noted::Waiting(_)
                | Noted::Received(_),
            ) => Ok(()),
            _ => Err(Refused::NotWaiting { invocation: id, name: key.name.to_string() }),
        }
    }

    /// Whether an event can be the answer to an open question.
    pub(super) fn is_answer(&self, request: &Request<E>, response: &E) -> bool {
        let asked = request.prompt.event();
        let Some(found) = self.graph.event(response.event()) else { return false };
        match (found.role, &request.asker) {
            (Role::Response { prompt }, None) => prompt == Some(asked),
            (Role::Response { .. }, Some(_)) => {
                self.graph.event(asked).is_some_and(|asked| asked.payload() == found.payload())
            }
            _ => false,
        }
    }

    /// A running step wants something remembered, or waits for something.
    pub(super) fn note(&mut self, id: InvocationId, key: NoteKey, note: Note<E>) {
        let noted = match note {
            Note::Memo(value) => Noted::Memo(value),
            Note::Sleep(after) => Noted::Sleeping(self.state.now.plus(after)),
            Note::Ask(prompt) => match self.ask_inside(id, &key, prompt) {
                Some(request) => Noted::Asked(request),
                None => return,
            },
            Note::Receive(event) => self.receive(id, &key, event),
        };
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        let history = invocation.history.make();
        history.waits += u32::from(noted.is_wait());
        // It has come further than the attempts that were interrupted.
        history.interruptions = 0;
        history.notes.insert(key, noted);
        self.state.recount(id);
    }

    fn ask_inside(&mut self, id: InvocationId, key: &NoteKey, prompt: E) -> Option<RequestId> {
        let invocation = self.state.invocations.get(&id)?;
        let (step, branch) = (invocation.step, invocation.branch);
        let recoveries = invocation.recoveries.clone();
        let asker = Some(Waiter { invocation: id, key: key.clone() });
        Some(self.open_request(Request {
            step,
            branch,
            prompt,
            asked_at: self.state.now,
            expires_at: None,
            recoveries,
            asker,
        }))
    }

    /// Makes a question known, and starts its time.
    pub(super) fn open_request(&mut self, mut request: Request<E>) -> RequestId {
        let id = RequestId(self.next_id());
        request.expires_at = request.prompt.expires_in().map(|after| request.asked_at.plus(after));
        self.state.start_timer(request.expires_at, Timer::Expiry(id));
        self.publish(request.notice(id));
        self.state.requests.insert(id, request);
        id
    }

    /// The oldest unread signal, else a place in the line.
    fn receive(&mut self, id: InvocationId, key: &NoteKey, event: EventId) -> Noted<E> {
        let extras = self.state.extras.make();
        if let Some(unread) = extras.unread.get_mut(&event) {
            let oldest = unread.pop_front();
            if unread.is_empty() {
                extras.unread.remove(&event);
            }
            if let Some(signal) = oldest {
                return Noted::Received(signal);
            }
        }
        let wait = WaitId(self.next_id());
        let waiter = Waiter { invocation: id, key: key.clone() };
        self.state.extras.make().inboxes.entry(event).or_default().insert(wait, waiter);
        Noted::Waiting(wait)
    }

    /// A signal has come for inboxes: whoever has waited longest gets it, else it is kept.
    pub(super) fn post(&mut self, signal: E) {
        let event = signal.event();
        match self.state.longest_waiting(event) {
            Some(waiter) => self.settle_wait(&waiter, Noted::Received(signal)),
            None => self.state.extras.make().unread.entry(event).or_default().push_back(signal),
        }
    }

    /// What a step waited for is there, and the step goes on if it runs.
    pub(super) fn settle_wait(&mut self, waiter: &Waiter, came: Noted<E>) {
        let Waiter { invocation: id, key } = waiter;
        let Some(invocation) = self.state.invocations.get_mut(id) else { return };
        let Some(history) = invocation.history.get_mut() else { return };
        let Some(noted) = history.notes.get_mut(key) else { return };
        history.waits -= u32::from(noted.is_wait());
        *noted = came;
        if invocation.state == InvocationState::Running {
            self.out.push(Command::Wake { invocation: *id, key: key.clone() });
        }
        self.state.recount(*id);
    }

    /// A step has dropped what it waited with. A signal that it has not seen goes to who waits next.
    pub(super) fn withdraw(&mut self, id: InvocationId, key: &NoteKey) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        let Some(history) = invocation.history.get_mut() else { return };
        let Some(noted) = history.notes.get_mut(key) else { return };
        let was = std::mem::replace(noted, Noted::Withdrawn);
        history.waits -= u32::from(was.is_wait());
        self.state.recount(id);
        match was {
            Noted::Received(signal) => self.put_back(vec![signal]),
            waited => self.stop_waiting(&waited),
        }
    }

    /// Takes an invocation out of the run, with what it waits for.
    pub(super) fn take_out(&mut self, id: InvocationId) -> Option<Invocation<E>> {
        let invocation = self.state.invocations.remove(&id)?;
        if let Some(history) = invocation.history.get().filter(|history| history.waits > 0) {
            if let Some(extras) = self.state.extras.get_mut() {
                extras.waiting.remove(&id);
            }
            history.notes.values().for_each(|noted| self.stop_waiting(noted));
        }
        Some(invocation)
    }

    /// Takes an invocation out that comes to nothing, because its failure is somebody else's.
    pub(super) fn discard(&mut self, id: InvocationId) -> Option<Invocation<E>> {
        let mut invocation = self.take_out(id)?;
        let taken = invocation.give_up_signals().collect();
        self.put_back(taken);
        Some(invocation)
    }

    /// Signals that have come, but were not taken: they go to who waits next, else to the front of the unread ones.
    pub(super) fn put_back(&mut self, oldest_first: Vec<E>) {
        let mut left = Vec::new();
        for signal in oldest_first {
            match self.state.longest_waiting(signal.event()) {
                Some(waiter) => self.settle_wait(&waiter, Noted::Received(signal)),
                None => left.push(signal),
            }
        }
        for signal in left.into_iter().rev() {
            self.state.extras.make().unread.entry(signal.event()).or_default().push_front(signal);
        }
    }

    fn stop_waiting(&mut self, noted: &Noted<E>) {
        let withdrawn = match noted {
            Noted::Asked(request) => self.close_request(*request).map(|_| *request),
            Noted::Waiting(wait) => {
                self.state.leave_line(*wait);
                None
            }
            _ => None,
        };
        if let Some(request) = withdrawn {
            self.publish(Notice::InputWithdrawn { request });
        }
    }
}

impl<E> State<E> {
    fn longest_waiting(&mut self, event: EventId) -> Option<Waiter> {
        let inboxes = &mut self.extras.get_mut()?.inboxes;
        let line = inboxes.get_mut(&event)?;
        let (_, waiter) = line.pop_first()?;
        if line.is_empty() {
            inboxes.remove(&event);
        }
        Some(waiter)
    }

    fn leave_line(&mut self, wait: WaitId) {
        if let Some(extras) = self.extras.get_mut() {
            extras.inboxes.retain(|_, line| {
                line.remove(&wait);
                !line.is_empty()
            });
        }
    }
}

impl<E: Clone> Request<E> {
    /// How it is told.
    pub(super) fn notice(&self, id: RequestId) -> Notice<E> {
        Notice::InputRequired {
            request: id,
            step: self.step,
            prompt: self.prompt.clone(),
            asked_at: self.asked_at,
            expires_at: self.expires_at,
        }
    }
}

/// The branch of what a step asks for itself is where the step lives; nothing is delivered there.
impl<E> Request<E> {
    /// Whether the step that asks waits for the answer itself.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.asker.is_some()
    }

    pub(crate) fn outside(step: workflow_graph::StepId, branch: Branch, prompt: E, asked_at: Time) -> Self {
        Self { step, branch, prompt, asked_at, expires_at: None, recoveries: None, asker: None }
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}
