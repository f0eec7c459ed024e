//! What one tick does.

use std::collections::VecDeque;

use workflow_graph::{Alternative, Event, EventId, Graph, ParamForm, Role, Slot, StepId};

use super::MAX_INTERRUPTIONS;
use super::command::{Command, Counted, Ending, Invoke, Missing, Notice, Stall};
use super::members::Member;
use super::notes::Noted;
use super::payload::{Emitted, Input, Part, Payload};
use super::scopes::Parked;
use super::state::{
    Branch, Budget, FailedAttempts, Invocation, InvocationId, InvocationState, Recoveries, Request, ScopeId,
    State, Status, Time, Timer, merged,
};
use super::tick::{Refused, Tick};
use crate::error::{StepError, StepErrorKind};
use crate::event::RequestId;
use crate::seldom::Seldom;

/// One tick at work: the graph to follow, the state to change, the commands to give.
///
/// Two rules keep scopes right. What is added is counted before what is taken away, so that no scope
/// looks empty while its work is being handed on; and what to start is decided at the end, when the tick
/// has cancelled what it cancels.
pub(super) struct Turn<'a, E> {
    pub(super) graph: &'a Graph,
    pub(super) state: &'a mut State<E>,
    scratch: Scratch,
    pub(super) out: &'a mut Vec<Command<E>>,
    /// What is to be started after the other commands, apart from them: a fan-out starts many.
    runs: &'a mut VecDeque<Invoke<E>>,
}

/// Puts what is to be started behind the other commands of a tick, of which `told` came before it: only the end of the run
/// comes later.
pub(super) fn order_runs<E>(
    out: &mut Vec<Command<E>>,
    told: usize,
    runs: impl IntoIterator<Item = Invoke<E>>,
) {
    let ends = out.len() > told && matches!(out.last(), Some(Command::Finish(_)));
    let end = if ends { out.pop() } else { None };
    out.extend(runs.into_iter().map(Command::Run).chain(end));
}

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

/// Lists that live for one tick.
#[derive(Debug, Default)]
struct Scratch {
    fresh: Fresh,
    /// Limited steps of which an invocation came or a worker became free.
    limited: Vec<StepId>,
}

/// Invocations made in one tick, in delivery order. Mostly it is one, which takes no memory of its own.
#[derive(Debug, Default)]
struct Fresh {
    first: Option<InvocationId>,
    /// Empty if there is no first.
    others: Vec<InvocationId>,
}

impl Fresh {
    #[inline]
    fn push(&mut self, id: InvocationId) {
        match self.first {
            None => self.first = Some(id),
            Some(_) => self.others.push(id),
        }
    }

    #[inline]
    fn get(&self, place: usize) -> Option<InvocationId> {
        match place.checked_sub(1) {
            None => self.first,
            Some(place) => self.others.get(place).copied(),
        }
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    fn clear(&mut self) {
        self.first = None;
        self.others.clear();
    }

    fn iter(&self) -> impl Iterator<Item = InvocationId> {
        self.first.into_iter().chain(self.others.iter().copied())
    }
}

impl Way {
    /// The way of what comes from outside. No step emitted it; at the root no order depends on that.
    fn root() -> Self {
        Self { branch: Branch::ROOT, from: StepId(0), recoveries: None }
    }
}

impl<'a, E: Payload> Turn<'a, E> {
    pub(super) fn new(
        graph: &'a Graph,
        state: &'a mut State<E>,
        out: &'a mut Vec<Command<E>>,
        runs: &'a mut VecDeque<Invoke<E>>,
    ) -> Self {
        Self { graph, state, scratch: Scratch::default(), out, runs }
    }

