//! From a document to the state of an engine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use workflow_graph::{Graph, Origin, ParamForm, Point, PointId, Role, Slot, StepId, Tool};

use super::document::{
    Document, SavedBranch, SavedEvent, SavedInvocation, SavedJoin, SavedMember, SavedNote, SavedNoted,
    SavedPart, SavedRecoveries, SavedRequest, SavedScope,
};
use super::error::{Misfit, MisfitReason};
use super::write::item_names;
use crate::engine::{
    Arrivals, Branch, Extras, FailedAttempts, Failure, Gather, History, Input, Invocation, InvocationId,
    InvocationState, Joins, Member, Members, NoteKind, Noted, Notes, Parked, Part, Place, Recoveries,
    Request, Scope, ScopeId, Sender, State, Timer, Waiter, emitter_points,
};
use crate::event::RequestId;
use crate::seldom::Seldom;
use crate::workflow::Events;

/// From a document to the state of an engine. What has no place in the graph is noted in `misfits`, so that all
/// of it can be told at once; what no engine can have written is the `Err`.
pub(super) struct Reader<'a> {
    pub(super) graph: &'a Graph,
    pub(super) misfits: Vec<Misfit>,
}

impl<'a> Reader<'a> {
    pub(super) fn state<E: Events>(&mut self, document: &Document) -> Result<State<E>, String> {
        let mut state = State::new();
        state.status = document.status.clone();
        state.last_id = document.last_id;
        state.ticks = document.ticks;
        state.now = document.now;
        // A step that is gone cannot be what a stall is about; the names only serve its message.
        let ended: BTreeSet<_> =
            document.ended.iter().filter_map(|step| self.graph.step_named(step)).collect();

        check_sense(document)?;
        let mut ids = Ids { last: document.last_id, seen: BTreeSet::new() };
        let mut found = Vec::new();
        for saved in &document.scopes {
            ids.take(saved.id.0)?;
            found.extend(self.scope(saved));
        }
        let mut invocations = Vec::new();
        for saved in &document.invocations {
            ids.take(saved.id.0)?;
            invocations.extend(self.invocation(saved).map(|it| (saved.id, it)));
        }
        state.invocations = invocations.into_iter().collect();
        let askers = askers(document);
        let mut requests = Vec::new();
        for saved in &document.requests {
            ids.take(saved.id.0)?;
            requests.extend(self.request(saved, askers.get(&saved.id)).map(|it| (saved.id, it)));
        }
        state.requests = requests.into_iter().collect();
        if let Some(joins) = self.joins(&document.joins, "outside every fan-out") {
            state.scopes.root_mut().joins = joins;
        }
        if !self.misfits.is_empty() {
            return Ok(state);
        }
        found.sort_by_key(|(id, _)| *id);
        for (id, scope) in found {
            place_scope(&mut state, id, scope)?;
        }
        place_members(&mut state)?;
        for signal in &document.unread {
            if let Some(signal) = self.unread(signal) {
                state.extras.make().unread.entry(E::event(&signal)).or_default().push_back(signal);
            }
        }
        if !self.misfits.is_empty() {
            return Ok(state);
        }
        place_waits(self.graph, document, &mut state, &mut ids)?;
        let delayed = state.invocations.iter().filter_map(|(id, it)| match it.state {
            InvocationState::Delayed(due) => Some((due, Timer::Retry(*id))),
            _ => None,
        });
        let open = document.requests.iter().filter(|request| !request.expired);
        let open = open.filter_map(|it| Some((it.expires_at?, Timer::Expiry(it.id))));
        let timers: BTreeSet<_> = delayed.chain(open).collect();
        let (deadline, budget) = (document.deadline, document.budget);
        let limited = deadline.is_some() || budget.is_some();
        if limited || !timers.is_empty() || !ended.is_empty() {
            let extras = state.extras.make();
            (extras.deadline, extras.budget, extras.timers, extras.ended) = (deadline, budget, timers, ended);
        }
        self.queues(document, &mut state);
        Ok(state)
    }

