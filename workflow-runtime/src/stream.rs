//! What observers see of a run: a numbered stream of events, for any number of readers.
//!
//! The latest events are kept in a ring. Readers are cursors into it: they hold nothing, slow nothing
//! down, and learn by [`RunEventKind::Missed`] when they fell behind it. The terminal event is the last one and
//! makes room for no other, so every reader gets it, once. A question that is open outlives the ring.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Poller, Poll};

use serde::{Serialize, Serializer};
use workflow_graph::Graph;

use crate::engine::{Counted, InvocationId, Time};
use crate::error::StepError;
use crate::event::RequestId;
use crate::forms::Stored;
use crate::handle::{Ask, Handle, Question, RunError};
use crate::store::StoredEvent;
use crate::table::Table;
use crate::wakers::{Place, Wakers};
use crate::workflow::{AskedBy, Workflow};

/// How many events a run keeps for readers that come late or fall behind.
pub const EVENTS_KEPT: usize = 1_024;

/// Something that happened in a run, as observers see it.
///
/// It serialises; that is the form in which it goes over the wire.
#[derive(Serialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct RunEvent<W: Workflow> {
    /// Its number in the stream of the run, from 1.
    pub number: u64,
    /// The tick of the engine in which it happened, or, for progress, after which.
    pub tick: u64,
    /// When it happened.
    pub at: Time,
    /// What happened.
    #[serde(flatten)]
    pub kind: RunEventKind<W>,
}

/// What happened in a run.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case", bound = "")]
#[non_exhaustive]
pub enum RunEventKind<W: Workflow> {
    /// A step starts.
    StepStarted {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// A step published how far it is. Seen at once, even if the step fails afterwards.
    Progress {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
        /// What it published.
        #[serde(serialize_with = "Stored::store")]
        value: W::Progress,
    },
    /// A step has sent an event through its [`Emitter`](crate::Emitter), and goes on.
    StepSent {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// The name of the event.
        event: &'static str,
    },
    /// A step has finished.
    StepFinished {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// What it returned, by name of event. What it sent while it ran was told event by event.
        emitted: EventCounts,
    },
    /// An attempt has failed, and the step will be run again.
    StepRetrying {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Why.
        error: StepError,
        /// When the next attempt is due.
        due: Time,
    },
    /// A step has failed for good.
    StepFailed {
        /// The step.
        step: &'static str,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Which attempt, from 1.
        attempt: u32,
        /// Why.
        error: StepError,
    },
    /// A question is open, and its branch waits for the answer.
    InputRequired(Question<W>),
    /// A question was answered.
    InputReceived {
        /// Its id.
        request: RequestId,
    },
    /// Nobody answered a question in time.
    InputExpired {
        /// Its id.
        request: RequestId,
    },
    /// A question was withdrawn: its answer is not needed any more.
    InputWithdrawn {
        /// Its id.
        request: RequestId,
    },
    /// Events were left over in a join, or arrived where no gather could take them.
    Unpaired {
        /// The step that would have taken them.
        step: &'static str,
        /// The names of the events, one entry each.
        events: Vec<&'static str>,
    },
    /// This reader fell behind what is kept. The questions that are still open follow, also those that it has
    /// seen before, then the oldest event kept.
    Missed {
        /// How many events it missed.
        count: u64,
    },
    /// The run has its output. Terminal.
    Completed {
        /// The output.
        #[serde(serialize_with = "Stored::store")]
        output: W::Output,
    },
    /// The run failed. Terminal.
    Failed {
        /// Why.
        error: RunError,
    },
    /// The run took longer than it may. Terminal.
    TimedOut {
        /// The steps that were running.
        running: Vec<String>,
    },
    /// The run was cancelled. Terminal.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// The run was put down, to be resumed. Terminal for this stream.
    Suspended,
}

impl<W: Workflow> RunEvent<W> {
    /// The question `Q`, if that is what this event is: what is needed to answer it.
    ///
    /// A `Q` that the workflow never asks does not compile.
    ///
    /// # Examples
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// # #[allow(dead_code)]
    /// fn what_to_print<W: Asks<Text>>(event: &RunEvent<W>) -> Option<String> {
    ///     event.ask::<Text>().map(|ask| ask.prompt.message)
    /// }
    /// ```
    #[must_use]
    pub fn ask<Q: AskedBy<W>>(&self) -> Option<Ask<Q>> {
        match &self.kind {
            RunEventKind::InputRequired(question) => question.ask(),
            _ => None,
        }
    }

