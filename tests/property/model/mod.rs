//! What an engine must do, said as naively as possible.
//!
//! The model keeps plain lists, searches them, and derives nothing ahead. It predicts of each tick what it starts,
//! asks, cancels and reports, and accounts for every event that was delivered.

mod failures;
mod line;
mod notes;
mod scopes;
mod seen;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workflow_runtime::engine::{
    Emitted, Failure, Input, InvocationId, Missing, NoteKey, Part, ScopeId, Stall, Status, Tick,
};
use workflow_runtime::graph::{Alternative, EventId, Graph, PointId, Role, Slot, StepId};
use workflow_runtime::{RequestId, StepError};

use crate::case::{Value, gathers};

pub use notes::Came;
pub use seen::{Expectation, Expected, Seen};
pub use times::Limits;

use notes::{Caller, Wait};
use seen::{Ledger, size};

pub struct Model {
    graph: Arc<Graph>,
    pub status: Status,
    pub now: u64,
    pub ticks: u64,
    /// Open fan-outs, oldest first.
    pub scopes: Vec<Scope>,
    /// Invocations that have not finished, oldest first.
    pub work: Vec<Work>,
    /// Open questions, oldest first.
    pub questions: Vec<Question>,
    /// The marks of what waits for a start, those of each step in the order in which it takes them.
    line: Vec<usize>,
    parked: Vec<Parked>,
    /// Calls of steps that wait for a signal, the longest waiting first.
    pub waits: Vec<Wait>,
    /// Signals for inboxes that nobody has received, oldest first.
    pub unread: Vec<Value>,
    /// How many signals were sent to inboxes, and how many of them steps have taken that have finished.
    posted: usize,
    taken: usize,
    ended: BTreeSet<StepId>,
    limits: Limits,
    /// What is left of the time that it may be at work.
    left: Option<u64>,
    last_scope: usize,
    last_mark: usize,
    ledger: Ledger,
    pub seen: Seen,
    /// What the latest tick must do.
    pub expected: Expected,
}

/// A branch, by the model's own number of its scope; scope 0 is the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub scope: usize,
    pub index: u32,
}

const ROOT: At = At { scope: 0, index: 0 };

/// How often each error handler has run on the way of something.
pub type Counts = BTreeMap<StepId, u32>;

/// Where something comes from.
#[derive(Clone)]
struct Way {
    at: At,
    from: StepId,
    counts: Counts,
}

pub struct Scope {
    pub number: usize,
    /// What the engine calls it, once that has been seen.
    pub id: Option<ScopeId>,
    pub point: PointId,
    pub parent: At,
    depth: u32,
    gathers: Vec<Gather>,
}

struct Gather {
    slot: Slot,
    /// In order of arrival.
    arrived: Vec<Arrival>,
    fired: bool,
}

struct Arrival {
    index: u32,
    from: StepId,
    member: Result<Value, Box<Failure>>,
    counts: Counts,
}

#[derive(Clone)]
pub struct Work {
    /// The model's own name for it.
    pub mark: usize,
    pub id: Option<InvocationId>,
    pub step: StepId,
    pub at: At,
    pub input: Input<Value>,
    pub state: WorkState,
    pub attempt: u32,
    pub interruptions: u32,
    pub last_error: Option<StepError>,
    pub first_failed_at: Option<u64>,
    pub counts: Counts,
    /// What each emitter has sent into which scope; `None` before the first start.
    pub senders: Option<Vec<Sender>>,
    /// What its calls have come to, in the order in which they were made first.
    pub notes: Vec<(NoteKey, Came)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkState {
    Queued,
    Running,
    /// It has finished, and is about to leave.
    Over,
    /// Until that moment.
    Delayed(u64),
    Failed(StepError),
}

#[derive(Clone, Copy)]
pub struct Sender {
    pub point: PointId,
    pub scope: usize,
    pub sent: u32,
}

#[derive(Clone)]
pub struct Question {
    pub id: Option<RequestId>,
    pub step: StepId,
    pub at: At,
    pub prompt: Value,
    pub asked: u64,
    /// When it closes.
    pub closes: Option<u64>,
    /// It has, and nobody took that.
    pub is_over: bool,
    pub counts: Counts,
    /// The call of a step that waits for the answer itself.
    pub asker: Option<Caller>,
}

/// A half-filled join.
struct Parked {
    at: At,
    step: StepId,
    slots: Vec<Vec<(Part<Value>, Counts)>>,
}

impl Model {
    pub fn new(graph: Arc<Graph>, limits: Limits) -> Self {
        Self {
            graph,
            status: Status::New,
            now: 0,
            ticks: 0,
            scopes: Vec::new(),
            work: Vec::new(),
            questions: Vec::new(),
            line: Vec::new(),
            parked: Vec::new(),
            waits: Vec::new(),
            unread: Vec::new(),
            posted: 0,
            taken: 0,
            ended: BTreeSet::new(),
            limits,
            left: limits.timeout,
            last_scope: 0,
            last_mark: 0,
            ledger: Ledger::default(),
            seen: Seen::default(),
            expected: Expected::default(),
        }
    }

