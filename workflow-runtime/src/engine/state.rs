//! What is remembered of a run: what is alive, and nothing of what is over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_graph::{EventId, StepId};

use super::notes::{NoteKey, Noted, Notes, WaitId, Waiter};
use super::payload::Input;
use super::scopes::{Scope, Scopes};
use crate::error::StepError;
use crate::event::RequestId;
use crate::seldom::{Seldom, SeldomTable};
use crate::table::{Numbered, Table};

/// A moment: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// So many milliseconds later.
    #[must_use]
    pub const fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// One piece of work: a step with its input. The same over all attempts and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvocationId(pub u64);

impl Numbered for InvocationId {
    fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One use of a fan-out point, or the run itself ([`ScopeId::ROOT`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeId(pub u64);

impl Numbered for ScopeId {
    fn number(self) -> u64 {
        self.0
    }
}

impl ScopeId {
    /// The run itself: the scope outside every fan-out.
    pub const ROOT: Self = Self(0);
}

/// One branch of a scope: where an event or an invocation lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch {
    /// The scope.
    pub scope: ScopeId,
    /// The element of the fan-out, from 0.
    pub index: u32,
}

impl Branch {
    /// The only branch of the run itself.
    pub const ROOT: Self = Self { scope: ScopeId::ROOT, index: 0 };
}

/// A run, as far as it is alive.
///
/// Counts are derived: a scope is open as long as it has members, and every
/// invocation, request and inner scope is a member of exactly one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<E> {
    pub(crate) status: Status,
    /// The highest id given so far; invocations, requests and scopes share the counter.
    pub(crate) last_id: u64,
    /// How many ticks have been taken.
    pub(crate) ticks: u64,
    pub(crate) now: Time,
    pub(crate) invocations: Table<InvocationId, Invocation<E>>,
    pub(crate) requests: SeldomTable<RequestId, Request<E>>,
    pub(crate) scopes: Scopes<E>,
    pub(crate) extras: Seldom<Extras<E>>,
}

/// What only some runs have: those with limits, with steps that wait or are tried again, with times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extras<E> {
    /// Invocations of steps with a limit that wait for a worker, first come first. Entries whose
    /// invocation is gone are skipped when they are met.
    pub(crate) queues: BTreeMap<StepId, VecDeque<InvocationId>>,
    /// How many workers of each limited step are busy.
    pub(crate) busy: BTreeMap<StepId, u32>,
    /// Signals that no inbox has taken yet, oldest first.
    pub(crate) unread: BTreeMap<EventId, VecDeque<E>>,
    /// The inboxes that wait for a signal, in the order in which they came.
    pub(crate) inboxes: BTreeMap<EventId, BTreeMap<WaitId, Waiter>>,
    /// The running invocations that wait for an answer or a signal; derived.
    pub(crate) waiting: BTreeSet<InvocationId>,
    /// What is due when, in order; derived from what has a time.
    pub(crate) timers: BTreeSet<(Time, Timer)>,
    /// When the run must have ended.
    pub(crate) deadline: Option<Time>,
    /// How long the run may be at work, in milliseconds, and how much of that is left.
    pub(crate) budget: Option<Budget>,
    /// Steps that ended a branch by emitting nothing: what a stall names. Bounded by the graph.
    pub(crate) ended: BTreeSet<StepId>,
}

/// Something that is due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Retry(InvocationId),
    Expiry(RequestId),
}

/// The time that a run may be at work. It does not count while the run only waits for people or signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Budget {
    pub(crate) whole: u64,
    pub(crate) left: u64,
}

/// How often each error handler has run on the way of an event; `None` is the usual case: never.
pub(crate) type Recoveries = Option<Arc<BTreeMap<StepId, u32>>>;

