//! Saved runs: all that is alive in a run, as JSON.
//!
//! Steps and events stand in it by name, so that a snapshot can be taken up by code that was changed since,
//! as long as everything alive still has its place. What has no place any more is refused and listed; nothing
//! is dropped, and only types in the workflow's own event enum are ever built.
//!
//! What can be derived is not saved: which scope is kept open by what, how many workers are busy.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use workflow_graph::{EventId, Graph, Origin, ParamForm, Point, PointId, Role, Slot, StepId};

use crate::engine::{
    Branch, Budget, Engine, Failure, Gather, GraphRef, Input, Invocation, InvocationId, InvocationState, Joins, Member,
    Parked, Part, Place, Recoveries, Request, Scope, ScopeId, Sender, State, Status, Time, Timer, emitter_points,
};
use crate::error::StepError;
use crate::event::RequestId;
use crate::handle::RunId;
use crate::forms::Stored;
use crate::workflow::Events;

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A saved run. It goes to JSON and back through serde, and is resumed with
/// [`WorkflowExt::resume`](crate::WorkflowExt::resume).
///
/// Its size depends on what is alive in the run, not on what has happened.
///
/// Reading one checks that it is a snapshot; whether it fits a workflow is found out when it is resumed. A
/// snapshot of a newer format can be read and written back unchanged, but not resumed.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::ResumeError;
///
/// assert!(matches!(Snapshot::from_json("{}"), Err(ResumeError::Unreadable { .. })));
/// assert!(serde_json::from_str::<Snapshot>("[1, 2]").is_err());
/// ```
#[derive(Clone)]
pub struct Snapshot {
    saved: Saved,
}

#[derive(Clone)]
enum Saved {
    Known(Arc<Document>),
    Newer { format: u32, json: Arc<RawValue> },
}

/// A run as it is written.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    workflow: String,
    /// Fingerprint of the graph it was written under.
    graph: String,
    run: RunId,
    status: Status,
    ticks: u64,
    now: Time,
    last_id: u64,
    next_event: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    invocations: Vec<SavedInvocation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requests: Vec<SavedRequest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<SavedScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<Budget>,
    /// Half-filled joins outside every fan-out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    joins: Vec<SavedJoin>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    queues: BTreeMap<String, Vec<InvocationId>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<String>,
    /// What the steps share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Box<RawValue>>,
}

