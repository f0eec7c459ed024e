//! The rule about joins: their inputs can meet.
//!
//! A join is judged by the graph as it is before the join has run for the first time, without it. Two
//! things must hold there, or it can never fire:
//!
//! - *Levels.* Its inputs share a level (see [`levels`](crate::levels)), because events of one branch do.
//! - *Causes.* Of each two parameters, some pair of events can both happen in one run, in one branch.
//!   Follow two such events back, cause by cause. Either one is a cause of the other, or their ways part at
//!   a last common cause, and there both ways must have been taken: an event or a closing scope sets
//!   several steps going, and an emitter's step goes on to return; but a step returns one alternative or
//!   fails, a question is answered or expires, and elements of one fan-out are in branches of their own.
//!   Without a common cause they come from different roots, or from two arrivals of one signal.
//!
//! Both are necessary, so what is refused can never fire. They are not sufficient.

use std::collections::{BTreeMap, BTreeSet};

use super::ends::walk;
use super::{Place, Rule, Violation, either, forms, violation};
use crate::flow::{Emission, Flow};
use crate::levels::{Levels, OUTSIDE, Question, Set};
use crate::{EventId, Param, ParamForm, PointId, Role, Slot, Step, StepId};

/// See above. Where one join is at fault, those behind it are not reported.
pub(super) fn every_join_can_fire(flow: &Flow<'_>, levels: &Levels, found: &mut Vec<Violation>) {
    if !levels.is_complete() {
        return;
    }
    let causes = Causes::of(flow);
    let mut apart = BTreeSet::new();
    let mut waiting = Vec::new();
    for (id, step) in flow.steps().filter(|(_, step)| is_join(step)) {
        let join = Join::of(flow, id, step);
        if explained_elsewhere(flow, levels, id, step) {
            apart.insert(id);
        }
        if forms::takes_an_event_twice(step) {
            continue;
        }
        if let Some(why) = join.inputs_stay_apart(&causes) {
            apart.insert(id);
            if !step.options.skip.join {
                found.push(why);
            }
        } else if !join.missing().is_empty() {
            waiting.push((id, step));
        }
    }
    joins_do_not_wait_for_themselves(flow, &waiting, apart, found);
}

fn is_join(step: &Step) -> bool {
    step.params.len() > 1 && step.params.iter().all(|param| param.form != ParamForm::Failed)
}

/// Whether an input of a join never comes for a reason that another rule reports, so that what is behind
/// the join is looked at as if it ran without that input.
fn explained_elsewhere(flow: &Flow<'_>, levels: &Levels, id: StepId, step: &Step) -> bool {
    let never_comes = |(position, param): (u16, &Param)| {
        let slot = Slot { step: id, param: position };
        let has_point = || flow.graph.points.iter().any(|point| point.gathers.contains(&slot));
        let arrives = || param.events.iter().any(|event| !levels.at_event(*event).is_empty());
        param.events.iter().all(|event| flow.is_never_emitted(*event))
            || (param.is_gather() && arrives() && !has_point())
    };
    forms::takes_an_event_twice(step) || (0..).zip(step.params.iter()).any(never_comes)
}

/// One join, in the graph without it.
struct Join<'j> {
    flow: &'j Flow<'j>,
    id: StepId,
    levels: Levels,
    inputs: Vec<Input<'j>>,
}

struct Input<'j> {
    position: u16,
    param: &'j Param,
    /// What can set it off, each with the levels at which it does.
    causes: Vec<(Cause, Set)>,
    levels: Set,
}

impl<'j> Join<'j> {
    fn of(flow: &'j Flow<'j>, id: StepId, step: &'j Step) -> Self {
        let levels = Question { without: Some(id), gathers_are_known: true, ..Question::about(flow) }.solve();
        let input = |(position, param): (u16, &'j Param)| {
            let causes: Vec<(Cause, Set)> = if param.is_gather() {
                let slot = Slot { step: id, param: position };
                let points = flow.graph.numbered_points().filter(|(_, point)| point.gathers.contains(&slot));
                points.map(|(point, _)| (Cause::Closes(point), levels.opened(point))).collect()
            } else {
                param.events.iter().map(|event| (Cause::Event(*event), levels.at_event(*event))).collect()
            };
            let mut all = Set::default();
            for (_, at) in &causes {
                all.add(at);
            }
            Input { position, param, causes, levels: all }
        };
        let inputs = (0..).zip(step.params.iter()).map(input).collect();
        Self { flow, id, levels, inputs }
    }

