//! What an engine must do, said as naively as possible.
//!
//! The model keeps plain lists, searches them, and derives nothing ahead: a scope is over when a search finds
//! nothing on the way in it. It predicts of each tick what it starts, asks, cancels and reports, and accounts for
//! every event that was delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use workflow_runtime::RequestId;
use workflow_runtime::engine::{Emitted, Input, InvocationId, Missing, Part, ScopeId, Stall, Status, Tick};
use workflow_runtime::graph::{EventId, Graph, PointId, Role, Slot, StepId};

use crate::case::{Value, emitters, gathers};

pub struct Model {
    graph: Arc<Graph>,
    pub status: Status,
    /// Open fan-outs, oldest first.
    pub scopes: Vec<Scope>,
    /// Invocations that have not finished, oldest first.
    pub work: Vec<Work>,
    /// Open questions, oldest first.
    pub questions: Vec<Question>,
    parked: Vec<Parked>,
    ended: BTreeSet<StepId>,
    last_scope: usize,
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
    /// In order of arrival: index of the branch, emitting step, event.
    arrived: Vec<(u32, StepId, Value)>,
    fired: bool,
}

pub struct Work {
    pub id: Option<InvocationId>,
    pub step: StepId,
    pub at: At,
    pub input: Input<Value>,
    pub state: WorkState,
    /// What each emitter has sent into which scope; `None` before the first start.
    pub senders: Option<Vec<Sender>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkState {
    Queued,
    Running,
    Failed,
}

#[derive(Clone, Copy)]
pub struct Sender {
    pub point: PointId,
    pub scope: usize,
    pub sent: u32,
}

pub struct Question {
    pub id: Option<RequestId>,
    pub step: StepId,
    pub at: At,
    pub prompt: Value,
}

/// A half-filled join.
struct Parked {
    at: At,
    step: StepId,
    slots: Vec<Vec<Part<Value>>>,
}

/// Where delivered events are. At any moment every event is in one place.
#[derive(Default)]
struct Ledger {
    delivered: usize,
    /// In the input of an invocation.
    taken: usize,
    /// Reported as unpaired, or as arriving where nothing gathers.
    reported: usize,
    /// Come after their gather had fired.
    late: usize,
    /// Gone with their scope.
    cancelled: usize,
}

/// What came up in a run.
#[derive(Clone, Default)]
pub struct Seen {
    /// A `take` fired before its scope closed.
    pub taken_early: bool,
    /// Several events of one type arrived at one join in one branch.
    pub paired_by_arrival: bool,
    /// Several events of one step arrived at one gather in one branch.
    pub gathered_by_arrival: bool,
    pub invoked: BTreeSet<StepId>,
    /// What arrived at a gather inside a fan-out.
    pub gathered: BTreeSet<(Slot, EventId)>,
    /// What arrived at a gather outside every fan-out that it gathers.
    pub outside: BTreeSet<Slot>,
    /// Fan-outs in fan-outs.
    pub nested: usize,
    pub deepest: u32,
    pub empty_scopes: usize,
    pub closed: usize,
    pub cancelled: usize,
    pub joined: usize,
    pub gathers_fired: usize,
    pub asked: usize,
    pub sent: usize,
    pub broadcast: usize,
    pub queued: usize,
    joins: BTreeMap<(At, Slot), usize>,
}

impl Seen {
    /// Whether the outcome may depend on the order in which steps finish, racing `Stop`s aside.
    pub fn order_matters(&self) -> bool {
        self.taken_early || self.paired_by_arrival || self.gathered_by_arrival
    }
}

/// What one tick must do.
#[derive(Default)]
pub struct Expected {
    /// With what it returned: each event, and how often.
    pub finished: Option<(InvocationId, Vec<(EventId, u32)>)>,
    pub sent: Option<(InvocationId, EventId)>,
    pub failed: Option<InvocationId>,
    pub asked: Vec<(StepId, Value)>,
    pub answered: Option<RequestId>,
    /// How many questions are withdrawn that were asked in this very tick.
    pub withdrawn_at_once: usize,
    pub withdrawn: Vec<RequestId>,
    pub aborted: Vec<InvocationId>,
    pub unpaired: Vec<(StepId, Vec<EventId>)>,
    /// Positions in the list of work, oldest first.
    pub started: Vec<usize>,
    pub ending: Option<Expectation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    Completed(Value),
    Failed(InvocationId),
    Stalled(Stall),
    Cancelled,
    Suspended,
    /// Never: no run here has a time limit.
    TimedOut,
}

impl Model {
    pub fn new(graph: Arc<Graph>) -> Self {
        Self {
            graph,
            status: Status::New,
            scopes: Vec::new(),
            work: Vec::new(),
            questions: Vec::new(),
            parked: Vec::new(),
            ended: BTreeSet::new(),
            last_scope: 0,
            ledger: Ledger::default(),
            seen: Seen::default(),
            expected: Expected::default(),
        }
    }