    fn invocation<E: Events>(&mut self, saved: &SavedInvocation) -> Option<Invocation<E>> {
        let what = || format!("invocation {} of step `{}`", saved.id, saved.step);
        let step = self.step(&saved.step, &what)?;
        let declared = self.graph.step(step)?;
        if !saved.emitters.is_empty() && saved.emitters.len() != emitter_points(declared).count() {
            return self.refuse(what(), MisfitReason::OtherEmitters);
        }
        let input = self.input(step, &saved.input, &what);
        let notes = self.notes(step, &saved.notes, &what);
        let (input, notes) = (input?, notes?);
        let waits = notes.values().filter(|noted| noted.is_wait()).count();
        let history = History {
            interruptions: saved.interruptions,
            failed: FailedAttempts {
                last_error: saved.last_error.clone(),
                first_failed_at: saved.first_failed_at,
            },
            emitters: saved
                .emitters
                .iter()
                .map(|sender| Sender { scope: sender.scope, sent: sender.sent })
                .collect(),
            notes,
            waits: u32::try_from(waits).unwrap_or(u32::MAX),
        };
        let history = Some(history).filter(|history| !history.is_empty());
        Some(Invocation {
            step,
            branch: placed(saved.branch),
            input,
            state: saved.state.clone(),
            attempt: saved.attempt,
            recoveries: self.recoveries(&saved.recoveries),
            history: Seldom::from(history),
        })
    }

    /// What the step's calls have come to. What they wait for must still be something that the step can wait for.
    fn notes<E: Events>(
        &mut self,
        step: StepId,
        saved: &[SavedNote],
        what: &dyn Fn() -> String,
    ) -> Option<Notes<E>> {
        let mut notes = Notes::new();
        let mut all_fit = true;
        for note in saved {
            let noted = match &note.noted {
                SavedNoted::Memo(value) => Some(Noted::Memo(value.clone())),
                SavedNoted::Sleeping(until) => Some(Noted::Sleeping(*until)),
                SavedNoted::Asked(request) => Some(Noted::Asked(*request)),
                SavedNoted::Answered(answer) => self
                    .event_of(answer, |role| matches!(role, Role::Response { .. }), what)
                    .map(Noted::Answered),
                SavedNoted::Expired(request) => Some(Noted::Expired(*request)),
                SavedNoted::Waiting(wait, signal) => match self.graph.event_named(signal) {
                    Some(event) if self.has(step, Tool::Inbox(event)) => Some(Noted::Waiting(*wait)),
                    _ => self.refuse(what(), MisfitReason::NoInbox { event: signal.to_string() }),
                },
                SavedNoted::Received(signal) => {
                    self.event_of(signal, |role| *role == Role::Signal, what).map(Noted::Received)
                }
                SavedNoted::Withdrawn => Some(Noted::Withdrawn),
            };
            all_fit &= noted.is_some();
            notes.extend(noted.map(|noted| (note.key(), noted)));
        }
        all_fit.then_some(notes)
    }

    /// An event that plays such a role.
    fn event_of<E: Events>(
        &mut self,
        saved: &SavedEvent,
        plays: fn(&Role) -> bool,
        what: &dyn Fn() -> String,
    ) -> Option<E> {
        let event: E = self.event(saved, what)?;
        if self.graph.event(event.event()).is_some_and(|event| plays(&event.role)) {
            return Some(event);
        }
        self.refuse(what(), MisfitReason::NotAccepted { event: saved.0.to_string() })
    }

    fn has(&self, step: StepId, tool: Tool) -> bool {
        self.graph.step(step).is_some_and(|step| step.tools.contains(&tool))
    }

    /// A signal that no inbox has taken yet.
    fn unread<E: Events>(&mut self, saved: &SavedEvent) -> Option<E> {
        let what = || format!("unread signal `{}`", saved.0);
        let signal: E = self.event(saved, &what)?;
        if self.graph.has_inbox(signal.event()) {
            return Some(signal);
        }
        self.refuse(what(), MisfitReason::NoInbox { event: saved.0.to_string() })
    }

    fn input<E: Events>(
        &mut self,
        step: StepId,
        saved: &[SavedPart],
        what: &dyn Fn() -> String,
    ) -> Option<Input<E>> {
        let (takes, has) = (self.graph.step(step)?.params.len(), saved.len());
        if takes != has {
            return self.refuse(what(), MisfitReason::OtherParameters { takes, has });
        }
        let slots = (0..).map(|param| Slot { step, param });
        let parts: Vec<_> = slots.zip(saved).map(|(slot, part)| self.part(part, slot, what)).collect();
        let mut parts: Vec<Part<E>> = parts.into_iter().collect::<Option<_>>()?;
        Some(match (parts.pop(), parts.is_empty()) {
            (Some(Part::One(event)), true) => Input::One(event),
            (last, _) => {
                parts.extend(last);
                Input::Parts(parts)
            }
        })
    }

