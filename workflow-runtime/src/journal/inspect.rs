//! What happened in a stored run, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use workflow_graph::{Graph, StepId};

use super::raw::Raw;
use super::record::begins_under;
use super::replay::{Replay, ReplayError};
use super::{GraphError, read_graph};
use crate::engine::{
    Command, Emitted, Ending, Engine, Failure, Input, InvocationId, Invoke, Json, Notice, Part, Status, Tick,
    Time,
};
use crate::error::StepError;
use crate::handle::RunId;
use crate::store::{Store, StoreError};

/// How many records are read at once.
const PAGE: usize = 256;

/// What happened in a stored run: the inputs, outputs and attempts of its steps, from its journal.
///
/// Nothing of the workflow's code is needed, and nothing is decoded, so it works for runs of workflows that have changed
/// since, and in programs that never had them. The run may be at work meanwhile; what is reported is how it was at
/// [`RunReport::position`].
///
/// The journal is read page by page. What is kept of it is what is reported, which is in proportion to the journal.
///
/// # Errors
/// There is no such run, the store cannot be read, or its journal cannot be replayed.
///
/// # Cancel safety
/// It only reads.
///
/// # Examples
/// ```
/// use workflow_runtime::journal::{self, AttemptResult};
/// use workflow_runtime::{RunId, Store};
///
/// async fn show(store: &dyn Store) -> Result<(), Box<dyn std::error::Error>> {
///     let report = journal::inspect(store, &RunId::from("order-17")).await?;
///     for step in &report.steps {
///         let failed = |attempt: &&journal::AttemptReport| {
///             matches!(attempt.result, AttemptResult::Failed { .. })
///         };
///         let failures = step.attempts.iter().filter(failed).count();
///         println!("{} of {} attempts of `{}` failed", failures, step.attempts.len(), step.step);
///     }
///     println!("{}", serde_json::to_string_pretty(&report)?);
///     Ok(())
/// }
/// ```
pub async fn inspect(store: &dyn Store, run: &RunId) -> Result<RunReport, InspectError> {
    let Some(details) = store.show(run).await? else {
        return Err(StoreError::NoSuchRun { run: run.clone() }.into());
    };
    let mut graphs = BTreeMap::new();
    let mut page = store.records(run, 0, PAGE).await?;
    // Under which graph it ran at first is known to the record of its start alone.
    let first = page.first().and_then(|record| begins_under(&record.body)).unwrap_or(details.run.fingerprint);
    fetch(store, &mut graphs, &first).await?;
    let mut replay = Replay::from_the_start(run, &first, &|fingerprint| graphs.get(fingerprint).cloned())?;
    let mut found = Found::default();
    let mut commands = Vec::new();
    while let Some(last) = page.last().map(|record| record.position) {
        for record in &page {
            if let Some(fingerprint) = &record.fingerprint {
                fetch(store, &mut graphs, fingerprint).await?;
            }
            let entry = replay.read(record, &|fingerprint| graphs.get(fingerprint).cloned())?;
            let told = found.look_ahead(&replay.engine, &entry.tick);
            replay.take(record, entry, &mut commands)?;
            found.look_back(&replay.engine, told, &mut commands);
        }
        page = if page.len() < PAGE { Vec::new() } else { store.records(run, last, PAGE).await? };
    }
    found.add_queued(&replay.engine);
    let Replay { engine, state, position, .. } = replay;
    Ok(RunReport {
        run: run.clone(),
        workflow: details.run.workflow,
        status: engine.state().status().clone(),
        position,
        steps: found.steps,
        state,
        output: found.output,
    })
}

async fn fetch(
    store: &dyn Store,
    graphs: &mut BTreeMap<String, Arc<Graph>>,
    fingerprint: &str,
) -> Result<(), InspectError> {
    if !graphs.contains_key(fingerprint) {
        // One that is missing is reported, with its position, when it is needed.
        if let Some(json) = store.graph(fingerprint).await? {
            graphs.insert(fingerprint.to_owned(), Arc::new(read_graph(fingerprint, &json)?));
        }
    }
    Ok(())
}

