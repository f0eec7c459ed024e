//! Rules about the way from `Start` to `Stop`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, Rule, Violation, violation};
use crate::flow::Flow;
use crate::{Alternative, EventId, ParamForm, Role, Step, StepId};

/// A run is started with one value, so all steps must agree on its type.
pub(super) fn one_start(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    let starts = flow.graph.event_ids().filter(|event| flow.graph.role(*event) == Some(Role::Start));
    let taken = starts.filter_map(|event| Some((event, flow.acceptances(event).first()?.at())));
    let none = "no step takes `Start`; let the first step take `Start<Input>`";
    let two = |a, b| {
        format!("a workflow has one input type, but this step takes {b} and another takes {a}; use one type")
    };
    one_of_a_kind(flow, Rule::OneStart, taken.collect(), none, two, found);
}

/// A run gives back one value, so all steps must agree on its type.
pub(super) fn one_stop(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    let stops = flow.graph.event_ids().filter(|event| flow.graph.role(*event) == Some(Role::Stop));
    let returned = stops.filter_map(|event| Some((event, flow.emissions(event).first()?.at)));
    let none = "no step returns `Stop`; let the last step return `Stop<Output>`";
    let two = |a, b| {
        format!(
            "a workflow has one output type, but this step returns {b} and another returns {a}; use one type"
        )
    };
    one_of_a_kind(flow, Rule::OneStop, returned.collect(), none, two, found);
}

fn one_of_a_kind(
    flow: &Flow<'_>,
    rule: Rule,
    mut places: Vec<(EventId, Place)>,
    none: &str,
    two: impl Fn(String, String) -> String,
    found: &mut Vec<Violation>,
) {
    places.sort_by(|(_, a), (_, b)| a.in_source(b));
    let Some(((first, first_at), others)) = places.split_first() else {
        return found.push(violation(rule, Place::Workflow, none));
    };
    for (other, at) in others {
        let message = two(flow.event(*first), flow.event(*other));
        found.push(violation(rule, *at, message).also(*first_at, format!("{} is here", flow.event(*first))));
    }
}

/// A step that no run can reach is a mistake in the step, or in what should lead to it.
///
/// A step that waits for what nobody emits has its own rule, and so has a workflow without `Start`.
pub(super) fn every_step_is_reachable(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    if found.iter().any(|it| it.rule == Rule::OneStart && it.at == Place::Workflow) {
        return;
    }
    let is_root = |(_, step): &(StepId, &Step)| step.options.skip.reachability || begins(flow, step);
    let reached = walk(flow.steps().filter(is_root).map(|(id, _)| id), |step| flow.followers(step).collect());
    let unreached: BTreeSet<StepId> = flow.graph.step_ids().filter(|step| !reached.contains(step)).collect();

    let mut leads_to = BTreeMap::<StepId, Vec<StepId>>::new();
    for step in &unreached {
        for follower in flow.followers(*step) {
            leads_to.entry(follower).or_default().push(*step);
        }
    }
    let before = |step: StepId| leads_to.get(&step).cloned().unwrap_or_default();
    for island in last_loops(&unreached, before) {
        let waits_in_vain = |step: &StepId| accepted(flow, *step).any(|event| flow.is_never_emitted(event));
        if island.iter().any(waits_in_vain) {
            continue;
        }
        let Some(step) = island.first().copied() else { continue };
        let source =
            accepted(flow, step).flat_map(|event| flow.sources(event)).find(|it| island.contains(&it.step));
        let Some(source) = source else { continue };
        let (name, event) = (flow.step(step), flow.event(source.event));
        let message = if source.step == step {
            format!(
                "step {name} is never reached: only {name} itself emits {event}; emit it on the way from `Start`"
            )
        } else {
            format!(
                "step {name} is never reached: {event} is only emitted by {}, which is never reached either; \
                 emit it on the way from `Start`",
                flow.step(source.step)
            )
        };
        let it = violation(Rule::Reachable, Place::Step(step), message);
        found.push(it.also(source.at, format!("{event} is emitted here")));
    }
}

/// A loop without a way out keeps the run going for ever.
///
/// An error handler is no way out: it would make every loop look as if it had one. An event that nobody
/// accepts has its own rule, and so has a workflow without `Stop`.
pub(super) fn every_step_reaches_an_end(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    if found.iter().any(|it| it.rule == Rule::OneStop && it.at == Place::Workflow) {
        return;
    }
    let mut comes_from = BTreeMap::<StepId, Vec<StepId>>::new();
    for step in flow.graph.step_ids() {
        for follower in flow.followers(step) {
            comes_from.entry(follower).or_default().push(step);
        }
    }
    let is_end = |(id, step): &(StepId, &Step)| step.options.skip.dead_end || ends(flow, *id, step);
    let before = |step: StepId| comes_from.get(&step).cloned().unwrap_or_default();
    let fine = walk(flow.steps().filter(is_end).map(|(id, _)| id), before);
    let stuck: BTreeSet<StepId> = flow.graph.step_ids().filter(|step| !fine.contains(step)).collect();

    for trap in last_loops(&stuck, |step| flow.followers(step).collect()) {
        let Some((first, rest)) = trap.split_first() else { continue };
        let name = flow.step(*first);
        let why = match rest {
            [] => format!("step {name} never reaches an end: it only leads back to itself"),
            _ => {
                let names: Vec<String> = trap.iter().map(|step| flow.step(*step)).collect();
                format!("step {name} never reaches an end: the loop of {} has no way out", names.join(", "))
            }
        };
        let message = format!("{why}; let one of its steps return `Stop<..>` or `Option<..>`");
        let mut it = violation(Rule::ReachesEnd, Place::Step(*first), message);
        it.also.extend(rest.iter().map(|step| (Place::Step(*step), "part of the loop".to_owned())));
        found.push(it);
    }
}

