//! How fan-outs open, gather and close.
//!
//! A scope is open as long as something in it is on the way: an invocation, a question, an inner scope. An
//! event that waits in a half-filled join or in a gather does not keep it open. When the last member
//! leaves, the scope closes: every gather of its point that has not fired fires, exactly once, into the
//! branch in which the scope was opened, and that may close the next scope outwards.
//!
//! A scope that an emitter fills is also kept open by the step that sends, until it returns. That step does not
//! live in the scope but beside it, so cancelling the scope does not cancel the step.

use workflow_graph::{EventId, PointId, Slot, Step, Tool};

use super::command::{Command, Notice};
use super::delivery::Way;
use super::members::{Member, Members};
use super::payload::{Failure, Part, Payload};
use super::scopes::{Arrivals, Gather, Joins, Place, Scope};
use super::state::{Branch, Invocation, InvocationId, InvocationState, ScopeId, Sender, Timer, merged};
use super::turn::Turn;

impl<E: Payload> Turn<'_, E> {
    /// Opens a scope and sends each element into a branch of it.
    pub(super) fn fan_out(&mut self, point: PointId, events: Vec<E>, way: &Way) {
        let id = self.open_scope(point, way.branch);
        self.state.invocations.reserve(events.len());
        if let Some(scope) = self.state.scopes.get_mut(&id) {
            scope.members.reserve(events.len());
        }
        let mut way = way.clone();
        for (index, event) in (0..).zip(events) {
            // A `take` that is full already has cancelled the rest, this element with it.
            if !self.state.scopes.contains_key(&id) {
                return;
            }
            way.branch = Branch { scope: id, index };
            self.emit(event, &way);
        }
        if self.state.scopes.get(&id).is_some_and(|scope| scope.members.is_empty()) {
            self.close(id);
        }
    }

    /// Opens the scope of each emitter of a step that starts for the first time. The step keeps them open
    /// until it returns.
    pub(super) fn open_emitters(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get(&id) else { return };
        let branch = invocation.branch;
        let Some(step) = self.graph.step(invocation.step) else { return };
        if !invocation.emitters().is_empty() {
            return;
        }
        let points = emitter_points(step);
        let opened = points.map(|point| {
            let scope = self.open_scope(point, branch);
            self.join_scope(scope, Member::Filler(id));
            Sender { scope, sent: 0 }
        });
        let opened: Vec<Sender> = opened.collect();
        if opened.is_empty() {
            return;
        }
        if let Some(invocation) = self.state.invocations.get_mut(&id) {
            invocation.history.make().emitters = opened;
        }
    }

    /// The emitter of a running invocation that fills scopes of that point.
    pub(super) fn sender<'i>(&self, invocation: &'i Invocation<E>, point: PointId) -> Option<&'i Sender> {
        let position = emitter_points(self.graph.step(invocation.step)?).position(|other| other == point)?;
        invocation.emitters().get(position)
    }

    /// An emitter has sent an event, into the next branch of its scope.
    pub(super) fn send(&mut self, id: InvocationId, point: PointId, place: u32, event: E) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        let step = invocation.step;
        let Some(declared) = self.graph.step(step) else { return };
        let Some(position) = emitter_points(declared).position(|other| other == point) else { return };
        let Some(history) = invocation.history.get_mut() else { return };
        let Some(sender) = history.emitters.get_mut(position) else { return };
        if place < sender.sent {
            // An earlier attempt has sent it.
            return;
        }
        let branch = Branch { scope: sender.scope, index: sender.sent };
        sender.sent += 1;
        if self.state.scopes.contains_key(&branch.scope) {
            let recoveries = invocation.recoveries.clone();
            self.publish(Notice::StepSent { invocation: id, step, event: event.event() });
            self.emit(event, &Way { branch, from: step, recoveries });
        }
    }

    fn open_scope(&mut self, point: PointId, parent: Branch) -> ScopeId {
        let id = ScopeId(self.next_id());
        let depth = self.state.scopes.get(&parent.scope).map_or(0, |scope| scope.depth) + 1;
        let gathers = self.graph.point(point).map_or(&[][..], |point| &point.gathers);
        let gathers = gathers.iter().map(|slot| Gather {
            slot: *slot,
            arrived: Arrivals::NONE,
            successes: 0,
            fired: false,
            recoveries: None,
        });
        let scope = Scope {
            point: Some(point),
            parent: Some(parent),
            depth,
            members: Members::NONE,
            gathers: gathers.collect(),
            joins: Joins::NEVER,
        };
        self.state.scopes.insert(id, scope);
        self.join_scope(parent.scope, Member::Scope(id));
        id
    }

    /// Something has arrived where a whole scope is gathered. `false` if its scope is not gathered there.
    pub(super) fn gather(&mut self, slot: Slot, member: Result<E, Box<Failure>>, way: &Way) -> bool {
        let commit = self.next_id();
        let Some(scope) = self.state.scopes.get_mut(&way.branch.scope) else { return true };
        let Some(gather) = scope.gathers.iter_mut().find(|gather| gather.slot == slot) else { return false };
        if gather.fired {
            return true;
        }
        gather.recoveries = merged(gather.recoveries.take(), &way.recoveries);
        let place = Place { index: way.branch.index, from: way.from, commit };
        gather.successes += u32::from(member.is_ok());
        gather.arrived.add(place, member);
        let take = self.graph.step(slot.step).and_then(|step| step.options.take);
        if take.is_some_and(|take| gather.successes >= take) {
            self.fire_early(slot, way.branch.scope);
        }
        true
    }

    /// A `take` is full: its gather fires now. When every gather has fired, the rest is cancelled, unless a
    /// gather lets it run on.
    fn fire_early(&mut self, slot: Slot, id: ScopeId) {
        let Some(scope) = self.state.scopes.get_mut(&id) else { return };
        let Some(parent) = scope.parent else { return };
        let Some(gather) = scope.gathers.iter_mut().find(|gather| gather.slot == slot) else { return };
        gather.fired = true;
        gather.successes = 0;
        let recoveries = gather.recoveries.take();
        let all = std::mem::replace(&mut gather.arrived, Arrivals::NONE).into_sorted();
        let graph = self.graph;
        let cancels = |gather: &Gather<E>| {
            gather.fired && graph.step(gather.slot.step).is_none_or(|step| step.options.cancel_rest)
        };
        let cancel_rest = scope.gathers.iter().all(cancels);
        self.arrive(slot, Part::All(all), parent, &recoveries);
        if cancel_rest {
            self.cancel_scope(id);
            self.leave(parent.scope, Member::Scope(id));
        }
    }

    /// Takes a member out of its scope, and closes what is empty then, outwards.
    pub(super) fn leave(&mut self, id: ScopeId, member: Member) {
        let Some(scope) = self.state.scopes.get_mut(&id) else { return };
        scope.members.remove(member);
        if scope.members.is_empty() {
            self.close(id);
        }
    }

    /// Closes an empty scope, and every scope outwards that is empty by that. The run itself never closes.
    fn close(&mut self, mut id: ScopeId) {
        while id != ScopeId::ROOT {
            let Some(scope) = self.state.scopes.remove(&id) else { return };
            let Some(parent) = scope.parent else { return };
            self.report_unpaired(scope.joins);
            for gather in scope.gathers.into_iter().filter(|gather| !gather.fired) {
                let all = gather.arrived.into_sorted();
                self.arrive(gather.slot, Part::All(all), parent, &gather.recoveries);
            }
            let Some(outer) = self.state.scopes.get_mut(&parent.scope) else { return };
            outer.members.remove(Member::Scope(id));
            if !outer.members.is_empty() {
                return;
            }
            id = parent.scope;
        }
    }

    fn report_unpaired(&mut self, joins: Joins<E>) {
        for ((_, step), slots) in joins.into_inner().into_iter().flatten() {
            let left = slots.iter().flatten();
            let events: Vec<EventId> = left.flat_map(|parked| parked.part.events()).collect();
            if !events.is_empty() {
                self.publish(Notice::Unpaired { step, events });
            }
        }
    }

    /// Cancels everything in a scope, inner scopes too. Costs what is in it.
    pub(super) fn cancel_scope(&mut self, id: ScopeId) {
        let (mut doomed, mut given_up) = (vec![id], Vec::new());
        while let Some(id) = doomed.pop() {
            let Some(scope) = self.state.scopes.remove(&id) else { continue };
            for member in scope.members.sorted() {
                match member {
                    Member::Invocation(id) => {
                        let Some(mut invocation) = self.take_out(id) else { continue };
                        given_up.extend(invocation.give_up_signals().map(|signal| (id, signal)));
                        if let InvocationState::Delayed(due) = invocation.state {
                            self.state.stop_timer(Some(due), Timer::Retry(id));
                        }
                        if invocation.state == InvocationState::Running {
                            self.release(invocation.step);
                            self.out.push(Command::Abort { invocation: id });
                        }
                    }
                    Member::Request(id) => {
                        if self.close_request(id).is_some() {
                            self.publish(Notice::InputWithdrawn { request: id });
                        }
                    }
                    Member::Scope(inner) => doomed.push(inner),
                    // It goes on; what it sends from now on goes nowhere.
                    Member::Filler(_) => {}
                }
            }
        }
        // Only now, so that nobody gets them who is cancelled as well.
        given_up.sort_by_key(|(id, _)| *id);
        self.put_back(given_up.into_iter().map(|(_, signal)| signal).collect());
    }
}

/// The fan-out points of a step's emitters, in the order of its parameters.
pub(crate) fn emitter_points(step: &Step) -> impl Iterator<Item = PointId> + '_ {
    step.tools.iter().filter_map(|tool| match tool {
        Tool::Emitter(point) => Some(*point),
        Tool::Asker(_) | Tool::Inbox(_) => None,
    })
}