    /// Handlers that are gone have nothing to count any more.
    fn recoveries(&self, saved: &SavedRecoveries) -> Recoveries {
        let counts =
            saved.iter().filter_map(|(handler, count)| Some((self.graph.step_named(handler)?, *count)));
        let counts: BTreeMap<_, _> = counts.collect();
        (!counts.is_empty()).then(|| Arc::new(counts))
    }

    fn request<E: Events>(&mut self, saved: &SavedRequest, asker: Option<&Waiter>) -> Option<Request<E>> {
        let what = || format!("question {} of step `{}`", saved.id, saved.step);
        let step = self.step(&saved.step, &what);
        let prompt = self.event::<E>(&saved.prompt, &what);
        let (step, prompt) = (step?, prompt?);
        let event = || saved.prompt.0.to_string();
        match (self.graph.event(prompt.event()).map(|event| event.role), asker) {
            (Some(Role::Prompt { .. }), Some(_)) if self.has(step, Tool::Asker(prompt.event())) => {}
            (Some(Role::Prompt { response: Some(_), .. }), None) => {}
            (_, Some(_)) => return self.refuse(what(), MisfitReason::NoAsker { event: event() }),
            (_, None) => return self.refuse(what(), MisfitReason::NotAsked { event: event() }),
        }
        let asker = asker.cloned();
        let (branch, recoveries) = (placed(saved.branch), self.recoveries(&saved.recoveries));
        let SavedRequest { asked_at, expires_at, .. } = *saved;
        Some(Request { step, branch, prompt, asked_at, expires_at, recoveries, asker })
    }

    fn scope<E: Events>(&mut self, saved: &SavedScope) -> Option<(ScopeId, Scope<E>)> {
        let what = || format!("fan-out {} of step `{}`", saved.id.0, saved.step);
        let step = self.step(&saved.step, &what)?;
        let Some((id, point)) = self.point(step, saved) else {
            return self.refuse(
                what(),
                MisfitReason::NoSuchFanOut {
                    items: saved.items.iter().map(|item| item.to_string()).collect(),
                },
            );
        };
        let mut gathers: Vec<Gather<E>> = Vec::new();
        for saved in &saved.gathers {
            let slot = Slot { step: self.step(&saved.step, &what)?, param: saved.param };
            let arrived = saved.arrived.iter().map(|arrival| {
                // Only the order among arrivals depends on it.
                let from = self.graph.step_named(&arrival.from).unwrap_or(StepId(u16::MAX));
                let place = Place { index: arrival.index, from, commit: arrival.commit };
                Some((place, self.member(&arrival.member, slot, &what)?))
            });
            let arrived: Arrivals<E> = arrived.collect::<Option<_>>()?;
            let successes = arrived.sorted().iter().filter(|(_, member)| member.is_ok()).count();
            let successes = u32::try_from(successes).unwrap_or(u32::MAX);
            let recoveries = self.recoveries(&saved.recoveries);
            gathers.push(Gather { slot, arrived, successes, fired: saved.fired, recoveries });
        }
        let same = gathers.len() == point.gathers.len()
            && point.gathers.iter().all(|slot| gathers.iter().any(|gather| gather.slot == *slot));
        if !same {
            return self.refuse(what(), MisfitReason::OtherGathers);
        }
        gathers.sort_by_key(|gather| point.gathers.iter().position(|slot| *slot == gather.slot));
        let joins = self.joins(&saved.joins, &what())?;
        let parent = Some(placed(saved.parent));
        // Depth and members are derived when all scopes are there.
        Some((saved.id, Scope { point: Some(id), parent, depth: 0, members: Members::NONE, gathers, joins }))
    }

    /// The fan-out point a scope was opened by: the only one of its kind in the step, or the one with the same
    /// elements.
    fn point(&self, step: StepId, saved: &SavedScope) -> Option<(PointId, &'a Point)> {
        let kind = |origin: Origin| std::mem::discriminant(&origin);
        let of_step = (0..).map(PointId).zip(self.graph.points.iter());
        let mut candidates: Vec<_> = of_step
            .filter(|(_, point)| point.step == step && kind(point.origin) == kind(saved.origin))
            .collect();
        if candidates.len() > 1 {
            let items: BTreeSet<_> = saved.items.iter().cloned().collect();
            candidates.retain(|(_, point)| {
                item_names(self.graph, point).into_iter().collect::<BTreeSet<_>>() == items
            });
        }
        match candidates[..] {
            [found] => Some(found),
            _ => None,
        }
    }