/// The larger count of each handler.
pub(crate) fn merged(one: Recoveries, other: &Recoveries) -> Recoveries {
    match (one, other) {
        (one, None) => one,
        (None, other) => other.clone(),
        (Some(one), Some(other)) => {
            let mut merged = BTreeMap::clone(&one);
            for (handler, count) in other.iter() {
                let known = merged.entry(*handler).or_insert(0);
                *known = (*known).max(*count);
            }
            Some(Arc::new(merged))
        }
    }
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It has not started.
    New,
    /// It runs, or waits for somebody.
    Running,
    /// It was put down, and can be resumed.
    Suspended,
    /// It was cancelled, and can be resumed.
    Cancelled,
    /// A step failed or nothing could happen any more; it can be resumed.
    Failed,
    /// It took longer than it may; it can be resumed.
    TimedOut,
    /// It has its output.
    Completed,
}

/// A step with its input, until it has finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation<E> {
    /// The step.
    pub step: StepId,
    /// Where it lives, and where what it emits goes.
    pub branch: Branch,
    /// What it is given, at every attempt anew.
    pub input: Input<E>,
    /// Where it stands.
    pub state: InvocationState,
    /// The attempt that runs or comes next, from 1.
    pub attempt: u32,
    pub(crate) recoveries: Recoveries,
    pub(crate) history: Seldom<History<E>>,
}

/// What has happened to an invocation so far. Most of them finish without any of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History<E> {
    /// How often the run was interrupted while the invocation ran.
    pub(crate) interruptions: u32,
    pub(crate) failed: FailedAttempts,
    /// What each of its emitters has sent, in the order of the step's parameters; empty before the first start,
    /// and for steps without one.
    pub(crate) emitters: Vec<Sender>,
    /// What its calls have come to, over all attempts.
    pub(crate) notes: Notes<E>,
    /// How many of them are waits.
    pub(crate) waits: u32,
}

/// What is known of an invocation's attempts that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FailedAttempts {
    /// Why the last one did.
    pub(crate) last_error: Option<StepError>,
    /// When the first one did.
    pub(crate) first_failed_at: Option<Time>,
}

impl FailedAttempts {
    /// Whether nothing is known of any.
    pub(crate) fn is_empty(&self) -> bool {
        self.last_error.is_none() && self.first_failed_at.is_none()
    }
}

impl<E> Default for History<E> {
    fn default() -> Self {
        Self {
            interruptions: 0,
            failed: FailedAttempts::default(),
            emitters: Vec::new(),
            notes: Notes::new(),
            waits: 0,
        }
    }
}

impl<E> History<E> {
    /// Whether nothing has happened to the invocation.
    pub(crate) fn is_empty(&self) -> bool {
        let noted = !self.emitters.is_empty() || !self.notes.is_empty();
        !noted && self.failed.is_empty() && self.interruptions == 0
    }
}

impl<E> Invocation<E> {
    /// How often the run was interrupted while this invocation ran.
    #[must_use]
    pub fn interruptions(&self) -> u32 {
        self.history.get().map_or(0, |history| history.interruptions)
    }

    /// Why the attempt before failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&StepError> {
        self.history.get()?.failed.last_error.as_ref()
    }

    /// When the first attempt that failed did so.
    #[must_use]
    pub fn first_failed_at(&self) -> Option<Time> {
        self.history.get()?.failed.first_failed_at
    }

    /// What its calls have come to, by their keys.
    pub fn notes(&self) -> impl Iterator<Item = (&NoteKey, &Noted<E>)> {
        self.history.get().into_iter().flat_map(|history| &history.notes)
    }

    /// What stands under a key in its notes.
    pub(crate) fn noted(&self, key: &NoteKey) -> Option<&Noted<E>> {
        self.history.get()?.notes.get(key)
    }

    pub(crate) fn emitters(&self) -> &[Sender] {
        self.history.get().map_or(&[], |history| &history.emitters)
    }

    /// How many of its calls wait.
    pub(crate) fn waits(&self) -> u32 {
        self.history.get().map_or(0, |history| history.waits)
    }
}

/// One emitter of one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The scope it fills. It may be gone before its sender: a `take` that is full cancels it.
    pub(crate) scope: ScopeId,
    /// How many events it has sent, over all attempts.
    pub(crate) sent: u32,
}