    fn missing(&self) -> Vec<&Input<'j>> {
        self.inputs.iter().filter(|input| input.levels.is_empty()).collect()
    }

    /// Judges the inputs that arrive at all.
    fn inputs_stay_apart(&self, causes: &Causes<'_>) -> Option<Violation> {
        let present: Vec<&Input<'j>> = self.inputs.iter().filter(|input| !input.levels.is_empty()).collect();
        let pairs = || {
            present.iter().enumerate().flat_map(|(n, a)| present.iter().skip(n + 1).map(move |b| (*a, *b)))
        };
        let shared = present.iter().map(|input| input.levels.clone()).reduce(|all, one| all.shared(&one))?;
        if shared.is_empty() {
            let (a, b) =
                pairs().find(|(a, b)| a.levels.shared(&b.levels).is_empty()).or_else(|| pairs().next())?;
            return Some(self.depths_differ(a, b));
        }
        let never_both = |(a, b): &(&Input<'_>, &Input<'_>)| {
            let mut pairs = a.causes.iter().flat_map(|x| b.causes.iter().map(move |y| (x, y)));
            !pairs.any(|((x, at), (y, also_at))| {
                !at.shared(also_at).shared(&shared).is_empty() && causes.without(self.id).both_happen(*x, *y)
            })
        };
        let (a, b) = pairs().find(never_both)?;
        Some(self.exclusive(a, b, causes))
    }

    fn depths_differ(&self, a: &Input<'_>, b: &Input<'_>) -> Violation {
        let (here, there) = (self.whereabouts(&a.levels), self.whereabouts(&b.levels));
        let (first, second) = (self.name(a), self.name(b));
        let wrong = if here == there {
            format!("{first} and {second} are at different depths of fan-out")
        } else {
            format!("{first} is {here}, {second} is {there}")
        };
        let is_outside = |input: &Input<'_>| input.levels.iter().all(|level| level == OUTSIDE);
        let inner = match (is_outside(a), is_outside(b)) {
            (true, false) => Some(b),
            (false, true) => Some(a),
            _ => None,
        };
        let remedy = match inner.filter(|input| !input.param.is_gather()).map(|input| &*input.param.events) {
            Some([event]) => format!("gather it with `Vec<{}>`", self.flow.event(*event).trim_matches('`')),
            Some(_) => "gather it with `Vec<OneOf<..>>`".to_owned(),
            None => "bring both into one branch".to_owned(),
        };
        self.violation(a, b, format!("{wrong}; {remedy}"))
    }

    fn exclusive(&self, a: &Input<'_>, b: &Input<'_>, causes: &Causes<'_>) -> Violation {
        let mut pairs = a.causes.iter().flat_map(|x| b.causes.iter().map(move |y| (x.0, y.0)));
        let reason = pairs.find_map(|(x, y)| causes.without(self.id).why_not_both(x, y));
        let reason = reason
            .unwrap_or_else(|| format!("{} and {} never happen in one branch", self.name(a), self.name(b)));
        self.violation(a, b, format!("{reason}; take them in two steps, or emit both"))
    }

    fn violation(&self, a: &Input<'_>, b: &Input<'_>, why: String) -> Violation {
        let place = |input: &Input<'_>| Place::Param { step: self.id, param: input.position, alternative: 0 };
        let message = format!("step {} can never fire: {why}", self.flow.step(self.id));
        violation(Rule::JoinCanFire, place(b), message)
            .also(place(a), format!("does not meet {}", self.name(a)))
    }

    fn name(&self, input: &Input<'_>) -> String {
        name_of(self.flow, input.param)
    }

    fn whereabouts(&self, levels: &Set) -> String {
        let steps: BTreeSet<StepId> = levels
            .iter()
            .filter_map(|level| self.levels.innermost(level))
            .filter_map(|point| self.flow.graph.point(point))
            .map(|point| point.step)
            .collect();
        let steps: Vec<String> = steps.into_iter().map(|step| self.flow.step(step)).collect();
        match (levels.contains(OUTSIDE), steps.is_empty()) {
            (true, true) => "outside every fan-out".to_owned(),
            (true, false) => format!("outside every fan-out or inside the fan-out of {}", either(&steps)),
            (false, _) => format!("inside the fan-out of {}", either(&steps)),
        }
    }
}

