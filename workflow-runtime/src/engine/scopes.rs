//! The open scopes of a run, and what has arrived in them.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use workflow_graph::{PointId, Slot, StepId};

use super::members::Members;
use super::payload::{Failure, Part};
use super::state::{Branch, Recoveries, ScopeId};
use crate::seldom::{Seldom, SeldomTable};

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
    inner: SeldomTable<ScopeId, Scope<E>>,
}

impl<E> Scopes<E> {
    /// Only the run itself, with nothing in it.
    pub(crate) const fn new() -> Self {
        Self { root: Scope::root(), inner: SeldomTable::EMPTY }
    }

    #[inline]
    pub(crate) fn get(&self, id: &ScopeId) -> Option<&Scope<E>> {
        if *id == ScopeId::ROOT { Some(&self.root) } else { self.inner.get(id) }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: &ScopeId) -> Option<&mut Scope<E>> {
        if *id == ScopeId::ROOT { Some(&mut self.root) } else { self.inner.get_mut(id) }
    }

    #[inline]
    pub(crate) fn contains_key(&self, id: &ScopeId) -> bool {
        self.get(id).is_some()
    }

    /// Opens a scope inside the run.
    pub(crate) fn insert(&mut self, id: ScopeId, scope: Scope<E>) {
        self.inner.insert(id, scope);
    }

    /// Takes a scope out. The run itself stays.
    pub(crate) fn remove(&mut self, id: &ScopeId) -> Option<Scope<E>> {
        self.inner.remove(id)
    }

    /// Closes all but the run itself, and takes out what is in that.
    pub(super) fn clear(&mut self) {
        self.root.members = Members::NONE;
        self.root.joins = Joins::NEVER;
        self.inner = SeldomTable::EMPTY;
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
        self.inner.iter()
    }

    /// All of them, the run itself first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ScopeId, &Scope<E>)> {
        std::iter::once((&ScopeId::ROOT, &self.root)).chain(self.inner())
    }

    pub(super) fn shrink(&mut self) {
        self.inner.shrink();
        let inner = self.inner.iter_mut().map(|(_, scope)| scope);
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