/// Where an invocation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvocationState {
    /// It waits for a worker, or for the run to be resumed.
    Queued,
    /// It runs.
    Running,
    /// It failed, and is run again at that time. It holds no worker.
    Delayed(Time),
    /// It failed and nothing took the failure; resuming the run runs it again.
    Failed(StepError),
}

/// An open question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<E> {
    /// The step that asks.
    pub step: StepId,
    /// Where the answer goes.
    pub branch: Branch,
    /// The question.
    pub prompt: E,
    /// When it was asked.
    pub asked_at: Time,
    /// When it closes, if nobody has answered.
    pub expires_at: Option<Time>,
    pub(crate) recoveries: Recoveries,
    /// Who waits for the answer inside a step; else it is an event for the steps that accept it.
    pub(crate) asker: Option<Waiter>,
}

/// A sorted map keeps its last block of memory when the last entry goes.
pub(crate) fn drop_if_empty<K, V>(map: &mut BTreeMap<K, V>) {
    if map.is_empty() {
        *map = BTreeMap::new();
    }
}

impl<E> Extras<E> {
    fn shrink(&mut self) {
        drop_if_empty(&mut self.queues);
        drop_if_empty(&mut self.busy);
        drop_if_empty(&mut self.unread);
        drop_if_empty(&mut self.inboxes);
        if self.waiting.is_empty() {
            self.waiting = BTreeSet::new();
        }
        if self.timers.is_empty() {
            self.timers = BTreeSet::new();
        }
    }

    /// Who waits for a worker of a step.
    pub(crate) fn queue(&mut self, step: StepId) -> &mut VecDeque<InvocationId> {
        self.queues.entry(step).or_default()
    }

    /// A worker of a step becomes free. `false` if none was busy.
    pub(super) fn free_worker(&mut self, step: StepId) -> bool {
        let Some(busy) = self.busy.get_mut(&step) else { return false };
        *busy = busy.saturating_sub(1);
        if *busy == 0 {
            self.busy.remove(&step);
        }
        true
    }

    /// Whether there is nothing of it.
    fn are_none(&self) -> bool {
        let Self { queues, busy, unread, inboxes, waiting, timers, deadline, budget, ended } = self;
        let limits = queues.is_empty() && busy.is_empty();
        let waits = unread.is_empty() && inboxes.is_empty() && waiting.is_empty();
        let times = timers.is_empty() && deadline.is_none() && budget.is_none();
        limits && waits && times && ended.is_empty()
    }
}

impl<E> Default for Extras<E> {
    fn default() -> Self {
        Self {
            queues: BTreeMap::new(),
            busy: BTreeMap::new(),
            unread: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            waiting: BTreeSet::new(),
            timers: BTreeSet::new(),
            deadline: None,
            budget: None,
            ended: BTreeSet::new(),
        }
    }
}

impl<E> State<E> {
    pub(crate) fn new() -> Self {
        Self {
            status: Status::New,
            last_id: 0,
            ticks: 0,
            now: Time(0),
            invocations: Table::new(),
            requests: SeldomTable::EMPTY,
            scopes: Scopes::new(),
            extras: Seldom::NEVER,
        }
    }

    /// Forgets what is alive, because the run has its output.
    pub(crate) fn complete(&mut self) {
        self.status = Status::Completed;
        self.invocations = Table::new();
        self.requests = SeldomTable::EMPTY;
        self.extras = Seldom::NEVER;
        self.scopes.clear();
    }

    /// Gives back memory that is not needed for what is alive.
    pub(crate) fn shrink(&mut self) {
        self.invocations.shrink();
        self.requests.shrink();
        self.scopes.shrink();
        self.extras.shrink(Extras::are_none);
        if let Some(extras) = self.extras.get_mut() {
            extras.shrink();
        }
    }

    /// Who waits for a worker of a step.
    pub(super) fn queue(&mut self, step: StepId) -> &mut VecDeque<InvocationId> {
        self.extras.make().queue(step)
    }