    /// Takes a tick. What is due by then comes first, as a tick of its own. `false` if the tick is not legal then.
    pub fn take(&mut self, at: u64, tick: &Tick<Value>) -> bool {
        self.expected = Expected::default();
        let resumes = matches!(tick, Tick::Resumed);
        if !resumes && self.next_due().is_some_and(|due| due <= at) {
            self.ticks += 1;
            let time_is_up_at = self.time_is_up_at();
            self.pass_time(at);
            self.what_is_due_happens(time_is_up_at);
            self.settle();
            if let Tick::Time = tick {
                // That was the tick.
                return true;
            }
        }
        if !self.permits(tick) {
            return false;
        }
        self.ticks += 1;
        if resumes {
            // Until now nobody has held it.
            self.now = self.now.max(at);
        } else {
            self.pass_time(at);
        }
        self.happens(tick);
        self.settle();
        true
    }

    /// Whether a tick is legal now, if what it carries fits.
    pub fn permits(&self, tick: &Tick<Value>) -> bool {
        let runs = |id: &InvocationId, attempt: &u32| {
            let is_it = |it: &Work| (it.id, it.attempt) == (Some(*id), *attempt);
            self.work.iter().any(|it| is_it(it) && it.state == WorkState::Running)
        };
        match tick {
            Tick::Started { .. } => self.status == Status::New,
            Tick::Resumed => !matches!(self.status, Status::New | Status::Completed),
            _ if self.status != Status::Running => false,
            Tick::Finished { invocation, attempt, .. }
            | Tick::Failed { invocation, attempt, .. }
            | Tick::Sent { invocation, attempt, .. } => runs(invocation, attempt),
            Tick::Noted { invocation, attempt, key, note } => self.may_note(*invocation, *attempt, key, note),
            Tick::Withdrawn { invocation, attempt, key } => self.may_withdraw(*invocation, *attempt, key),
            Tick::Answered { request, .. } => self.questions.iter().any(|it| it.id == Some(*request)),
            _ => true,
        }
    }

    fn happens(&mut self, tick: &Tick<Value>) {
        let work = |id: &InvocationId| self.work.iter().position(|it| it.id == Some(*id));
        match tick {
            Tick::Started { input } => {
                self.status = Status::Running;
                self.comes_from_outside(*input);
            }
            Tick::Signal { event } => {
                self.seen.count("signals");
                if self.graph.has_inbox(event.event) {
                    self.post(*event);
                } else {
                    self.comes_from_outside(*event);
                }
            }
            Tick::Finished { invocation, emitted, .. } => {
                work(invocation).into_iter().for_each(|it| self.finish(it, emitted));
            }
            Tick::Failed { invocation, error, verdict, .. } => {
                let found = work(invocation);
                found.into_iter().for_each(|it| self.attempt_failed(it, error.clone(), *verdict));
            }
            Tick::Sent { invocation, point, place, event, .. } => {
                work(invocation).into_iter().for_each(|it| self.send(it, *point, *place, *event));
            }
            Tick::Answered { request, response } => {
                if let Some(position) = self.questions.iter().position(|it| it.id == Some(*request)) {
                    let Question { at, step, counts, asker, .. } = self.questions.remove(position);
                    self.expected.answered = Some(*request);
                    match asker {
                        Some(caller) => {
                            self.seen.count("questions of steps answered");
                            self.has_come(&caller, Came::Answered(*response));
                        }
                        None => self.deliver(*response, &Way { at, from: step, counts }),
                    }
                }
            }
            Tick::Noted { invocation, attempt, key, note } => {
                work(invocation).into_iter().for_each(|it| self.note(it, *attempt, key, note));
            }
            Tick::Withdrawn { invocation, key, .. } => {
                work(invocation).into_iter().for_each(|it| self.withdraw(it, key));
            }
            Tick::Cancelled { .. } => self.put_down(Status::Cancelled, Expectation::Cancelled),
            Tick::Suspended => self.put_down(Status::Suspended, Expectation::Suspended),
            Tick::Resumed => self.take_up(),
            _ => {}
        }
    }

    fn settle(&mut self) {
        if self.status == Status::Running {
            self.close_what_is_over();
            self.start_what_may_start();
            self.notice_a_stall();
        }
    }