    /// What is due happens first, as a tick of its own, even if the tick itself is refused then.
    pub(super) fn take(mut self, at: Time, tick: Tick<E>) -> Result<(), Refused> {
        // A run that is taken up is put in order first: until then nobody has held it.
        let held = !matches!(tick, Tick::Resumed);
        let (told, waiting) = (self.out.len(), self.runs.len());
        let mut was_due = false;
        if held && self.state.next_due().is_some_and(|due| due <= at) {
            let end = self.state.time_is_up();
            self.pass_time(at);
            self.state.ticks += 1;
            self.fire_what_is_due(end);
            self.finish();
            if let Tick::Time = tick {
                return Ok(());
            }
            // What the tick itself does comes after that, and may abort it.
            order_runs(self.out, told, self.runs.drain(waiting..));
            was_due = true;
        }
        self.permit(&tick)?;
        if held {
            self.pass_time(at);
        } else {
            self.state.now = self.state.now.max(at);
        }
        self.state.ticks += 1;
        match tick {
            Tick::Started { input } => self.start(input),
            Tick::Finished { invocation, emitted, .. } => self.settle(invocation, emitted),
            Tick::Failed { invocation, error, verdict, .. } => {
                self.attempt_failed(invocation, error, verdict)
            }
            Tick::Sent { invocation, point, place, event, .. } => self.send(invocation, point, place, event),
            Tick::Answered { request, response } => self.answer(request, response),
            Tick::Noted { invocation, key, note, .. } => self.note(invocation, key, note),
            Tick::Withdrawn { invocation, key, .. } => self.withdraw(invocation, &key),
            Tick::Signal { event } if self.graph.has_inbox(event.event()) => self.post(event),
            Tick::Signal { event } => self.deliver(event, &Way::root()),
            Tick::Time => {}
            Tick::Cancelled { reason } => self.end(Status::Cancelled, Ending::Cancelled { reason }),
            Tick::Suspended => self.end(Status::Suspended, Ending::Suspended),
            Tick::Resumed => self.resume(),
        }
        self.finish();
        if was_due {
            order_runs(self.out, told, self.runs.drain(waiting..));
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.start_what_is_ready();
        self.notice_a_stall();
    }

    /// Time never goes back. What has passed counts against the run's time while something is at work.
    fn pass_time(&mut self, at: Time) {
        let passed = at.0.saturating_sub(self.state.now.0);
        self.state.now = self.state.now.max(at);
        let at_work = self.state.at_work();
        let extras = self.state.extras.get_mut().filter(|_| at_work);
        if let Some(budget) = extras.and_then(|extras| extras.budget.as_mut()) {
            budget.left = budget.left.saturating_sub(passed);
        }
    }

    /// What is due fires in due order, and ahead of what the tick brings. Nothing happens after the `end` of the run's
    /// time, even if the tick comes late.
    pub(super) fn fire_what_is_due(&mut self, end: Option<Time>) {
        let now = self.state.now;
        let end = end.filter(|end| *end <= now);
        let last = end.unwrap_or(now);
        while let Some((due, timer)) = self.state.first_timer().filter(|(due, _)| *due <= last) {
            self.state.stop_timer(Some(due), timer);
            match timer {
                Timer::Retry(id) => self.run_again(id),
                Timer::Expiry(id) => self.expire(id),
            }
            if self.state.status != Status::Running {
                return;
            }
        }
        if end.is_some() {
            let running = self.state.invocations.values().filter(|it| it.state == InvocationState::Running);
            let running = running.map(|it| it.step).collect();
            self.end(Status::TimedOut, Ending::TimedOut { running });
        }
    }

    /// Whether the tick is legal now. After this nothing is refused.
    fn permit(&self, tick: &Tick<E>) -> Result<(), Refused> {
        match (&self.state.status, tick) {
            (Status::New, Tick::Started { input }) => match self.graph.event(input.event()) {
                Some(event) if event.role == Role::Start => Ok(()),
                _ => Err(Refused::NotAnInput { event: self.event_name(input.event()) }),
            },
            (_, Tick::Started { .. }) => Err(Refused::AlreadyStarted),
            (Status::New, _) => Err(Refused::NotStarted),
            (Status::Completed, Tick::Resumed) => Err(Refused::Completed),
            // A run that its process left behind is still `Running` when its snapshot is loaded.
            (_, Tick::Resumed) => Ok(()),
            (
                Status::Running,
                Tick::Finished { invocation, attempt, .. } | Tick::Failed { invocation, attempt, .. },
            ) => self.current(*invocation, *attempt).map(|_| ()),
            (Status::Running, Tick::Sent { invocation, attempt, point, place, event }) => {
                let current = self.current(*invocation, *attempt)?;
                let sender = self.sender(current, *point).filter(|sender| *place <= sender.sent);
                let items = self.graph.point(*point).map(|point| &point.items);
                match sender {
                    Some(_) if items.is_some_and(|items| items.contains(&event.event())) => Ok(()),
                    _ => Err(Refused::NotSent { event: self.event_name(event.event()) }),
                }
            }
            (Status::Running, Tick::Answered { request, response }) => {
                let Some(open) = self.state.requests.get(request) else {
                    return Err(Refused::NotOpen { request: *request });
                };
                if self.is_answer(open, response) {
                    return Ok(());
                }
                Err(Refused::NotAnAnswer { request: *request, event: self.event_name(response.event()) })
            }
            (Status::Running, Tick::Signal { event: signal }) => {
                if self.graph.takes_signal(signal.event()) {
                    return Ok(());
                }
                Err(Refused::NotASignal { event: self.event_name(signal.event()) })
            }
            (Status::Running, Tick::Noted { invocation, attempt, key, note }) => {
                self.may_note((*invocation, *attempt), key, note)
            }
            (Status::Running, Tick::Withdrawn { invocation, attempt, key }) => {
                self.may_withdraw((*invocation, *attempt), key)
            }
            (Status::Running, Tick::Time | Tick::Cancelled { .. } | Tick::Suspended) => Ok(()),
            (
                Status::Suspended | Status::Cancelled | Status::Failed | Status::TimedOut | Status::Completed,
                _,
            ) => Err(Refused::Ended),
        }
    }

    pub(super) fn current(&self, id: InvocationId, attempt: u32) -> Result<&Invocation<E>, Refused> {
        let found = self.state.invocations.get(&id);
        let current = found.filter(|it| it.state == InvocationState::Running && it.attempt == attempt);
        current.ok_or(Refused::NotCurrent { invocation: id, attempt })
    }

    fn start(&mut self, input: E) {
        self.state.status = Status::Running;
        self.deliver(input, &Way::root());
    }

    /// A step has finished: what it emitted takes effect.
    fn settle(&mut self, id: InvocationId, emitted: Emitted<E>) {
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

    fn ask(&mut self, prompt: E, way: &Way) {
        if !self.state.scopes.contains_key(&way.branch.scope) {
            return;
        }
        let recoveries = way.recoveries.clone();
        let request = Request::outside(way.from, way.branch, prompt, self.state.now);
        let id = self.open_request(Request { recoveries, ..request });
        self.join_scope(way.branch.scope, Member::Request(id));
    }

    fn answer(&mut self, id: RequestId, response: E) {
        let Some(request) = self.close_request(id) else { return };
        self.publish(Notice::InputReceived { request: id });
        if let Some(waiter) = request.asker {
            return self.settle_wait(&waiter, Noted::Answered(response));
        }
        let way = Way { branch: request.branch, from: request.step, recoveries: request.recoveries };
        self.deliver(response, &way);
        self.leave(request.branch.scope, Member::Request(id));
    }

    /// Nobody has answered in time. If no step takes that, it is a failure of the step that asked.
    fn expire(&mut self, id: RequestId) {
        let Some(request) = self.state.requests.get(&id) else { return };
        if let Some(waiter) = request.asker.clone() {
            self.state.requests.remove(&id);
            self.publish(Notice::InputExpired { request: id });
            return self.settle_wait(&waiter, Noted::Expired(id));
        }
        let way = Way { branch: request.branch, from: request.step, recoveries: request.recoveries.clone() };
        let (answer, expired) = match self.role(&request.prompt) {
            Some(Role::Prompt { response, expired }) => (response, expired),
            _ => (None, None),
        };
        let by_default = answer.and_then(|event| request.prompt.unanswered(id, event));
        let becomes = by_default.or_else(|| request.prompt.expired(id, expired?));
        if let Some(event) = becomes {
            self.state.requests.remove(&id);
            self.publish(Notice::InputExpired { request: id });
            self.deliver(event, &way);
            return self.leave(way.branch.scope, Member::Request(id));
        }
        self.publish(Notice::InputExpired { request: id });
        let error = StepError::of_kind(
            StepErrorKind::Expired,
            format_args!("nobody answered question {id} of step `{}` in time", self.step_name(way.from)),
        );
        self.question_failed(id, &way, error);
    }

    /// Takes a question out, with its timer.
    pub(super) fn close_request(&mut self, id: RequestId) -> Option<Request<E>> {
        let request = self.state.requests.remove(&id)?;
        self.state.stop_timer(request.expires_at, Timer::Expiry(id));
        Some(request)
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

    /// The run has its output: everything else is cancelled, and only then is the end announced.
    fn stop(&mut self, output: E) {
        let running =
            self.state.invocations.iter().filter(|(_, other)| other.state == InvocationState::Running);
        self.out.extend(running.map(|(id, _)| Command::Abort { invocation: *id }));
        let open = self.state.requests.keys();
        self.out.extend(open.map(|id| Command::Publish(Notice::InputWithdrawn { request: *id })));
        self.scratch.fresh.clear();
        self.scratch.limited.clear();
        self.state.complete();
        self.out.push(Command::Finish(Ending::Completed { output }));
    }

    /// Nobody takes a failure: the run fails. Everything stays as it is, so that it can be continued from here.
    pub(super) fn fail_the_run(&mut self, id: InvocationId, error: StepError) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        let step = invocation.step;
        let before = std::mem::replace(&mut invocation.state, InvocationState::Failed(error.clone()));
        let queue = self.state.extras.get_mut().and_then(|extras| extras.queues.get_mut(&step));
        if let (InvocationState::Queued, Some(queue)) = (before, queue) {
            // One that was interrupted too often fails where it waits, and must not wait twice when it is run again.
            queue.retain(|other| *other != id);
        }
        self.state.recount(id);
        self.release(step);
        self.end(Status::Failed, Ending::Failed { invocation: id, step, error });
    }

    /// Ends the run in a way that can be resumed: what runs is aborted, and will be run again.
    pub(super) fn end(&mut self, status: Status, ending: Ending<E>) {
        self.requeue_running(|_, id, out| out.push(Command::Abort { invocation: id }));
        self.scratch.fresh.clear();
        self.scratch.limited.clear();
        self.state.status = status;
        self.out.push(Command::Finish(ending));
    }

    /// Puts what runs back to where it waits for a start, ahead of what has not run yet.
    fn requeue_running(
        &mut self,
        mut each: impl FnMut(&mut Invocation<E>, InvocationId, &mut Vec<Command<E>>),
    ) {
        let mut limited = Vec::new();
        for (id, invocation) in self.state.invocations.iter_mut() {
            if invocation.state != InvocationState::Running {
                continue;
            }
            invocation.state = InvocationState::Queued;
            each(invocation, *id, self.out);
            if workers(self.graph, invocation.step).is_some() {
                limited.push((invocation.step, *id));
            }
        }
        for (step, id) in limited.into_iter().rev() {
            self.state.queue(step).push_front(id);
        }
        if let Some(extras) = self.state.extras.get_mut() {
            extras.busy.clear();
            extras.waiting.clear();
        }
        // What was made in the same tick as the end has not reached its queue yet.
        for id in std::mem::take(&mut self.scratch.fresh).iter() {
            if let Some(invocation) = self.state.invocations.get(&id) {
                if workers(self.graph, invocation.step).is_some() {
                    self.state.queue(invocation.step).push_back(id);
                }
            }
        }
    }

    /// Takes the run up again: what ran when it was put down runs again, and so does what failed.
    fn resume(&mut self) {
        let interrupted = self.state.status == Status::Running;
        self.requeue_running(|invocation, _, _| {
            // A step that waits for somebody does not wear the process out.
            if interrupted && invocation.waits() == 0 {
                invocation.history.make().interruptions += 1;
            }
        });
        if self.state.status == Status::TimedOut {
            // A run that is continued has its time anew. A deadline that has passed has had its effect.
            let now = self.state.now;
            if let Some(extras) = self.state.extras.get_mut() {
                extras.budget = extras.budget.map(|budget| Budget { left: budget.whole, ..budget });
                extras.deadline = extras.deadline.filter(|deadline| *deadline > now);
            }
        }
        self.state.status = Status::Running;
        let now = self.state.now;
        let State { requests, extras, .. } = &mut *self.state;
        for (id, request) in requests.iter_mut() {
            // One that expired without a taker failed the run; it is asked anew.
            let is_due =
                |due| extras.get().is_some_and(|extras| extras.timers.contains(&(due, Timer::Expiry(*id))));
            if request.expires_at.is_some_and(|due| !is_due(due)) {
                request.expires_at = request.prompt.expires_in().map(|after| now.plus(after));
                let timers = &mut extras.make().timers;
                timers.extend(request.expires_at.map(|due| (due, Timer::Expiry(*id))));
            }
            self.out.push(Command::Publish(request.notice(*id)));
        }
        let mut worn_out = Vec::new();
        for (id, invocation) in self.state.invocations.iter_mut() {
            if let InvocationState::Delayed(_) = invocation.state {
                continue;
            }
            let failed = matches!(invocation.state, InvocationState::Failed(_));
            if failed {
                invocation.state = InvocationState::Queued;
                invocation.attempt = 1;
                if let Some(history) = invocation.history.get_mut() {
                    history.interruptions = 0;
                    history.failed = FailedAttempts::default();
                    // What nobody answered in time is asked anew.
                    history.notes.retain(|_, noted| !matches!(noted, Noted::Expired(_)));
                }
            }
            if invocation.interruptions() >= MAX_INTERRUPTIONS {
                worn_out.push((*id, invocation.step));
            }
            match workers(self.graph, invocation.step) {
                None => self.scratch.fresh.push(*id),
                Some(_) => {
                    self.scratch.limited.push(invocation.step);
                    if failed {
                        self.state.extras.make().queue(invocation.step).push_front(*id);
                    }
                }
            }
        }
        for (id, step) in worn_out {
            if self.state.status != Status::Running {
                break;
            }
            let message = format!(
                "the run was interrupted {MAX_INTERRUPTIONS} times while step `{}` ran",
                self.step_name(step)
            );
            self.fail(id, StepError::of_kind(StepErrorKind::Interrupted, message));
        }
        if self.state.status == Status::Running {
            self.fire_what_is_due(self.state.time_is_up());
        }
    }

    fn start_what_is_ready(&mut self) {
        // Starting adds to neither list, so both can be read in place.
        self.runs.reserve(self.scratch.fresh.len());
        let mut next = 0;
        while let Some(id) = self.scratch.fresh.get(next) {
            next += 1;
            let Some(step) = self.state.invocations.get(&id).map(|invocation| invocation.step) else {
                continue;
            };
            if workers(self.graph, step).is_some() {
                self.state.queue(step).push_back(id);
                self.scratch.limited.push(step);
            } else {
                self.run(id);
            }
        }
        self.scratch.fresh.clear();
        let mut next = 0;
        while let Some(step) = self.scratch.limited.get(next).copied() {
            next += 1;
            self.start_from_queue(step);
        }
        self.scratch.limited.clear();
    }

    fn start_from_queue(&mut self, step: StepId) {
        let limit = workers(self.graph, step).unwrap_or(u32::MAX);
        while let Some(extras) = self.state.extras.get_mut() {
            if extras.busy.get(&step).is_some_and(|busy| *busy >= limit) {
                return;
            }
            let Some(queue) = extras.queues.get_mut(&step) else { return };
            let Some(id) = queue.pop_front() else {
                extras.queues.remove(&step);
                return;
            };
            // Cancelling leaves its entries in the queue, so that its cost is that of what it cancels.
            if self.state.invocations.contains_key(&id) {
                *extras.busy.entry(step).or_default() += 1;
                self.run(id);
            }
        }
    }

    fn run(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        invocation.state = InvocationState::Running;
        let (step, attempt) = (invocation.step, invocation.attempt);
        let depth = self.state.scopes.get(&invocation.branch.scope).map_or(0, |scope| scope.depth);
        let input = invocation.input.clone();
        let mut failed = None;
        if let Some(history) = invocation.history.get() {
            failed = Some(&history.failed).filter(|failed| !failed.is_empty()).cloned();
            self.state.recount(id);
        }
        if self.graph.step(step).is_some_and(|step| !step.tools.is_empty()) {
            self.open_emitters(id);
        }
        self.runs.push_back(Invoke { invocation: id, attempt, step, depth, input, failed: failed.into() });
    }

    /// A retry is due. It goes ahead of what has not run yet.
    fn run_again(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get_mut(&id) else { return };
        if !matches!(invocation.state, InvocationState::Delayed(_)) {
            return;
        }
        invocation.state = InvocationState::Queued;
        let step = invocation.step;
        if workers(self.graph, step).is_some() {
            self.state.queue(step).push_front(id);
            self.scratch.limited.push(step);
        } else {
            self.scratch.fresh.push(id);
        }
    }

    /// A worker of the step has become free.
    pub(super) fn release(&mut self, step: StepId) {
        if workers(self.graph, step).is_none() {
            return;
        }
        let extras = self.state.extras.get_mut();
        if extras.is_some_and(|extras| extras.free_worker(step)) {
            self.scratch.limited.push(step);
        }
    }

    /// Nothing on the way, nobody who could send anything, and no output: an error now rather than a hang.
    fn notice_a_stall(&mut self) {
        if self.state.status != Status::Running || !self.state.scopes.root().members.is_empty() {
            return;
        }
        if self.graph.events.iter().any(|event| event.role == Role::Signal && !event.accepted_by.is_empty()) {
            return;
        }
        let stall = self.stall();
        self.end(Status::Failed, Ending::Stalled(stall));
    }

    fn stall(&self) -> Stall {
        let joins = self.state.scopes.root().joins.get().into_iter().flatten();
        let waiting = joins.map(|((_, step), slots)| {
            let (mut arrived, mut missing) = (Vec::new(), Vec::new());
            for (param, waiting) in (0..).zip(slots) {
                if waiting.is_empty() { missing.push(param) } else { arrived.push(param) }
            }
            Missing { step: *step, arrived, missing }
        });
        let ended = self.state.extras.get().map(|extras| extras.ended.iter().copied().collect());
        Stall { waiting: waiting.collect(), ended: ended.unwrap_or_default() }
    }

    /// Counts a member in. `false` where the scope is gone: one delivery of the same event has filled a
    /// `take` and cancelled the scope before this one.
    pub(super) fn join_scope(&mut self, scope: ScopeId, member: Member) -> bool {
        match self.state.scopes.get_mut(&scope) {
            Some(scope) => scope.members.insert(member),
            None => false,
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.state.last_id += 1;
        self.state.last_id
    }

    pub(super) fn publish(&mut self, notice: Notice<E>) {
        self.out.push(Command::Publish(notice));
    }

    fn role(&self, event: &E) -> Option<Role> {
        self.graph.event(event.event()).map(|event| event.role)
    }

    pub(super) fn event_name(&self, id: EventId) -> String {
        self.graph.event(id).map_or_else(|| format!("event {}", id.0), |event| event.name.to_string())
    }

    pub(super) fn step_name(&self, step: StepId) -> &'a str {
        self.graph.step(step).map_or("?", |step| &step.name)
    }
}

fn workers(graph: &Graph, step: StepId) -> Option<u32> {
    graph.step(step)?.options.workers
}
