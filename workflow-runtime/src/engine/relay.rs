//! The usual ticks by a short way.
//!
//! What runs do most is this: a step finishes with one event, and either one step takes it, which can start at once, or
//! one gather keeps it, and others are still on their way. That is known from the graph and some looks at the state, and
//! then nothing has to be made and thrown away: the invocation that ends becomes the one that begins. So it is where a
//! run starts with one step, and where the last one that is at work ends it. The state and the
//! commands are those that [`turn`](super::turn) makes; it is asked wherever something is not as usual.

use std::collections::VecDeque;

use workflow_graph::{Alternative, ParamForm, Role, Slot, Step, StepId};

use super::Engine;
use super::command::Invoke;
use super::members::Member;
use super::payload::{Input, Payload};
use super::scopes::Place;
use super::state::{Branch, Invocation, InvocationId, InvocationState, State, Status, Time};
use crate::seldom::Seldom;

impl<E: Payload> Engine<E> {
    /// Takes [`Tick::Started`](super::Tick::Started), if what it leads to is that one step starts: that step.
    ///
    /// # Errors
    /// It is not as simple as that: the input comes back, and nothing has changed.
    pub(crate) fn begin(&mut self, input: E, at: Time) -> Result<Invoke<E>, E> {
        let state = &mut self.state;
        let graph = &*self.graph;
        let slot = match graph.event(input.event()).map(|event| (event.role, &*event.accepted_by)) {
            Some((Role::Start, [slot])) => *slot,
            _ => return Err(input),
        };
        let Some(taker) = graph.step(slot.step) else { return Err(input) };
        let takes_it_alone = form(taker, slot) == Some(ParamForm::One) && taker.params.len() == 1;
        // Limits of the run's time are among what only some runs have.
        if state.status != Status::New
            || state.extras.get().is_some()
            || !takes_it_alone
            || !starts_at_once(taker)
        {
            return Err(input);
        }
        let id = InvocationId(state.last_id + 1);
        let invoke = Invoke { step: slot.step, input: Input::One(input.clone()), ..Invoke::at_work(id, 1) };
        let invocation = Invocation {
            step: slot.step,
            branch: Branch::ROOT,
            input: Input::One(input),
            state: InvocationState::Running,
            attempt: 1,
            recoveries: None,
            history: Seldom::NEVER,
        };
        state.scopes.root_mut().members.insert(Member::Invocation(id));
        state.invocations.insert(id, invocation);
        state.status = Status::Running;
        state.last_id = id.0;
        state.ticks += 1;
        state.now = state.now.max(at);
        Ok(invoke)
    }

    /// Takes [`Tick::Finished`](super::Tick::Finished) of a step with the event that ends the run, if nothing else is alive,
    /// which would have to be told. Whether it is taken; else nothing has changed.
    pub(crate) fn complete(&mut self, (id, attempt): (InvocationId, u32), output: &E, at: Time) -> bool {
        let state = &mut self.state;
        let kind = output.event();
        let ends = self.graph.event(kind).is_some_and(|event| event.role == Role::Stop);
        if !ends || state.status != Status::Running || state.next_due().is_some() {
            return false;
        }
        if state.invocations.len() > 1 || !state.requests.is_empty() {
            return false;
        }
        let Some(invocation) = state.invocations.get(&id) else { return false };
        let is_current = invocation.state == InvocationState::Running && invocation.attempt == attempt;
        let declares = |step: &Step| step.returns.alternatives.contains(&Alternative::One(kind));
        if !is_current
            || invocation.history.get().is_some()
            || !self.graph.step(invocation.step).is_some_and(declares)
        {
            return false;
        }
        state.complete();
        state.ticks += 1;
        state.now = state.now.max(at);
        true
    }

