//! The graph as plain data.
//!
//! Everything can be written in a `const` (lists are `Cow`s), because the macros emit it as one, and can
//! be read from JSON, because graphs travel over the wire.

use std::borrow::Cow;

/// A name or a text: borrowed in the tables that macros emit, owned when it was read from JSON.
pub type Str = Cow<'static, str>;

/// A list: borrowed in the tables that macros emit, owned when it was built or read from JSON.
pub type List<T> = Cow<'static, [T]>;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name(pub u16);

        impl $name {
            /// The position in its list.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// Position of an [`Event`] in [`Graph::events`].
    EventId
);
id!(
    /// Position of a [`Step`] in [`Graph::steps`]; steps stand in source order.
    StepId
);
id!(
    /// Position of a [`Point`] in [`Graph::points`].
    PointId
);

/// The graph of one workflow: its events, its steps, and where it fans out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Graph {
    /// Name of the workflow, as it stands in snapshots.
    pub name: Str,
    /// The author's documentation of the workflow.
    pub docs: Str,
    /// Everything that crosses a step boundary, in order of first mention.
    pub events: List<Event>,
    /// The steps, in source order.
    pub steps: List<Step>,
    /// The fan-out points, in source order.
    pub points: List<Point>,
}

/// Something that travels between steps, or between a run and the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// Last path segment and type arguments, for example `Priced` or `HumanResponse<ApproveOrder>`.
    pub name: Str,
    /// What it means to the run.
    pub role: Role,
    /// Every parameter that takes it, in source order: the route.
    pub accepted_by: List<Slot>,
}

/// What an event means to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// The run's input, `Start<I>`.
    Start,
    /// An author's event.
    Event,
    /// A question to a person, `InputRequired<Q>` or `Asker<Q>`.
    Prompt {
        /// The `HumanResponse<Q>` that an answer becomes, if some step takes it.
        response: Option<EventId>,
        /// The `Expired<Q>` that a deadline becomes, if some step takes it.
        expired: Option<EventId>,
    },
    /// The answer to a question, `HumanResponse<Q>`.
    Response {
        /// The question it answers, if some step asks it.
        prompt: Option<EventId>,
    },
    /// A question that nobody answered in time, `Expired<Q>`.
    Expired {
        /// The question, if some step asks it.
        prompt: Option<EventId>,
    },
    /// An event sent from outside, `Signal<T>`.
    Signal,
    /// The run's output, `Stop<O>`.
    Stop,
}

/// One parameter of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Slot {
    /// The step.
    pub step: StepId,
    /// Position in [`Step::params`].
    pub param: u16,
}

/// One step: what it accepts, what it emits, and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Step {
    /// Name of the method.
    pub name: Str,
    /// The author's documentation of the step.
    pub docs: Str,
    /// What the step was called in older snapshots (`was = ".."`).
    pub was: Option<Str>,
    /// The event parameters, in source order. More than one is a join.
    pub params: List<Param>,
    /// The capabilities: `Emitter`, `Asker`, `Inbox`, in source order.
    pub tools: List<Tool>,
    /// What it returns.
    pub returns: Returns,
    /// The options of `#[step(..)]`.
    pub options: StepOptions,
}

/// One event parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Param {
    /// The alternatives it takes; more than one is a `OneOf`. For [`ParamForm::Failed`] the typed input of
    /// the caught steps, if one is named.
    pub events: List<EventId>,
    /// How it takes them.
    pub form: ParamForm,
}

/// How a parameter takes its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ParamForm {
    /// One event: `T`, `&T` or `OneOf<..>`.
    One,
    /// All of a fan-out scope: `Vec<..>`.
    Gather {
        /// Failures of the scope are taken too: `Vec<Result<T, StepFailed>>`.
        failures: bool,
    },
    /// The failure of another step: `StepFailed` or `StepFailed<T>`.
    Failed,
}

/// A capability: something a step does while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Tool {
    /// Sends events into a scope of its own: `Emitter<T>`.
    Emitter(PointId),
    /// Asks from inside the step: `Asker<Q>`.
    Asker(EventId),
    /// Takes signals inside the step: `Inbox<T>`.
    Inbox(EventId),
}

