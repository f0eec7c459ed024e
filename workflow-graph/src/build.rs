//! From step declarations to a graph with its routes filled in.
//!
//! A graph says some things twice, because the engine must not search: which parameters take an event,
//! which response belongs to which question, which gathers wait for a fan-out. These *derived* parts
//! follow from the rest. [`Builder::build`] fills them in, and [`Graph::relink`] does so for a graph that
//! came over the wire, so that the two halves can never disagree.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::levels::gathered_points;
use crate::{
    Alternative, Catches, Event, EventId, Graph, Origin, Param, ParamForm, Point, PointId, Returns, Role,
    Slot, Step, StepId, StepOptions, Str, Tool,
};

/// Builds a [`Graph`] step by step, in source order.
///
/// # Examples
/// ```
/// use workflow_graph::build::{AlternativeDecl, Builder, StepDecl};
/// use workflow_graph::{Param, ParamForm};
///
/// let mut builder = Builder::new("Greet");
/// let start = builder.start("Name");
/// let stop = builder.stop("String");
/// let mut greet = StepDecl::new("greet");
/// greet.params.push(Param::new(ParamForm::One, [start]));
/// greet.returns.alternatives.push(AlternativeDecl::One(stop));
/// builder.step(greet);
///
/// let graph = builder.build();
/// assert!(graph.check().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    name: String,
    docs: String,
    events: Vec<Event>,
    ids: HashMap<String, EventId>,
    steps: Vec<Step>,
    points: Vec<Point>,
}

/// One step as its signature says it, before its fan-out points are numbered.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StepDecl {
    /// Name of the method.
    pub name: String,
    /// The author's documentation of the step.
    pub docs: String,
    /// What the step was called in older snapshots.
    pub was: Option<String>,
    /// The event parameters, in source order.
    pub params: Vec<Param>,
    /// The capabilities, in source order.
    pub tools: Vec<ToolDecl>,
    /// What it returns.
    pub returns: ReturnsDecl,
    /// The options of `#[step(..)]`.
    pub options: StepOptions,
}

impl StepDecl {
    /// A step of that name that takes nothing and returns nothing yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// A [`Tool`] whose fan-out point has no number yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolDecl {
    /// `Emitter<T>` or `Emitter<OneOf<..>>`: the events it sends.
    Emitter(Vec<EventId>),
    /// `Asker<Q>`: the question, see [`Builder::prompt`]. The event of its answer, [`Builder::response`], comes along.
    Asker(EventId),
    /// `Inbox<T>`: the signal, see [`Builder::signal`].
    Inbox(EventId),
}

/// A [`Returns`] whose fan-out points have no numbers yet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReturnsDecl {
    /// Returns a `Result`.
    pub fallible: bool,
    /// May emit nothing: returns `Option<..>` or `()`.
    pub optional: bool,
    /// What it emits, one of them at a time; none is `()`.
    pub alternatives: Vec<AlternativeDecl>,
}

/// An [`Alternative`] whose fan-out point has no number yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeDecl {
    /// One event; a question and the end are events too.
    One(EventId),
    /// A `Vec`, by the events that an element can be.
    Many(Vec<EventId>),
}

impl Param {
    /// A parameter that takes these alternatives in that form.
    #[must_use]
    pub fn new(form: ParamForm, events: impl Into<Vec<EventId>>) -> Self {
        Self { events: Cow::Owned(events.into()), form }
    }
}

impl Builder {
    /// A workflow of that name, without steps.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            docs: String::new(),
            events: Vec::new(),
            ids: HashMap::new(),
            steps: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Sets the documentation of the workflow.
    #[must_use]
    pub fn docs(mut self, docs: impl Into<String>) -> Self {
        self.docs = docs.into();
        self
    }

    /// The run's input, `Start<input>`; `()` gives `Start`.
    pub fn start(&mut self, input: &str) -> EventId {
        self.intern(wrapped("Start", input), Role::Start)
    }

    /// An author's event, by its last path segment and type arguments.
    pub fn event(&mut self, name: &str) -> EventId {
        self.intern(name.to_owned(), Role::Event)
    }

    /// A question, `InputRequired<question>`.
    pub fn prompt(&mut self, question: &str) -> EventId {
        self.intern(wrapped(PROMPT, question), Role::Prompt { response: None, expired: None })
    }

