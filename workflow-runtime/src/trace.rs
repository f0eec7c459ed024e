//! Which way one run went, drawn over its graph.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::Pin;
use std::task::{Context as Poller, Poll, Waker};

use futures_core::Stream;
use serde_json::Value;
use workflow_graph::draw::{Element, Mark, Overlay, Tone, Way};
use workflow_graph::{Alternative, EventId, Graph, Role, Step, StepId, Tool};

use crate::engine::{GraphRef, InvocationId};
use crate::event::RequestId;
use crate::handle::{Question, Run, RunError};
use crate::stream::{RunEvent, RunEventKind};
use crate::workflow::Workflow;

/// Which way one run went: its graph, and what the run's events say about each part of it.
///
/// The drawings are those of the [`Graph`], with counts: how often each step ran, how many events went each way, and
/// what became of the questions. A step that failed stands out, and what the run did not touch steps back.
///
/// [`of`](Self::of) reads what a run has kept. To follow a run, or one with more events than are kept, start with
/// [`new`](Self::new) and [`add`](Self::add) each event. What was missed is counted and said above the drawing; then
/// the counts are lower bounds, written `≥2` in place of `×2`.
///
/// # Examples
/// ```
/// use workflow_runtime::Trace;
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// struct Word(String);
///
/// #[event]
/// struct Length(usize);
///
/// struct Longest;
///
/// #[workflow]
/// impl Longest {
///     #[step]
///     fn split(&self, Start(text): Start<String>) -> OneOf<Vec<Word>, Stop<usize>> {
///         if text.is_empty() {
///             return OneOf::new(Stop(0));
///         }
///         OneOf::new(text.split(' ').map(|word| Word(word.to_owned())).collect::<Vec<_>>())
///     }
///
///     #[step]
///     fn measure(&self, Word(word): Word) -> Length {
///         Length(word.len())
///     }
///
///     #[step]
///     fn longest(&self, lengths: Vec<Length>) -> Stop<usize> {
///         Stop(lengths.iter().map(|Length(length)| *length).max().unwrap_or_default())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RunError> {
/// let run = Longest.run("which way did it go".to_owned());
/// assert_eq!((&run).await?, 5);
/// assert_eq!(
///     Trace::of(&run).to_text(),
///     "\
/// Longest: completed
/// split    ×1  Start<String>  → each Word ×5 | Stop<usize>
/// measure  ×5  Word           → Length ×5
/// longest  ×1  all Length     → Stop<usize> ×1
/// "
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Trace {
    graph: GraphRef,
    /// The number of the latest event that was added or missed.
    seen: u64,
    missed: u64,
    /// How the run ended, in words.
    end: Option<String>,
    completed: bool,
    /// By number of the step.
    steps: Vec<Runs>,
    /// Started and not heard of again.
    unfinished: BTreeMap<InvocationId, StepId>,
    carried: HashMap<Element, u64>,
    questions: BTreeMap<EventId, Questions>,
    open: BTreeMap<RequestId, EventId>,
}

/// What one step did.
#[derive(Clone, Copy, Default)]
struct Runs {
    started: u64,
    /// Later starts of what had started before: retries, and what was interrupted.
    again: u64,
    failed: u64,
    /// Failures that nothing took, so that they ended the run.
    fatal: u64,
    /// Events that came for it and found no partner.
    left_over: u64,
}

/// What became of the questions of one kind.
#[derive(Clone, Copy, Default)]
struct Questions {
    asked: u64,
    answered: u64,
    withdrawn: u64,
    expired: u64,
}