/// Name and value.
#[derive(Serialize, Deserialize)]
struct SavedEvent(String, Box<RawValue>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedPart {
    One(SavedEvent),
    All(Vec<SavedMember>),
    Failed(Failure, Vec<SavedPart>),
}

/// How often each error handler has run on the way.
type SavedRecoveries = BTreeMap<String, u32>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedMember {
    Event(SavedEvent),
    Failure(Failure),
}

/// Scope and index; left out where it is the run itself.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct SavedBranch(ScopeId, u32);

#[derive(Serialize, Deserialize)]
struct SavedInvocation {
    id: InvocationId,
    step: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<SavedBranch>,
    input: Vec<SavedPart>,
    state: InvocationState,
    attempt: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    interruptions: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_error: Option<StepError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_failed_at: Option<Time>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recoveries: SavedRecoveries,
    /// In the order of the step's parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    emitters: Vec<SavedSender>,
}

#[derive(Serialize, Deserialize)]
struct SavedSender {
    scope: ScopeId,
    sent: u32,
}

#[derive(Serialize, Deserialize)]
struct SavedRequest {
    id: RequestId,
    step: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<SavedBranch>,
    prompt: SavedEvent,
    asked_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// Nobody answered in time, and that has failed the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    expired: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recoveries: SavedRecoveries,
}

#[derive(Serialize, Deserialize)]
struct SavedScope {
    id: ScopeId,
    /// The step that fanned out, and where in it.
    step: String,
    origin: Origin,
    items: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<SavedBranch>,
    gathers: Vec<SavedGather>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    joins: Vec<SavedJoin>,
}

#[derive(Serialize, Deserialize)]
struct SavedGather {
    step: String,
    param: u16,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fired: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recoveries: SavedRecoveries,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arrived: Vec<SavedArrival>,
}

#[derive(Serialize, Deserialize)]
struct SavedArrival {
    index: u32,
    from: String,
    commit: u64,
    member: SavedMember,
}

#[derive(Serialize, Deserialize)]
struct SavedJoin {
    #[serde(default, skip_serializing_if = "is_zero")]
    index: u32,
    step: String,
    /// For each parameter what waits, first come first.
    slots: Vec<Vec<SavedParked>>,
}

#[derive(Serialize, Deserialize)]
struct SavedParked {
    part: SavedPart,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recoveries: SavedRecoveries,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Snapshot {
    /// Reads a snapshot. `serde_json::from_str` does the same, with its own error.
    ///
    /// # Errors
    /// The text is not JSON, or not a snapshot.
    pub fn from_json(json: &str) -> Result<Self, ResumeError> {
        serde_json::from_str(json).map_err(|source| ResumeError::Unreadable { source: Arc::new(source) })
    }

    /// The snapshot as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Everything in a snapshot has been serialised before, so this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The run that was saved; `None` if the format is newer than this version reads.
    #[must_use]
    pub fn run_id(&self) -> Option<&RunId> {
        self.document().map(|document| &document.run)
    }

    /// The name of the workflow; `None` if the format is newer than this version reads.
    #[must_use]
    pub fn workflow(&self) -> Option<&str> {
        self.document().map(|document| &*document.workflow)
    }

    /// Where the run stood; `None` if the format is newer than this version reads.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.document().map(|document| &document.status)
    }

    fn document(&self) -> Option<&Document> {
        match &self.saved {
            Saved::Known(document) => Some(document),
            Saved::Newer { .. } => None,
        }
    }

    /// Saves the run of an engine. For drivers; a [`Run`](crate::Run) has
    /// [`snapshot`](crate::Run::snapshot).
    ///
    /// `next_event` is the number that the next event of the run's stream gets.
    ///
    /// # Errors
    /// The run has its output, so nothing is left to save; or a value does not serialise.
    pub fn take<E: Events>(run: &RunId, engine: &Engine<E>, next_event: u64) -> Result<Self, SnapshotError> {
        if *engine.state().status() == Status::Completed {
            return Err(SnapshotError::Completed { run: run.clone() });
        }
        let document = Writer { graph: engine.graph(), run }.document(engine.state(), next_event)?;
        Ok(Self { saved: Saved::Known(Arc::new(document)) })
    }

    /// Adds what the steps share.
    pub(crate) fn with_state<S: Stored>(self, state: &S) -> Result<Self, SnapshotError> {
        let Saved::Known(document) = self.saved else { return Ok(self) };
        let mut json = Vec::new();
        let stored = state.store(&mut serde_json::Serializer::new(&mut json));
        let json = stored.and_then(|()| serde_json::from_slice::<Box<RawValue>>(&json));
        match (json, Arc::try_unwrap(document)) {
            (Ok(json), Ok(document)) => {
                let document = Document { state: Some(json), ..document };
                Ok(Self { saved: Saved::Known(Arc::new(document)) })
            }
            (Err(source), Ok(document)) => {
                Err(SnapshotError::State { run: document.run.clone(), source: Arc::new(source) })
            }
            // Nobody else holds a snapshot that was just made.
            (_, Err(document)) => Ok(Self { saved: Saved::Known(document) }),
        }
    }

    /// The run as an engine that takes [`Tick::Resumed`](crate::engine::Tick::Resumed) next. For drivers; a
    /// workflow has [`resume`](crate::WorkflowExt::resume).
    ///
    /// # Errors
    /// As `resume`.
    pub fn restore<E: Events>(&self, graph: impl Into<GraphRef>) -> Result<Restored<E>, ResumeError> {
        let graph = graph.into();
        let document = match &self.saved {
            Saved::Known(document) => document,
            Saved::Newer { format, .. } => {
                return Err(ResumeError::NewerFormat { found: *format, newest: FORMAT });
            }
        };
        if document.workflow != graph.name {
            let (expected, found) = (graph.name.to_string(), document.workflow.clone());
            return Err(ResumeError::OtherWorkflow { expected, found });
        }
        let mut reader = Reader { graph: &graph, misfits: Vec::new() };
        let state = reader.state::<E>(document);
        let run = document.run.clone();
        if !reader.misfits.is_empty() {
            return Err(ResumeError::DoesNotFit { run, misfits: reader.misfits });
        }
        let state = state.map_err(|reason| ResumeError::Corrupt { run: run.clone(), reason })?;
        match state.status {
            Status::Completed => Err(ResumeError::Completed { run }),
            Status::New => Err(ResumeError::Corrupt { run, reason: "the run has not started".to_owned() }),
            _ => Ok(Restored {
                run,
                engine: Engine::with_state(graph, state),
                next_event: document.next_event,
                state: document.state.clone(),
            }),
        }
    }
}

/// A run that was read from a snapshot and has not been taken up yet.
#[derive(Clone, Debug)]
pub struct Restored<E> {
    /// The run.
    pub run: RunId,
    /// Its engine; the next tick is [`Tick::Resumed`](crate::engine::Tick::Resumed).
    pub engine: Engine<E>,
    /// The number that the next event of its stream gets.
    pub next_event: u64,
    /// What its steps share, as JSON; `None` for a workflow without a state.
    pub state: Option<Box<RawValue>>,
}

impl<E> Restored<E> {
    /// What its steps share; the default where nothing was saved.
    pub(crate) fn state<S: Stored + Default>(&self) -> Result<S, ResumeError> {
        let Some(json) = self.state.as_deref().filter(|_| size_of::<S>() > 0) else { return Ok(S::default()) };
        S::load(&mut serde_json::Deserializer::from_str(json.get())).map_err(|error| {
            let reason = MisfitReason::OtherState { reason: error.to_string() };
            let misfits = vec![Misfit { what: "what the steps share".to_owned(), reason }];
            ResumeError::DoesNotFit { run: self.run.clone(), misfits }
        })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.saved {
            Saved::Known(document) => document.serialize(serializer),
            Saved::Newer { json, .. } => json.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }

        let json = Box::<RawValue>::deserialize(deserializer)?;
        let Head { format } = serde_json::from_str(json.get())
            .map_err(|problem| D::Error::custom(format_args!("this is not the snapshot of a run: {problem}")))?;
        let saved = if format > FORMAT {
            Saved::Newer { format, json: json.into() }
        } else {
            let document = serde_json::from_str(json.get())
                .map_err(|problem| D::Error::custom(format_args!("this snapshot is damaged: {problem}")))?;
            Saved::Known(Arc::new(document))
        };
        Ok(Self { saved })
    }
}

/// From the state of an engine to a document.
struct Writer<'a> {
    graph: &'a Graph,
    run: &'a RunId,
}