    /// Whether this is the last event of the stream.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(
            self.kind,
            RunEventKind::Completed { .. }
                | RunEventKind::Failed { .. }
                | RunEventKind::TimedOut { .. }
                | RunEventKind::Cancelled { .. }
                | RunEventKind::Suspended
        )
    }
}

impl<W: Workflow> Clone for RunEvent<W> {
    fn clone(&self) -> Self {
        Self { number: self.number, tick: self.tick, at: self.at, kind: self.kind.clone() }
    }
}

impl<W: Workflow> RunEventKind<W> {
    /// The last event of a run that ended so.
    pub(crate) fn terminal(outcome: Result<W::Output, RunError>) -> Self {
        match outcome {
            Ok(output) => Self::Completed { output },
            Err(RunError::Cancelled { reason, .. }) => Self::Cancelled { reason },
            Err(RunError::TimedOut { running, .. }) => Self::TimedOut { running },
            Err(RunError::Suspended { .. }) => Self::Suspended,
            Err(error) => Self::Failed { error },
        }
    }
}

impl<W: Workflow> Clone for RunEventKind<W> {
    fn clone(&self) -> Self {
        match self {
            Self::StepStarted { step, invocation, attempt } => {
                Self::StepStarted { step, invocation: *invocation, attempt: *attempt }
            }
            Self::Progress { step, invocation, attempt, value } => {
                Self::Progress { step, invocation: *invocation, attempt: *attempt, value: value.clone() }
            }
            Self::StepSent { step, invocation, event } => {
                Self::StepSent { step, invocation: *invocation, event }
            }
            Self::StepFinished { step, invocation, emitted } => {
                Self::StepFinished { step, invocation: *invocation, emitted: emitted.clone() }
            }
            Self::StepRetrying { step, invocation, attempt, error, due } => {
                let error = error.clone();
                Self::StepRetrying { step, invocation: *invocation, attempt: *attempt, error, due: *due }
            }
            Self::StepFailed { step, invocation, attempt, error } => {
                Self::StepFailed { step, invocation: *invocation, attempt: *attempt, error: error.clone() }
            }
            Self::InputRequired(question) => Self::InputRequired(question.clone()),
            Self::InputReceived { request } => Self::InputReceived { request: *request },
            Self::InputExpired { request } => Self::InputExpired { request: *request },
            Self::InputWithdrawn { request } => Self::InputWithdrawn { request: *request },
            Self::Unpaired { step, events } => Self::Unpaired { step, events: events.clone() },
            Self::Missed { count } => Self::Missed { count: *count },
            Self::Completed { output } => Self::Completed { output: output.clone() },
            Self::Failed { error } => Self::Failed { error: error.clone() },
            Self::TimedOut { running } => Self::TimedOut { running: running.clone() },
            Self::Cancelled { reason } => Self::Cancelled { reason: reason.clone() },
            Self::Suspended => Self::Suspended,
        }
    }
}

/// Shows the wire form, because the author's types need not be `Debug`.
impl<W: Workflow> fmt::Debug for RunEvent<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Shows the wire form, because the author's types need not be `Debug`.
impl<W: Workflow> fmt::Debug for RunEventKind<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// How many of which events a step returned.
///
/// It serialises as a map from the name of the event to the number of them: `{"Task": 3, "Note": 0}` for
/// a fan-out, `{"Priced": 1}` for one event, `{}` for nothing. A fan-out lists every event that an element
/// can be, so that one without elements is told from nothing.
#[derive(Clone)]
pub struct EventCounts {
    /// Knows the names, so that a step's counts are numbers only.
    graph: &'static Graph,
    counted: Counted,
}