    /// The answer to a question, `HumanResponse<question>`.
    pub fn response(&mut self, question: &str) -> EventId {
        self.intern(wrapped(RESPONSE, question), Role::Response { prompt: None })
    }

    /// A question that nobody answered in time, `Expired<question>`.
    pub fn expired(&mut self, question: &str) -> EventId {
        self.intern(wrapped(EXPIRED, question), Role::Expired { prompt: None })
    }

    /// An event sent from outside, `Signal<payload>`.
    pub fn signal(&mut self, payload: &str) -> EventId {
        self.intern(wrapped("Signal", payload), Role::Signal)
    }

    /// The run's output, `Stop<output>`; `()` gives `Stop`.
    pub fn stop(&mut self, output: &str) -> EventId {
        self.intern(wrapped("Stop", output), Role::Stop)
    }

    /// Adds a step. Steps stand in the order in which they are added.
    pub fn step(&mut self, decl: StepDecl) -> StepId {
        let id = StepId(number(self.steps.len()));
        let tools = decl.tools.into_iter().enumerate().map(|(position, tool)| match tool {
            ToolDecl::Emitter(items) => {
                Tool::Emitter(self.point(id, Origin::Emitter(number(position)), items))
            }
            ToolDecl::Asker(prompt) => {
                // What an answer is kept as: nothing accepts it, and the step that asked finds it.
                let question = self.events.get(prompt.index()).map(|event| event.payload().to_owned());
                question.map(|question| self.response(&question));
                Tool::Asker(prompt)
            }
            ToolDecl::Inbox(signal) => Tool::Inbox(signal),
        });
        let tools = tools.collect();
        let alternatives = decl.returns.alternatives.into_iter().enumerate().map(
            |(position, alternative)| match alternative {
                AlternativeDecl::One(event) => Alternative::One(event),
                AlternativeDecl::Many(items) => {
                    Alternative::Many(self.point(id, Origin::Returned(number(position)), items))
                }
            },
        );
        let alternatives = alternatives.collect();
        self.steps.push(Step {
            name: decl.name.into(),
            docs: decl.docs.into(),
            was: decl.was.map(Str::from),
            params: decl.params.into(),
            tools,
            returns: Returns {
                fallible: decl.returns.fallible,
                optional: decl.returns.optional,
                alternatives,
            },
            options: decl.options,
        });
        id
    }

    /// The finished graph. It is linked, not checked: see [`Graph::check`].
    ///
    /// An id that came from another builder leaves the graph unlinked, which [`Graph::check`] reports.
    #[must_use]
    pub fn build(self) -> Graph {
        let mut graph = Graph {
            name: self.name.into(),
            docs: self.docs.into(),
            events: self.events.into(),
            steps: self.steps.into(),
            points: self.points.into(),
        };
        let _reported_by_check = graph.relink();
        graph
    }

    fn intern(&mut self, name: String, role: Role) -> EventId {
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = EventId(number(self.events.len()));
        self.ids.insert(name.clone(), id);
        self.events.push(Event { name: name.into(), role, accepted_by: Cow::Borrowed(&[]) });
        id
    }

    fn point(&mut self, step: StepId, origin: Origin, items: Vec<EventId>) -> PointId {
        let id = PointId(number(self.points.len()));
        self.points.push(Point { step, origin, items: items.into(), gathers: Cow::Borrowed(&[]) });
        id
    }
}

const PROMPT: &str = "InputRequired";
const RESPONSE: &str = "HumanResponse";
const EXPIRED: &str = "Expired";

fn wrapped(form: &str, payload: &str) -> String {
    match payload {
        "" | "()" => form.to_owned(),
        payload => format!("{form}<{payload}>"),
    }
}