    /// Takes a legal tick.
    pub fn take(&mut self, tick: &Tick<Value>) {
        self.expected = Expected::default();
        match tick {
            Tick::Started { input } => {
                self.status = Status::Running;
                self.deliver(*input, ROOT, StepId(0));
            }
            Tick::Finished { invocation, emitted, .. } => self.finish(*invocation, emitted),
            Tick::Sent { invocation, point, place, event, .. } => {
                self.send(*invocation, *point, *place, *event);
            }
            Tick::Answered { request, response } => {
                if let Some(position) = self.questions.iter().position(|it| it.id == Some(*request)) {
                    let question = self.questions.remove(position);
                    self.expected.answered = Some(*request);
                    self.deliver(*response, question.at, question.step);
                }
            }
            Tick::Failed { invocation, .. } => {
                if let Some(work) = self.work.iter_mut().find(|it| it.id == Some(*invocation)) {
                    work.state = WorkState::Failed;
                }
                self.expected.failed = Some(*invocation);
                self.put_down(Status::Failed, Expectation::Failed(*invocation));
            }
            Tick::Cancelled { .. } => self.put_down(Status::Cancelled, Expectation::Cancelled),
            Tick::Suspended => self.put_down(Status::Suspended, Expectation::Suspended),
            // Nothing here is due at a time, no graph has a signal, and no step waits for anything.
            Tick::Time | Tick::Signal { .. } | Tick::Noted { .. } | Tick::Withdrawn { .. } => {}
            Tick::Resumed => {
                self.status = Status::Running;
                self.work.iter_mut().for_each(|it| it.state = WorkState::Queued);
                self.expected.asked = self.questions.iter().map(|it| (it.step, it.prompt)).collect();
            }
        }
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
        let parked = self.parked.iter().flat_map(|it| &it.slots).flatten().map(size).sum::<usize>();
        let gathers = self.scopes.iter().flat_map(|scope| &scope.gathers);
        let gathered = gathers.map(|gather| gather.arrived.len()).sum::<usize>();
        let Ledger { delivered, taken, reported, late, cancelled } = self.ledger;
        if delivered == taken + reported + late + cancelled + parked + gathered {
            return Ok(());
        }
        Err(format!(
            "{delivered} events were delivered, but {taken} are taken, {parked} wait in joins, {gathered} in \
             gathers, {reported} are reported, {late} came late and {cancelled} are cancelled"
        ))
    }

    /// Whether no scope around it has fired all its gathers already: there a failure would end its branch only.
    pub fn failure_ends_the_run(&self, scope: usize) -> bool {
        let Some(scope) = self.scopes.iter().find(|it| it.number == scope) else { return true };
        let spent = !scope.gathers.is_empty() && scope.gathers.iter().all(|gather| gather.fired);
        !spent && self.failure_ends_the_run(scope.parent.scope)
    }

    /// How many fan-outs are open around something in that scope.
    pub fn depth(&self, scope: usize) -> u32 {
        self.scopes.iter().find(|it| it.number == scope).map_or(0, |it| it.depth)
    }

    fn finish(&mut self, id: InvocationId, emitted: &Emitted<Value>) {
        let Some(position) = self.work.iter().position(|it| it.id == Some(id)) else { return };
        self.expected.finished = Some((id, counted(emitted)));
        // Its scopes are not over yet: what closes is looked for when everything is handed on.
        let work = self.work.remove(position);
        match emitted {
            Emitted::None => {
                self.ended.insert(work.step);
            }
            Emitted::One(value) if self.role(value.event) == Some(Role::Stop) => self.stop(*value),
            Emitted::One(value) => self.emit(*value, work.at, work.step),
            Emitted::Many(point, values) => {
                let scope = self.open(*point, work.at);
                self.seen.empty_scopes += usize::from(values.is_empty());
                for (index, value) in (0..).zip(values) {
                    self.emit(*value, At { scope, index }, work.step);
                }
            }
        }
    }

    fn send(&mut self, id: InvocationId, point: PointId, place: u32, event: Value) {
        let Some(work) = self.work.iter_mut().find(|it| it.id == Some(id)) else { return };
        let step = work.step;
        let senders = work.senders.iter_mut().flatten();
        let Some(sender) = senders.into_iter().find(|sender| sender.point == point) else { return };
        if place == sender.sent {
            sender.sent += 1;
            let at = At { scope: sender.scope, index: place };
            self.seen.sent += 1;
            // Nobody hears what is sent into a scope that was cancelled.
            self.expected.sent = self.is_open(at.scope).then_some((id, event.event));
            self.emit(event, at, step);
        }
    }