    fn joins<E: Events>(&mut self, saved: &[SavedJoin], place: &str) -> Option<Joins<E>> {
        let mut joins = Joins::NEVER;
        for join in saved {
            let what = || format!("half-filled join of step `{}` ({place})", join.step);
            let step = self.step(&join.step, &what)?;
            let takes = self.graph.step(step)?.params.len();
            if takes != join.slots.len() {
                let has = join.slots.len();
                return self.refuse(what(), MisfitReason::OtherParameters { takes, has });
            }
            let mut slots = Vec::new();
            for (param, waiting) in (0..).zip(&join.slots) {
                let waiting = waiting.iter().map(|parked| {
                    let part = self.part(&parked.part, Slot { step, param }, &what)?;
                    Some(Parked { part, recoveries: self.recoveries(&parked.recoveries) })
                });
                slots.push(waiting.collect::<Option<VecDeque<_>>>()?);
            }
            joins.make().insert((join.index, step), slots);
        }
        Some(joins)
    }

    fn queues<E>(&self, document: &Document, state: &mut State<E>) {
        let limited = |step: StepId| self.graph.step(step).is_some_and(|step| step.options.workers.is_some());
        for invocation in state.invocations.values() {
            if invocation.state == InvocationState::Running && limited(invocation.step) {
                *state.extras.make().busy.entry(invocation.step).or_default() += 1;
            }
        }
        let mut waiting: BTreeSet<InvocationId> = state
            .invocations
            .iter()
            .filter(|(_, invocation)| invocation.state == InvocationState::Queued && limited(invocation.step))
            .map(|(id, _)| *id)
            .collect();
        let saved = document.queues.values().flatten().copied();
        let in_order: Vec<_> = saved.filter(|id| waiting.remove(id)).collect();
        // A step that has a limit only since the snapshot was taken has no saved queue.
        for id in in_order.into_iter().chain(waiting) {
            if let Some(invocation) = state.invocations.get(&id) {
                state.extras.make().queue(invocation.step).push_back(id);
            }
        }
    }

    fn part<E: Events>(
        &mut self,
        saved: &SavedPart,
        slot: Slot,
        what: &dyn Fn() -> String,
    ) -> Option<Part<E>> {
        let form = self.graph.step(slot.step)?.params.get(usize::from(slot.param))?.form;
        match (saved, form) {
            (SavedPart::One(event), ParamForm::One) => self.accepted(event, slot, what).map(Part::One),
            (SavedPart::All(members), ParamForm::Gather { .. }) => {
                let members: Vec<_> = members.iter().map(|member| self.member(member, slot, what)).collect();
                members.into_iter().collect::<Option<_>>().map(Part::All)
            }
            (SavedPart::Failed(failure, input), ParamForm::Failed) => {
                // A step that is gone leaves its failure behind, but not what it was given.
                let input = match self.graph.step_named(&failure.step) {
                    Some(step) if !input.is_empty() => self.input(step, input, what)?,
                    _ => Input::Parts(Vec::new()),
                };
                Some(Part::Failed(failure.clone(), Box::new(input)))
            }
            _ => self.refuse(what(), MisfitReason::OtherForm { param: slot.param }),
        }
    }

    fn member<E: Events>(
        &mut self,
        saved: &SavedMember,
        slot: Slot,
        what: &dyn Fn() -> String,
    ) -> Option<Result<E, Box<Failure>>> {
        match saved {
            SavedMember::Event(event) => self.accepted(event, slot, what).map(Ok),
            SavedMember::Failure(error) => Some(Err(Box::new(error.clone()))),
        }
    }

    /// An event that the parameter takes.
    fn accepted<E: Events>(
        &mut self,
        saved: &SavedEvent,
        slot: Slot,
        what: &dyn Fn() -> String,
    ) -> Option<E> {
        let event: E = self.event(saved, what)?;
        let param = self.graph.step(slot.step)?.params.get(usize::from(slot.param))?;
        if param.events.contains(&event.event()) {
            return Some(event);
        }
        self.refuse(what(), MisfitReason::NotAccepted { event: saved.0.to_string() })
    }

