//! Rules that look at one step at a time, and at who handles its failures and signals.

use std::collections::BTreeMap;

use super::{Place, Rule, Violation, violation};
use crate::flow::Flow;
use crate::{Alternative, Catches, EventId, Graph, Param, ParamForm, Role, Step, StepId, Tool};

/// How many alternatives a `OneOf` has room for.
const MOST_ALTERNATIVES: usize = 8;

/// Everything else follows the numbers in the graph, so they must lead somewhere.
pub(super) fn the_graph_is_linked(graph: &Graph, found: &mut Vec<Violation>) {
    let mut linked = graph.clone();
    let message = match linked.relink() {
        Err(error) => format!("{error}; build the graph again"),
        Ok(()) if linked != *graph => {
            "what the graph derives does not follow from its steps; call `relink`".to_owned()
        }
        Ok(()) => return,
    };
    found.push(violation(Rule::Linked, Place::Workflow, message));
}

/// A parameter takes what travels between steps or comes from outside.
pub(super) fn steps_take_what_can_be_taken(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    for (id, step) in flow.steps() {
        if step.params.is_empty() {
            let message = format!(
                "step `{}` takes no event, so nothing would run it; let it take the event it waits for",
                step.name
            );
            found.push(violation(Rule::Form, Place::Step(id), message));
        }
        for (param, it) in (0..).zip(step.params.iter()) {
            a_parameter_takes_events(flow, (id, step), (param, it), found);
            if it.form == ParamForm::Failed && step.params.len() > 1 {
                let at = Place::Param { step: id, param, alternative: 0 };
                let message = "`StepFailed` stands alone: a failure joins with nothing; take the other events in a step of their own";
                found.push(violation(Rule::Form, at, message));
            }
        }
        a_join_takes_each_event_once(flow, (id, step), found);
    }
}

fn a_parameter_takes_events(
    flow: &Flow<'_>,
    (step, _): (StepId, &Step),
    (param, it): (u16, &Param),
    found: &mut Vec<Violation>,
) {
    let place = |alternative| Place::Param { step, param, alternative };
    if it.events.is_empty() && it.form != ParamForm::Failed {
        found.push(violation(
            Rule::Form,
            place(0),
            "a parameter that takes no event never has one; name the event",
        ));
    }
    if it.events.len() > MOST_ALTERNATIVES {
        found.push(violation(Rule::Form, place(8), too_many()));
    }
    let mut before = BTreeMap::new();
    for (alternative, event) in (0..).zip(it.events.iter()) {
        let name = flow.event(*event);
        let wrong = match flow.graph.role(*event) {
            Some(Role::Stop) => format!(
                "a step cannot take {name}: the run is over when it is emitted; take the event before it"
            ),
            Some(Role::Prompt { .. }) => {
                let payload = flow.payload(*event);
                format!("a step cannot take {name}: it goes to a person; take `HumanResponse<{payload}>`")
            }
            Some(Role::Start | Role::Signal) if it.is_gather() => {
                format!("{name} cannot be gathered: it arrives outside every fan-out; take {name} itself")
            }
            _ => match before.insert(*event, alternative) {
                None => continue,
                Some(first) => {
                    let it = violation(Rule::Form, place(alternative), twice(&name));
                    found.push(it.also(place(first), "the first one"));
                    continue;
                }
            },
        };
        found.push(violation(Rule::Form, place(alternative), wrong));
    }
}

/// Two parameters that take the same event could each take what the other waits for.
fn a_join_takes_each_event_once(flow: &Flow<'_>, (id, step): (StepId, &Step), found: &mut Vec<Violation>) {
    let mut before = BTreeMap::new();
    for (param, it) in (0..).zip(step.params.iter()) {
        for (alternative, event) in (0..).zip(it.events.iter()) {
            let at = Place::Param { step: id, param, alternative };
            match before.get(&(*event, it.is_gather())) {
                None => _ = before.insert((*event, it.is_gather()), (param, at)),
                // Within one parameter it is a double alternative, which has been said.
                Some((first, _)) if *first == param => {}
                Some((_, first)) => {
                    let name = flow.event(*event);
                    let message =
                        format!("this join takes {name} twice; wrap one of them in an event of its own");
                    found.push(violation(Rule::Form, at, message).also(*first, "the first one"));
                }
            }
        }
    }
}

/// Whether an event may stand in a gather.
pub(super) fn can_be_gathered(flow: &Flow<'_>, event: EventId) -> bool {
    matches!(flow.graph.role(event), Some(Role::Event | Role::Response { .. } | Role::Expired { .. }))
}