impl Trace {
    /// The trace of a run of which nothing is known yet.
    pub fn new(graph: impl Into<GraphRef>) -> Self {
        let graph = graph.into();
        Self {
            steps: vec![Runs::default(); graph.steps.len()],
            graph,
            seen: 0,
            missed: 0,
            end: None,
            completed: false,
            unfinished: BTreeMap::new(),
            carried: HashMap::new(),
            questions: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// What a run has done so far, as far as its events are kept ([`EVENTS_KEPT`](crate::EVENTS_KEPT)). It does not
    /// wait for anything: await the run first if the whole way is wanted.
    #[must_use]
    pub fn of<W: Workflow>(run: &Run<W>) -> Self {
        let mut trace = Self::new(W::GRAPH);
        let mut events = run.events();
        let newest = events.newest();
        let mut poller = Poller::from_waker(Waker::noop());
        // The bound is for a run that goes on as fast as it is read.
        while trace.seen < newest {
            match Pin::new(&mut events).poll_next(&mut poller) {
                Poll::Ready(Some(Ok(event))) => trace.add(&event),
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => break,
            }
        }
        trace
    }

    /// Adds an event. Events belong to one run and come in the order of their numbers; one that was added before
    /// is not counted twice, and a gap counts as missed.
    ///
    /// The events of a run that was suspended and resumed can be added to the same trace.
    pub fn add<W: Workflow>(&mut self, event: &RunEvent<W>) {
        if event.number <= self.seen {
            // A reader that fell behind is told again which questions are open. Anything else is known.
            if let RunEventKind::InputRequired(question) = &event.kind {
                self.missed -= u64::from(self.ask(question)).min(self.missed);
            }
            return;
        }
        self.missed += event.number - self.seen - 1;
        self.seen = event.number;
        self.end = None;
        match &event.kind {
            RunEventKind::StepStarted { step, invocation, .. } => {
                if let Some(id) = self.graph.step_named(step) {
                    let before = self.unfinished.insert(*invocation, id);
                    self.count(id, |runs| match before {
                        Some(_) => runs.again += 1,
                        None => runs.started += 1,
                    });
                }
            }
            RunEventKind::StepSent { step, event, .. } => self.carry(step, event, Way::Sent, 1),
            RunEventKind::StepFinished { step, invocation, emitted } => {
                self.finish(step, *invocation);
                let way = if emitted.is_fan_out() { Way::Each } else { Way::One };
                for (event, count) in emitted.iter() {
                    self.carry(step, event, way, u64::from(count));
                }
                if let (true, Some(id)) = (emitted.is_nothing(), self.graph.step_named(step)) {
                    *self.carried.entry(Element::Nothing(id)).or_default() += 1;
                }
            }
            RunEventKind::StepFailed { step, invocation, .. } => {
                self.finish(step, *invocation);
                if let Some(id) = self.graph.step_named(step) {
                    self.count(id, |runs| runs.failed += 1);
                }
            }
            RunEventKind::InputRequired(question) => {
                self.ask(question);
            }
            RunEventKind::InputReceived { request } => {
                self.close(*request, |questions| questions.answered += 1)
            }
            RunEventKind::InputWithdrawn { request } => {
                self.close(*request, |questions| questions.withdrawn += 1)
            }
            RunEventKind::InputExpired { request } => {
                self.close(*request, |questions| questions.expired += 1)
            }
            RunEventKind::Unpaired { step, events } => {
                if let Some(id) = self.graph.step_named(step) {
                    self.count(id, |runs| runs.left_over += events.len() as u64);
                }
            }
            // Its number is that of the last event missed.
            RunEventKind::Missed { .. } => self.missed += 1,
            RunEventKind::Completed { .. } => {
                self.completed = true;
                self.end = Some("completed".to_owned());
            }
            RunEventKind::Failed { error } => self.fail(error),
            RunEventKind::Cancelled { .. } => self.end = Some("cancelled".to_owned()),
            RunEventKind::Suspended => self.end = Some("suspended".to_owned()),
            RunEventKind::TimedOut { .. } => self.end = Some("timed out".to_owned()),
            // The start of the next attempt counts.
            RunEventKind::Progress { .. } | RunEventKind::StepRetrying { .. } => {}
        }
    }

    /// The graph of the run.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// How many of the run's events were missed. With none, the trace is complete up to the event added last.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The run as a [Mermaid](https://mermaid.js.org) flow chart, like [`Graph::to_mermaid`].
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        self.graph.to_mermaid_with(self)
    }

    /// The run in the language of [Graphviz](https://graphviz.org), like [`Graph::to_dot`].
    #[must_use]
    pub fn to_dot(&self) -> String {
        self.graph.to_dot_with(self)
    }

    /// The run as text, like [`Graph::to_text`]: how it ended, one line per step, and one line per kind of question.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.graph.to_text_with(self)
    }