/// The number of a position. What does not fit is cut to the last number, and [`Graph::relink`] refuses it.
fn number(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

/// Why a graph cannot be linked: a number in it leads nowhere.
///
/// A graph that a [`Builder`] made from its own ids always links; this is about graphs from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// More entries in one list than numbers.
    TooLarge,
    /// A step mentions an event that is not there.
    NoSuchEvent {
        /// The step.
        step: StepId,
        /// The event it mentions.
        event: EventId,
    },
    /// `catches(..)` mentions a step that is not there.
    NoSuchStep {
        /// The error handler.
        handler: StepId,
        /// The step it mentions.
        step: StepId,
    },
    /// A step fans out at a point that is not there, or that says it belongs elsewhere.
    NoSuchPoint {
        /// The step.
        step: StepId,
        /// The point it mentions.
        point: PointId,
    },
    /// No step fans out at this point.
    StrayPoint {
        /// The point.
        point: PointId,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the graph has more entries in one list than there are numbers"),
            Self::NoSuchEvent { step, event } => {
                write!(f, "step {} mentions event {}, which is not there", step.0, event.0)
            }
            Self::NoSuchStep { handler, step } => {
                write!(f, "step {} catches step {}, which is not there", handler.0, step.0)
            }
            Self::NoSuchPoint { step, point } => {
                write!(f, "step {} fans out at point {}, which is not its own", step.0, point.0)
            }
            Self::StrayPoint { point } => write!(f, "no step fans out at point {}", point.0),
        }
    }
}

impl std::error::Error for LinkError {}

impl Graph {
    /// Fills in the derived parts: [`Event::accepted_by`], the links between questions and their answers in
    /// [`Role`], [`Point::gathers`], and [`Catches::Rest`] for an error handler that names no steps.
    ///
    /// Call this on every graph that was read from outside, before anything else: it is what makes its
    /// numbers safe to follow.
    ///
    /// # Errors
    /// Where a number leads nowhere. The graph is then unchanged.
    pub fn relink(&mut self) -> Result<(), LinkError> {
        self.numbers_lead_somewhere()?;
        for step in self.steps.to_mut() {
            let handles = step.params.iter().any(|param| param.form == ParamForm::Failed);
            if handles && step.options.catches.is_none() {
                step.options.catches = Some(Catches::Rest);
            }
        }
        self.link_routes();
        self.link_questions();
        let gathers = gathered_points(self);
        for (point, gathers) in self.points.to_mut().iter_mut().zip(gathers) {
            point.gathers = gathers.into();
        }
        Ok(())
    }

    /// The error handler of a step: the one that names it, else the one that catches the rest. Error handlers
    /// have none.
    #[must_use]
    pub fn handler_of(&self, step: StepId) -> Option<StepId> {
        if self.step(step)?.options.catches.is_some() {
            return None;
        }
        let handlers =
            || self.numbered_steps().filter_map(|(id, step)| Some((id, step.options.catches.as_ref()?)));
        let by_name =
            handlers().find(|(_, catches)| matches!(catches, Catches::Steps(steps) if steps.contains(&step)));
        by_name.or_else(|| handlers().find(|(_, catches)| **catches == Catches::Rest)).map(|(id, _)| id)
    }

    fn numbers_lead_somewhere(&self) -> Result<(), LinkError> {
        let most = usize::from(u16::MAX) + 1;
        let wide = |step: &Step| step.params.len().max(step.tools.len()).max(step.returns.alternatives.len());
        let longest =
            self.steps.iter().map(wide).chain([self.events.len(), self.steps.len(), self.points.len()]).max();
        if longest > Some(most) {
            return Err(LinkError::TooLarge);
        }

        let mut used = BTreeSet::new();
        for (id, step) in self.numbered_steps() {
            let point = |point: PointId, origin: Origin| match self.point(point) {
                Some(found) if (found.step, found.origin) == (id, origin) => Ok(point),
                _ => Err(LinkError::NoSuchPoint { step: id, point }),
            };
            let mut events: Vec<EventId> =
                step.params.iter().flat_map(|param| param.events.iter().copied()).collect();
            for (position, tool) in step.tools.iter().enumerate() {
                match *tool {
                    Tool::Emitter(it) => _ = used.insert(point(it, Origin::Emitter(number(position)))?),
                    Tool::Asker(event) | Tool::Inbox(event) => events.push(event),
                }
            }
            for (position, alternative) in step.returns.alternatives.iter().enumerate() {
                match *alternative {
                    Alternative::One(event) => events.push(event),
                    Alternative::Many(it) => _ = used.insert(point(it, Origin::Returned(number(position)))?),
                }
            }
            if let Some(&event) = events.iter().find(|event| self.event(**event).is_none()) {
                return Err(LinkError::NoSuchEvent { step: id, event });
            }
            if let Some(Catches::Steps(caught)) = &step.options.catches {
                if let Some(&step) = caught.iter().find(|step| self.step(**step).is_none()) {
                    return Err(LinkError::NoSuchStep { handler: id, step });
                }
            }
        }

        for (point, it) in self.numbered_points() {
            if !used.contains(&point) {
                return Err(LinkError::StrayPoint { point });
            }
            if let Some(&event) = it.items.iter().find(|event| self.event(**event).is_none()) {
                return Err(LinkError::NoSuchEvent { step: it.step, event });
            }
        }
        Ok(())
    }

