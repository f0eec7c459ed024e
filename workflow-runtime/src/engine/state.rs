//! What is remembered of a run: what is alive, and nothing of what is over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_graph::{EventId, PointId, Slot, StepId};

use super::notes::{NoteKey, Noted, Notes, WaitId, Waiter};
use super::payload::{Failure, Input, Part};
use crate::error::StepError;
use crate::event::RequestId;
use crate::seldom::Seldom;
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
    pub(crate) requests: Table<RequestId, Request<E>>,
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
    /// Why the attempt before failed.
    pub(crate) last_error: Option<StepError>,
    /// When the first attempt that failed did so.
    pub(crate) first_failed_at: Option<Time>,
    /// What each of its emitters has sent, in the order of the step's parameters; empty before the first start,
    /// and for steps without one.
    pub(crate) emitters: Vec<Sender>,
    /// What its calls have come to, over all attempts.
    pub(crate) notes: Notes<E>,
    /// How many of them are waits.
    pub(crate) waits: u32,
}

impl<E> Default for History<E> {
    fn default() -> Self {
        Self {
            interruptions: 0,
            last_error: None,
            first_failed_at: None,
            emitters: Vec::new(),
            notes: Notes::new(),
            waits: 0,
        }
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
        self.history.get()?.last_error.as_ref()
    }

    /// When the first attempt that failed did so.
    #[must_use]
    pub fn first_failed_at(&self) -> Option<Time> {
        self.history.get()?.first_failed_at
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

/// An open scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope<E> {
    /// What was fanned out; `None` for the run itself.
    pub point: Option<PointId>,
    /// The branch in which it was opened; `None` for the run itself.
    pub parent: Option<Branch>,
    /// How many scopes are open around what lives in it.
    pub depth: u32,
    /// What in it is still on the way. When the last one leaves, the scope closes.
    pub(crate) members: Members,
    /// What the gathers of its point have so far, in the order of the point's list.
    pub(crate) gathers: Vec<Gather<E>>,
    /// Half-filled joins.
    pub(crate) joins: Joins<E>,
}

impl<E> Scope<E> {
    /// The run itself, with nothing in it.
    const fn root() -> Self {
        Self {
            point: None,
            parent: None,
            depth: 0,
            members: Members::NONE,
            gathers: Vec::new(),
            joins: Joins::NEVER,
        }
    }
}

/// The open scopes. The run itself is always one of them, and mostly the only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes<E> {
    root: Scope<E>,
    inner: Seldom<Table<ScopeId, Scope<E>>>,
}

impl<E> Scopes<E> {
    /// Only the run itself, with nothing in it.
    pub(crate) const fn new() -> Self {
        Self { root: Scope::root(), inner: Seldom::NEVER }
    }

    #[inline]
    pub(crate) fn get(&self, id: &ScopeId) -> Option<&Scope<E>> {
        if *id == ScopeId::ROOT { Some(&self.root) } else { self.inner.get()?.get(id) }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: &ScopeId) -> Option<&mut Scope<E>> {
        if *id == ScopeId::ROOT { Some(&mut self.root) } else { self.inner.get_mut()?.get_mut(id) }
    }

    #[inline]
    pub(crate) fn contains_key(&self, id: &ScopeId) -> bool {
        self.get(id).is_some()
    }

    /// Opens a scope inside the run.
    pub(crate) fn insert(&mut self, id: ScopeId, scope: Scope<E>) {
        self.inner.make().insert(id, scope);
    }

    /// Takes a scope out. The run itself stays.
    pub(crate) fn remove(&mut self, id: &ScopeId) -> Option<Scope<E>> {
        self.inner.get_mut()?.remove(id)
    }

    /// Closes all but the run itself, and takes out what is in that.
    fn clear(&mut self) {
        self.root.members = Members::NONE;
        self.root.joins = Joins::NEVER;
        self.inner = Seldom::NEVER;
    }

    /// The run itself.
    pub(crate) fn root(&self) -> &Scope<E> {
        &self.root
    }

    pub(crate) fn root_mut(&mut self) -> &mut Scope<E> {
        &mut self.root
    }

    /// Those of fan-outs, oldest first.
    pub(crate) fn inner(&self) -> impl Iterator<Item = (&ScopeId, &Scope<E>)> {
        self.inner.get().into_iter().flat_map(Table::iter)
    }

    /// All of them, the run itself first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ScopeId, &Scope<E>)> {
        std::iter::once((&ScopeId::ROOT, &self.root)).chain(self.inner())
    }

    fn shrink(&mut self) {
        self.inner.shrink(Table::is_empty);
        let inner = self.inner.get_mut().into_iter().flat_map(|inner| {
            inner.shrink();
            inner.iter_mut().map(|(_, scope)| scope)
        });
        for scope in std::iter::once(&mut self.root).chain(inner) {
            scope.members.shrink();
            scope.joins.shrink(BTreeMap::is_empty);
            scope.gathers.iter_mut().for_each(|gather| gather.arrived.shrink());
        }
    }
}