/// A join that breaks a rule of this module, so that it says nothing about what can meet.
pub(super) fn takes_an_event_twice(step: &Step) -> bool {
    let mut all: Vec<(EventId, bool)> = step
        .params
        .iter()
        .flat_map(|param| param.events.iter().map(|event| (*event, param.is_gather())))
        .collect();
    all.sort();
    all.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// What a step emits travels on, asks a person or ends the run; capabilities fit what they are for.
pub(super) fn steps_emit_what_can_be_emitted(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    for (id, step) in flow.steps() {
        for emission in flow.emitted_by(id) {
            let name = flow.event(emission.event);
            let wrong = match flow.graph.role(emission.event) {
                Some(Role::Event | Role::Prompt { .. }) => continue,
                Some(Role::Stop) if emission.point.is_none() => continue,
                Some(Role::Stop) => format!(
                    "{name} ends the run, so it cannot be one of many; return it as an alternative of its own"
                ),
                _ => format!("a step cannot emit {name}: it comes from outside; emit an event of your own"),
            };
            found.push(violation(Rule::Form, emission.at, wrong));
        }
        for (tool, it) in (0..).zip(step.tools.iter()) {
            let (event, fits, what) = match *it {
                Tool::Emitter(_) => continue,
                Tool::Asker(event) => (
                    event,
                    matches!(flow.graph.role(event), Some(Role::Prompt { .. })),
                    "an `Asker` asks a question",
                ),
                Tool::Inbox(event) => {
                    (event, flow.graph.role(event) == Some(Role::Signal), "an `Inbox` takes a signal")
                }
            };
            if !fits {
                let message = format!("{what}, and {} is none; use an event of that kind", flow.event(event));
                found.push(violation(Rule::Form, Place::Tool { step: id, tool }, message));
            }
        }
        returns_name_each_alternative_once(flow, (id, step), found);
    }
}

fn returns_name_each_alternative_once(
    flow: &Flow<'_>,
    (id, step): (StepId, &Step),
    found: &mut Vec<Violation>,
) {
    let alternatives = &step.returns.alternatives;
    if alternatives.len() > MOST_ALTERNATIVES {
        let at = Place::Returned { step: id, alternative: 8, item: 0 };
        found.push(violation(Rule::Form, at, too_many()));
    }
    // The same types give the same key, whatever point they fan out at.
    let key = |it: &Alternative| match *it {
        Alternative::One(event) => (false, vec![event]),
        Alternative::Many(point) => (true, flow.graph.items(point).to_vec()),
    };
    let mut before = BTreeMap::new();
    for (alternative, it) in (0..).zip(alternatives.iter()) {
        let (many, items) = key(it);
        let at = Place::Returned { step: id, alternative, item: 0 };
        if items.len() > MOST_ALTERNATIVES {
            found.push(violation(Rule::Form, Place::Returned { step: id, alternative, item: 8 }, too_many()));
        }
        let names: Vec<String> = items.iter().map(|event| flow.event(*event)).collect();
        for (item, event) in (0..).zip(&items) {
            if items.iter().take(usize::from(item)).any(|other| other == event) {
                let at = Place::Returned { step: id, alternative, item };
                found.push(violation(Rule::Form, at, twice(&flow.event(*event))));
            }
        }
        if let Some(first) = before.insert((many, items), at) {
            found.push(violation(Rule::Form, at, twice(&super::either(&names))).also(first, "the first one"));
        }
    }
    for (tool, it) in (0..).zip(step.tools.iter()) {
        let Tool::Emitter(point) = *it else { continue };
        if flow.graph.items(point).len() > MOST_ALTERNATIVES {
            found.push(violation(Rule::Form, Place::Tool { step: id, tool }, too_many()));
        }
    }
}

fn too_many() -> String {
    format!("a `OneOf` has at most {MOST_ALTERNATIVES} alternatives; put some of them in one event enum")
}

fn twice(name: &str) -> String {
    format!("{name} stands here twice; keep one, or use an event of its own for each meaning")
}

/// An option that means nothing on its step is a misunderstanding.
pub(super) fn options_fit_the_step(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    for (id, step) in flow.steps() {
        let gathers = step.params.iter().any(Param::is_gather);
        let mut wrong = |name, message: &str| {
            found.push(violation(Rule::Form, Place::Option { step: id, name }, message));
        };
        if step.options.workers == Some(0) {
            wrong(
                "workers",
                "with `workers = 0` the step would never run; give at least 1, or leave the option out for no limit",
            );
        }
        if step.options.take == Some(0) {
            wrong("take", "`take = 0` would wait for nothing; give at least 1");
        }
        if step.options.take.is_some() && !gathers {
            wrong("take", "`take` is for a step that gathers; take a `Vec<..>`, or leave the option out");
        }
        if !step.options.cancel_rest && step.options.take.is_none() {
            wrong(
                "cancel_rest",
                "`cancel_rest` says what becomes of the rest after `take`; add `take = n`, or leave the option out",
            );
        }
        if step.options.max_recoveries.is_some() && step.options.catches.is_none() {
            wrong(
                "max_recoveries",
                "`max_recoveries` is for an error handler; take a `StepFailed`, or leave the option out",
            );
        }
    }
}

/// Each failure has one handler, and a handler's own failure none.
pub(super) fn handlers_catch_what_they_can(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    let mut rest = None;
    let mut claims = BTreeMap::new();
    for (id, step) in flow.steps() {
        let whole = Place::Catches { step: id, position: None };
        let Some(catches) = &step.options.catches else { continue };
        if !step.params.iter().any(|param| param.form == ParamForm::Failed) {
            let message =
                format!("`catches(..)` is for an error handler; let `{}` take a `StepFailed`", step.name);
            found.push(violation(Rule::Handlers, whole, message));
        }
        match catches {
            Catches::Rest => match rest {
                None => rest = Some((whole, &step.name)),
                Some((first, other)) => {
                    let message = format!(
                        "`{}` and `{other}` both catch every step that no other handler claims; name the steps of one with `catches(..)`",
                        step.name
                    );
                    found.push(violation(Rule::Handlers, whole, message).also(first, "the other one"));
                }
            },
            Catches::Steps(caught) if caught.is_empty() => {
                let message = "`catches()` names no step; name one, or leave the option out to catch all that no other handler claims";
                found.push(violation(Rule::Handlers, whole, message));
            }
            Catches::Steps(caught) => {
                for (position, caught) in (0..).zip(caught.iter()) {
                    let at = Place::Catches { step: id, position: Some(position) };
                    let name = flow.step(*caught);
                    let handles = flow.graph.step(*caught).is_some_and(|step| step.options.catches.is_some());
                    if handles {
                        let message = format!(
                            "{name} is an error handler, and no handler catches the failure of another; leave it out"
                        );
                        found.push(
                            violation(Rule::Handlers, at, message).also(Place::Step(*caught), "the handler"),
                        );
                    } else if let Some(first) = claims.insert(*caught, at) {
                        let message = format!("{name} is caught already; a failure has one handler");
                        found.push(violation(Rule::Handlers, at, message).also(first, "the first one"));
                    }
                }
            }
        }
        a_typed_handler_gets_its_type(flow, (id, step), found);
    }
}

/// With `StepFailed<T>` the input arrives typed, so every caught step must take `T`.
fn a_typed_handler_gets_its_type(flow: &Flow<'_>, (id, step): (StepId, &Step), found: &mut Vec<Violation>) {
    for (param, it) in (0..).zip(step.params.iter()) {
        if it.form != ParamForm::Failed || it.events.is_empty() {
            continue;
        }
        let is_it = |param: &Param| {
            param.form == ParamForm::One && param.events.iter().all(|event| it.events.contains(event))
        };
        let types: Vec<String> = it.events.iter().map(|event| flow.event(*event)).collect();
        for caught in flow.caught_by(id) {
            if flow.graph.step(caught).is_some_and(|step| step.params.iter().any(is_it)) {
                continue;
            }
            let message = format!(
                "`{}` catches {}, which does not take {}; take a plain `StepFailed`, or name only steps that do",
                step.name,
                flow.step(caught),
                super::either(&types)
            );
            let it = violation(Rule::Handlers, Place::Param { step: id, param, alternative: 0 }, message);
            found.push(it.also(Place::Step(caught), "takes something else"));
        }
    }
}

/// An unread signal waits either for a step or for an inbox; with both, who gets it would be a race.
pub(super) fn a_signal_has_one_kind_of_taker(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    for (id, step) in flow.steps() {
        for (tool, it) in (0..).zip(step.tools.iter()) {
            let Tool::Inbox(signal) = *it else { continue };
            if let Some(taken) = flow.acceptances(signal).first() {
                let message = format!(
                    "{} goes to a step already, so an `Inbox` would never get it; use one or the other",
                    flow.event(signal)
                );
                let it = violation(Rule::SignalTaker, Place::Tool { step: id, tool }, message);
                found.push(it.also(taken.at(), format!("{} is taken here", flow.event(signal))));
            }
        }
    }
}