    /// Checks that every event that was ever delivered is somewhere, once.
    pub fn balance(&self) -> Result<(), String> {
        if self.status == Status::Completed {
            return Ok(());
        }
        let parked = self.parked.iter().flat_map(|it| &it.slots).flatten().map(|(part, _)| size(part)).sum();
        let gathers = self.scopes.iter().flat_map(|scope| &scope.gathers);
        let gathered = gathers.flat_map(|gather| &gather.arrived).filter(|it| it.member.is_ok()).count();
        self.every_signal_is_somewhere()?;
        self.ledger.balance(parked, gathered)
    }

    /// A signal comes to the root branch, as the input does.
    fn comes_from_outside(&mut self, event: Value) {
        self.deliver(event, &Way { at: ROOT, from: StepId(0), counts: Counts::new() });
    }

    fn finish(&mut self, position: usize, emitted: &Emitted<Value>) {
        if let Emitted::One(value) = emitted {
            let step = &self.graph.steps[self.work[position].step.index()];
            if !step.returns.alternatives.contains(&Alternative::One(value.event)) {
                let (name, event) = (&step.name, &self.graph.events[value.event.index()].name);
                let says = "which its graph does not say it emits there";
                let error = said("misrouted", format!("step `{name}` emitted `{event}`, {says}"));
                return self.fail(position, error);
            }
        }
        let Work { mark, id, step, at, counts, .. } = self.work[position].clone();
        self.expected.finished = id.map(|id| (id, counted(emitted)));
        let way = Way { at, from: step, counts };
        // Nothing around it is over before what it returned is handed on.
        self.work[position].state = WorkState::Over;
        self.let_go(position);
        match emitted {
            Emitted::None => _ = self.ended.insert(step),
            Emitted::One(value) if self.role(value.event) == Some(Role::Stop) => self.stop(*value),
            Emitted::One(value) => self.emit(*value, &way),
            Emitted::Many(point, values) => {
                let scope = self.open(*point, at);
                if values.is_empty() {
                    self.seen.count("empty fan-outs");
                }
                for (index, value) in (0..).zip(values) {
                    self.emit(*value, &Way { at: At { scope, index }, ..way.clone() });
                }
                self.close_what_is_over();
            }
        }
        self.work.retain(|it| it.mark != mark);
    }

    fn send(&mut self, position: usize, point: PointId, place: u32, event: Value) {
        let Work { id, step, counts, senders, .. } = &mut self.work[position];
        let Some(sender) = senders.iter_mut().flatten().find(|sender| sender.point == point) else { return };
        if place != sender.sent {
            return;
        }
        sender.sent += 1;
        let (id, from) = (*id, *step);
        let way = Way { at: At { scope: sender.scope, index: place }, from, counts: counts.clone() };
        self.seen.count("events sent by emitters");
        // Nobody hears what is sent into a scope that was cancelled.
        self.expected.sent = id.filter(|_| self.is_open(way.at.scope)).map(|id| (id, event.event));
        self.emit(event, &way);
    }

    fn stop(&mut self, output: Value) {
        let running = self.work.iter().filter(|it| it.state == WorkState::Running);
        self.expected.aborted = running.filter_map(|it| it.id).collect();
        self.expected.withdrawn.extend(self.questions.iter().filter_map(|it| it.id));
        self.expected.ending = Some(Expectation::Completed(output));
        self.status = Status::Completed;
        self.work.clear();
        self.questions.clear();
        self.scopes.clear();
        self.parked.clear();
        self.waits.clear();
        self.unread.clear();
    }

    fn emit(&mut self, value: Value, way: &Way) {
        if !matches!(self.role(value.event), Some(Role::Prompt { .. })) {
            return self.deliver(value, way);
        }
        if self.is_open(way.at.scope) {
            let Way { at, from, counts } = way.clone();
            self.ask(from, at, value, counts, None);
        }
    }

    fn deliver(&mut self, value: Value, way: &Way) {
        let graph = Arc::clone(&self.graph);
        let taken_by = &graph.events[value.event.index()].accepted_by;
        if taken_by.len() > 1 {
            self.seen.count("events with several takers");
        }
        for slot in taken_by.iter() {
            self.ledger.delivered += 1;
            if !self.is_open(way.at.scope) {
                self.ledger.cancelled += 1;
            } else if !gathers(graph.steps[slot.step.index()].params[usize::from(slot.param)].form) {
                self.arrive(*slot, Part::One(value), way.at, way.counts.clone());
            } else if !self.gather(*slot, Ok(value), way) {
                self.seen.outside.insert(*slot);
                self.ledger.reported += 1;
                self.expected.unpaired.push((slot.step, vec![value.event]));
            }
        }
    }