    fn link_routes(&mut self) {
        let mut routes = vec![Vec::new(); self.events.len()];
        for (id, step) in self.numbered_steps() {
            for (position, param) in step.params.iter().enumerate() {
                if param.form == ParamForm::Failed {
                    continue;
                }
                let slot = Slot { step: id, param: number(position) };
                for event in param.events.iter() {
                    // Last in line or not at all: the slots of one parameter come together.
                    if let Some(route) =
                        routes.get_mut(event.index()).filter(|route| route.last() != Some(&slot))
                    {
                        route.push(slot);
                    }
                }
            }
        }
        for (event, route) in self.events.to_mut().iter_mut().zip(routes) {
            event.accepted_by = route.into();
        }
    }

    fn link_questions(&mut self) {
        let asked: BTreeSet<EventId> = self.steps.iter().flat_map(|step| self.returned_by(step)).collect();
        let links: Vec<Role> = (0..=u16::MAX)
            .map(EventId)
            .zip(self.events.iter())
            .map(|(id, event)| {
                let taken = |form| {
                    let id = self.event_named(&wrapped(form, event.payload()))?;
                    self.event(id).filter(|event| !event.accepted_by.is_empty()).map(|_| id)
                };
                let prompt =
                    || self.event_named(&wrapped(PROMPT, event.payload())).filter(|id| asked.contains(id));
                match event.role {
                    Role::Prompt { .. } if asked.contains(&id) => {
                        Role::Prompt { response: taken(RESPONSE), expired: taken(EXPIRED) }
                    }
                    Role::Prompt { .. } => Role::Prompt { response: None, expired: None },
                    Role::Response { .. } => Role::Response { prompt: prompt() },
                    Role::Expired { .. } => Role::Expired { prompt: prompt() },
                    role @ (Role::Start | Role::Event | Role::Signal | Role::Stop) => role,
                }
            })
            .collect();
        for (event, role) in self.events.to_mut().iter_mut().zip(links) {
            event.role = role;
        }
    }

    /// Every event that a step returns, alone or in a `Vec`.
    fn returned_by<'g>(&'g self, step: &'g Step) -> impl Iterator<Item = EventId> + 'g {
        step.returns.alternatives.iter().flat_map(|alternative| match *alternative {
            Alternative::One(event) => vec![event],
            Alternative::Many(point) => {
                self.point(point).map(|point| point.items.to_vec()).unwrap_or_default()
            }
        })
    }
}

impl Event {
    /// The type inside: `Order` of `Start<Order>`, `()` of `Start`, and the name itself of an author's event.
    #[must_use]
    pub fn payload(&self) -> &str {
        if self.role == Role::Event {
            return &self.name;
        }
        match self.name.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>').unwrap_or(rest),
            None => "()",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AlternativeDecl, Builder, LinkError, StepDecl};
    use crate::sketch::{graph, step};
    use crate::{
        Alternative, Catches, EventId, Graph, Origin, Param, ParamForm, PointId, Role, Slot, StepId, Tool,
    };

    fn slots(graph: &Graph, event: &str) -> Vec<(String, u16)> {
        let event = graph.event(graph.event_named(event).unwrap()).unwrap();
        event
            .accepted_by
            .iter()
            .map(|slot| (graph.step(slot.step).unwrap().name.to_string(), slot.param))
            .collect()
    }