    fn count(&mut self, step: StepId, count: impl FnOnce(&mut Runs)) {
        if let Some(runs) = self.steps.get_mut(step.index()) {
            count(runs);
        }
    }

    fn finish(&mut self, step: &str, invocation: InvocationId) {
        if let (None, Some(id)) = (self.unfinished.remove(&invocation), self.graph.step_named(step)) {
            // Its start was missed.
            self.count(id, |runs| runs.started += 1);
        }
    }

    fn carry(&mut self, step: &str, event: &str, way: Way, count: u64) {
        if let (Some(step), Some(event)) = (self.graph.step_named(step), self.graph.event_named(event)) {
            *self.carried.entry(Element::Emitted { step, event, way }).or_default() += count;
        }
    }

    fn fail(&mut self, error: &RunError) {
        self.end = Some(match error {
            RunError::Failed { step, .. } => {
                if let Some(id) = self.graph.step_named(step) {
                    self.count(id, |runs| runs.fatal += 1);
                }
                format!("failed in `{step}`")
            }
            RunError::Stalled(_) => "stalled".to_owned(),
            _ => "failed".to_owned(),
        });
    }

    /// Whether the question was new. A run that is resumed asks again what is open.
    fn ask<W: Workflow>(&mut self, question: &Question<W>) -> bool {
        let Some((step, event)) = self.asked(question) else { return false };
        if self.open.insert(question.id, event).is_some() {
            return false;
        }
        self.questions.entry(event).or_default().asked += 1;
        *self.carried.entry(Element::Inside { step, event }).or_default() += 1;
        true
    }

    /// Who asks which question of the graph. The wire form of a prompt names its kind, which has to be looked at
    /// only where one step asks several.
    fn asked<W: Workflow>(&self, question: &Question<W>) -> Option<(StepId, EventId)> {
        let id = self.graph.step_named(question.step)?;
        let asked = prompts(&self.graph, self.graph.step(id)?);
        let event = match &*asked {
            [] => return None,
            [one] => *one,
            [first, ..] => {
                let kind = match serde_json::to_value(&question.prompt) {
                    Ok(Value::Object(variant)) => variant.keys().next().cloned(),
                    Ok(Value::String(variant)) => Some(variant),
                    _ => None,
                };
                let of_kind = |event: &&EventId| {
                    let named = self.graph.event(**event).map(|event| letters(event.payload()));
                    named == kind.as_deref().map(letters)
                };
                *asked.iter().find(of_kind).unwrap_or(first)
            }
        };
        Some((id, event))
    }

    fn close(&mut self, request: RequestId, count: impl FnOnce(&mut Questions)) {
        if let Some(event) = self.open.remove(&request) {
            count(self.questions.entry(event).or_default());
        }
    }

    fn step(&self, id: StepId) -> Runs {
        self.steps.get(id.index()).copied().unwrap_or_default()
    }

    /// Whether a step ran that takes the event, as a parameter or while it runs.
    fn is_taken(&self, event: EventId) -> bool {
        let takes = |step: &Step| {
            step.params.iter().any(|param| param.events.contains(&event))
                || step.tools.contains(&Tool::Inbox(event))
        };
        self.graph.steps.iter().zip(&self.steps).any(|(step, runs)| runs.started > 0 && takes(step))
    }

    fn exactly(&self, count: u64) -> String {
        if self.missed == 0 { format!("×{count}") } else { format!("≥{count}") }
    }

    fn mark_of_step(&self, id: StepId) -> Mark {
        let Runs { started, again, failed, left_over, .. } = self.step(id);
        // Where events were missed, the end of a step may be one of them.
        let unfinished = match self.missed {
            0 => self.unfinished.values().filter(|step| **step == id).count() as u64,
            _ => 0,
        };
        let more = [
            (again, "started again"),
            (failed, "failed"),
            (unfinished, "unfinished"),
            (left_over, "left over"),
        ];
        let tone = match (started, failed) {
            (_, 1..) => Tone::Alert,
            (0, 0) => Tone::Faint,
            _ => Tone::Plain,
        };
        Mark { note: self.exactly(started) + &listed(", ", &more), tone }
    }

