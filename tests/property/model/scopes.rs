//! How fan-outs open, gather and close: a scope is over when a search finds nothing on the way in it.

use std::collections::BTreeSet;

use workflow_runtime::engine::{Failure, Part};
use workflow_runtime::graph::{EventId, ParamForm, PointId, Slot};

use super::seen::size;
use super::{Arrival, At, Counts, Extract as _, Gather, Model, Scope, Way, Work, WorkState, most};
use crate::case::Value;

impl Model {
    /// How many fan-outs are open around something in that scope.
    pub fn depth(&self, scope: usize) -> u32 {
        self.scope(scope).map_or(0, |it| it.depth)
    }

    pub(super) fn scope(&self, number: usize) -> Option<&Scope> {
        self.scopes.iter().find(|it| it.number == number)
    }

    pub(super) fn is_open(&self, scope: usize) -> bool {
        scope == 0 || self.scope(scope).is_some()
    }

    pub(super) fn open(&mut self, point: PointId, parent: At) -> usize {
        self.last_scope += 1;
        let slots = self.graph.points[point.index()].gathers.iter();
        let gathers = slots.map(|slot| Gather { slot: *slot, arrived: Vec::new(), fired: false }).collect();
        let depth = self.depth(parent.scope) + 1;
        if depth > 1 {
            self.seen.count("fan-outs in fan-outs");
        }
        self.seen.deepest = self.seen.deepest.max(depth);
        self.scopes.push(Scope { number: self.last_scope, id: None, point, parent, depth, gathers });
        self.last_scope
    }

    /// Something has arrived where a whole scope is gathered. `false` if its scope is not gathered there.
    pub(super) fn gather(&mut self, slot: Slot, member: Result<Value, Box<Failure>>, way: &Way) -> bool {
        let scope = self.scopes.iter_mut().find(|scope| scope.number == way.at.scope);
        let Some(scope) = scope else { return false };
        if let Ok(value) = &member {
            self.seen.gathered.insert((slot, value.event));
        }
        let Some(gather) = scope.gathers.iter_mut().find(|gather| gather.slot == slot) else { return false };
        if gather.fired {
            self.ledger.late += usize::from(member.is_ok());
            return true;
        }
        let (index, from, counts) = (way.at.index, way.from, way.counts.clone());
        gather.arrived.push(Arrival { index, from, member, counts });
        let successes = gather.arrived.iter().filter(|it| it.member.is_ok()).count();
        let take = self.graph.steps[slot.step.index()].options.take;
        if take.is_some_and(|take| successes == take as usize) {
            self.seen.taken_early = true;
            self.seen.count("takes fired early");
            self.fire(way.at.scope, slot);
            let Some(scope) = self.scope(way.at.scope) else { return true };
            let cancels = |gather: &Gather| {
                gather.fired && self.graph.steps[gather.slot.step.index()].options.cancel_rest
            };
            if scope.gathers.iter().all(cancels) {
                self.cancel(way.at.scope);
            }
        }
        true
    }

    /// A gather fires with what has arrived.
    fn fire(&mut self, scope: usize, slot: Slot) {
        let Some(scope) = self.scopes.iter_mut().find(|it| it.number == scope) else { return };
        let parent = scope.parent;
        let Some(gather) = scope.gathers.iter_mut().find(|gather| gather.slot == slot) else { return };
        gather.fired = true;
        let mut arrived = std::mem::take(&mut gather.arrived);
        arrived.sort_by_key(|it| (it.index, it.from));
        self.seen.gathered_by_arrival |=
            arrived.windows(2).any(|two| (two[0].index, two[0].from) == (two[1].index, two[1].from));
        self.seen.count("gathers fired");
        if arrived.iter().any(|it| it.member.is_err()) {
            self.seen.count("gathers fired with failures");
        }
        let counts = arrived.iter().fold(Counts::new(), |counts, it| most(counts, &it.counts));
        let members = arrived.into_iter().map(|it| it.member).collect();
        self.arrive(slot, Part::All(members), parent, counts);
    }

    /// The gathers of a scope that still take a failure.
    pub(super) fn failure_gathers(&self, scope: usize) -> Vec<Slot> {
        let gathers = self.scope(scope).map_or(&[][..], |it| &it.gathers);
        let takes_failures = |slot: &Slot| {
            self.graph.steps[slot.step.index()].params[usize::from(slot.param)].form
                == ParamForm::Gather { failures: true }
        };
        gathers.iter().filter(|it| !it.fired).map(|it| it.slot).filter(takes_failures).collect()
    }

    pub(super) fn is_over(&self, scope: usize) -> bool {
        let fills = |work: &Work| work.senders.iter().flatten().any(|sender| sender.scope == scope);
        !self.work.iter().any(|it| it.at.scope == scope || fills(it))
            && !self.questions.iter().any(|it| it.at.scope == scope)
            && !self.scopes.iter().any(|it| it.parent.scope == scope)
    }

    /// From the inside outwards, because an open scope keeps the one around it open; else the older first.
    pub(super) fn close_what_is_over(&mut self) {
        while let Some(scope) = self.scopes.iter().map(|it| it.number).find(|it| self.is_over(*it)) {
            let slots = self.scope(scope).map_or(&[][..], |it| &it.gathers);
            let unfired: Vec<Slot> = slots.iter().filter(|it| !it.fired).map(|it| it.slot).collect();
            for slot in unfired {
                self.fire(scope, slot);
            }
            self.scopes.retain(|it| it.number != scope);
            self.seen.count("scopes closed");
            for it in self.parked.extract(|it| it.at.scope == scope) {
                let events: Vec<EventId> =
                    it.slots.iter().flatten().flat_map(|(part, _)| part.events()).collect();
                self.ledger.reported += events.len();
                if !events.is_empty() {
                    self.expected.unpaired.push((it.step, events));
                }
            }
        }
    }

    /// A scope, and every scope in it.
    pub(super) fn all_in(&self, scope: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::from([scope]);
        // Inner scopes are younger than those around them.
        for it in &self.scopes {
            if all.contains(&it.parent.scope) {
                all.insert(it.number);
            }
        }
        all
    }

    pub(super) fn cancel(&mut self, scope: usize) {
        let doomed = self.all_in(scope);
        for it in self.scopes.extract(|it| doomed.contains(&it.number)) {
            self.seen.count("scopes cancelled");
            let arrived = it.gathers.iter().flat_map(|gather| &gather.arrived);
            self.ledger.cancelled += arrived.filter(|it| it.member.is_ok()).count();
        }
        for it in self.parked.extract(|it| doomed.contains(&it.at.scope)) {
            self.ledger.cancelled += it.slots.iter().flatten().map(|(part, _)| size(part)).sum::<usize>();
        }
        let is_delayed =
            |it: &Work| doomed.contains(&it.at.scope) && matches!(it.state, WorkState::Delayed(_));
        if self.work.iter().any(is_delayed) {
            self.seen.count("scopes cancelled in which something was to be tried again");
        }
        let mut given_back = Vec::new();
        while let Some(position) = self.work.iter().position(|it| doomed.contains(&it.at.scope)) {
            let work = &self.work[position];
            self.expected.aborted.extend(work.id.filter(|_| work.state == WorkState::Running));
            given_back.extend(self.discard(position, "signals given back by cancelled steps"));
        }
        self.give_back(given_back);
        for it in self.questions.extract(|it| doomed.contains(&it.at.scope)) {
            match it.id {
                Some(id) => self.expected.withdrawn.push(id),
                None => self.expected.withdrawn_at_once += 1,
            }
        }
    }
}