    fn stop(&mut self, output: Value) {
        let running = self.work.iter().filter(|it| it.state == WorkState::Running);
        self.expected.aborted = running.filter_map(|it| it.id).collect();
        self.expected.withdrawn = self.questions.iter().filter_map(|it| it.id).collect();
        self.expected.ending = Some(Expectation::Completed(output));
        self.status = Status::Completed;
        self.work.clear();
        self.questions.clear();
        self.scopes.clear();
        self.parked.clear();
    }

    fn put_down(&mut self, status: Status, ending: Expectation) {
        for work in self.work.iter_mut().filter(|it| it.state == WorkState::Running) {
            work.state = WorkState::Queued;
            self.expected.aborted.extend(work.id);
        }
        self.status = status;
        self.expected.ending = Some(ending);
    }

    fn emit(&mut self, value: Value, at: At, from: StepId) {
        if !matches!(self.role(value.event), Some(Role::Prompt { .. })) {
            return self.deliver(value, at, from);
        }
        if self.is_open(at.scope) {
            self.seen.asked += 1;
            self.expected.asked.push((from, value));
            self.questions.push(Question { id: None, step: from, at, prompt: value });
        }
    }

    fn deliver(&mut self, value: Value, at: At, from: StepId) {
        let graph = Arc::clone(&self.graph);
        let taken_by = &graph.events[value.event.index()].accepted_by;
        self.seen.broadcast += usize::from(taken_by.len() > 1);
        for slot in taken_by.iter() {
            self.ledger.delivered += 1;
            if !self.is_open(at.scope) {
                self.ledger.cancelled += 1;
            } else if gathers(graph.steps[slot.step.index()].params[usize::from(slot.param)].form) {
                self.gather(*slot, value, at, from);
            } else {
                self.arrive(*slot, Part::One(value), at);
            }
        }
    }

    fn gather(&mut self, slot: Slot, value: Value, at: At, from: StepId) {
        let scope = self.scopes.iter_mut().find(|scope| scope.number == at.scope);
        if scope.is_some() {
            self.seen.gathered.insert((slot, value.event));
        }
        let gather = scope.and_then(|scope| scope.gathers.iter_mut().find(|gather| gather.slot == slot));
        let Some(gather) = gather else {
            self.seen.outside.insert(slot);
            self.ledger.reported += 1;
            self.expected.unpaired.push((slot.step, vec![value.event]));
            return;
        };
        if gather.fired {
            self.ledger.late += 1;
            return;
        }
        gather.arrived.push((at.index, from, value));
        let take = self.graph.steps[slot.step.index()].options.take;
        if take.is_some_and(|take| gather.arrived.len() == take as usize) {
            self.seen.taken_early = true;
            self.fire(at.scope, slot);
            let Some(scope) = self.scopes.iter().find(|scope| scope.number == at.scope) else { return };
            let cancels = |gather: &Gather| {
                gather.fired && self.graph.steps[gather.slot.step.index()].options.cancel_rest
            };
            if scope.gathers.iter().all(cancels) {
                self.cancel(at.scope);
            }
        }
    }

    /// A gather fires with what has arrived.
    fn fire(&mut self, scope: usize, slot: Slot) {
        let Some(scope) = self.scopes.iter_mut().find(|it| it.number == scope) else { return };
        let parent = scope.parent;
        let Some(gather) = scope.gathers.iter_mut().find(|gather| gather.slot == slot) else { return };
        gather.fired = true;
        let mut arrived = std::mem::take(&mut gather.arrived);
        arrived.sort_by_key(|(index, from, _)| (*index, *from));
        self.seen.gathered_by_arrival |=
            arrived.windows(2).any(|two| (two[0].0, two[0].1) == (two[1].0, two[1].1));
        self.seen.gathers_fired += 1;
        self.arrive(slot, Part::All(arrived.into_iter().map(|(.., value)| Ok(value)).collect()), parent);
    }