    fn arrive(&mut self, slot: Slot, part: Part<Value>, at: At, counts: Counts) {
        let arity = self.graph.steps[slot.step.index()].params.len();
        if arity == 1 {
            let input = match part {
                Part::One(value) => Input::One(value),
                other => Input::Parts(vec![other]),
            };
            return self.invoke(slot.step, input, at, counts);
        }
        let arrivals = self.seen.joins.entry((at, slot)).or_default();
        *arrivals += 1;
        self.seen.paired_by_arrival |= *arrivals > 1;
        let found = self.parked.iter().position(|it| (it.at, it.step) == (at, slot.step));
        let position = found.unwrap_or_else(|| {
            self.parked.push(Parked { at, step: slot.step, slots: vec![Vec::new(); arity] });
            self.parked.len() - 1
        });
        let slots = &mut self.parked[position].slots;
        slots[usize::from(slot.param)].push((part, counts));
        if slots.iter().all(|waiting| !waiting.is_empty()) {
            let first: Vec<_> = slots.iter_mut().map(|waiting| waiting.remove(0)).collect();
            if slots.iter().all(Vec::is_empty) {
                self.parked.remove(position);
            }
            self.seen.count("joins fired");
            let counts = first.iter().fold(Counts::new(), |counts, (_, other)| most(counts, other));
            let parts = first.into_iter().map(|(part, _)| part).collect();
            self.invoke(slot.step, Input::Parts(parts), at, counts);
        }
    }

    fn invoke(&mut self, step: StepId, input: Input<Value>, at: At, counts: Counts) {
        self.seen.invoked.insert(step);
        self.ledger.taken += match &input {
            Input::One(_) => 1,
            Input::Parts(parts) => parts.iter().map(size).sum(),
        };
        self.last_mark += 1;
        self.line.push(self.last_mark);
        self.work.push(Work {
            mark: self.last_mark,
            id: None,
            step,
            at,
            input,
            state: WorkState::Queued,
            attempt: 1,
            interruptions: 0,
            last_error: None,
            first_failed_at: None,
            counts,
            senders: None,
            notes: Vec::new(),
        });
    }

    fn notice_a_stall(&mut self) {
        let takes_signals =
            |it: &workflow_runtime::graph::Event| it.role == Role::Signal && !it.accepted_by.is_empty();
        if !self.work.is_empty() || !self.questions.is_empty() || self.graph.events.iter().any(takes_signals)
        {
            return;
        }
        let mut waiting: Vec<Missing> = Vec::new();
        for it in &self.parked {
            let (mut arrived, mut missing) = (Vec::new(), Vec::new());
            for (param, slot) in (0..).zip(&it.slots) {
                if slot.is_empty() { missing.push(param) } else { arrived.push(param) }
            }
            waiting.push(Missing { step: it.step, arrived, missing });
        }
        waiting.sort_by_key(|it| it.step);
        let stall = Stall { waiting, ended: self.ended.iter().copied().collect() };
        self.put_down(Status::Failed, Expectation::Stalled(stall));
    }

    fn role(&self, event: EventId) -> Option<Role> {
        self.graph.event(event).map(|event| event.role)
    }

    fn name(&self, step: StepId) -> String {
        self.graph.steps[step.index()].name.to_string()
    }
}

/// An error that the engine makes.
fn said(kind: &str, message: String) -> StepError {
    serde_json::from_value(serde_json::json!({ "kind": kind, "message": message }))
        .expect("the kinds of errors have these names")
}

/// The larger count of each handler.
fn most(mut counts: Counts, other: &Counts) -> Counts {
    for (handler, count) in other {
        let known = counts.entry(*handler).or_default();
        *known = (*known).max(*count);
    }
    counts
}

/// Each event that a step returns, with how many of it, in order of its number.
fn counted(emitted: &Emitted<Value>) -> Vec<(EventId, u32)> {
    let mut counts = BTreeMap::new();
    match emitted {
        Emitted::None => {}
        Emitted::One(value) => _ = counts.insert(value.event, 1),
        Emitted::Many(_, values) => values.iter().for_each(|it| *counts.entry(it.event).or_default() += 1),
    }
    counts.into_iter().collect()
}

trait Extract<T> {
    /// Takes out what is asked for; both halves keep their order.
    fn extract(&mut self, wanted: impl FnMut(&T) -> bool) -> Vec<T>;
}

impl<T> Extract<T> for Vec<T> {
    fn extract(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Vec<T> {
        if !self.iter().any(&mut wanted) {
            return Vec::new();
        }
        let (out, kept) = std::mem::take(self).into_iter().partition(wanted);
        *self = kept;
        out
    }
}