    /// Takes [`Tick::Finished`](super::Tick::Finished) of the step that was at work with one event, if what it leads to is
    /// that one other step starts, which is at work then, or that a gather has one event more. Whether one starts.
    ///
    /// # Errors
    /// It is not as simple as that: the event comes back, and nothing has changed but that entries of cancelled
    /// invocations are gone from where they waited.
    pub(crate) fn relay(&mut self, at_work: &mut Invoke<E>, event: E, at: Time) -> Result<bool, E> {
        let (id, attempt) = (at_work.invocation, at_work.attempt);
        let state = &mut self.state;
        if state.status != Status::Running || state.next_due().is_some() {
            return Err(event);
        }
        let graph = &*self.graph;
        let kind = event.event();
        // A question or the end is more than one event for one step.
        let slot = match graph.event(kind).map(|event| (event.role, &*event.accepted_by)) {
            Some((Role::Event, [slot])) => *slot,
            _ => return Err(event),
        };
        let Some(invocation) = state.invocations.get(&id) else { return Err(event) };
        let is_current = invocation.state == InvocationState::Running && invocation.attempt == attempt;
        // Attempts, emitters and notes go with the invocation, and others may have to be told.
        if !is_current || invocation.history.get().is_some() {
            return Err(event);
        }
        let (from, branch, recovered) = (invocation.step, invocation.branch, invocation.recoveries.is_some());
        let declares = |step: &&Step| step.returns.alternatives.contains(&Alternative::One(kind));
        let Some(step) = graph.step(from).filter(declares) else { return Err(event) };
        let Some(taker) = graph.step(slot.step) else { return Err(event) };
        // The worker that becomes free takes who waits for it; one that was there before has more to it.
        let heir = if step.options.workers.is_some() { state.first_in_line(from) } else { None };
        if heir.is_some_and(|heir| state.invocations.get(&heir).is_none_or(|it| it.history.get().is_some())) {
            return Err(event);
        }
        let Some(scope) = state.scopes.get_mut(&branch.scope) else { return Err(event) };

        // Written where it is to stay, part by part: each move of it shows in a profile by time.
        let starts = match form(taker, slot) {
            Some(ParamForm::One)
                if taker.params.len() == 1 && starts_at_once(taker) && starts_at_once(step) =>
            {
                let next = InvocationId(state.last_id + 1);
                let Some(invocation) = state.invocations.rename(&id, next) else { return Err(event) };
                scope.members.replace(Member::Invocation(id), Member::Invocation(next));
                invocation.step = slot.step;
                invocation.attempt = 1;
                at_work.becomes(next, slot.step, scope.depth, Input::One(event.clone()));
                invocation.input = Input::One(event);
                true
            }
            // With a `take`, it may be the last that is waited for.
            Some(ParamForm::Gather { .. })
                if taker.options.take.is_none() && step.tools.is_empty() && scope.members.len() > 1 =>
            {
                let gather = scope.gathers.iter_mut().find(|gather| gather.slot == slot && !gather.fired);
                let Some(gather) = gather.filter(|_| !recovered) else { return Err(event) };
                let place = Place { index: branch.index, from, commit: state.last_id + 1 };
                gather.arrived.add(place, Ok(event));
                gather.successes += 1;
                scope.members.remove(Member::Invocation(id));
                state.invocations.remove(&id);
                match step.options.workers {
                    Some(_) => state.hand_worker_on(from, heir, at_work),
                    None => false,
                }
            }
            _ => return Err(event),
        };
        state.last_id += 1;
        state.ticks += 1;
        state.now = state.now.max(at);
        Ok(starts)
    }
}

impl<E: Clone> State<E> {
    /// Who has waited longest for a worker of that step.
    fn first_in_line(&mut self, step: StepId) -> Option<InvocationId> {
        let line = self.extras.get_mut()?.queues.get_mut(&step)?;
        while let Some(first) = line.front() {
            if self.invocations.contains_key(first) {
                return Some(*first);
            }
            // It was cancelled.
            line.pop_front();
        }
        None
    }

    /// A worker of that step has become free. Whether there is an heir, who is first in line and is at work then.
    fn hand_worker_on(&mut self, step: StepId, heir: Option<InvocationId>, at_work: &mut Invoke<E>) -> bool {
        let Some(extras) = self.extras.get_mut() else { return false };
        let Some(first) = heir else {
            extras.queues.remove(&step);
            extras.free_worker(step);
            return false;
        };
        extras.queues.get_mut(&step).map(VecDeque::pop_front);
        let Some(invocation) = self.invocations.get_mut(&first) else { return false };
        invocation.state = InvocationState::Running;
        let depth = self.scopes.get(&invocation.branch.scope).map_or(0, |scope| scope.depth);
        at_work.becomes(first, step, depth, invocation.input.clone());
        at_work.attempt = invocation.attempt;
        true
    }
}

impl<E> Invoke<E> {
    /// The first attempt of another invocation is made in its place.
    #[inline(always)]
    fn becomes(&mut self, invocation: InvocationId, step: StepId, depth: u32, input: Input<E>) {
        self.input = input;
        self.invocation = invocation;
        self.attempt = 1;
        self.step = step;
        self.depth = depth;
        self.failed = Seldom::NEVER;
    }
}

/// Whether nothing has to be seen to before and after such a step: no worker, no emitter, no calls.
fn starts_at_once(step: &Step) -> bool {
    step.options.workers.is_none() && step.tools.is_empty()
}

fn form(step: &Step, slot: Slot) -> Option<ParamForm> {
    step.params.get(usize::from(slot.param)).map(|param| param.form)
}

#[cfg(test)]
mod tests {
    use workflow_graph::build::{AlternativeDecl, Builder, StepDecl, ToolDecl};
    use workflow_graph::{EventId, Graph, Param, PointId};