/// What happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// The name of its workflow.
    pub workflow: String,
    /// Where it stood.
    pub status: Status,
    /// The position of the last record that was looked at; 0 if nothing was recorded yet.
    pub position: u64,
    /// Its steps, in the order in which they were started, and then those that wait for their start.
    pub steps: Vec<StepReport>,
    /// What its steps share, if they have ever changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Json>,
    /// Its output, if it has completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Json>,
}

/// What happened with one piece of work: a step with its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// Its id in the run.
    pub invocation: InvocationId,
    /// The name of the step.
    pub step: String,
    /// How many fan-out scopes were open around it.
    pub depth: u32,
    /// Which element it was of the innermost of them.
    pub index: u32,
    /// What it was given: one part for each event parameter, in source order.
    pub input: Vec<PartReport>,
    /// What was tried, in order. Empty while it waits for a worker.
    pub attempts: Vec<AttemptReport>,
}

/// An event by name, with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventReport {
    /// Its name.
    pub event: String,
    /// Its value.
    pub value: Json,
}

/// What one event parameter was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartReport {
    /// One event.
    One(EventReport),
    /// The members of a fan-out, in order.
    All(Vec<MemberReport>),
    /// The failure of another step.
    Failed {
        /// The failure.
        failure: Failure,
        /// What that step was given.
        input: Vec<PartReport>,
    },
}

/// A member of a fan-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberReport {
    /// An event.
    Event(EventReport),
    /// The failure of a step.
    Failure(Failure),
}

/// One attempt to run a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttemptReport {
    /// Its number, from 1. An attempt that was interrupted is made again under its number, and a step that failed and
    /// is run again because the run is continued begins again with 1.
    pub attempt: u32,
    /// When it was started.
    pub started_at: Time,
    /// When it ended. It is not known when an attempt ended whose process did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// What it has sent through its emitters, as far as it took effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<EventReport>,
    /// What it came to.
    pub result: AttemptResult,
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptResult {
    /// It runs, or is to be run again as soon as a process takes the run up.
    Running,
    /// It finished.
    Finished {
        /// What it emitted.
        emitted: Vec<EventReport>,
    },
    /// It failed.
    Failed {
        /// Why.
        error: StepError,
        /// When the next attempt was due; `None` if the step had failed for good.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Time>,
    },
    /// The run was put down or had come to an end, or its process had. The attempt is made again when the run goes on.
    Interrupted,
    /// Nobody needed it any more.
    Cancelled,
}

/// What was found in the records so far.
#[derive(Default)]
struct Found {
    steps: Vec<StepReport>,
    /// Where in the list each invocation stands that is not over.
    places: BTreeMap<InvocationId, usize>,
    running: BTreeSet<InvocationId>,
    output: Option<Json>,
}