impl Writer<'_> {
    fn document<E: Events>(&self, state: &State<E>, next_event: u64) -> Result<Document, SnapshotError> {
        let root = state.scopes.get(&ScopeId::ROOT);
        let inner = state.scopes.iter().filter(|(id, _)| **id != ScopeId::ROOT);
        let invocations = state.invocations.iter().map(|(id, invocation)| self.invocation(*id, invocation));
        let requests = state.requests.iter().map(|(id, request)| {
            let due = request.expires_at;
            let expired = due.is_some_and(|due| !state.timers.contains(&(due, Timer::Expiry(*id))));
            Ok(SavedRequest { expired, ..self.request(*id, request)? })
        });
        let queues = state.queues.iter().map(|(step, queue)| {
            // Entries of cancelled invocations are skipped here as they are when they are met.
            let alive = queue.iter().filter(|id| state.invocations.contains_key(id));
            (self.step(*step), alive.copied().collect::<Vec<_>>())
        });
        Ok(Document {
            format: FORMAT,
            workflow: self.graph.name.to_string(),
            graph: format!("{:016x}", self.graph.fingerprint()),
            run: self.run.clone(),
            status: state.status.clone(),
            ticks: state.ticks,
            now: state.now,
            last_id: state.last_id,
            next_event,
            invocations: invocations.collect::<Result<_, _>>()?,
            requests: requests.collect::<Result<_, _>>()?,
            scopes: inner.map(|(id, scope)| self.scope(*id, scope)).collect::<Result<_, _>>()?,
            joins: root.map_or(Ok(Vec::new()), |root| self.joins(&root.joins))?,
            queues: queues.filter(|(_, queue)| !queue.is_empty()).collect(),
            deadline: state.deadline,
            budget: state.budget,
            ended: state.ended.iter().map(|step| self.step(*step)).collect(),
            state: None,
        })
    }

    fn invocation<E: Events>(
        &self,
        id: InvocationId,
        invocation: &Invocation<E>,
    ) -> Result<SavedInvocation, SnapshotError> {
        let input = self.input(&invocation.input)?;
        Ok(SavedInvocation {
            id,
            step: self.step(invocation.step),
            branch: branch(invocation.branch),
            input,
            state: invocation.state.clone(),
            attempt: invocation.attempt,
            interruptions: invocation.interruptions,
            last_error: invocation.last_error.clone(),
            first_failed_at: invocation.first_failed_at,
            recoveries: self.recoveries(&invocation.recoveries),
            emitters: invocation
                .emitters
                .iter()
                .map(|sender| SavedSender { scope: sender.scope, sent: sender.sent })
                .collect(),
        })
    }

    fn request<E: Events>(&self, id: RequestId, request: &Request<E>) -> Result<SavedRequest, SnapshotError> {
        Ok(SavedRequest {
            id,
            step: self.step(request.step),
            branch: branch(request.branch),
            prompt: self.event(&request.prompt)?,
            asked_at: request.asked_at,
            expires_at: request.expires_at,
            expired: false,
            recoveries: self.recoveries(&request.recoveries),
        })
    }

    fn scope<E: Events>(&self, id: ScopeId, scope: &Scope<E>) -> Result<SavedScope, SnapshotError> {
        let point = scope.point.and_then(|point| self.graph.point(point));
        let gathers = scope.gathers.iter().map(|gather| {
            let arrived = gather.arrived.iter().map(|(place, member)| {
                Ok(SavedArrival {
                    index: place.index,
                    from: self.step(place.from),
                    commit: place.commit,
                    member: self.member(member)?,
                })
            });
            Ok(SavedGather {
                step: self.step(gather.slot.step),
                param: gather.slot.param,
                fired: gather.fired,
                recoveries: self.recoveries(&gather.recoveries),
                arrived: arrived.collect::<Result<_, SnapshotError>>()?,
            })
        });
        Ok(SavedScope {
            id,
            step: point.map_or_else(String::new, |point| self.step(point.step)),
            origin: point.map_or(Origin::Returned(0), |point| point.origin),
            items: point.map_or_else(Vec::new, |point| item_names(self.graph, point)),
            parent: scope.parent.and_then(branch),
            gathers: gathers.collect::<Result<_, SnapshotError>>()?,
            joins: self.joins(&scope.joins)?,
        })
    }

    fn joins<E: Events>(&self, joins: &Joins<E>) -> Result<Vec<SavedJoin>, SnapshotError> {
        let joins = joins.iter().map(|((index, step), slots)| {
            let parked = |parked: &Parked<E>| {
                let recoveries = self.recoveries(&parked.recoveries);
                Ok(SavedParked { part: self.part(&parked.part)?, recoveries })
            };
            let slots = slots.iter().map(|waiting| waiting.iter().map(parked).collect());
            Ok(SavedJoin { index: *index, step: self.step(*step), slots: slots.collect::<Result<_, _>>()? })
        });
        joins.collect()
    }

    fn input<E: Events>(&self, input: &Input<E>) -> Result<Vec<SavedPart>, SnapshotError> {
        match input {
            Input::One(event) => Ok(vec![SavedPart::One(self.event(event)?)]),
            Input::Parts(parts) => parts.iter().map(|part| self.part(part)).collect(),
        }
    }

    fn part<E: Events>(&self, part: &Part<E>) -> Result<SavedPart, SnapshotError> {
        match part {
            Part::Failed(failure, input) => Ok(SavedPart::Failed(failure.clone(), self.input(input)?)),
            Part::One(event) => self.event(event).map(SavedPart::One),
            Part::All(members) => {
                let members = members.iter().map(|member| self.member(member));
                members.collect::<Result<_, _>>().map(SavedPart::All)
            }
        }
    }

    fn member<E: Events>(&self, member: &Result<E, Failure>) -> Result<SavedMember, SnapshotError> {
        match member {
            Ok(event) => self.event(event).map(SavedMember::Event),
            Err(error) => Ok(SavedMember::Failure(error.clone())),
        }
    }

    fn event<E: Events>(&self, event: &E) -> Result<SavedEvent, SnapshotError> {
        let name = event_name(self.graph, event.event());
        match event.encode() {
            Ok(json) => Ok(SavedEvent(name, json)),
            Err(source) => {
                Err(SnapshotError::Encode { run: self.run.clone(), event: name, source: Arc::new(source) })
            }
        }
    }

    fn recoveries(&self, recoveries: &Recoveries) -> SavedRecoveries {
        let counts = recoveries.iter().flat_map(|counts| counts.iter());
        counts.map(|(handler, count)| (self.step(*handler), *count)).collect()
    }

    fn step(&self, step: StepId) -> String {
        self.graph.step(step).map_or_else(String::new, |step| step.name.to_string())
    }
}