impl EventCounts {
    pub(crate) fn new(graph: &'static Graph, counted: Counted) -> Self {
        Self { graph, counted }
    }

    /// Each event, by name, and how many of it.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let one = match &self.counted {
            Counted::One(event) => Some((*event, 1)),
            Counted::None | Counted::Many(..) => None,
        };
        let (items, counts) = match &self.counted {
            Counted::Many(point, counts) => {
                (self.graph.point(*point).map_or(&[][..], |point| &point.items), &counts[..])
            }
            Counted::None | Counted::One(_) => (&[][..], &[][..]),
        };
        let each = items.iter().copied().zip(counts.iter().copied());
        let name = |event| self.graph.event(event).map_or("?", |event| &*event.name);
        one.into_iter().chain(each).map(move |(event, count)| (name(event), count))
    }

    /// How many events in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| u64::from(count)).sum()
    }

    /// Whether the step returned nothing. A fan-out without elements is something: what gathers it fires.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self.counted, Counted::None)
    }

    /// Whether the step returned a fan-out.
    #[must_use]
    pub fn is_fan_out(&self) -> bool {
        matches!(self.counted, Counted::Many(..))
    }
}

impl PartialEq for EventCounts {
    fn eq(&self, other: &Self) -> bool {
        self.is_fan_out() == other.is_fan_out() && self.iter().eq(other.iter())
    }
}

impl Eq for EventCounts {}

impl Serialize for EventCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl fmt::Debug for EventCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Why a stream could not go on.
///
/// A run in memory has no such reason: what a reader missed is an event,
/// [`Missed`](RunEventKind::Missed). Stores that read older events from a disk have reasons.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {}

/// A reader of the events of a run.
///
/// It keeps the events readable, not the run alive. Dropping it has no effect on anything else. While there is a reader,
/// a run of a [`Runner`](crate::Runner) with a store stays in memory.
pub struct RunEvents<W: Workflow> {
    stream: Arc<Stream<W>>,
    /// The number of the event delivered last.
    after: u64,
    /// Open questions still to be delivered to a reader that fell behind.
    replay: VecDeque<RunEvent<W>>,
    over: bool,
    place: Place,
    /// Keeps a run with a store in memory, because there it would go on unseen.
    _attends: Option<Handle<W>>,
}

impl<W: Workflow> Drop for RunEvents<W> {
    fn drop(&mut self) {
        self.stream.lock().readers.leave(&self.place);
    }
}

impl<W: Workflow> RunEvents<W> {
    pub(crate) fn new(stream: Arc<Stream<W>>, after: u64, attends: Option<Handle<W>>) -> Self {
        Self {
            stream,
            after,
            replay: VecDeque::new(),
            over: false,
            place: Place::default(),
            _attends: attends,
        }
    }

    /// The next event; `None` after the terminal one.
    ///
    /// # Errors
    /// The stream cannot go on; see [`StreamError`].
    ///
    /// # Cancel safety
    /// Cancel safe: an event is delivered or still there.
    pub async fn next(&mut self) -> Option<Result<RunEvent<W>, StreamError>> {
        poll_fn(|poller| self.poll(poller)).await
    }

    /// The number of the latest event, 0 before the first one.
    pub(crate) fn newest(&self) -> u64 {
        self.stream.next_number().saturating_sub(1)
    }

    fn poll(&mut self, poller: &mut Poller<'_>) -> Poll<Option<Result<RunEvent<W>, StreamError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Some(question) = self.replay.pop_front() {
            return Poll::Ready(Some(Ok(question)));
        }
        let mut ring = self.stream.lock();
        let missed = ring.first.saturating_sub(self.after + 1);
        if missed > 0 {
            self.after += missed;
            self.replay.extend(ring.open.values().filter_map(Asked::dropped).cloned());
            let event = RunEvent {
                number: self.after,
                tick: ring.tick,
                at: ring.at,
                kind: RunEventKind::Missed { count: missed },
            };
            return Poll::Ready(Some(Ok(event)));
        }
        let shown = |event: &&RunEvent<W>| event.number <= ring.shown;
        // Whoever is past the end gets the end.
        let next = ring.at(self.after + 1).or_else(|| ring.kept.back().filter(|_| ring.over));
        if let Some(event) = next.filter(shown) {
            self.after = event.number;
            self.over = event.is_terminal();
            return Poll::Ready(Some(Ok(event.clone())));
        }
        ring.readers.wait(&mut self.place, poller.waker());
        Poll::Pending
    }
}