/// What a step returns.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Returns {
    /// Returns a `Result`.
    pub fallible: bool,
    /// May emit nothing: returns `Option<..>` or `()`.
    pub optional: bool,
    /// What it emits, one of them at a time; more than one is a `OneOf`, none is `()`.
    pub alternatives: List<Alternative>,
}

/// One alternative of what a step returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Alternative {
    /// One event; its [`Role`] says whether it is a question or the end.
    One(EventId),
    /// A `Vec`: each element opens a branch of a new scope.
    Many(PointId),
}

/// A fan-out point: one `Vec` alternative of a return, or one `Emitter`. Each use opens a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Point {
    /// The step that fans out.
    pub step: StepId,
    /// Where in that step.
    pub origin: Origin,
    /// The events that an element can be; more than one is `Vec<OneOf<..>>`.
    pub items: List<EventId>,
    /// The parameters that gather the scopes of this point. Each fires once per scope.
    pub gathers: List<Slot>,
}

/// Where in its step a fan-out point stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Origin {
    /// Position in [`Returns::alternatives`].
    Returned(u16),
    /// Position in [`Step::tools`].
    Emitter(u16),
}

/// The options of `#[step(..)]` that the graph and the engine know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StepOptions {
    /// At most so many at once within a run; `None` is no limit.
    pub workers: Option<u32>,
    /// A gather fires on this many arrivals.
    pub take: Option<u32>,
    /// Whether a `take` that is full cancels the rest of its scope.
    pub cancel_rest: bool,
    /// What an error handler catches; `None` where the step is no error handler.
    pub catches: Option<Catches>,
    /// How often an error handler may run on one lineage.
    pub max_recoveries: Option<u32>,
    /// Rules turned off for this step.
    pub skip: Skip,
}

impl StepOptions {
    /// No option given.
    pub const NONE: Self = Self {
        workers: None,
        take: None,
        cancel_rest: true,
        catches: None,
        max_recoveries: None,
        skip: Skip { reachability: false, dead_end: false, outside: false, join: false },
    };
}

impl Default for StepOptions {
    fn default() -> Self {
        Self::NONE
    }
}

/// What an error handler catches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Catches {
    /// Every step that no other handler claims.
    Rest,
    /// The steps named in `catches(..)`.
    Steps(List<StepId>),
}

/// Rules turned off for one step by `skip(..)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Skip {
    /// The step need not be reachable.
    pub reachability: bool,
    /// The step need not reach an end.
    pub dead_end: bool,
    /// What the step gathers may also arrive outside every fan-out.
    pub outside: bool,
    /// The step's join may look as if it could never fire.
    pub join: bool,
}

impl Graph {
    /// The event of that number, if there is one.
    #[must_use]
    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.events.get(id.index())
    }

    /// The step of that number, if there is one.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id.index())
    }

    /// The fan-out point of that number, if there is one.
    #[must_use]
    pub fn point(&self, id: PointId) -> Option<&Point> {
        self.points.get(id.index())
    }

    /// Whether some step takes this signal while it runs, in an `Inbox`.
    #[must_use]
    pub fn has_inbox(&self, signal: EventId) -> bool {
        self.steps.iter().any(|step| step.tools.contains(&Tool::Inbox(signal)))
    }

    /// Whether this is a signal, and some step takes it.
    #[must_use]
    pub fn takes_signal(&self, event: EventId) -> bool {
        let found = self.event(event).filter(|found| found.role == Role::Signal);
        found.is_some_and(|found| !found.accepted_by.is_empty() || self.has_inbox(event))
    }

    /// The event of that name.
    #[must_use]
    pub fn event_named(&self, name: &str) -> Option<EventId> {
        position(&self.events, |event| event.name == name).map(EventId)
    }

    /// The step of that name, or the one that says it `was` called so.
    #[must_use]
    pub fn step_named(&self, name: &str) -> Option<StepId> {
        position(&self.steps, |step| step.name == name)
            .or_else(|| position(&self.steps, |step| step.was.as_deref() == Some(name)))
            .map(StepId)
    }
}

fn position<T>(list: &[T], is_it: impl Fn(&T) -> bool) -> Option<u16> {
    list.iter().position(is_it).and_then(|index| u16::try_from(index).ok())
}