fn name_of(flow: &Flow<'_>, param: &Param) -> String {
    let names: Vec<String> = param.events.iter().map(|event| flow.event(*event)).collect();
    match (&*names, param.is_gather()) {
        ([one], true) => format!("`Vec<{}>`", one.trim_matches('`')),
        (_, true) => format!("the `Vec` of {}", either(&names)),
        (_, false) => either(&names),
    }
}

/// A join that waits for what comes only after it, directly or by way of other such joins.
///
/// A join that waits in vain behind another one is not at fault: it is let off where its inputs do come once
/// the joins at fault run with what they have, and where it waits for one that does not wait for it.
fn joins_do_not_wait_for_themselves(
    flow: &Flow<'_>,
    waiting: &[(StepId, &Step)],
    at_fault: BTreeSet<StepId>,
    found: &mut Vec<Violation>,
) {
    let begins = flow.steps().filter(|(_, step)| begins_or_handles(flow, step)).map(|(id, _)| id);
    let begins: Vec<StepId> = begins.collect();
    let reached = |without: Option<StepId>| {
        let next = |step: StepId| flow.followers(step).filter(|it| Some(*it) != without).collect();
        walk(begins.iter().copied().filter(|it| Some(*it) != without), next)
    };
    let comes = |param: &Param, from: &BTreeSet<StepId>| {
        param.events.iter().flat_map(|event| flow.sources(*event)).any(|source| from.contains(&source.step))
    };

    let everything = reached(None);
    let missing: Vec<(StepId, Vec<(u16, &Param)>)> = waiting
        .iter()
        .map(|(id, step)| {
            let levels =
                Question { without: Some(*id), loose: at_fault.clone(), ..Question::about(flow) }.solve();
            let arrives =
                |param: &Param| param.events.iter().any(|event| !levels.at_event(*event).is_empty());
            let params = (0..).zip(step.params.iter());
            (*id, params.filter(|(_, param)| !arrives(param) && comes(param, &everything)).collect())
        })
        .collect();
    let waits_for = |id: StepId| -> Vec<StepId> {
        let params = missing.iter().filter(|(it, _)| *it == id).flat_map(|(_, params)| params);
        let ahead = |other: StepId| walk([other], |step| flow.followers(step).collect());
        let params: Vec<&Param> = params.map(|(_, param)| *param).collect();
        let others = missing.iter().map(|(other, _)| *other);
        others
            .filter(|other| {
                let ahead = ahead(*other);
                params.iter().any(|param| comes(param, &ahead))
            })
            .collect()
    };

    let mut reported = BTreeSet::new();
    for (id, params) in &missing {
        let before = reached(Some(*id));
        for (position, param) in params.iter().filter(|(_, param)| !comes(param, &before)) {
            reported.insert(*id);
            report(flow, (*id, *position, param), "this step has run", found);
        }
    }
    for (id, params) in &missing {
        let group = walk(waits_for(*id), waits_for);
        let mutual =
            group.contains(id) && group.iter().all(|other| walk(waits_for(*other), waits_for).contains(id));
        let Some((position, param)) = params.first().filter(|_| mutual) else { continue };
        if group.iter().any(|it| reported.contains(it)) {
            continue;
        }
        reported.extend(&group);
        let others: Vec<String> = group.iter().filter(|it| *it != id).map(|it| flow.step(*it)).collect();
        let after = match &*others {
            [] => "this step has run".to_owned(),
            others => format!("step {} has run, which waits for this one", either(others)),
        };
        report(flow, (*id, *position, param), &after, found);
    }
}

fn report(
    flow: &Flow<'_>,
    (step, param, it): (StepId, u16, &Param),
    after: &str,
    found: &mut Vec<Violation>,
) {
    if flow.graph.step(step).is_some_and(|step| step.options.skip.join) {
        return;
    }
    let message = format!(
        "step {} can never fire: {} is only emitted after {after}; take them in two steps",
        flow.step(step),
        name_of(flow, it)
    );
    let mut it_is = violation(Rule::JoinCanFire, Place::Param { step, param, alternative: 0 }, message);
    let sources = it.events.iter().flat_map(|event| flow.sources(*event));
    it_is.also.extend(sources.map(|source| (source.at, "emitted here".to_owned())));
    found.push(it_is);
}

