//! The usual tick by a short way.
//!
//! What runs do most is this: a step finishes with one event, and one step takes it, which can start at once. That is
//! known from the graph and some looks at the state, and then nothing has to be made and thrown away: the invocation
//! that ends becomes the one that begins. The state and the commands are those that [`turn`](super::turn) makes; it is
//! asked wherever something is not as usual.

use workflow_graph::{Alternative, EventId, Param, ParamForm, Role, Step, StepId};

use super::Engine;
use super::command::Invoke;
use super::payload::{Input, Payload};
use super::state::{InvocationId, InvocationState, Member, Status, Time};

/// What a step has led to that handed on to another one.
pub(crate) struct Relayed<E> {
    /// The step that has finished.
    pub(crate) from: StepId,
    /// What it emitted.
    pub(crate) event: EventId,
    /// The step that starts.
    pub(crate) invoke: Invoke<E>,
}

impl<E: Payload> Engine<E> {
    /// Takes [`Tick::Finished`](super::Tick::Finished) with one event, if what it leads to is that one other step starts.
    ///
    /// # Errors
    /// It is not as simple as that: the event comes back, and nothing has changed.
    pub(crate) fn relay(
        &mut self,
        at: Time,
        (id, attempt): (InvocationId, u32),
        event: E,
    ) -> Result<Relayed<E>, E> {
        let state = &mut self.state;
        if state.status != Status::Running || state.next_due().is_some() {
            return Err(event);
        }
        let graph = &*self.graph;
        let Some(invocation) = state.invocations.get_mut(&id) else { return Err(event) };
        let is_current = invocation.state == InvocationState::Running && invocation.attempt == attempt;
        // Attempts, emitters and notes go with the invocation, and others may have to be told.
        if !is_current || invocation.history.get().is_some() {
            return Err(event);
        }
        let kind = event.event();
        let from = invocation.step;
        let declares = |step: &&Step| step.returns.alternatives.contains(&Alternative::One(kind));
        let Some(_) = graph.step(from).filter(starts_at_once).filter(declares) else { return Err(event) };
        let slot = match graph.event(kind).map(|event| (event.role, &*event.accepted_by)) {
            Some((Role::Event, [slot])) => *slot,
            _ => return Err(event),
        };
        let takes_one = |step: &&Step| matches!(&*step.params, [Param { form: ParamForm::One, .. }]);
        let Some(_) = graph.step(slot.step).filter(starts_at_once).filter(takes_one) else {
            return Err(event);
        };
        let Some(scope) = state.scopes.get_mut(&invocation.branch.scope) else { return Err(event) };

        let input = Input::One(event.clone());
        let next = InvocationId(state.last_id + 1);
        state.last_id = next.0;
        state.ticks += 1;
        state.now = state.now.max(at);
        scope.members.replace(Member::Invocation(id), Member::Invocation(next));
        invocation.step = slot.step;
        invocation.attempt = 1;
        invocation.input = Input::One(event);
        state.invocations.rename(&id, next);
        let invoke = Invoke {
            invocation: next,
            attempt: 1,
            step: slot.step,
            depth: scope.depth,
            input,
            last_error: None,
            first_failed_at: None,
        };
        Ok(Relayed { from, event: kind, invoke })
    }
}

/// Whether nothing has to be seen to before and after such a step: no worker, no emitter, no calls.
fn starts_at_once(step: &&Step) -> bool {
    step.options.workers.is_none() && step.tools.is_empty()
}