/// The half-filled joins of a scope: for each branch and step, what has arrived for each parameter.
pub(crate) type Joins<E> = Seldom<BTreeMap<(u32, StepId), Vec<VecDeque<Parked<E>>>>>;

/// Something that waits in a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parked<E> {
    pub(crate) part: Part<E>,
    pub(crate) recoveries: Recoveries,
}

/// Something that keeps a scope open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    Invocation(InvocationId),
    Request(RequestId),
    Scope(ScopeId),
    /// An invocation that may still send into the scope. It lives elsewhere: where the scope was opened.
    Filler(InvocationId),
}

/// What keeps a scope open. In one scope, no two members have the same number.
#[derive(Clone, Debug)]
pub(crate) enum Members {
    /// Without memory of their own: where one thing follows another, there is one, and two while the next is counted in
    /// already.
    Few([Option<Member>; 2]),
    Many(Table<u64, Kind>),
}

/// What a [`Member`] is, without its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invocation,
    Request,
    Scope,
    Filler,
}

impl Member {
    fn new(kind: Kind, number: u64) -> Self {
        match kind {
            Kind::Invocation => Self::Invocation(InvocationId(number)),
            Kind::Request => Self::Request(RequestId(number)),
            Kind::Scope => Self::Scope(ScopeId(number)),
            Kind::Filler => Self::Filler(InvocationId(number)),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Invocation(_) => Kind::Invocation,
            Self::Request(_) => Kind::Request,
            Self::Scope(_) => Kind::Scope,
            Self::Filler(_) => Kind::Filler,
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Invocation(id) | Self::Filler(id) => id.0,
            Self::Request(id) => id.0,
            Self::Scope(id) => id.0,
        }
    }
}

impl Members {
    pub(crate) const NONE: Self = Self::Few([None; 2]);

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.iter().all(Option::is_none),
            Self::Many(many) => many.is_empty(),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.iter().flatten().count(),
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        if let Self::Few(few) = self {
            if few.iter().flatten().count() + more <= few.len() {
                return;
            }
            *self = Self::Many(few.iter().flatten().copied().collect());
        }
        if let Self::Many(many) = self {
            many.reserve(more);
        }
    }

    /// `false` if it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, member: Member) -> bool {
        match self {
            Self::Few(few) => {
                if few.iter().flatten().any(|other| other.number() == member.number()) {
                    return false;
                }
                match few.iter_mut().find(|place| place.is_none()) {
                    Some(place) => *place = Some(member),
                    None => *self = Self::Many(few.iter().flatten().copied().chain([member]).collect()),
                }
                true
            }
            Self::Many(many) => many.insert(member.number(), member.kind()).is_none(),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, member: Member) {
        match self {
            Self::Few(few) => {
                for place in few {
                    place.take_if(|other| other.number() == member.number());
                }
            }
            Self::Many(many) => {
                many.remove(&member.number());
            }
        }
    }

    /// One goes, and another of the same kind with a higher number comes.
    #[inline]
    pub(crate) fn replace(&mut self, member: Member, higher: Member) {
        match self {
            Self::Few(few) => {
                let place = few.iter_mut().flatten().find(|other| other.number() == member.number());
                if let Some(place) = place {
                    *place = higher;
                }
            }
            Self::Many(many) => _ = many.rename(&member.number(), higher.number()),
        }
    }

    /// All of them, kind by kind.
    pub(crate) fn sorted(&self) -> Vec<Member> {
        let mut members: Vec<Member> = match self {
            Self::Few(few) => few.iter().flatten().copied().collect(),
            Self::Many(many) => many.iter().map(|(number, kind)| Member::new(*kind, *number)).collect(),
        };
        members.sort_unstable();
        members
    }

    fn shrink(&mut self) {
        let members = self.len();
        match self {
            Self::Many(_) if members <= 2 => *self = self.sorted().into_iter().collect(),
            Self::Many(many) => many.shrink(),
            Self::Few(_) => {}
        }
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.sorted() == other.sorted()
    }
}

impl Eq for Members {}

impl FromIterator<Member> for Members {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        let members: Vec<Member> = members.into_iter().collect();
        match *members {
            [] => Self::NONE,
            [one] => Self::Few([Some(one), None]),
            [one, other] if one.number() != other.number() => Self::Few([Some(one), Some(other)]),
            _ => Self::Many(members.into_iter().collect()),
        }
    }
}