fn branch(branch: Branch) -> Option<SavedBranch> {
    (branch != Branch::ROOT).then_some(SavedBranch(branch.scope, branch.index))
}

fn event_name(graph: &Graph, event: EventId) -> String {
    graph.event(event).map_or_else(String::new, |event| event.name.to_string())
}

fn item_names(graph: &Graph, point: &Point) -> Vec<String> {
    point.items.iter().map(|event| event_name(graph, *event)).collect()
}

/// From a document to the state of an engine. What has no place in the graph is noted in `misfits`, so that all
/// of it can be told at once; what no engine can have written is the `Err`.
struct Reader<'a> {
    graph: &'a Graph,
    misfits: Vec<Misfit>,
}

impl<'a> Reader<'a> {
    fn state<E: Events>(&mut self, document: &Document) -> Result<State<E>, String> {
        let mut state = State::new();
        state.status = document.status.clone();
        state.last_id = document.last_id;
        state.ticks = document.ticks;
        state.now = document.now;
        // A step that is gone cannot be what a stall is about; the names only serve its message.
        state.ended = document.ended.iter().filter_map(|step| self.graph.step_named(step)).collect();

        let mut ids = Ids { last: document.last_id, seen: BTreeSet::new() };
        let mut found = Vec::new();
        for saved in &document.scopes {
            ids.take(saved.id.0)?;
            found.extend(self.scope(saved));
        }
        for saved in &document.invocations {
            ids.take(saved.id.0)?;
            if let Some(invocation) = self.invocation(saved) {
                state.invocations.insert(saved.id, invocation);
            }
        }
        for saved in &document.requests {
            ids.take(saved.id.0)?;
            if let Some(request) = self.request(saved) {
                state.requests.insert(saved.id, request);
            }
        }
        if let Some(joins) = self.joins(&document.joins, "outside every fan-out") {
            if let Some(root) = state.scopes.get_mut(&ScopeId::ROOT) {
                root.joins = joins;
            }
        }
        if !self.misfits.is_empty() {
            return Ok(state);
        }
        found.sort_by_key(|(id, _)| *id);
        for (id, scope) in found {
            place_scope(&mut state, id, scope)?;
        }
        place_members(&mut state)?;
        state.deadline = document.deadline;
        state.budget = document.budget;
        let delayed = state.invocations.iter().filter_map(|(id, it)| match it.state {
            InvocationState::Delayed(due) => Some((due, Timer::Retry(*id))),
            _ => None,
        });
        state.timers.extend(delayed);
        let open = document.requests.iter().filter(|request| !request.expired);
        state.timers.extend(open.filter_map(|it| Some((it.expires_at?, Timer::Expiry(it.id)))));
        self.queues(document, &mut state);
        Ok(state)
    }

