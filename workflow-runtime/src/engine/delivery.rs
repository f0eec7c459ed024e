//! What becomes of an event: it is handed to whoever takes it.

use workflow_graph::{Alternative, Event, ParamForm, Role, Slot, StepId};

use super::command::{Counted, Notice};
use super::members::Member;
use super::payload::{Emitted, Input, Part, Payload};
use super::scopes::Parked;
use super::state::{Branch, Invocation, InvocationId, InvocationState, Recoveries, merged};
use super::turn::Turn;
use crate::error::{StepError, StepErrorKind};
use crate::seldom::Seldom;

/// Where an event comes from, and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The branch it travels in.
    pub(super) branch: Branch,
    /// The step that emitted it.
    pub(super) from: StepId,
    /// The error handlers on its way so far.
    pub(super) recoveries: Recoveries,
}

impl Way {
    /// The way of what comes from outside. No step emitted it; at the root no order depends on that.
    pub(super) fn root() -> Self {
        Self { branch: Branch::ROOT, from: StepId(0), recoveries: None }
    }
}

impl<E: Payload> Turn<'_, E> {
    /// A step has finished: what it emitted takes effect.
    pub(super) fn settle(&mut self, id: InvocationId, emitted: Emitted<E>) {
        let Some(step) = self.state.invocations.get(&id).map(|invocation| invocation.step) else { return };
        if let Some(event) = self.undeclared(step, &emitted) {
            let message = format!(
                "step `{}` emitted `{event}`, which its graph does not say it emits there",
                self.step_name(step)
            );
            return self.fail(id, StepError::of_kind(StepErrorKind::Misrouted, message));
        }
        let Some(Invocation { branch, recoveries, history, .. }) = self.take_out(id) else { return };
        let way = Way { branch, from: step, recoveries };
        self.release(step);
        let counted = Counted::of(&emitted, self.graph);
        self.publish(Notice::StepFinished { invocation: id, step, emitted: counted });
        match emitted {
            Emitted::None => {
                self.state.extras.make().ended.insert(step);
            }
            Emitted::One(event) => match self.role(&event) {
                Some(Role::Stop) => return self.stop(event),
                _ => self.emit(event, &way),
            },
            Emitted::Many(point, events) => self.fan_out(point, events, &way),
        }
        for sender in history.get().map_or(&[][..], |history| &history.emitters) {
            self.leave(sender.scope, Member::Filler(id));
        }
        self.leave(branch.scope, Member::Invocation(id));
    }

    /// The event that the step's returns do not declare, if there is one. Generated code never emits one.
    fn undeclared(&self, step: StepId, emitted: &Emitted<E>) -> Option<String> {
        let returns = &self.graph.step(step)?.returns;
        match emitted {
            Emitted::None if returns.optional => None,
            Emitted::None => Some("nothing".to_owned()),
            Emitted::One(event) => {
                let declared = returns.alternatives.contains(&Alternative::One(event.event()));
                (!declared).then(|| self.event_name(event.event()))
            }
            Emitted::Many(point, events) => {
                let items = match self.graph.point(*point) {
                    Some(found) if returns.alternatives.contains(&Alternative::Many(*point)) => &found.items,
                    _ => return Some(format!("a fan-out of point {}", point.0)),
                };
                let stray = events.iter().find(|event| !items.contains(&event.event()));
                stray.map(|event| self.event_name(event.event()))
            }
        }
    }

    /// Hands on what a step emitted: a question is asked, anything else delivered.
    pub(super) fn emit(&mut self, event: E, way: &Way) {
        let graph = self.graph;
        match graph.event(event.event()) {
            Some(Event { role: Role::Prompt { .. }, .. }) => self.ask(event, way),
            Some(Event { accepted_by, .. }) => self.hand_to_each(accepted_by, event, way),
            None => {}
        }
    }

    /// Gives an event to every parameter that takes it.
    pub(super) fn deliver(&mut self, event: E, way: &Way) {
        let graph = self.graph;
        if let Some(declared) = graph.event(event.event()) {
            self.hand_to_each(&declared.accepted_by, event, way);
        }
    }

    fn hand_to_each(&mut self, slots: &[Slot], event: E, way: &Way) {
        let Some((last, others)) = slots.split_last() else { return };
        for slot in others {
            self.hand_to(*slot, event.clone(), way);
        }
        self.hand_to(*last, event, way);
    }

    fn hand_to(&mut self, slot: Slot, event: E, way: &Way) {
        let params = self.graph.step(slot.step).map_or(&[][..], |step| &step.params);
        match params.get(usize::from(slot.param)) {
            Some(param) => match param.form {
                ParamForm::One if params.len() == 1 => {
                    self.invoke(slot.step, Input::One(event), way.branch, way.recoveries.clone());
                }
                ParamForm::One => self.arrive(slot, Part::One(event), way.branch, &way.recoveries),
                ParamForm::Gather { .. } => {
                    let kind = event.event();
                    if !self.gather(slot, Ok(event), way) {
                        // Outside every fan-out that this parameter gathers (`skip(outside)`).
                        self.publish(Notice::Unpaired { step: slot.step, events: vec![kind] });
                    }
                }
                // Fed by failures, not by events.
                ParamForm::Failed => {}
            },
            None => self.publish(Notice::Unpaired { step: slot.step, events: vec![event.event()] }),
        }
    }

    /// Something has arrived for a parameter: the step is invoked, or its join waits for the rest.
    pub(super) fn arrive(&mut self, slot: Slot, part: Part<E>, branch: Branch, recoveries: &Recoveries) {
        let arity = self.graph.step(slot.step).map_or(1, |step| step.params.len());
        if arity > 1 {
            let parked = Parked { part, recoveries: recoveries.clone() };
            if let Some((parts, recoveries)) = self.complete_join(slot, parked, branch, arity) {
                self.invoke(slot.step, Input::Parts(parts), branch, recoveries);
            }
            return;
        }
        let input = match part {
            Part::One(event) => Input::One(event),
            other => Input::Parts(vec![other]),
        };
        self.invoke(slot.step, input, branch, recoveries.clone());
    }

    /// Puts a part into its join. If that was the last one missing, takes the first of each, oldest first.
    fn complete_join(
        &mut self,
        slot: Slot,
        parked: Parked<E>,
        branch: Branch,
        arity: usize,
    ) -> Option<(Vec<Part<E>>, Recoveries)> {
        let joins = self.state.scopes.get_mut(&branch.scope)?.joins.make();
        let key = (branch.index, slot.step);
        let slots = joins.entry(key).or_default();
        slots.resize_with(arity, Default::default);
        slots.get_mut(usize::from(slot.param))?.push_back(parked);
        if slots.iter().any(|waiting| waiting.is_empty()) {
            return None;
        }
        let mut recoveries = None;
        let first = slots.iter_mut().filter_map(|waiting| waiting.pop_front());
        let parts = first
            .map(|parked| {
                recoveries = merged(recoveries.take(), &parked.recoveries);
                parked.part
            })
            .collect();
        if slots.iter().all(|waiting| waiting.is_empty()) {
            joins.remove(&key);
        }
        Some((parts, recoveries))
    }

    pub(super) fn invoke(&mut self, step: StepId, input: Input<E>, branch: Branch, recoveries: Recoveries) {
        let id = InvocationId(self.next_id());
        if self.join_scope(branch.scope, Member::Invocation(id)) {
            let invocation = Invocation {
                step,
                branch,
                input,
                state: InvocationState::Queued,
                attempt: 1,
                recoveries,
                history: Seldom::NEVER,
            };
            self.state.invocations.insert(id, invocation);
            self.scratch.fresh.push(id);
        }
    }
}