    fn event<E: Events>(&mut self, saved: &SavedEvent, what: &dyn Fn() -> String) -> Option<E> {
        let SavedEvent(name, json) = saved;
        let Some(id) = self.graph.event_named(name) else {
            return self.refuse(what(), MisfitReason::NoSuchEvent { event: name.to_string() });
        };
        match E::decode(id, json) {
            Ok(event) => Some(event),
            Err(error) => {
                let (event, reason) = (name.to_string(), error.to_string());
                self.refuse(what(), MisfitReason::Undecodable { event, reason })
            }
        }
    }

    fn step(&mut self, name: &str, what: &dyn Fn() -> String) -> Option<StepId> {
        let found = self.graph.step_named(name);
        if found.is_none() {
            self.misfits
                .push(Misfit { what: what(), reason: MisfitReason::NoSuchStep { step: name.to_owned() } });
        }
        found
    }

    fn refuse<T>(&mut self, what: String, reason: MisfitReason) -> Option<T> {
        self.misfits.push(Misfit { what, reason });
        None
    }
}

/// What no engine writes: a join that stands twice, a call that came to what another method gives, and numbers that no
/// run reaches, which would overflow when they are counted on.
fn check_sense(document: &Document) -> Result<(), String> {
    for joins in document.scopes.iter().map(|scope| &scope.joins).chain([&document.joins]) {
        let mut seen = BTreeSet::new();
        if let Some(twice) = joins.iter().find(|join| !seen.insert((join.index, &join.step))) {
            return Err(format!("a half-filled join of step `{}` stands twice", twice.step));
        }
    }
    for SavedInvocation { id, notes, .. } in &document.invocations {
        if let Some(SavedNote { name, .. }) = notes.iter().find(|note| !gives(note.kind, &note.noted)) {
            return Err(format!("invocation {id} has noted under `{name}` what such a call does not give"));
        }
    }
    let Document { last_id, next_event, ticks, now, .. } = document;
    for (name, number) in
        [("last_id", *last_id), ("next_event", *next_event), ("ticks", *ticks), ("now", now.0)]
    {
        if number > 1 << 62 {
            return Err(format!("{name} is {number}"));
        }
    }
    let counts = document.invocations.iter().flat_map(|saved| {
        let sent = saved.emitters.iter().map(|sender| ("sent", sender.sent));
        let recoveries = saved.recoveries.values().map(|count| ("recoveries", *count));
        [("attempt", saved.attempt), ("interruptions", saved.interruptions)]
            .into_iter()
            .chain(sent)
            .chain(recoveries)
    });
    match counts.into_iter().find(|(_, count)| *count > 1 << 30) {
        Some((name, count)) => Err(format!("{name} is {count}")),
        None => Ok(()),
    }
}

/// Whether a call of that method can have come to that.
fn gives(method: NoteKind, noted: &SavedNoted) -> bool {
    match noted {
        SavedNoted::Memo(_) => method == NoteKind::Memo,
        SavedNoted::Sleeping(_) => method == NoteKind::Sleep,
        SavedNoted::Asked(_) | SavedNoted::Answered(_) | SavedNoted::Expired(_) => method == NoteKind::Ask,
        SavedNoted::Waiting(..) | SavedNoted::Received(_) => method == NoteKind::Receive,
        SavedNoted::Withdrawn => matches!(method, NoteKind::Ask | NoteKind::Receive),
    }
}

/// Ids are given once, and in order.
struct Ids {
    last: u64,
    seen: BTreeSet<u64>,
}

impl Ids {
    fn take(&mut self, id: u64) -> Result<(), String> {
        if id == 0 || id > self.last {
            return Err(format!("id {id} was never given; the last one was {}", self.last));
        }
        if !self.seen.insert(id) {
            return Err(format!("id {id} stands twice"));
        }
        Ok(())
    }
}

fn placed(saved: Option<SavedBranch>) -> Branch {
    saved.map_or(Branch::ROOT, |SavedBranch(scope, index)| Branch { scope, index })
}

/// Puts a scope into its parent. Scopes come in order of their ids, and a parent is older than its scopes.
fn place_scope<E>(state: &mut State<E>, id: ScopeId, mut scope: Scope<E>) -> Result<(), String> {
    let parent = scope.parent.unwrap_or(Branch::ROOT).scope;
    let Some(outer) = state.scopes.get(&parent) else {
        return Err(format!("fan-out {} lies in fan-out {}, which is not open", id.0, parent.0));
    };
    scope.depth = outer.depth + 1;
    state.scopes.insert(id, scope);
    Ok(())
}