    use super::super::{Command, Emitted, Tick};
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Value(EventId, u32);

    impl Payload for Value {
        fn event(&self) -> EventId {
            self.0
        }
    }

    /// Steps that can be started at once, one with a limit, one with an emitter, a join; gathers, also with `take`.
    fn graph() -> (Graph, [EventId; 8]) {
        let mut builder = Builder::new("Relay");
        let (start, stop) = (builder.start("u32"), builder.stop("u32"));
        let [task, half, rest, done, left, over] =
            ["Task", "Half", "Rest", "Done", "Left", "Over"].map(|name| builder.event(name));
        let mut step = |name: &str, params: Vec<Param>, returns: &[EventId], more: &dyn Fn(&mut StepDecl)| {
            let mut decl = StepDecl::new(name);
            decl.params = params;
            decl.returns.alternatives = returns.iter().copied().map(AlternativeDecl::One).collect();
            more(&mut decl);
            builder.step(decl);
        };
        let one = |event| Param::new(ParamForm::One, [event]);
        let all = |event| Param::new(ParamForm::Gather { failures: false }, [event]);
        let plain = |_: &mut StepDecl| {};
        step("split", vec![one(start)], &[], &|decl| {
            decl.returns.alternatives.push(AlternativeDecl::Many(vec![task]));
        });
        step("begin", vec![one(task)], &[half], &plain);
        step("pass", vec![one(half)], &[rest, done], &plain);
        step("limited", vec![one(rest)], &[done], &|decl| decl.options.workers = Some(2));
        step("sends", vec![one(task)], &[left], &|decl| decl.tools.push(ToolDecl::Emitter(vec![rest])));
        step("add", vec![all(done)], &[left], &plain);
        step("early", vec![all(left)], &[over], &|decl| {
            (decl.options.take, decl.options.cancel_rest) = (Some(3), false);
        });
        step("end", vec![one(left), one(over)], &[stop], &plain);
        (builder.build(), [start, task, half, rest, done, left, over, stop])
    }

    /// What a step returns, by its name.
    fn returns(graph: &Graph, step: StepId, events: [EventId; 8], n: u32) -> Emitted<Value> {
        let [_, task, half, rest, done, left, over, stop] = events;
        let event = match &*graph.step(step).unwrap().name {
            "split" => return Emitted::Many(PointId(0), (0..4 + n % 5).map(|n| Value(task, n)).collect()),
            "begin" => half,
            "pass" if n % 2 == 0 => rest,
            "pass" | "limited" => done,
            "sends" | "add" => left,
            "early" => over,
            _ => stop,
        };
        Emitted::One(Value(event, n))
    }

    #[test]
    fn the_short_way_leads_to_where_the_long_one_does() {
        let (graph, events) = graph();
        let (mut begun, mut relayed, mut completed) = (0, 0, 0);
        for seed in 0..200_u32 {
            let mut dice = seed;
            let mut engine = Engine::new(std::sync::Arc::new(graph.clone()));
            let mut tick = Tick::Started { input: Value(events[0], seed) };
            let mut running = Vec::new();
            for time in 0.. {
                let mut at_length = engine.clone();
                let (mut short, mut long) = (Vec::new(), Vec::new());
                match tick.clone() {
                    Tick::Started { input } => {
                        begun += u32::from(engine.clone().begin(input, Time(time)).is_ok());
                    }
                    Tick::Finished { invocation, attempt, emitted: Emitted::One(event) } => {
                        let which = (invocation, attempt);
                        completed += u32::from(engine.clone().complete(which, &event, Time(time)));
                        let mut at_work = Invoke::at_work(invocation, attempt);
                        relayed += u32::from(engine.clone().relay(&mut at_work, event, Time(time)).is_ok());
                    }
                    _ => {}
                }
                let taken = engine.handle(Time(time), tick.clone(), &mut short);
                let mut runs = VecDeque::new();
                assert_eq!(taken, at_length.handle_at_length(Time(time), tick, &mut long, &mut runs));
                super::super::turn::order_runs(&mut long, 0, runs);
                assert_eq!(short, long);
                assert_eq!(engine.state(), at_length.state());
                running.extend(short.into_iter().filter_map(|command| match command {
                    Command::Run(invoke) => Some((invoke.invocation, invoke.attempt, invoke.step)),
                    _ => None,
                }));
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if running.is_empty() {
                    break;
                }
                let (invocation, attempt, step) = running.remove((dice >> 8) as usize % running.len());
                let emitted = returns(&graph, step, events, dice >> 24);
                // Now and then, an attempt that is not current.
                let attempt = attempt + u32::from(dice % 50 == 0);
                tick = Tick::Finished { invocation, attempt, emitted };
            }
        }
        assert!(begun == 200 && relayed > 500 && completed > 10, "{begun} {relayed} {completed}");
    }
}