impl<W: Workflow> futures_core::Stream for RunEvents<W> {
    type Item = Result<RunEvent<W>, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Option<Self::Item>> {
        self.poll(poller)
    }
}

impl<W: Workflow> Unpin for RunEvents<W> {}

impl<W: Workflow> fmt::Debug for RunEvents<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunEvents").field("after", &self.after).finish_non_exhaustive()
    }
}

/// The writing end, and what is kept.
pub(crate) struct Stream<W: Workflow> {
    ring: Mutex<Ring<W>>,
}

struct Ring<W: Workflow> {
    kept: VecDeque<RunEvent<W>>,
    /// The number of the first event of all.
    began: u64,
    /// The number of the oldest event kept, or of the next one where none is.
    first: u64,
    /// The number of the last event that readers may see. In a run with a store, the others are not stored yet.
    shown: u64,
    /// In a run with a store: events that are to be stored with what happens next.
    unstored: Option<Vec<StoredEvent>>,
    tick: u64,
    at: Time,
    /// The questions that are open, for readers that fell behind.
    open: Table<RequestId, Asked<W>>,
    /// The terminal event is the last one kept.
    over: bool,
    readers: Wakers,
}

/// Where the event of an open question is.
enum Asked<W: Workflow> {
    /// Kept like any other, under this number.
    Kept(u64),
    /// Here, because the ring has gone on.
    Dropped(Box<RunEvent<W>>),
}

impl<W: Workflow> Asked<W> {
    fn number(&self) -> u64 {
        match self {
            Self::Kept(number) => *number,
            Self::Dropped(event) => event.number,
        }
    }

    fn dropped(&self) -> Option<&RunEvent<W>> {
        match self {
            Self::Kept(_) => None,
            Self::Dropped(event) => Some(event),
        }
    }
}