/// Which step waits for the answer to a question itself.
fn askers(document: &Document) -> BTreeMap<RequestId, Waiter> {
    let notes = document.invocations.iter().flat_map(|it| it.notes.iter().map(|note| (it.id, note)));
    let asked = notes.filter_map(|(invocation, note)| match note.noted {
        SavedNoted::Asked(request) => Some((request, Waiter { invocation, key: note.key() })),
        _ => None,
    });
    asked.collect()
}

/// Puts the inboxes that wait into their lines, and finds the question of each step that asks.
fn place_waits<E>(
    graph: &Graph,
    document: &Document,
    state: &mut State<E>,
    ids: &mut Ids,
) -> Result<(), String> {
    for SavedInvocation { id, notes, .. } in &document.invocations {
        let mut keys = BTreeSet::new();
        for note in notes {
            let key = note.key();
            if !keys.insert(key.clone()) {
                return Err(format!("invocation {id} has noted `{}` twice", key.name));
            }
            match &note.noted {
                SavedNoted::Asked(request) => {
                    let asker = state.requests.get(request).and_then(|request| request.asker.as_ref());
                    if asker.is_none_or(|asker| asker.invocation != *id || asker.key != key) {
                        return Err(format!(
                            "invocation {id} waits for question {request}, which is not its own"
                        ));
                    }
                }
                SavedNoted::Waiting(wait, signal) => {
                    ids.take(wait.0)?;
                    let Some(event) = graph.event_named(signal) else { continue };
                    let waiter = Waiter { invocation: *id, key };
                    state.extras.make().inboxes.entry(event).or_default().insert(*wait, waiter);
                }
                _ => {}
            }
        }
    }
    let asked_by = |it: &Request<E>| it.asker.as_ref().and_then(|it| state.invocations.get(&it.invocation));
    let stray = |(_, it): &(RequestId, &Request<E>)| {
        it.asker.is_some()
            && asked_by(it).is_none_or(|asker| asker.step != it.step || asker.branch != it.branch)
    };
    if let Some((id, _)) = state.requests().find(stray) {
        return Err(format!("question {id} is not where the step is that asks it"));
    }
    let both =
        |extras: &Extras<E>| extras.unread.keys().copied().find(|event| extras.inboxes.contains_key(event));
    let unread = state.extras.get().and_then(both);
    match unread {
        Some(event) => {
            let name = graph.event(event).map_or("?", |event| &event.name);
            Err(format!("`{name}` is unread, though an inbox waits for it"))
        }
        None => {
            let invocations: Vec<InvocationId> = state.invocations.keys().copied().collect();
            invocations.into_iter().for_each(|id| state.recount(id));
            Ok(())
        }
    }
}

/// Counts what keeps each scope open.
fn place_members<E>(state: &mut State<E>) -> Result<(), String> {
    let invocations = state.invocations.iter().map(|(id, it)| (it.branch.scope, Member::Invocation(*id)));
    let outside = state.requests.iter().filter(|(_, it)| it.asker.is_none());
    let requests = outside.map(|(id, it)| (it.branch.scope, Member::Request(*id)));
    let inner = state.scopes.inner().filter_map(|(id, it)| Some((it.parent?.scope, Member::Scope(*id))));
    let mut members: BTreeMap<ScopeId, Vec<Member>> = BTreeMap::new();
    for (scope, member) in invocations.chain(requests).chain(inner) {
        if !state.scopes.contains_key(&scope) {
            return Err(format!("{member:?} lies in fan-out {}, which is not open", scope.0));
        }
        members.entry(scope).or_default().push(member);
    }
    for (id, invocation) in state.invocations.iter() {
        for sender in invocation.emitters() {
            // Not open any more where a `take` has cancelled it.
            let Some(scope) = state.scopes.get(&sender.scope) else { continue };
            if scope.parent != Some(invocation.branch) {
                return Err(format!(
                    "invocation {id} sends into fan-out {}, which is not its own",
                    sender.scope.0
                ));
            }
            members.entry(sender.scope).or_default().push(Member::Filler(*id));
        }
    }
    for (id, members) in members {
        if let Some(scope) = state.scopes.get_mut(&id) {
            scope.members = members.into_iter().collect();
        }
    }
    match state.scopes.inner().find(|(_, scope)| scope.members.is_empty()) {
        Some((id, _)) => Err(format!("fan-out {} is open, but nothing in it is on the way", id.0)),
        None => Ok(()),
    }
}