    fn invocation<E: Events>(&mut self, saved: &SavedInvocation) -> Option<Invocation<E>> {
        let what = || format!("invocation {} of step `{}`", saved.id, saved.step);
        let step = self.step(&saved.step, &what)?;
        let declared = self.graph.step(step)?;
        if !saved.emitters.is_empty() && saved.emitters.len() != emitter_points(declared).count() {
            return self.refuse(what(), MisfitReason::OtherEmitters);
        }
        let input = self.input(step, &saved.input, &what)?;
        Some(Invocation {
            step,
            branch: placed(saved.branch),
            input,
            state: saved.state.clone(),
            attempt: saved.attempt,
            interruptions: saved.interruptions,
            last_error: saved.last_error.clone(),
            first_failed_at: saved.first_failed_at,
            recoveries: self.recoveries(&saved.recoveries),
            emitters: saved
                .emitters
                .iter()
                .map(|sender| Sender { scope: sender.scope, sent: sender.sent })
                .collect(),
        })
    }

    fn input<E: Events>(
        &mut self,
        step: StepId,
        saved: &[SavedPart],
        what: &dyn Fn() -> String,
    ) -> Option<Input<E>> {
        let (takes, has) = (self.graph.step(step)?.params.len(), saved.len());
        if takes != has {
            return self.refuse(what(), MisfitReason::OtherParameters { takes, has });
        }
        let slots = (0..).map(|param| Slot { step, param });
        let parts: Vec<_> = slots.zip(saved).map(|(slot, part)| self.part(part, slot, what)).collect();
        let mut parts: Vec<Part<E>> = parts.into_iter().collect::<Option<_>>()?;
        Some(match (parts.pop(), parts.is_empty()) {
            (Some(Part::One(event)), true) => Input::One(event),
            (last, _) => {
                parts.extend(last);
                Input::Parts(parts)
            }
        })
    }

    /// Handlers that are gone have nothing to count any more.
    fn recoveries(&self, saved: &SavedRecoveries) -> Recoveries {
        let counts = saved.iter().filter_map(|(handler, count)| Some((self.graph.step_named(handler)?, *count)));
        let counts: BTreeMap<_, _> = counts.collect();
        (!counts.is_empty()).then(|| Arc::new(counts))
    }

    fn request<E: Events>(&mut self, saved: &SavedRequest) -> Option<Request<E>> {
        let what = || format!("question {} of step `{}`", saved.id, saved.step);
        let step = self.step(&saved.step, &what);
        let prompt = self.event::<E>(&saved.prompt, &what);
        let (step, prompt) = (step?, prompt?);
        match self.graph.event(prompt.event()).map(|event| event.role) {
            Some(Role::Prompt { response: Some(_), .. }) => {}
            _ => return self.refuse(what(), MisfitReason::NotAsked { event: saved.prompt.0.clone() }),
        }
        let (branch, recoveries) = (placed(saved.branch), self.recoveries(&saved.recoveries));
        let SavedRequest { asked_at, expires_at, .. } = *saved;
        Some(Request { step, branch, prompt, asked_at, expires_at, recoveries })
    }