    /// The running invocations that wait for an answer or a signal.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = InvocationId> {
        self.extras.get().into_iter().flat_map(|extras| &extras.waiting).copied()
    }

    /// How many of them there are.
    pub(crate) fn how_many_wait(&self) -> usize {
        self.extras.get().map_or(0, |extras| extras.waiting.len())
    }

    /// Whether that invocation is one of them.
    pub(crate) fn waits(&self, id: InvocationId) -> bool {
        self.extras.get().is_some_and(|extras| extras.waiting.contains(&id))
    }

    /// What is due first.
    pub(super) fn first_timer(&self) -> Option<(Time, Timer)> {
        self.extras.get()?.timers.first().copied()
    }

    pub(crate) fn has_timer(&self, due: Time, timer: Timer) -> bool {
        self.extras.get().is_some_and(|extras| extras.timers.contains(&(due, timer)))
    }

    pub(super) fn start_timer(&mut self, due: Option<Time>, timer: Timer) {
        if let Some(due) = due {
            self.extras.make().timers.insert((due, timer));
        }
    }

    pub(super) fn stop_timer(&mut self, due: Option<Time>, timer: Timer) {
        if let (Some(due), Some(extras)) = (due, self.extras.get_mut()) {
            extras.timers.remove(&(due, timer));
        }
    }

    /// Whether a step is queued, waiting for a retry, or running without a question or an inbox of its own.
    pub(crate) fn at_work(&self) -> bool {
        self.status == Status::Running && self.invocations.len() > self.how_many_wait()
    }

    /// Whether the run goes on only when somebody or something wakes it.
    pub(crate) fn is_idle(&self) -> bool {
        self.status == Status::Running && !self.at_work()
    }

    /// Whether the run goes on only when somebody or something wakes it, and none of its steps has begun.
    pub(crate) fn waits_outside(&self) -> bool {
        self.is_idle() && self.invocations.is_empty()
    }

    /// Whether nothing is at work, and an answer or a signal is waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        let listens = self.extras.get().is_some_and(|extras| !extras.inboxes.is_empty());
        let waits = !self.requests.is_empty() || listens;
        self.is_idle() && waits
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        if self.status != Status::Running {
            return None;
        }
        // Most runs have none of it.
        self.extras.get()?;
        let timer = self.first_timer().map(|(due, _)| due);
        timer.into_iter().chain(self.time_is_up()).min()
    }

    /// When the run's time is up, if nothing else happens before.
    pub(crate) fn time_is_up(&self) -> Option<Time> {
        let Extras { budget, deadline, .. } = self.extras.get()?;
        let out_of_time = budget.filter(|_| self.at_work()).map(|budget| self.now.plus(budget.left));
        out_of_time.into_iter().chain(*deadline).min()
    }

    /// Where the run stands.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// How many ticks have been taken.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The highest id that was given so far. Invocations, questions, waits and fan-outs share the counter.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The time of the latest tick.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// The steps that run, wait or have failed, oldest first.
    pub fn invocations(&self) -> impl Iterator<Item = (InvocationId, &Invocation<E>)> {
        self.invocations.iter().map(|(id, invocation)| (*id, invocation))
    }

    /// The invocation of that id, unless it has finished.
    #[must_use]
    pub fn invocation(&self, id: InvocationId) -> Option<&Invocation<E>> {
        self.invocations.get(&id)
    }

    /// The open questions, oldest first.
    pub fn requests(&self) -> impl Iterator<Item = (RequestId, &Request<E>)> {
        self.requests.iter().map(|(id, request)| (*id, request))
    }

    /// The open question of that id.
    #[must_use]
    pub fn request(&self, id: RequestId) -> Option<&Request<E>> {
        self.requests.get(&id)
    }

    /// The open scopes, the run itself first.
    pub fn scopes(&self) -> impl Iterator<Item = (ScopeId, &Scope<E>)> {
        self.scopes.iter().map(|(id, scope)| (*id, scope))
    }
}
