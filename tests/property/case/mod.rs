//! What the steps of a random graph do.
//!
//! What a step sends and emits follows from the case's seed, the step and its input, and from nothing else, so that
//! only the engine could let the order in which steps finish change an outcome.

mod calls;
mod fate;
mod value;
mod ways;

use std::sync::Arc;

use workflow_runtime::engine::{Emitted, Input};
use workflow_runtime::graph::{
    Alternative, Event, EventId, Graph, ParamForm, PointId, Role, Step, StepId, Tool,
};

use crate::dice::{Dice, mix};

pub use calls::{Call, memo};
pub use fate::{Attempt, Troubles, Try};
pub use value::{Value, history};

use fate::history_at;
use value::summary;
use ways::Ways;

/// A graph and what its steps do.
pub struct Case {
    pub graph: Arc<Graph>,
    seed: u64,
    ways: Arc<Ways>,
    /// The signals that steps take.
    signals: Arc<[EventId]>,
    /// Steps end neither branches nor the run if they can help it.
    restless: bool,
    /// Steps use their tools while they run.
    has_calls: bool,
    /// What goes wrong, if anything does.
    troubles: Option<Troubles>,
}

/// What one invocation does: what each of its emitters sends, and then what it returns.
pub struct Deed {
    pub sends: Vec<(PointId, Vec<Value>)>,
    pub returns: Emitted<Value>,
}

impl Case {
    pub fn new(graph: Graph, seed: u64) -> Self {
        let ways = Arc::new(Ways::of(&graph));
        let events = (0..).map(EventId).zip(graph.events.iter());
        let taken = events.filter(|(id, _)| graph.takes_signal(*id));
        let signals = taken.map(|(id, _)| id).collect();
        let graph = Arc::new(graph);
        Self { graph, seed, ways, signals, restless: false, has_calls: false, troubles: None }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The same graph with steps that do something else.
    pub fn with_seed(&self, seed: u64) -> Self {
        let (graph, ways, signals) =
            (Arc::clone(&self.graph), Arc::clone(&self.ways), Arc::clone(&self.signals));
        Self { graph, seed, ways, signals, ..*self }
    }

    /// The same graph with steps that fail and people who do not answer.
    pub fn with_troubles(self, troubles: Troubles) -> Self {
        Self { troubles: Some(troubles), ..self }
    }

    pub fn has_troubles(&self) -> bool {
        self.troubles.is_some()
    }

    pub fn restless(self) -> Self {
        Self { restless: true, ..self }
    }

    pub fn is_restless(&self) -> bool {
        self.restless
    }

    /// The same steps without a limit on how many of them run at once.
    pub fn without_limits(&self) -> Self {
        let mut graph = (*self.graph).clone();
        graph.steps.to_mut().iter_mut().for_each(|step| step.options.workers = None);
        Self { graph: Arc::new(graph), ..self.with_seed(self.seed) }
    }

    pub fn input(&self) -> Value {
        let start = self.graph.events.iter().position(|event| event.role == Role::Start);
        let fuel = 3 + (self.seed % 7) as u8;
        Value { event: EventId(start.unwrap_or_default() as u16), fuel, history: self.seed, limit: None }
    }

    /// Some value of an event.
    pub fn value_of(&self, event: EventId) -> Value {
        Value { event, ..self.input() }
    }

    /// The answer to a question, as the event that a step takes.
    pub fn answer(&self, prompt: &Value) -> Value {
        let response = match self.graph.event(prompt.event).map(|event| event.role) {
            Some(Role::Prompt { response: Some(response), .. }) => response,
            _ => self.kept_as(prompt.event).unwrap_or(prompt.event),
        };
        Value { event: response, history: mix(prompt.history, 0xa), limit: None, ..*prompt }
    }

    /// What the answer is kept as to a question that only steps ask themselves.
    fn kept_as(&self, prompt: EventId) -> Option<EventId> {
        let payload = self.graph.event(prompt)?.payload();
        let is_it = |event: &Event| matches!(event.role, Role::Response { .. }) && event.payload() == payload;
        self.graph.events.iter().position(is_it).map(|position| EventId(position as u16))
    }

    pub fn stops(&self, emitted: &Emitted<Value>) -> bool {
        matches!(emitted, Emitted::One(value) if self.role(value.event) == Some(Role::Stop))
    }

    pub fn deed(&self, id: StepId, input: &Input<Value>) -> Deed {
        let (fuel, history) = (summary(input).0, history_at(self.seed, id, input));
        let mut doer = Doer { case: self, dice: Dice::new(history), fuel, history, made: 0 };
        let step = &self.graph.steps[id.index()];
        let sends = emitters(step).map(|point| (point, doer.elements(point))).collect();
        let mut ways: Vec<Option<Alternative>> =
            step.returns.alternatives.iter().copied().map(Some).collect();
        if step.returns.optional {
            ways.push(None);
        }
        let returns = match doer.choose(&ways) {
            None => Emitted::None,
            Some(Alternative::One(event)) => Emitted::One(doer.value(event)),
            Some(Alternative::Many(point)) => Emitted::Many(point, doer.elements(point)),
        };
        Deed { sends, returns }
    }

    pub fn attempt(&self, at: &Try<'_>) -> Attempt {
        self.troubles.map_or_else(Attempt::works, |troubles| troubles.attempt(self.seed, at))
    }

    /// The n-th signal that is sent.
    pub fn signal(&self, event: EventId, n: usize) -> Value {
        Value { history: mix(self.seed, 0x519 + n as u64), ..self.value_of(event) }
    }

    /// The signals that steps take, as their input or while they run.
    pub fn signals(&self) -> &[EventId] {
        &self.signals
    }

    /// Whether a signal can start a step.
    pub fn starts_steps_by_signals(&self) -> bool {
        self.signals.iter().any(|event| !self.graph.has_inbox(*event))
    }

    fn role(&self, event: EventId) -> Option<Role> {
        self.graph.event(event).map(|event| event.role)
    }
}

struct Doer<'c> {
    case: &'c Case,
    dice: Dice,
    fuel: u8,
    history: u64,
    made: u64,
}