    fn scope<E: Events>(&mut self, saved: &SavedScope) -> Option<(ScopeId, Scope<E>)> {
        let what = || format!("fan-out {} of step `{}`", saved.id.0, saved.step);
        let step = self.step(&saved.step, &what)?;
        let Some((id, point)) = self.point(step, saved) else {
            return self.refuse(what(), MisfitReason::NoSuchFanOut { items: saved.items.clone() });
        };
        let mut gathers: Vec<Gather<E>> = Vec::new();
        for saved in &saved.gathers {
            let slot = Slot { step: self.step(&saved.step, &what)?, param: saved.param };
            let arrived = saved.arrived.iter().map(|arrival| {
                // Only the order among arrivals depends on it.
                let from = self.graph.step_named(&arrival.from).unwrap_or(StepId(u16::MAX));
                let place = Place { index: arrival.index, from, commit: arrival.commit };
                Some((place, self.member(&arrival.member, slot, &what)?))
            });
            let arrived = arrived.collect::<Option<_>>()?;
            let recoveries = self.recoveries(&saved.recoveries);
            gathers.push(Gather { slot, arrived, fired: saved.fired, recoveries });
        }
        let same = gathers.len() == point.gathers.len()
            && point.gathers.iter().all(|slot| gathers.iter().any(|gather| gather.slot == *slot));
        if !same {
            return self.refuse(what(), MisfitReason::OtherGathers);
        }
        gathers.sort_by_key(|gather| point.gathers.iter().position(|slot| *slot == gather.slot));
        let joins = self.joins(&saved.joins, &what())?;
        let parent = Some(placed(saved.parent));
        // Depth and members are derived when all scopes are there.
        Some((saved.id, Scope { point: Some(id), parent, depth: 0, members: BTreeSet::new(), gathers, joins }))
    }

    /// The fan-out point a scope was opened by: the only one of its kind in the step, or the one with the same
    /// elements.
    fn point(&self, step: StepId, saved: &SavedScope) -> Option<(PointId, &'a Point)> {
        let kind = |origin: Origin| std::mem::discriminant(&origin);
        let of_step = (0..).map(PointId).zip(self.graph.points.iter());
        let mut candidates: Vec<_> =
            of_step.filter(|(_, point)| point.step == step && kind(point.origin) == kind(saved.origin)).collect();
        if candidates.len() > 1 {
            let items: BTreeSet<_> = saved.items.iter().cloned().collect();
            candidates.retain(|(_, point)| {
                item_names(self.graph, point).into_iter().collect::<BTreeSet<_>>() == items
            });
        }
        match candidates[..] {
            [found] => Some(found),
            _ => None,
        }
    }

    fn joins<E: Events>(&mut self, saved: &[SavedJoin], place: &str) -> Option<Joins<E>> {
        let mut joins = Joins::new();
        for join in saved {
            let what = || format!("half-filled join of step `{}` ({place})", join.step);
            let step = self.step(&join.step, &what)?;
            let takes = self.graph.step(step)?.params.len();
            if takes != join.slots.len() {
                let has = join.slots.len();
                return self.refuse(what(), MisfitReason::OtherParameters { takes, has });
            }
            let mut slots = Vec::new();
            for (param, waiting) in (0..).zip(&join.slots) {
                let waiting = waiting.iter().map(|parked| {
                    let part = self.part(&parked.part, Slot { step, param }, &what)?;
                    Some(Parked { part, recoveries: self.recoveries(&parked.recoveries) })
                });
                slots.push(waiting.collect::<Option<VecDeque<_>>>()?);
            }
            joins.insert((join.index, step), slots);
        }
        Some(joins)
    }

    fn queues<E>(&self, document: &Document, state: &mut State<E>) {
        let limited = |step: StepId| self.graph.step(step).is_some_and(|step| step.options.workers.is_some());
        let mut waiting: BTreeSet<InvocationId> = state
            .invocations
            .iter()
            .filter(|(_, invocation)| invocation.state == InvocationState::Queued && limited(invocation.step))
            .map(|(id, _)| *id)
            .collect();
        let saved = document.queues.values().flatten().copied();
        let in_order: Vec<_> = saved.filter(|id| waiting.remove(id)).collect();
        // A step that has a limit only since the snapshot was taken has no saved queue.
        for id in in_order.into_iter().chain(waiting) {
            if let Some(invocation) = state.invocations.get(&id) {
                state.queues.entry(invocation.step).or_default().push_back(id);
            }
        }
    }

