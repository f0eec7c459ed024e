//! Rules about names: each means one thing, and what one step emits another accepts.

use std::collections::HashMap;

use super::{Place, Rule, Violation, violation};
use crate::flow::{Acceptance, Flow};
use crate::{EventId, Role, Tool};

/// Saved runs know steps and events by name, and a renamed step also by its old one.
pub(super) fn every_name_is_used_once(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    let mut steps = HashMap::new();
    for (id, step) in flow.steps() {
        if let Some(first) = steps.insert(&*step.name, id) {
            let message = format!("two steps are called `{}`; rename one", step.name);
            found.push(
                violation(Rule::Names, Place::Step(id), message).also(Place::Step(first), "the other one"),
            );
        }
    }
    let mut old = HashMap::new();
    for (id, step) in flow.steps() {
        let Some(was) = step.was.as_deref() else { continue };
        let at = Place::Option { step: id, name: "was" };
        if let Some(other) = steps.get(was) {
            let message = format!(
                "`{was}` is the name of a step of today; `was` says what `{}` was called before",
                step.name
            );
            found.push(
                violation(Rule::Names, at, message).also(Place::Step(*other), format!("`{was}` is here")),
            );
        } else if let Some(first) = old.insert(was, at) {
            let message =
                format!("two steps were called `{was}`; keep `was` on the one that goes on where it stopped");
            found.push(violation(Rule::Names, at, message).also(first, "the other one"));
        }
    }
    let mut events = HashMap::new();
    for (id, event) in flow.graph.event_ids().zip(flow.graph.events.iter()) {
        if events.insert(&*event.name, id).is_some() {
            let message = format!("two events are called `{}`; rename one", event.name);
            found.push(violation(Rule::Names, Place::Workflow, message));
        }
    }
}

/// An event that nobody accepts ends its branch unnoticed.
pub(super) fn every_emitted_event_is_accepted(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    for event in flow.graph.event_ids() {
        let Some((first, rest)) = flow.emissions(event).split_first() else { continue };
        let (missing, message) = match flow.graph.role(event) {
            Some(Role::Event) if flow.acceptances(event).is_empty() => {
                (event, format!("event {} is emitted here but no step accepts it", flow.event(event)))
            }
            Some(Role::Prompt { response: None, .. }) => {
                (event, format!("{} is emitted here but no step accepts the answer", flow.event(event)))
            }
            _ => continue,
        };
        let near = flow.nearest(missing, |other| match flow.graph.role(other) {
            Some(Role::Event) => !flow.acceptances(other).is_empty(),
            Some(Role::Prompt { response, .. }) => response.is_some(),
            _ => false,
        });
        let payload = flow.payload(event);
        let remedy = match (near, flow.graph.role(event)) {
            (Some(near), _) => format!("did you mean {}?", flow.event(near)),
            (None, Some(Role::Prompt { .. })) => {
                format!("add a step that takes `HumanResponse<{payload}>`")
            }
            (None, _) => format!("add a step that takes `{payload}` or stop with it"),
        };
        let mut it = violation(Rule::EmittedIsAccepted, first.at, format!("{message}; {remedy}"));
        it.also.extend(rest.iter().map(|it| (it.at, format!("{} is also emitted here", flow.event(event)))));
        if let Some((near, taken)) = near.and_then(|near| Some((near, flow.acceptances(near).first()?))) {
            it = it.also(taken.at(), format!("{} is taken here", flow.event(near)));
        }
        found.push(it);
    }
}

/// A step that waits for what nobody emits never runs.
///
/// A step with `skip(reachability)` may wait for what only older versions emitted.
pub(super) fn every_accepted_event_is_emitted(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    for event in flow.graph.event_ids().filter(|event| flow.is_never_emitted(*event)) {
        let demanded = |it: &&Acceptance| {
            !flow.graph.step(it.slot.step).is_some_and(|step| step.options.skip.reachability)
        };
        let mut places = flow.acceptances(event).iter().filter(demanded);
        let Some(first) = places.next() else { continue };
        let Some(step) = flow.graph.step(first.slot.step) else { continue };

        let waits_for_it_alone =
            step.params.len() == 1 && step.params.iter().all(|param| param.events.len() == 1);
        let payload = flow.payload(event);
        let (wrong, remedy) = match flow.graph.role(event) {
            Some(Role::Response { .. } | Role::Expired { .. }) => (
                format!("step `{}` takes {}, but no step asks", step.name, flow.event(event)),
                format!("return `InputRequired<{payload}>` from a step"),
            ),
            _ if waits_for_it_alone => (
                format!("step `{}` is never reached: nothing emits {}", step.name, flow.event(event)),
                format!("return {} from a step", flow.event(event)),
            ),
            _ => (
                format!("step `{}` takes {}, but nothing emits it", step.name, flow.event(event)),
                format!("return {} from a step", flow.event(event)),
            ),
        };
        let near = flow.nearest(event, |other| !flow.sources(other).is_empty());
        let remedy = near.map_or(remedy, |near| format!("did you mean {}?", flow.event(near)));
        let mut it = violation(Rule::AcceptedIsEmitted, first.at(), format!("{wrong}; {remedy}"));
        it.also.extend(places.map(|place| (place.at(), format!("{} is also taken here", flow.event(event)))));
        if let Some((near, emitted)) = near.and_then(|near| Some((near, flow.sources(near).first()?))) {
            it = it.also(emitted.at, format!("{} comes from here", flow.event(near)));
        }
        if let Some(asker) = flow.asked_inside(event) {
            it = it.also(asker, "an `Asker` takes the answer itself");
        }
        found.push(it);
    }
}

impl Flow<'_> {
    /// Whether an event that must come from a step comes from none.
    pub(super) fn is_never_emitted(&self, event: EventId) -> bool {
        let from_a_step = matches!(
            self.graph.role(event),
            Some(Role::Event | Role::Response { .. } | Role::Expired { .. })
        );
        from_a_step && self.sources(event).is_empty()
    }

    /// Where the question of an answer is asked through an `Asker`.
    fn asked_inside(&self, answer: EventId) -> Option<Place> {
        let Some(Role::Response { .. } | Role::Expired { .. }) = self.graph.role(answer) else {
            return None;
        };
        self.steps().find_map(|(step, it)| {
            let asks = |tool: &Tool| match tool {
                Tool::Asker(prompt) => self.payload(*prompt) == self.payload(answer),
                Tool::Emitter(_) | Tool::Inbox(_) => false,
            };
            let tool = (0..).zip(it.tools.iter()).find(|(_, tool)| asks(tool))?.0;
            Some(Place::Tool { step, tool })
        })
    }

    /// The event of the same kind whose name is so close that it was probably meant.
    fn nearest(&self, event: EventId, is_candidate: impl Fn(EventId) -> bool) -> Option<EventId> {
        let kind = |event| self.graph.role(event).map(|role| std::mem::discriminant(&role));
        let candidates =
            self.graph.event_ids().filter(|other| *other != event && kind(*other) == kind(event));
        let name = self.payload(event);
        candidates
            .filter(|other| is_candidate(*other))
            .map(|other| (distance(name, self.payload(other)), other))
            .filter(|(distance, other)| *distance <= name.len().max(self.payload(*other).len()) / 3)
            .min()
            .map(|(_, other)| other)
    }
}

/// How many letters must be added, removed or replaced, upper and lower case being the same.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (position, letter) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = position;
        let mut left = position + 1;
        let mut next = vec![left];
        for (other, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(letter != *other)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