    #[test]
    fn events_are_numbered_once_in_order_of_first_mention() {
        let mut builder = Builder::new("W").docs("What it does.");
        let ids =
            [builder.start("Order"), builder.event("Priced"), builder.start("Order"), builder.prompt("Q")];
        assert_eq!(ids, [EventId(0), EventId(1), EventId(0), EventId(2)]);
        let graph = builder.build();
        assert_eq!(graph.docs, "What it does.");
        let names: Vec<&str> = graph.events.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["Start<Order>", "Priced", "InputRequired<Q>"]);
    }

    #[test]
    fn every_form_has_its_name_and_its_payload() {
        let mut builder = Builder::new("W");
        let forms = [
            (builder.start("()"), "Start", "()"),
            (builder.start("Vec<u8>"), "Start<Vec<u8>>", "Vec<u8>"),
            (builder.event("Pair<A, B>"), "Pair<A, B>", "Pair<A, B>"),
            (builder.prompt("Q"), "InputRequired<Q>", "Q"),
            (builder.response("Q"), "HumanResponse<Q>", "Q"),
            (builder.expired("Q"), "Expired<Q>", "Q"),
            (builder.signal("T"), "Signal<T>", "T"),
            (builder.stop("O"), "Stop<O>", "O"),
            (builder.stop("()"), "Stop", "()"),
        ];
        let graph = builder.build();
        for (id, name, payload) in forms {
            let event = graph.event(id).unwrap();
            assert_eq!((&*event.name, event.payload()), (name, payload));
        }
    }

    #[test]
    fn routes_stand_in_source_order_once_per_parameter() {
        let graph = graph(
            "a: Start -> A | B
             b: A, B -> Stop
             c: B | A | A -> Stop
             d: Failed<A> -> Stop",
        );
        assert_eq!(slots(&graph, "A"), [("b".to_owned(), 0), ("c".to_owned(), 0)]);
        assert_eq!(slots(&graph, "B"), [("b".to_owned(), 1), ("c".to_owned(), 0)]);
    }

    #[test]
    fn fan_out_points_know_where_they_stand() {
        let graph = graph("a: Start -> Stop | Vec<A|B> with Asker<Q>, Emitter<C>");
        let a = graph.step(StepId(0)).unwrap();
        assert_eq!(a.tools.get(1), Some(&Tool::Emitter(PointId(0))));
        assert_eq!(a.returns.alternatives.get(1), Some(&Alternative::Many(PointId(1))));
        let origins: Vec<Origin> = graph.points.iter().map(|point| point.origin).collect();
        assert_eq!(origins, [Origin::Emitter(1), Origin::Returned(1)]);
        assert_eq!(graph.points.get(1).unwrap().items.len(), 2);
    }

    #[test]
    fn questions_know_their_answers_only_if_some_step_takes_them() {
        let role = |text, name: &str| {
            let graph = graph(text);
            graph.event(graph.event_named(name).unwrap()).unwrap().role
        };
        let both = "a: Start -> ?Q
             b: HumanResponse<Q> | Expired<Q> -> Stop";
        assert_eq!(
            role(both, "InputRequired<Q>"),
            Role::Prompt { response: Some(EventId(2)), expired: Some(EventId(3)) }
        );
        assert_eq!(role(both, "Expired<Q>"), Role::Expired { prompt: Some(EventId(1)) });
        let elements = "a: Start -> Vec<?Q>
             b: Vec<HumanResponse<Q>> -> Stop";
        assert_eq!(
            role(elements, "InputRequired<Q>"),
            Role::Prompt { response: Some(EventId(2)), expired: None }
        );
        let inside = "a: Start -> Stop with Asker<Q>
             b: HumanResponse<Q> -> Stop";
        assert_eq!(role(inside, "InputRequired<Q>"), Role::Prompt { response: None, expired: None });
        assert_eq!(role(inside, "HumanResponse<Q>"), Role::Response { prompt: None });
    }

    #[test]
    fn a_handler_that_names_no_steps_catches_the_rest() {
        let graph = graph(
            "a: Start -> B
             b: B -> Stop
             rest: Failed -> ()
             named [catches=b]: Failed -> ()",
        );
        assert_eq!(graph.step(step(&graph, "rest")).unwrap().options.catches, Some(Catches::Rest));
        let handler =
            |name| graph.handler_of(step(&graph, name)).map(|it| graph.step(it).unwrap().name.to_string());
        assert_eq!(handler("a").as_deref(), Some("rest"));
        assert_eq!(handler("b").as_deref(), Some("named"));
        assert_eq!(handler("rest"), None);
        assert_eq!(handler("named"), None);
        assert_eq!(graph.handler_of(StepId(99)), None);
    }

    #[test]
    fn relinking_a_linked_graph_changes_nothing() {
        let graph = graph(
            "split: Start -> Vec<?Q> | A with Emitter<B>
             yes: HumanResponse<Q>, B -> A
             merge: Vec<A> -> Stop
             rest: Failed -> Stop",
        );
        let mut again = graph.clone();
        assert_eq!(again.relink(), Ok(()));
        assert_eq!(again, graph);
    }

    #[test]
    fn relinking_restores_what_was_derived() {
        let graph = graph(
            "split: Start -> Vec<A> | ?Q
             yes: HumanResponse<Q> -> Stop
             merge: Vec<A> -> Stop",
        );
        let mut foreign = graph.clone();
        for event in foreign.events.to_mut() {
            event.accepted_by = vec![Slot { step: StepId(77), param: 3 }].into();
            if let Role::Prompt { response, .. } = &mut event.role {
                *response = Some(EventId(99));
            }
        }
        foreign.points.to_mut().iter_mut().for_each(|point| point.gathers = Vec::new().into());
        assert_eq!(foreign.relink(), Ok(()));
        assert_eq!(foreign, graph);
    }

    #[test]
    fn numbers_that_lead_nowhere_are_refused_and_change_nothing() {
        let good = graph(
            "split: Start -> Vec<A> with Emitter<B>
             merge: Vec<A> -> Stop
             each: B -> ()
             h [catches=merge]: Failed -> Stop",
        );
        let broken = |spoil: fn(&mut Graph)| {
            let mut graph = good.clone();
            spoil(&mut graph);
            let before = graph.clone();
            let error = graph.relink().unwrap_err();
            assert_eq!(graph, before);
            assert!(!graph.check().is_empty());
            error
        };

        assert_eq!(
            broken(|graph| graph.steps.to_mut()[0].params =
                vec![Param::new(ParamForm::One, [EventId(9)])].into()),
            LinkError::NoSuchEvent { step: StepId(0), event: EventId(9) }
        );
        assert_eq!(
            broken(|graph| graph.points.to_mut()[0].items = vec![EventId(9)].into()),
            LinkError::NoSuchEvent { step: StepId(0), event: EventId(9) }
        );
        assert_eq!(
            broken(|graph| graph.steps.to_mut()[3].options.catches =
                Some(Catches::Steps(vec![StepId(5)].into()))),
            LinkError::NoSuchStep { handler: StepId(3), step: StepId(5) }
        );
        assert_eq!(
            broken(|graph| graph.points.to_mut()[0].step = StepId(1)),
            LinkError::NoSuchPoint { step: StepId(0), point: PointId(0) }
        );
        assert_eq!(
            broken(|graph| graph.steps.to_mut()[0].tools = Vec::new().into()),
            LinkError::StrayPoint { point: PointId(0) }
        );
        assert_eq!(
            broken(|graph| graph.events = vec![graph.events[0].clone(); 65_537].into()),
            LinkError::TooLarge
        );
    }

    #[test]
    fn more_than_there_are_numbers_is_reported_and_does_not_panic() {
        let mut builder = Builder::new("Huge");
        let start = builder.start("()");
        for n in 0..=usize::from(u16::MAX) {
            builder.event(&format!("E{n}"));
        }
        let mut step = StepDecl::new("a");
        step.params.push(Param::new(ParamForm::One, [start]));
        step.returns.alternatives.push(AlternativeDecl::One(start));
        builder.step(step);
        assert_eq!(builder.build().check().len(), 1);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_graph_survives_json() {
        let graph = graph(
            "split [workers=3 was=divide]: Start<Order> -> Vec<Task|?Q> | None with Emitter<B>, Asker<Q2>, Inbox<T>
             yes [skip=join]: HumanResponse<Q>, B -> A
             merge [take=2 cancel_rest=false]: Vec!<A|Task> -> Stop
             rest [max_recoveries=2]: Failed -> Stop
             named [catches=yes,split]: Failed<B> -> Stop",
        );
        let json = serde_json::to_string(&graph).unwrap();
        let mut back: Graph = serde_json::from_str(&json).unwrap();
        assert_eq!(back, graph);
        back.relink().unwrap();
        assert_eq!(back, graph);
        assert_eq!(back.fingerprint(), graph.fingerprint());
    }
}