    fn part<E: Events>(&mut self, saved: &SavedPart, slot: Slot, what: &dyn Fn() -> String) -> Option<Part<E>> {
        let form = self.graph.step(slot.step)?.params.get(usize::from(slot.param))?.form;
        match (saved, form) {
            (SavedPart::One(event), ParamForm::One) => self.accepted(event, slot, what).map(Part::One),
            (SavedPart::All(members), ParamForm::Gather { .. }) => {
                let members: Vec<_> = members.iter().map(|member| self.member(member, slot, what)).collect();
                members.into_iter().collect::<Option<_>>().map(Part::All)
            }
            (SavedPart::Failed(failure, input), ParamForm::Failed) => {
                // A step that is gone leaves its failure behind, but not what it was given.
                let input = match self.graph.step_named(&failure.step) {
                    Some(step) if !input.is_empty() => self.input(step, input, what)?,
                    _ => Input::Parts(Vec::new()),
                };
                Some(Part::Failed(failure.clone(), Box::new(input)))
            }
            _ => self.refuse(what(), MisfitReason::OtherForm { param: slot.param }),
        }
    }

    fn member<E: Events>(
        &mut self,
        saved: &SavedMember,
        slot: Slot,
        what: &dyn Fn() -> String,
    ) -> Option<Result<E, Failure>> {
        match saved {
            SavedMember::Event(event) => self.accepted(event, slot, what).map(Ok),
            SavedMember::Failure(error) => Some(Err(error.clone())),
        }
    }

    /// An event that the parameter takes.
    fn accepted<E: Events>(&mut self, saved: &SavedEvent, slot: Slot, what: &dyn Fn() -> String) -> Option<E> {
        let event: E = self.event(saved, what)?;
        let param = self.graph.step(slot.step)?.params.get(usize::from(slot.param))?;
        if param.events.contains(&event.event()) {
            return Some(event);
        }
        self.refuse(what(), MisfitReason::NotAccepted { event: saved.0.clone() })
    }

    fn event<E: Events>(&mut self, saved: &SavedEvent, what: &dyn Fn() -> String) -> Option<E> {
        let SavedEvent(name, json) = saved;
        let Some(id) = self.graph.event_named(name) else {
            return self.refuse(what(), MisfitReason::NoSuchEvent { event: name.clone() });
        };
        match E::decode(id, json) {
            Ok(event) => Some(event),
            Err(error) => {
                let (event, reason) = (name.clone(), error.to_string());
                self.refuse(what(), MisfitReason::Undecodable { event, reason })
            }
        }
    }

    fn step(&mut self, name: &str, what: &dyn Fn() -> String) -> Option<StepId> {
        let found = self.graph.step_named(name);
        if found.is_none() {
            self.misfits.push(Misfit { what: what(), reason: MisfitReason::NoSuchStep { step: name.to_owned() } });
        }
        found
    }

    fn refuse<T>(&mut self, what: String, reason: MisfitReason) -> Option<T> {
        self.misfits.push(Misfit { what, reason });
        None
    }
}

/// Ids are given once, and in order.
struct Ids {
    last: u64,
    seen: BTreeSet<u64>,
}

impl Ids {
    fn take(&mut self, id: u64) -> Result<(), String> {
        if id == 0 || id > self.last {
            return Err(format!("id {id} was never given; the last one was {}", self.last));
        }
        if !self.seen.insert(id) {
            return Err(format!("id {id} stands twice"));
        }
        Ok(())
    }
}

fn placed(saved: Option<SavedBranch>) -> Branch {
    saved.map_or(Branch::ROOT, |SavedBranch(scope, index)| Branch { scope, index })
}

/// Puts a scope into its parent. Scopes come in order of their ids, and a parent is older than its scopes.
fn place_scope<E>(state: &mut State<E>, id: ScopeId, mut scope: Scope<E>) -> Result<(), String> {
    let parent = scope.parent.unwrap_or(Branch::ROOT).scope;
    let Some(outer) = state.scopes.get_mut(&parent) else {
        return Err(format!("fan-out {} lies in fan-out {}, which is not open", id.0, parent.0));
    };
    outer.members.insert(Member::Scope(id));
    scope.depth = outer.depth + 1;
    state.scopes.insert(id, scope);
    Ok(())
}

/// Counts what keeps each scope open.
fn place_members<E>(state: &mut State<E>) -> Result<(), String> {
    let invocations = state.invocations.iter().map(|(id, it)| (Member::Invocation(*id), it.branch.scope));
    let requests = state.requests.iter().map(|(id, it)| (Member::Request(*id), it.branch.scope));
    for (member, scope) in invocations.chain(requests) {
        let Some(scope) = state.scopes.get_mut(&scope) else {
            return Err(format!("{member:?} lies in fan-out {}, which is not open", scope.0));
        };
        scope.members.insert(member);
    }
    for (id, invocation) in &state.invocations {
        for sender in &invocation.emitters {
            // Not open any more where a `take` has cancelled it.
            let Some(scope) = state.scopes.get_mut(&sender.scope) else { continue };
            if scope.parent != Some(invocation.branch) {
                return Err(format!("invocation {id} sends into fan-out {}, which is not its own", sender.scope.0));
            }
            scope.members.insert(Member::Filler(*id));
        }
    }
    match state.scopes.iter().find(|(id, scope)| **id != ScopeId::ROOT && scope.members.is_empty()) {
        Some((id, _)) => Err(format!("fan-out {} is open, but nothing in it is on the way", id.0)),
        None => Ok(()),
    }
}

