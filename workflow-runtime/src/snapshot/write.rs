//! From the state of an engine to a document.

use std::sync::Arc;

use workflow_graph::{EventId, Graph, Origin, Point, StepId, Str};

use super::FORMAT;
use super::document::{
    Document, SavedArrival, SavedBranch, SavedEvent, SavedGather, SavedInvocation, SavedJoin, SavedMember,
    SavedNote, SavedNoted, SavedParked, SavedPart, SavedRecoveries, SavedRequest, SavedScope, SavedSender,
};
use super::error::SnapshotError;
use super::fingerprint::Fingerprint;
use crate::engine::{
    Branch, ENGINE, Failure, Input, Invocation, InvocationId, Joins, Noted, Parked, Part, Recoveries,
    Request, Scope, ScopeId, State, Timer,
};
use crate::event::RequestId;
use crate::handle::RunId;
use crate::workflow::Events;

/// From the state of an engine to a document.
pub(super) struct Writer<'a> {
    pub(super) graph: &'a Graph,
    pub(super) fingerprint: Fingerprint,
    pub(super) run: &'a RunId,
}

impl Writer<'_> {
    pub(super) fn document<E: Events>(
        &self,
        state: &State<E>,
        next_event: u64,
    ) -> Result<Document, SnapshotError> {
        let invocations =
            state.invocations.iter().map(|(id, invocation)| self.invocation(*id, invocation, state));
        let requests = state.requests.iter().map(|(id, request)| {
            let due = request.expires_at;
            let expired = due.is_some_and(|due| !state.has_timer(due, Timer::Expiry(*id)));
            Ok(SavedRequest { expired, ..self.request(*id, request)? })
        });
        let scopes = state.scopes.inner().map(|(id, scope)| self.scope(*id, scope));
        let extras = state.extras.get();
        let unread = extras.into_iter().flat_map(|extras| extras.unread.values().flatten());
        let unread = unread.map(|signal| self.event(signal));
        let queues = extras.into_iter().flat_map(|extras| &extras.queues);
        let queues = queues.map(|(step, queue)| {
            // Entries of cancelled invocations are skipped here as they are when they are met.
            let alive = queue.iter().filter(|id| state.invocations.contains_key(id));
            (self.step(*step), alive.copied().collect::<Box<[_]>>())
        });
        let ended = extras.into_iter().flat_map(|extras| &extras.ended);
        Ok(Document {
            format: FORMAT,
            engine: ENGINE,
            workflow: self.graph.name.clone(),
            graph: self.fingerprint,
            run: self.run.clone(),
            status: state.status.clone(),
            ticks: state.ticks,
            now: state.now,
            last_id: state.last_id,
            next_event,
            invocations: boxed(state.invocations.len(), invocations)?,
            requests: boxed(state.requests.len(), requests)?,
            scopes: scopes.collect::<Result<_, _>>()?,
            joins: self.joins(&state.scopes.root().joins)?,
            unread: unread.collect::<Result<_, _>>()?,
            queues: queues.filter(|(_, queue)| !queue.is_empty()).collect(),
            deadline: extras.and_then(|extras| extras.deadline),
            budget: extras.and_then(|extras| extras.budget),
            ended: ended.map(|step| self.step(*step)).collect(),
            state: None,
        })
    }

    fn invocation<E: Events>(
        &self,
        id: InvocationId,
        invocation: &Invocation<E>,
        state: &State<E>,
    ) -> Result<SavedInvocation, SnapshotError> {
        let input = self.input(&invocation.input)?;
        let notes = invocation.notes().map(|(key, noted)| {
            let noted = self.noted(noted, state)?;
            Ok(SavedNote { kind: key.kind, name: Arc::clone(&key.name), count: key.count, noted })
        });
        Ok(SavedInvocation {
            id,
            step: self.step(invocation.step),
            branch: branch(invocation.branch),
            input,
            state: invocation.state.clone(),
            attempt: invocation.attempt,
            interruptions: invocation.interruptions(),
            last_error: invocation.last_error().cloned(),
            first_failed_at: invocation.first_failed_at(),
            recoveries: self.recoveries(&invocation.recoveries),
            emitters: invocation
                .emitters()
                .iter()
                .map(|sender| SavedSender { scope: sender.scope, sent: sender.sent })
                .collect(),
            notes: notes.collect::<Result<_, SnapshotError>>()?,
        })
    }

    fn noted<E: Events>(&self, noted: &Noted<E>, state: &State<E>) -> Result<SavedNoted, SnapshotError> {
        Ok(match noted {
            Noted::Memo(value) => SavedNoted::Memo(value.clone()),
            Noted::Sleeping(until) => SavedNoted::Sleeping(*until),
            Noted::Asked(request) => SavedNoted::Asked(*request),
            Noted::Answered(answer) => SavedNoted::Answered(self.event(answer)?),
            Noted::Expired(request) => SavedNoted::Expired(*request),
            Noted::Waiting(wait) => {
                let mut lines = state.extras.get().into_iter().flat_map(|extras| &extras.inboxes);
                let line = lines.find(|(_, line)| line.contains_key(wait));
                SavedNoted::Waiting(
                    *wait,
                    line.map_or_else(Str::default, |(event, _)| event_name(self.graph, *event)),
                )
            }
            Noted::Received(signal) => SavedNoted::Received(self.event(signal)?),
            Noted::Withdrawn => SavedNoted::Withdrawn,
        })
    }

    fn request<E: Events>(&self, id: RequestId, request: &Request<E>) -> Result<SavedRequest, SnapshotError> {
        Ok(SavedRequest {
            id,
            step: self.step(request.step),
            branch: branch(request.branch),
            prompt: self.event(&request.prompt)?,
            asked_at: request.asked_at,
            expires_at: request.expires_at,
            expired: false,
            recoveries: self.recoveries(&request.recoveries),
        })
    }

    fn scope<E: Events>(&self, id: ScopeId, scope: &Scope<E>) -> Result<SavedScope, SnapshotError> {
        let point = scope.point.and_then(|point| self.graph.point(point));
        let gathers = scope.gathers.iter().map(|gather| {
            let arrived = gather.arrived.sorted();
            let count = arrived.len();
            let arrived = arrived.into_iter().map(|(place, member)| {
                Ok(SavedArrival {
                    index: place.index,
                    from: self.step(place.from),
                    commit: place.commit,
                    member: self.member(member)?,
                })
            });
            Ok(SavedGather {
                step: self.step(gather.slot.step),
                param: gather.slot.param,
                fired: gather.fired,
                recoveries: self.recoveries(&gather.recoveries),
                arrived: boxed(count, arrived)?,
            })
        });
        Ok(SavedScope {
            id,
            step: point.map_or_else(Str::default, |point| self.step(point.step)),
            origin: point.map_or(Origin::Returned(0), |point| point.origin),
            items: point.map_or_else(Box::default, |point| item_names(self.graph, point).into()),
            parent: scope.parent.and_then(branch),
            gathers: boxed(scope.gathers.len(), gathers)?,
            joins: self.joins(&scope.joins)?,
        })
    }

    fn joins<E: Events>(&self, joins: &Joins<E>) -> Result<Box<[SavedJoin]>, SnapshotError> {
        let joins = joins.get().into_iter().flatten().map(|((index, step), slots)| {
            let parked = |parked: &Parked<E>| {
                let recoveries = self.recoveries(&parked.recoveries);
                Ok(SavedParked { part: self.part(&parked.part)?, recoveries })
            };
            let slots = slots.iter().map(|waiting| waiting.iter().map(parked).collect());
            Ok(SavedJoin { index: *index, step: self.step(*step), slots: slots.collect::<Result<_, _>>()? })
        });
        joins.collect()
    }

    fn input<E: Events>(&self, input: &Input<E>) -> Result<Box<[SavedPart]>, SnapshotError> {
        match input {
            Input::One(event) => Ok(Box::new([SavedPart::One(self.event(event)?)])),
            Input::Parts(parts) => boxed(parts.len(), parts.iter().map(|part| self.part(part))),
        }
    }

    fn part<E: Events>(&self, part: &Part<E>) -> Result<SavedPart, SnapshotError> {
        match part {
            Part::Failed(failure, input) => Ok(SavedPart::Failed(failure.clone(), self.input(input)?)),
            Part::One(event) => self.event(event).map(SavedPart::One),
            Part::All(members) => {
                let members = members.iter().map(|member| self.member(member));
                boxed(members.len(), members).map(SavedPart::All)
            }
        }
    }

    fn member<E: Events>(&self, member: &Result<E, Box<Failure>>) -> Result<SavedMember, SnapshotError> {
        match member {
            Ok(event) => self.event(event).map(SavedMember::Event),
            Err(error) => Ok(SavedMember::Failure(Failure::clone(error))),
        }
    }

    fn event<E: Events>(&self, event: &E) -> Result<SavedEvent, SnapshotError> {
        let name = event_name(self.graph, event.event());
        match event.encode() {
            Ok(json) => Ok(SavedEvent(name, json)),
            Err(source) => Err(SnapshotError::Encode {
                run: self.run.clone(),
                event: name.into_owned(),
                source: Arc::new(source),
            }),
        }
    }

    fn recoveries(&self, recoveries: &Recoveries) -> SavedRecoveries {
        let counts = recoveries.iter().flat_map(|counts| counts.iter());
        counts.map(|(handler, count)| (self.step(*handler), *count)).collect()
    }

    fn step(&self, step: StepId) -> Str {
        self.graph.step(step).map_or_else(Str::default, |step| step.name.clone())
    }
}

/// So many items, in memory that fits: a snapshot may be kept for long, and others beside it.
fn boxed<T>(
    len: usize,
    items: impl Iterator<Item = Result<T, SnapshotError>>,
) -> Result<Box<[T]>, SnapshotError> {
    let mut boxed = Vec::with_capacity(len);
    for item in items {
        boxed.push(item?);
    }
    Ok(boxed.into())
}

fn branch(branch: Branch) -> Option<SavedBranch> {
    (branch != Branch::ROOT).then_some(SavedBranch(branch.scope, branch.index))
}

fn event_name(graph: &Graph, event: EventId) -> Str {
    graph.event(event).map_or_else(Str::default, |event| event.name.clone())
}

pub(super) fn item_names(graph: &Graph, point: &Point) -> Vec<Str> {
    point.items.iter().map(|event| event_name(graph, *event)).collect()
}