    fn arrive(&mut self, slot: Slot, part: Part<Value>, at: At) {
        let arity = self.graph.steps[slot.step.index()].params.len();
        if arity == 1 {
            let input = match part {
                Part::One(value) => Input::One(value),
                other => Input::Parts(vec![other]),
            };
            return self.invoke(slot.step, input, at);
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
        slots[usize::from(slot.param)].push(part);
        if slots.iter().all(|waiting| !waiting.is_empty()) {
            let parts = slots.iter_mut().map(|waiting| waiting.remove(0)).collect();
            if slots.iter().all(Vec::is_empty) {
                self.parked.remove(position);
            }
            self.seen.joined += 1;
            self.invoke(slot.step, Input::Parts(parts), at);
        }
    }

    fn invoke(&mut self, step: StepId, input: Input<Value>, at: At) {
        self.seen.invoked.insert(step);
        self.ledger.taken += match &input {
            Input::One(_) => 1,
            Input::Parts(parts) => parts.iter().map(size).sum(),
        };
        self.work.push(Work { id: None, step, at, input, state: WorkState::Queued, senders: None });
    }

    fn open(&mut self, point: PointId, parent: At) -> usize {
        self.last_scope += 1;
        let slots = self.graph.points[point.index()].gathers.iter();
        let gathers = slots.map(|slot| Gather { slot: *slot, arrived: Vec::new(), fired: false }).collect();
        let depth = self.depth(parent.scope) + 1;
        self.seen.nested += usize::from(depth > 1);
        self.seen.deepest = self.seen.deepest.max(depth);
        self.scopes.push(Scope { number: self.last_scope, id: None, point, parent, depth, gathers });
        self.last_scope
    }

    fn is_open(&self, scope: usize) -> bool {
        scope == 0 || self.scopes.iter().any(|it| it.number == scope)
    }

    fn is_over(&self, scope: usize) -> bool {
        let fills = |work: &Work| work.senders.iter().flatten().any(|sender| sender.scope == scope);
        !self.work.iter().any(|it| it.at.scope == scope || fills(it))
            && !self.questions.iter().any(|it| it.at.scope == scope)
            && !self.scopes.iter().any(|it| it.parent.scope == scope)
    }

    /// From the inside outwards.
    fn close_what_is_over(&mut self) {
        while let Some(scope) = self.scopes.iter().rev().map(|it| it.number).find(|it| self.is_over(*it)) {
            let slots = self.scopes.iter().find(|it| it.number == scope).map_or(&[][..], |it| &it.gathers);
            let unfired: Vec<Slot> = slots.iter().filter(|it| !it.fired).map(|it| it.slot).collect();
            for slot in unfired {
                self.fire(scope, slot);
            }
            self.scopes.retain(|it| it.number != scope);
            self.seen.closed += 1;
            let left = self.parked.extract(|it| it.at.scope == scope);
            for it in left {
                let events: Vec<EventId> = it.slots.iter().flatten().flat_map(Part::events).collect();
                self.ledger.reported += events.len();
                if !events.is_empty() {
                    self.expected.unpaired.push((it.step, events));
                }
            }
        }
    }

    fn cancel(&mut self, scope: usize) {
        let mut doomed = BTreeSet::from([scope]);
        // Inner scopes are younger than those around them.
        for it in &self.scopes {
            if doomed.contains(&it.parent.scope) {
                doomed.insert(it.number);
            }
        }
        self.seen.cancelled += doomed.len();
        for it in self.scopes.extract(|it| doomed.contains(&it.number)) {
            self.ledger.cancelled += it.gathers.iter().map(|gather| gather.arrived.len()).sum::<usize>();
        }
        for it in self.parked.extract(|it| doomed.contains(&it.at.scope)) {
            self.ledger.cancelled += it.slots.iter().flatten().map(size).sum::<usize>();
        }
        let work = self.work.extract(|it| doomed.contains(&it.at.scope));
        let running = work.iter().filter(|it| it.state == WorkState::Running);
        self.expected.aborted.extend(running.filter_map(|it| it.id));
        for it in self.questions.extract(|it| doomed.contains(&it.at.scope)) {
            match it.id {
                Some(id) => self.expected.withdrawn.push(id),
                None => self.expected.withdrawn_at_once += 1,
            }
        }
    }

    /// The oldest first, as far as there are workers.
    fn start_what_may_start(&mut self) {
        for position in 0..self.work.len() {
            let step = self.work[position].step;
            let declared = &self.graph.steps[step.index()];
            let is_busy = |it: &&Work| it.step == step && it.state == WorkState::Running;
            let limit = declared.options.workers.unwrap_or(u32::MAX) as usize;
            if self.work[position].state != WorkState::Queued {
                continue;
            }
            if limit < usize::MAX && self.work.iter().filter(is_busy).count() >= limit {
                self.seen.queued += 1;
                continue;
            }
            self.work[position].state = WorkState::Running;
            self.expected.started.push(position);
            if self.work[position].senders.is_none() {
                let points: Vec<PointId> = emitters(declared).collect();
                let at = self.work[position].at;
                let open = |point| Sender { point, scope: self.open(point, at), sent: 0 };
                let senders = points.into_iter().map(open).collect();
                self.work[position].senders = Some(senders);
            }
        }
    }

    fn notice_a_stall(&mut self) {
        if !self.work.is_empty() || !self.questions.is_empty() {
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

fn size(part: &Part<Value>) -> usize {
    part.events().count()
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
