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
    /// `Asker<Q>`: the question, see [`Builder::prompt`].
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
            ToolDecl::Asker(prompt) => Tool::Asker(prompt),
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
        let handlers = || self.steps().filter_map(|(id, step)| Some((id, step.options.catches.as_ref()?)));
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
        for (id, step) in self.steps() {
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

        for (point, it) in self.points() {
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
        for (id, step) in self.steps() {
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