/// A run that only failures can bring to its `Stop` never completes.
///
/// This is what is left to say when all steps are reachable and all reach an end.
pub(super) fn a_stop_is_within_reach(flow: &Flow<'_>, found: &mut Vec<Violation>) {
    let explained = [
        Rule::Form,
        Rule::OneStart,
        Rule::OneStop,
        Rule::EmittedIsAccepted,
        Rule::AcceptedIsEmitted,
        Rule::Reachable,
        Rule::ReachesEnd,
    ];
    if found.iter().any(|it| explained.contains(&it.rule)) {
        return;
    }
    let comes_from_outside = |step: StepId| {
        accepted(flow, step).any(|event| matches!(flow.graph.role(event), Some(Role::Start | Role::Signal)))
    };
    let roots = flow.graph.step_ids().filter(|step| comes_from_outside(*step));
    let reached = walk(roots, |step| flow.followers(step).collect());
    let stops =
        |step: &StepId| flow.emitted_by(*step).iter().any(|it| flow.graph.role(it.event) == Some(Role::Stop));
    let waived = |step: &StepId| flow.graph.step(*step).is_some_and(|step| step.options.skip.dead_end);
    if reached.iter().any(|step| stops(step) || waived(step)) {
        return;
    }
    let starts = flow.graph.event_ids().filter(|event| flow.graph.role(*event) == Some(Role::Start));
    let Some(start) = starts.flat_map(|event| flow.acceptances(event)).next() else { return };
    let message = "no `Stop` is within reach of `Start`, so no run can complete; let a step on the way return `Stop<..>`";
    let mut it = violation(Rule::StopInReach, start.at(), message);
    let stops = flow.steps().flat_map(|(step, _)| flow.emitted_by(step));
    let stops = stops.filter(|it| flow.graph.role(it.event) == Some(Role::Stop));
    it.also.extend(stops.map(|stop| (stop.at, "only a failure leads here".to_owned())));
    found.push(it);
}

/// The steps from which the others of the workflow are reached: those that something other than a step sets
/// going. Where a parameter makes no sense, which is another rule's matter, the step counts as reached.
fn begins(flow: &Flow<'_>, step: &Step) -> bool {
    let from_a_step = |event: &EventId| {
        matches!(flow.graph.role(*event), Some(Role::Event | Role::Response { .. } | Role::Expired { .. }))
    };
    let waits_for_steps = |param: &crate::Param| {
        param.form != ParamForm::Failed && !param.events.is_empty() && param.events.iter().all(from_a_step)
    };
    step.params.is_empty() || !step.params.iter().all(waits_for_steps)
}

/// Whether a branch may end at a step. An event that goes nowhere counts: it is another rule's matter.
fn ends(flow: &Flow<'_>, id: StepId, step: &Step) -> bool {
    let leads_nowhere = |event: EventId| flow.becomes(event).all(|event| flow.acceptances(event).is_empty());
    let alternatives = &step.returns.alternatives;
    step.returns.optional
        || alternatives.is_empty()
        || alternatives
            .iter()
            .any(|it| matches!(it, Alternative::Many(point) if flow.graph.items(*point).is_empty()))
        || flow.emitted_by(id).iter().any(|emission| leads_nowhere(emission.event))
}

fn accepted<'f>(flow: &'f Flow<'_>, step: StepId) -> impl Iterator<Item = EventId> + 'f {
    let params = flow.graph.step(step).into_iter().flat_map(|step| step.params.iter());
    params.filter(|param| param.form != ParamForm::Failed).flat_map(|param| param.events.iter().copied())
}

/// Everything that can be reached, the beginnings included.
pub(super) fn walk(
    from: impl IntoIterator<Item = StepId>,
    next: impl Fn(StepId) -> Vec<StepId>,
) -> BTreeSet<StepId> {
    let mut to_do: Vec<StepId> = from.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(step) = to_do.pop() {
        if reached.insert(step) {
            to_do.extend(next(step));
        }
    }
    reached
}

/// The loops within `steps` that nothing leads out of, each in source order: there all ways of `next` end.
fn last_loops(steps: &BTreeSet<StepId>, next: impl Fn(StepId) -> Vec<StepId>) -> Vec<Vec<StepId>> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::<StepId>::new();
    for step in steps {
        if seen.contains(step) {
            continue;
        }
        let ahead = walk([*step], |step| next(step).into_iter().filter(|it| steps.contains(it)).collect());
        let is_loop = ahead.iter().all(|it| walk([*it], &next).contains(step));
        if is_loop {
            seen.extend(&ahead);
            found.push(ahead.into_iter().collect());
        }
    }
    found
}