impl Found {
    /// Looks at a tick before it happens. Gives what it emits or sends.
    fn look_ahead(&mut self, engine: &Engine<Raw>, tick: &Tick<Raw>) -> Vec<EventReport> {
        let graph = engine.graph();
        match tick {
            Tick::Finished { emitted: Emitted::One(one), .. } | Tick::Sent { event: one, .. } => {
                vec![event(graph, one)]
            }
            Tick::Finished { emitted: Emitted::Many(_, all), .. } => {
                all.iter().map(|one| event(graph, one)).collect()
            }
            Tick::Resumed => {
                // A process that ends does not say so; what it ran is found here.
                for id in std::mem::take(&mut self.running) {
                    self.end(id, None, AttemptResult::Interrupted);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Looks at what a tick has led to.
    fn look_back(
        &mut self,
        engine: &Engine<Raw>,
        mut told: Vec<EventReport>,
        commands: &mut Vec<Command<Raw>>,
    ) {
        let now = engine.state().now();
        for command in commands.drain(..) {
            match command {
                Command::Run(invoke) => self.start(engine, invoke, now),
                Command::Abort { invocation } => {
                    let stays = engine.state().invocation(invocation).is_some();
                    let result = if stays { AttemptResult::Interrupted } else { AttemptResult::Cancelled };
                    self.end(invocation, Some(now), result);
                }
                Command::Publish(Notice::StepSent { invocation, .. }) => {
                    if let Some(attempt) = self.attempt(invocation) {
                        attempt.sent.append(&mut told);
                    }
                }
                Command::Publish(Notice::StepFinished { invocation, .. }) => {
                    let emitted = std::mem::take(&mut told);
                    self.end(invocation, Some(now), AttemptResult::Finished { emitted });
                }
                Command::Publish(Notice::StepRetrying { invocation, error, due, .. }) => {
                    self.end(invocation, Some(now), AttemptResult::Failed { error, retry_at: Some(due) });
                }
                Command::Publish(Notice::StepFailed { invocation, error, .. }) => {
                    self.end(invocation, Some(now), AttemptResult::Failed { error, retry_at: None });
                }
                Command::Finish(Ending::Completed { output: Raw { json, .. } }) => self.output = Some(json),
                Command::Publish(_) | Command::Wake { .. } | Command::Finish(_) => {}
            }
        }
    }

    fn start(&mut self, engine: &Engine<Raw>, invoke: Invoke<Raw>, now: Time) {
        let graph = engine.graph();
        let Invoke { invocation, attempt, .. } = invoke;
        let place = *self.places.entry(invocation).or_insert(self.steps.len());
        if place == self.steps.len() {
            let index = engine.state().invocation(invocation).map_or(0, |it| it.branch.index);
            let (step, input) = (step_name(graph, invoke.step), parts(graph, &invoke.input));
            let (depth, attempts) = (invoke.depth, Vec::new());
            self.steps.push(StepReport { invocation, step, depth, index, input, attempts });
        }
        if let Some(step) = self.steps.get_mut(place) {
            let (ended_at, sent, result) = (None, Vec::new(), AttemptResult::Running);
            step.attempts.push(AttemptReport { attempt, started_at: now, ended_at, sent, result });
            self.running.insert(invocation);
        }
    }

    fn end(&mut self, id: InvocationId, at: Option<Time>, result: AttemptResult) {
        self.running.remove(&id);
        let over = matches!(result, AttemptResult::Finished { .. } | AttemptResult::Cancelled);
        if let Some(attempt) = self.attempt(id) {
            attempt.ended_at = at;
            attempt.result = result;
        }
        if over {
            self.places.remove(&id);
        }
    }

    /// The latest attempt of an invocation.
    fn attempt(&mut self, id: InvocationId) -> Option<&mut AttemptReport> {
        self.steps.get_mut(*self.places.get(&id)?)?.attempts.last_mut()
    }

    /// Adds what has never been started.
    fn add_queued(&mut self, engine: &Engine<Raw>) {
        let (graph, state) = (engine.graph(), engine.state());
        let queued = state.invocations().filter(|(id, _)| !self.places.contains_key(id));
        self.steps.extend(queued.map(|(invocation, it)| StepReport {
            invocation,
            step: step_name(graph, it.step),
            depth: state.scopes.get(&it.branch.scope).map_or(0, |scope| scope.depth),
            index: it.branch.index,
            input: parts(graph, &it.input),
            attempts: Vec::new(),
        }));
    }
}

fn parts(graph: &Graph, input: &Input<Raw>) -> Vec<PartReport> {
    let member = |member: &Result<Raw, Box<Failure>>| match member {
        Ok(one) => MemberReport::Event(event(graph, one)),
        Err(failure) => MemberReport::Failure(Failure::clone(failure)),
    };
    let part = |part: &Part<Raw>| match part {
        Part::One(one) => PartReport::One(event(graph, one)),
        Part::All(members) => PartReport::All(members.iter().map(member).collect()),
        Part::Failed(failure, input) => {
            PartReport::Failed { failure: failure.clone(), input: parts(graph, input) }
        }
    };
    match input {
        Input::One(one) => vec![PartReport::One(event(graph, one))],
        Input::Parts(parts) => parts.iter().map(part).collect(),
    }
}

fn event(graph: &Graph, Raw { event, json }: &Raw) -> EventReport {
    let event = graph.event(*event).map_or_else(String::new, |event| event.name.to_string());
    EventReport { event, value: json.clone() }
}

fn step_name(graph: &Graph, step: StepId) -> String {
    graph.step(step).map_or_else(String::new, |step| step.name.to_string())
}

/// Why a run cannot be inspected.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The store could not do what it was asked for; for example, there is no such run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A graph of the run cannot be used.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The journal of the run cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}