/// Why a run could not be saved.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The run has its output; await it.
    #[error("run {run} has completed, so there is nothing to save; await it for its output")]
    Completed {
        /// The run.
        run: RunId,
    },
    /// What the steps share does not serialise.
    #[error("the state of run {run} does not serialise")]
    State {
        /// The run.
        run: RunId,
        /// What its `Serialize` reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A value does not serialise.
    #[error("event `{event}` of run {run} does not serialise")]
    Encode {
        /// The run.
        run: RunId,
        /// The event.
        event: String,
        /// What its `Serialize` reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
}

/// Why a snapshot could not be resumed. Nothing has started, and the snapshot is as it was.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The text is not JSON, or not a snapshot.
    #[error("this is not a snapshot that can be read")]
    Unreadable {
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The snapshot was written by a newer version.
    #[error("the snapshot has format {found}; the newest that this version reads is {newest}")]
    NewerFormat {
        /// The snapshot's format.
        found: u32,
        /// The newest format that can be read.
        newest: u32,
    },
    /// The snapshot is of another workflow.
    #[error("the snapshot is of workflow `{found}`, not of `{expected}`")]
    OtherWorkflow {
        /// The workflow that was to resume it.
        expected: String,
        /// The workflow that it is of.
        found: String,
    },
    /// The run has its output.
    #[error("run {run} has completed; a completed run cannot be continued")]
    Completed {
        /// The run.
        run: RunId,
    },
    /// The workflow has changed, and something alive in the run has no place in it any more.
    #[error("run {run} does not fit the workflow as it is now: {}", list(misfits))]
    DoesNotFit {
        /// The run.
        run: RunId,
        /// Everything that has no place.
        misfits: Vec<Misfit>,
    },
    /// The snapshot contradicts itself; no version has written it so.
    #[error("the snapshot of run {run} contradicts itself: {reason}")]
    Corrupt {
        /// The run.
        run: RunId,
        /// What contradicts what.
        reason: String,
    },
}

fn list(misfits: &[Misfit]) -> String {
    misfits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Something alive in a run that has no place in the workflow as it is now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
#[non_exhaustive]
pub struct Misfit {
    /// What has no place, for example "invocation 3 of step `fetch`".
    pub what: String,
    /// Why not.
    pub reason: MisfitReason,
}

/// Why something alive in a run has no place in the workflow as it is now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MisfitReason {
    /// The step is gone.
    #[error("there is no step `{step}` any more; if it was renamed, write `#[step(was = \"{step}\")]` on it")]
    NoSuchStep {
        /// The step.
        step: String,
    },
    /// The event is gone.
    #[error("there is no event `{event}` any more")]
    NoSuchEvent {
        /// The event.
        event: String,
    },
    /// The event cannot be read.
    #[error("its event `{event}` cannot be read: {reason}")]
    Undecodable {
        /// The event.
        event: String,
        /// What its `Deserialize` reported.
        reason: String,
    },
    /// The step does not take the event there any more.
    #[error("the step does not take `{event}` there any more")]
    NotAccepted {
        /// The event.
        event: String,
    },
    /// The question is not asked any more, or no step takes its answer.
    #[error("`{event}` is not asked any more, or no step takes its answer")]
    NotAsked {
        /// The question.
        event: String,
    },
    /// The step takes another number of events.
    #[error("the step takes {takes} events now, and has {has}")]
    OtherParameters {
        /// How many it takes now.
        takes: usize,
        /// How many are saved.
        has: usize,
    },
    /// The parameter takes one event where it took many, or the other way round.
    #[error("parameter {param} of the step takes its events in another form now")]
    OtherForm {
        /// Position among the event parameters, from 0.
        param: u16,
    },
    /// The step does not fan out there any more.
    #[error("the step does not return a `Vec` of {items:?} any more")]
    NoSuchFanOut {
        /// What the elements were.
        items: Vec<String>,
    },
    /// What was saved is not the state of this workflow.
    #[error("it cannot be read as the state of this workflow: {reason}")]
    OtherState {
        /// What reading it reported.
        reason: String,
    },
    /// The step has another number of emitters.
    #[error("the step has another number of emitters now")]
    OtherEmitters,
    /// Other steps gather the fan-out than when it was opened.
    #[error("other steps gather it than when it was opened")]
    OtherGathers,
}