    fn mark_of_event(&self, id: EventId) -> Mark {
        let touched = match self.graph.event(id).map(|event| event.role) {
            Some(Role::Prompt { .. }) => return self.mark_of_question(id),
            Some(Role::Start) => self.seen > 0,
            Some(Role::Stop) => self.completed,
            _ => self.is_taken(id),
        };
        seen(touched)
    }

    fn mark_of_question(&self, id: EventId) -> Mark {
        let Some(Questions { asked, answered, withdrawn, expired }) = self.questions.get(&id).copied() else {
            return seen(false);
        };
        let open = self.open.values().filter(|event| **event == id).count() as u64;
        let more = [(answered, "answered"), (expired, "expired"), (withdrawn, "withdrawn"), (open, "open")];
        Mark { note: self.exactly(asked) + &listed(": ", &more), tone: Tone::Plain }
    }

    fn mark_of_way(&self, count: u64) -> Mark {
        match count {
            0 => seen(false),
            count => Mark { note: self.exactly(count), tone: Tone::Plain },
        }
    }
}

impl Overlay for Trace {
    fn mark(&self, element: Element) -> Mark {
        match element {
            Element::Step(id) => self.mark_of_step(id),
            Element::Event(id) => self.mark_of_event(id),
            Element::Delivered(id) => match self.graph.event(id).map(|event| event.role) {
                // Every run has exactly one input.
                Some(Role::Start) if self.seen > 0 => Mark { note: "×1".to_owned(), tone: Tone::Plain },
                Some(Role::Response { prompt: Some(prompt) }) => {
                    self.mark_of_way(self.questions.get(&prompt).map_or(0, |questions| questions.answered))
                }
                // The stream does not count these, but it tells who took them.
                _ => seen(self.is_taken(id)),
            },
            Element::Failure(id) => {
                let Runs { failed, fatal, .. } = self.step(id);
                self.mark_of_way(failed.saturating_sub(fatal))
            }
            // Questions are counted; what a step took from its inbox is not told.
            Element::Inside { step, event } if !is_prompt(&self.graph, event) => {
                seen(self.step(step).started > 0)
            }
            element => self.mark_of_way(self.carried.get(&element).copied().unwrap_or_default()),
        }
    }

    fn caption(&self) -> String {
        let how = match &self.end {
            Some(end) => end,
            None if self.seen == 0 => "nothing known",
            None => "not ended",
        };
        let missed = match self.missed {
            0 => String::new(),
            1 => "; 1 event was missed, so counts are lower bounds".to_owned(),
            missed => format!("; {missed} events were missed, so counts are lower bounds"),
        };
        format!("{}: {how}{missed}", self.graph.name)
    }
}

/// Shows the text.
impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// An element of which no number is told.
fn seen(touched: bool) -> Mark {
    Mark { note: String::new(), tone: if touched { Tone::Plain } else { Tone::Faint } }
}

/// What there is any of, after `before`: `, 1 failed, 2 unfinished`.
fn listed(before: &str, counts: &[(u64, &str)]) -> String {
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    if counts.is_empty() { String::new() } else { format!("{before}{}", counts.join(", ")) }
}

/// The questions that a step can ask.
fn prompts(graph: &Graph, step: &Step) -> Vec<EventId> {
    let items = |point| graph.point(point).map_or(&[][..], |point| &point.items).iter().copied();
    let mut events = Vec::new();
    for alternative in step.returns.alternatives.iter() {
        match *alternative {
            Alternative::One(event) => events.push(event),
            Alternative::Many(point) => events.extend(items(point)),
        }
    }
    for tool in step.tools.iter() {
        match *tool {
            Tool::Emitter(point) => events.extend(items(point)),
            Tool::Asker(event) => events.push(event),
            Tool::Inbox(_) => {}
        }
    }
    events.retain(|event| is_prompt(graph, *event));
    events.sort_unstable();
    events.dedup();
    events
}

fn is_prompt(graph: &Graph, event: EventId) -> bool {
    graph.event(event).is_some_and(|event| matches!(event.role, Role::Prompt { .. }))
}

/// What is left of a type's name in an identifier.
fn letters(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