fn begins_or_handles(flow: &Flow<'_>, step: &Step) -> bool {
    let from_outside = |event: &EventId| matches!(flow.graph.role(*event), Some(Role::Start | Role::Signal));
    step.params.iter().any(|param| param.form == ParamForm::Failed || param.events.iter().any(from_outside))
}

/// Something that happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Cause {
    /// An event is emitted, or comes from outside.
    Event(EventId),
    /// A step runs.
    Runs(StepId),
    /// A scope of a point closes, which fires its gathers.
    Closes(PointId),
}

/// One thing that a cause brings about.
struct Effect {
    of: Cause,
    /// Of two effects with the same turn only one happens, or each in a branch of its own.
    turn: u16,
    is: Cause,
}

/// What brings about what.
struct Causes<'c> {
    flow: &'c Flow<'c>,
    effects: Vec<Effect>,
    /// Per cause, the positions of what brings it about.
    ways_to: BTreeMap<Cause, Vec<usize>>,
}

impl<'c> Causes<'c> {
    fn of(flow: &'c Flow<'c>) -> Self {
        let mut effects = Vec::new();
        for event in flow.graph.event_ids() {
            let of = Cause::Event(event);
            let takes = flow.acceptances(event).iter().filter(|it| it.form == ParamForm::One);
            effects.extend(takes.map(|it| Effect {
                of,
                turn: it.slot.step.0,
                is: Cause::Runs(it.slot.step),
            }));
            if let Some(Role::Prompt { .. }) = flow.graph.role(event) {
                effects.extend(flow.becomes(event).map(|it| Effect { of, turn: 0, is: Cause::Event(it) }));
                let expires_at = flow.emissions(event).iter().filter_map(|it| flow.handler_of(it.step));
                effects.extend(expires_at.map(|it| Effect { of, turn: 0, is: Cause::Runs(it) }));
            }
        }
        for (step, _) in flow.steps() {
            let of = Cause::Runs(step);
            for emission in flow.emitted_by(step) {
                let turn = turn(emission);
                effects.push(Effect { of, turn, is: Cause::Event(emission.event) });
                effects.extend(emission.point.map(|point| Effect { of, turn, is: Cause::Closes(point) }));
            }
            effects.extend(flow.handler_of(step).map(|handler| Effect {
                of,
                turn: 0,
                is: Cause::Runs(handler),
            }));
        }
        for (id, point) in flow.graph.numbered_points() {
            let of = Cause::Closes(id);
            effects.extend(point.gathers.iter().map(|it| Effect {
                of,
                turn: it.step.0,
                is: Cause::Runs(it.step),
            }));
        }
        let mut ways_to = BTreeMap::<Cause, Vec<usize>>::new();
        for (position, effect) in effects.iter().enumerate() {
            ways_to.entry(effect.is).or_default().push(position);
        }
        Self { flow, effects, ways_to }
    }

    fn without(&self, join: StepId) -> Before<'_> {
        Before { causes: self, join }
    }
}

/// A return and a failure are one turn of a step, each emitter is a turn of its own.
fn turn(emission: &Emission) -> u16 {
    match emission.at {
        Place::Tool { tool, .. } => tool.saturating_add(1),
        _ => 0,
    }
}

/// What brings about what before a join has run.
struct Before<'c> {
    causes: &'c Causes<'c>,
    join: StepId,
}

impl<'c> Before<'c> {
    fn effects(&self) -> impl Iterator<Item = &'c Effect> + use<'c> {
        let join = Cause::Runs(self.join);
        self.causes.effects.iter().filter(move |effect| effect.is != join && effect.of != join)
    }

    fn ways_to(&self, it: Cause) -> impl Iterator<Item = &'c Effect> + use<'c> {
        let causes = self.causes;
        let join = Cause::Runs(self.join);
        let ways = causes.ways_to.get(&it).into_iter().flatten();
        let ways = ways.filter_map(|position| causes.effects.get(*position));
        ways.filter(move |effect| effect.is != join && effect.of != join)
    }

    /// All that something can follow from, itself included.
    fn behind(&self, it: Cause) -> BTreeSet<Cause> {
        let mut behind = BTreeSet::from([it]);
        let mut to_do = vec![it];
        while let Some(it) = to_do.pop() {
            to_do.extend(self.ways_to(it).map(|effect| effect.of).filter(|of| behind.insert(*of)));
        }
        behind
    }