impl FromIterator<Member> for Table<u64, Kind> {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        members.into_iter().map(|member| (member.number(), member.kind())).collect()
    }
}

/// What one gather of one scope has so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gather<E> {
    pub(crate) slot: Slot,
    pub(crate) arrived: Arrivals<E>,
    /// How many of them are no failures: what a `take` counts.
    pub(crate) successes: u32,
    pub(crate) fired: bool,
    pub(crate) recoveries: Recoveries,
}

/// What has arrived at a gather, in the order of commits; that is an order in time, so adding costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrivals<E>(Vec<(Place, Result<E, Box<Failure>>)>);

impl<E> Arrivals<E> {
    pub(crate) const NONE: Self = Self(Vec::new());

    #[inline]
    pub(crate) fn add(&mut self, place: Place, member: Result<E, Box<Failure>>) {
        self.0.push((place, member));
    }

    fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// By their places.
    pub(crate) fn sorted(&self) -> Vec<&(Place, Result<E, Box<Failure>>)> {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by_key(|(place, _)| *place);
        sorted
    }

    /// All of them, by their places.
    pub(crate) fn into_sorted(mut self) -> Vec<Result<E, Box<Failure>>> {
        // Mostly they are in order, which the sort finds out at once.
        self.0.sort_by_key(|(place, _)| *place);
        self.0.into_iter().map(|(_, member)| member).collect()
    }
}

/// In any order; of several arrivals with one place the last counts.
impl<E> FromIterator<(Place, Result<E, Box<Failure>>)> for Arrivals<E> {
    fn from_iter<I: IntoIterator<Item = (Place, Result<E, Box<Failure>>)>>(arrivals: I) -> Self {
        let by_place: BTreeMap<Place, Result<E, Box<Failure>>> = arrivals.into_iter().collect();
        let mut arrivals: Vec<_> = by_place.into_iter().collect();
        arrivals.sort_by_key(|(place, _)| place.commit);
        Self(arrivals)
    }
}

/// Where an arrival stands among what is gathered: by branch, then by the emitting step's place in the
/// source, then by the order of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) index: u32,
    pub(crate) from: StepId,
    pub(crate) commit: u64,
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
            requests: Table::new(),
            scopes: Scopes::new(),
            extras: Seldom::NEVER,
        }
    }

    /// Forgets what is alive, because the run has its output.
    pub(crate) fn complete(&mut self) {
        self.status = Status::Completed;
        self.invocations = Table::new();
        self.requests = Table::new();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{InvocationId, Member, Members, RequestId, ScopeId};

    fn member(number: u64) -> Member {
        match number % 4 {
            0 => Member::Invocation(InvocationId(number)),
            1 => Member::Request(RequestId(number)),
            2 => Member::Scope(ScopeId(number)),
            _ => Member::Filler(InvocationId(number)),
        }
    }

    #[test]
    fn few_members_and_many_are_a_set() {
        for most in 1..6_u64 {
            let (mut members, mut set, mut seed) = (Members::NONE, BTreeSet::new(), most);
            let mut dice = |n: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) % n
            };
            let mut last = 0;
            for _ in 0..2_000 {
                let known = set.iter().nth(dice(most) as usize).copied().unwrap_or(member(last + 1));
                match dice(6) {
                    0 | 1 if set.len() < most as usize => {
                        last += 1 + dice(3);
                        assert_eq!(members.insert(member(last)), set.insert(member(last)));
                    }
                    2 => assert_eq!(set.contains(&known), !members.clone().insert(known)),
                    3 => {
                        // Of the same kind.
                        last = (last / 4 + 1) * 4 + known.number() % 4;
                        members.replace(known, member(last));
                        if set.remove(&known) {
                            set.insert(member(last));
                        }
                    }
                    4 => members.shrink(),
                    _ => {
                        members.remove(known);
                        set.remove(&known);
                    }
                }
                assert!(members.sorted().iter().eq(&set), "{members:?} is not {set:?}");
                assert_eq!((members.len(), members.is_empty()), (set.len(), set.is_empty()));
                assert_eq!(members, set.iter().copied().collect());
                let mut roomy = Members::NONE;
                roomy.reserve(10);
                set.iter().for_each(|member| assert!(roomy.insert(*member)));
                assert_eq!(members, roomy);
            }
        }
    }

    #[test]
    fn a_third_member_takes_memory_and_gives_it_back() {
        let mut members: Members = [5, 1].map(member).into_iter().collect();
        assert!(members.insert(member(3)));
        assert!(matches!(members, Members::Many(_)));
        members.remove(member(1));
        members.shrink();
        assert!(matches!(members, Members::Few(_)));
        assert_eq!(members.sorted(), [5, 3].map(member));
    }
}