impl Doer<'_> {
    fn choose(&mut self, ways: &[Option<Alternative>]) -> Option<Alternative> {
        let far = |way: &Option<Alternative>| self.case.ways.length(&self.case.graph, *way);
        if self.fuel == 0 {
            return ways.iter().copied().min_by_key(far).flatten();
        }
        let is_end = |way: &Option<Alternative>| far(way) == 0 || way.is_none();
        let on: Vec<_> = ways.iter().copied().filter(|way| !is_end(way)).collect();
        let ends: Vec<_> = ways.iter().copied().filter(is_end).collect();
        let chance = if self.case.restless { 3 } else { 30 };
        if on.is_empty() || (!ends.is_empty() && self.dice.percent(chance)) {
            self.dice.pick(&ends)
        } else {
            self.dice.pick(&on)
        }
    }

    fn elements(&mut self, point: PointId) -> Vec<Value> {
        let items = &self.case.graph.points[point.index()].items;
        if self.fuel == 0 {
            let nearest = items.iter().min_by_key(|event| self.case.ways.of_event(**event));
            return nearest.map(|event| self.value(*event)).into_iter().collect();
        }
        let many = [0, 1, 1, 2, 2, 2, 3, 3, 4];
        let count = self.dice.pick(&many);
        (0..count)
            .map(|_| {
                let event = self.dice.pick(items);
                self.value(event)
            })
            .collect()
    }

    fn value(&mut self, event: EventId) -> Value {
        self.made += 1;
        let history = mix(self.history, self.made);
        let limit = match (self.case.role(event), self.case.troubles) {
            (Some(Role::Prompt { expired, .. }), Some(troubles)) => troubles.limit(history, expired),
            _ => None,
        };
        Value { event, fuel: self.fuel, history, limit }
    }
}

/// The points of a step's emitters, in source order.
pub fn emitters(step: &Step) -> impl Iterator<Item = PointId> + '_ {
    step.tools.iter().filter_map(|tool| match tool {
        Tool::Emitter(point) => Some(*point),
        _ => None,
    })
}

/// Whether a parameter takes a whole scope.
pub fn gathers(form: ParamForm) -> bool {
    matches!(form, ParamForm::Gather { .. })
}