    fn both_happen(&self, a: Cause, b: Cause) -> bool {
        let (behind_a, behind_b) = (self.behind(a), self.behind(b));
        if behind_a.contains(&b)
            || behind_b.contains(&a)
            || self.have_roots_of_their_own(&behind_a, &behind_b)
        {
            return true;
        }
        let turns = |behind: &BTreeSet<Cause>| -> BTreeSet<(Cause, u16)> {
            let ways = behind.iter().flat_map(|it| self.ways_to(*it));
            ways.map(|effect| (effect.of, effect.turn)).collect()
        };
        let (to_a, to_b) = (turns(&behind_a), turns(&behind_b));
        let another = |(of, turn): &(Cause, u16)| {
            to_b.range((*of, 0)..=(*of, u16::MAX)).any(|(_, other)| other != turn)
        };
        to_a.iter().any(another)
    }

    fn have_roots_of_their_own(&self, a: &BTreeSet<Cause>, b: &BTreeSet<Cause>) -> bool {
        let graph = self.causes.flow.graph;
        let roots = |of: &BTreeSet<Cause>| -> Vec<(EventId, bool)> {
            let events = of.iter().filter_map(|it| match it {
                Cause::Event(event) => Some(*event),
                Cause::Runs(_) | Cause::Closes(_) => None,
            });
            let root = |event| match graph.role(event) {
                Some(Role::Start) => Some((event, false)),
                Some(Role::Signal) => Some((event, true)),
                _ => None,
            };
            events.filter_map(root).collect()
        };
        let others = roots(b);
        roots(a).iter().any(|(root, many)| others.iter().any(|(other, _)| root != other || *many))
    }

    /// Names the place where one thing excludes the other: the one right before them, if there is one.
    fn why_not_both(&self, a: Cause, b: Cause) -> Option<String> {
        let (behind_a, behind_b) = (self.behind(a), self.behind(b));
        let forks = || {
            let to_a = self.effects().filter(|effect| behind_a.contains(&effect.is));
            to_a.flat_map(|to_a| {
                let to_b = self.effects().filter(|to_b| to_b.of == to_a.of && to_b.is != to_a.is);
                to_b.filter(|to_b| behind_b.contains(&to_b.is)).map(move |to_b| (to_a, to_b))
            })
        };
        let right_before = forks().find(|(to_a, to_b)| (to_a.is, to_b.is) == (a, b));
        let (to_a, to_b) = right_before.or_else(|| forks().next())?;
        Some(self.causes.excludes(to_a, to_b))
    }
}

impl Causes<'_> {
    fn excludes(&self, a: &Effect, b: &Effect) -> String {
        let what = |it: &Effect| match it.is {
            Cause::Event(event) => format!("emits {}", self.flow.event(event)),
            Cause::Runs(_) => "fails".to_owned(),
            Cause::Closes(_) => "fans out".to_owned(),
        };
        match (a.of, a.is, b.is) {
            (Cause::Runs(step), Cause::Event(one), Cause::Event(other))
                if self.in_one_fan_out(step, one, other) =>
            {
                format!(
                    "{} emits {} and {} as elements of one fan-out, each in a branch of its own",
                    self.flow.step(step),
                    self.flow.event(one),
                    self.flow.event(other)
                )
            }
            (Cause::Runs(step), Cause::Event(one), Cause::Event(other)) => format!(
                "{} emits either {} or {}, never both",
                self.flow.step(step),
                self.flow.event(one),
                self.flow.event(other)
            ),
            (Cause::Runs(step), ..) => {
                format!("{} either {} or {}, never both", self.flow.step(step), what(a), what(b))
            }
            (Cause::Event(question), ..) => {
                format!("{} is either answered or expires, never both", self.flow.event(question))
            }
            (Cause::Closes(_), ..) => "both come from one scope that closes once".to_owned(),
        }
    }

    fn in_one_fan_out(&self, step: StepId, one: EventId, other: EventId) -> bool {
        let points = |event| {
            let emitted = self.flow.emitted_by(step).iter().filter(move |it| it.event == event);
            emitted.filter_map(|it| it.point)
        };
        points(one).any(|point| points(other).any(|it| it == point))
    }
}
