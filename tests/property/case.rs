//! What the steps of a random graph do.
//!
//! What a step sends and emits follows from the case's seed, the step and its input, and from nothing else, so that
//! only the engine could let the order in which steps finish change an outcome. A value holds a hash of all that
//! led to it: two equal outputs mean that every gather on the way had the same order, and every join the same
//! partners.

use std::sync::Arc;

use serde_json::value::RawValue;
use workflow_runtime::Events;
use workflow_runtime::engine::{Emitted, Input, Part, Payload};
use workflow_runtime::graph::{
    Alternative, Event, EventId, Graph, ParamForm, PointId, Role, Step, StepId, Tool,
};

use crate::dice::{Dice, mix};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    pub event: EventId,
    /// How many more steps may choose freely before they head for the end, so that runs are bounded.
    fuel: u8,
    history: u64,
}

impl Payload for Value {
    fn event(&self) -> EventId {
        self.event
    }
}

impl Events for Value {
    fn encode(&self) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::value::to_raw_value(&(self.fuel, self.history))
    }

    fn decode(event: EventId, json: &RawValue) -> Result<Self, serde_json::Error> {
        let (fuel, history) = serde_json::from_str(json.get())?;
        Ok(Self { event, fuel, history })
    }
}

/// A graph and what its steps do.
pub struct Case {
    pub graph: Arc<Graph>,
    seed: u64,
    ways: Arc<Ways>,
    /// Steps end neither branches nor the run if they can help it.
    restless: bool,
}

/// What one invocation does: what each of its emitters sends, and then what it returns.
pub struct Deed {
    pub sends: Vec<(PointId, Vec<Value>)>,
    pub returns: Emitted<Value>,
}

impl Case {
    pub fn new(graph: Graph, seed: u64) -> Self {
        let ways = Arc::new(Ways::of(&graph));
        Self { graph: Arc::new(graph), seed, ways, restless: false }
    }

    /// The same graph with steps that do something else.
    pub fn with_seed(&self, seed: u64) -> Self {
        let (graph, ways) = (Arc::clone(&self.graph), Arc::clone(&self.ways));
        Self { graph, seed, ways, restless: self.restless }
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
        Value { event: EventId(start.unwrap_or_default() as u16), fuel, history: self.seed }
    }

    /// Some value of an event.
    pub fn value_of(&self, event: EventId) -> Value {
        Value { event, ..self.input() }
    }

    /// The answer to a question, as the event that a step takes.
    pub fn answer(&self, prompt: &Value) -> Value {
        let response = match self.graph.event(prompt.event).map(|event| event.role) {
            Some(Role::Prompt { response: Some(response), .. }) => response,
            _ => prompt.event,
        };
        Value { event: response, history: mix(prompt.history, 0xa), ..*prompt }
    }

    pub fn stops(&self, emitted: &Emitted<Value>) -> bool {
        matches!(emitted, Emitted::One(value) if self.role(value.event) == Some(Role::Stop))
    }

    pub fn deed(&self, id: StepId, input: &Input<Value>) -> Deed {
        let (fuel, history) = summary(input);
        let history = mix(mix(self.seed, u64::from(id.0)), history);
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

    fn role(&self, event: EventId) -> Option<Role> {
        self.graph.event(event).map(|event| event.role)
    }
}

/// What has led to an input, as one number.
pub fn history(input: &Input<Value>) -> u64 {
    summary(input).1
}

/// The least fuel and the joint history of an input.
fn summary(input: &Input<Value>) -> (u8, u64) {
    let mut all = (u8::MAX, 7);
    match input {
        Input::One(value) => value.add_to(&mut all),
        Input::Parts(parts) => {
            for part in parts {
                match part {
                    Part::One(value) => value.add_to(&mut all),
                    Part::All(members) => {
                        members.iter().flatten().for_each(|value| value.add_to(&mut all));
                        all.1 = mix(all.1, members.len() as u64);
                    }
                    // No step here takes failures.
                    Part::Failed(..) => {}
                }
            }
        }
    }
    // A gather of nothing has no history that could have used up its fuel.
    (if all.0 == u8::MAX { 1 } else { all.0.saturating_sub(1) }, all.1)
}

impl Value {
    fn add_to(&self, (fuel, history): &mut (u8, u64)) {
        *fuel = self.fuel.min(*fuel);
        *history = mix(mix(*history, u64::from(self.event.0)), self.history);
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
        Value { event, fuel: self.fuel, history: mix(self.history, self.made) }
    }
}

/// How far it is from each event to a `Stop`.
struct Ways {
    events: Vec<u32>,
}

/// Further than any way to a `Stop`.
const NO_STOP: u32 = 1_000;

impl Ways {
    fn of(graph: &Graph) -> Self {
        let mut ways = Self { events: vec![2 * NO_STOP; graph.events.len()] };
        loop {
            let next: Vec<u32> = graph.events.iter().map(|event| ways.from(graph, event)).collect();
            if next == ways.events {
                return ways;
            }
            ways.events = next;
        }
    }

    fn from(&self, graph: &Graph, event: &Event) -> u32 {
        match event.role {
            Role::Stop => 0,
            Role::Prompt { response, .. } => response.map_or(2 * NO_STOP, |response| self.of_event(response)),
            _ => {
                let steps = event.accepted_by.iter().map(|slot| &graph.steps[slot.step.index()]);
                let from_step = |step: &Step| {
                    let end = step.returns.optional.then_some(NO_STOP);
                    let sent = emitters(step).map(Alternative::Many);
                    let ways = step.returns.alternatives.iter().copied().chain(sent);
                    ways.map(|way| self.length(graph, Some(way))).chain(end).min().unwrap_or(2 * NO_STOP)
                };
                steps.map(from_step).min().map_or(2 * NO_STOP, |length| (length + 1).min(2 * NO_STOP))
            }
        }
    }

    fn of_event(&self, event: EventId) -> u32 {
        self.events[event.index()]
    }

    fn length(&self, graph: &Graph, way: Option<Alternative>) -> u32 {
        match way {
            None => NO_STOP,
            Some(Alternative::One(event)) => self.of_event(event),
            Some(Alternative::Many(point)) => {
                let items = graph.points[point.index()].items.iter().map(|event| self.of_event(*event));
                items.min().unwrap_or(2 * NO_STOP).max(1)
            }
        }
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