impl<W: Workflow> Stream<W> {
    /// A stream whose first event has this number.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self::new(first, u64::MAX, None)
    }

    /// A stream whose first event has this number, and whose events are seen when they are stored.
    pub(crate) fn stored_from(first: u64) -> Self {
        Self::new(first, first.saturating_sub(1), Some(Vec::new()))
    }

    fn new(first: u64, shown: u64, unstored: Option<Vec<StoredEvent>>) -> Self {
        let ring = Ring {
            kept: VecDeque::new(),
            began: first,
            first,
            shown,
            unstored,
            tick: 0,
            at: Time(0),
            open: Table::new(),
            over: false,
            readers: Wakers::default(),
        };
        Self { ring: Mutex::new(ring) }
    }

    /// The number before that of the first event.
    pub(crate) fn before_first(&self) -> u64 {
        self.lock().began.saturating_sub(1)
    }

    /// The number that the next event gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.lock().next_number()
    }

    /// Appends events of one tick. Readers are woken when the writer is dropped.
    pub(crate) fn write(&self, tick: u64, at: Time) -> Writer<'_, W> {
        let mut ring = self.lock();
        ring.tick = tick;
        ring.at = at;
        Writer { ring, wrote: false }
    }

    /// Appends what a step published, under the tick that came last.
    pub(crate) fn publish(&self, at: Time, kind: RunEventKind<W>) {
        let mut ring = self.lock();
        ring.at = ring.at.max(at);
        let mut writer = Writer { ring, wrote: false };
        let newest = writer.newest();
        writer.push(kind);
        // It does not wait for the store, only for its turn.
        let ring = &mut *writer.ring;
        if ring.shown == newest {
            ring.shown = ring.next_number() - 1;
        }
    }

    /// Whether readers have been shown that this question is open.
    pub(crate) fn shows(&self, request: RequestId) -> bool {
        let ring = self.lock();
        ring.open.get(&request).is_some_and(|asked| asked.number() <= ring.shown)
    }

    /// What is to be stored with what happens next; nothing in a run without a store.
    pub(crate) fn take_unstored(&self) -> Vec<StoredEvent> {
        self.lock().unstored.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Lets readers see the events up to that number.
    pub(crate) fn show(&self, up_to: u64) {
        let mut ring = self.lock();
        if up_to > ring.shown {
            ring.shown = up_to;
            // What steps published meanwhile waits for its turn only.
            let is_progress = |event: &RunEvent<W>| matches!(event.kind, RunEventKind::Progress { .. });
            while ring.at(ring.shown.saturating_add(1)).is_some_and(is_progress) {
                ring.shown += 1;
            }
            drop(Writer { ring, wrote: true });
        }
    }

    /// Gives back memory that is not needed while nothing happens.
    pub(crate) fn shrink(&self) {
        let mut ring = self.lock();
        ring.kept.shrink_to_fit();
        ring.open.shrink();
    }

    /// Forgets what was not shown, because it could not be stored, and ends with this event.
    pub(crate) fn break_off(&self, kind: RunEventKind<W>) {
        let mut ring = self.lock();
        let shown = ring.shown;
        ring.kept.retain(|event| event.number <= shown);
        ring.over = false;
        ring.unstored = None;
        ring.shown = u64::MAX;
        Writer { ring, wrote: false }.push(kind);
    }

    fn lock(&self) -> MutexGuard<'_, Ring<W>> {
        // What a panicking `Clone` or `Serialize` of the author's left behind is consistent: every change
        // to the ring comes after such calls.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Workflow> Ring<W> {
    fn next_number(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn drop_oldest(&mut self) {
        let Some(event) = self.kept.pop_front() else { return };
        self.first += 1;
        if let RunEventKind::InputRequired(question) = &event.kind {
            if let Some(open) = self.open.get_mut(&question.id).filter(|open| open.number() == event.number) {
                *open = Asked::Dropped(Box::new(event));
            }
        }
    }

    /// The event of that number, if it is kept.
    fn at(&self, number: u64) -> Option<&RunEvent<W>> {
        let position = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.get(position)
    }
}

pub(crate) struct Writer<'a, W: Workflow> {
    ring: MutexGuard<'a, Ring<W>>,
    wrote: bool,
}

impl<W: Workflow> Writer<'_, W> {
    /// The number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.ring.next_number() - 1
    }

    /// Appends an event. After the terminal one nothing is appended.
    pub(crate) fn push(&mut self, kind: RunEventKind<W>) {
        let ring = &mut *self.ring;
        if ring.over {
            return;
        }
        let event = RunEvent { number: ring.next_number(), tick: ring.tick, at: ring.at, kind };
        match &event.kind {
            RunEventKind::InputRequired(question) => {
                ring.open.insert(question.id, Asked::Kept(event.number));
            }
            RunEventKind::InputReceived { request }
            | RunEventKind::InputExpired { request }
            | RunEventKind::InputWithdrawn { request } => {
                ring.open.remove(request);
            }
            _ => {}
        }
        self.wrote = true;
        if let Some(unstored) = &mut ring.unstored {
            let RunEvent { number, tick, at, .. } = event;
            // What a step published may not serialise; everything else in a run has been serialised before.
            let body =
                serde_json::value::to_raw_value(&event).or_else(|_| serde_json::value::to_raw_value(&()));
            unstored.extend(body.map(|body| StoredEvent { number, tick, at, body }).ok());
        }
        ring.over = event.is_terminal();
        if ring.kept.len() == EVENTS_KEPT {
            ring.drop_oldest();
        }
        ring.kept.push_back(event);
    }
}

impl<W: Workflow> Drop for Writer<'_, W> {
    fn drop(&mut self) {
        if self.wrote {
            for reader in self.ring.readers.take() {
                reader.wake();
            }
        }
    }
}
