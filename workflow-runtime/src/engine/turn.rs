//! What one tick does.

use std::collections::VecDeque;

use workflow_graph::{EventId, Graph, Role, StepId};

use super::command::{Command, Ending, Invoke, Notice};
use super::delivery::Way;
use super::members::Member;
use super::payload::Payload;
use super::start::Scratch;
use super::state::{Invocation, InvocationId, InvocationState, ScopeId, State, Status, Time, Timer};
use super::tick::{Refused, Tick};

/// One tick at work: the graph to follow, the state to change, the commands to give.
///
/// Two rules keep scopes right. What is added is counted before what is taken away, so that no scope
/// looks empty while its work is being handed on; and what to start is decided at the end, when the tick
/// has cancelled what it cancels.
pub(super) struct Turn<'a, E> {
    pub(super) graph: &'a Graph,
    pub(super) state: &'a mut State<E>,
    pub(super) scratch: Scratch,
    pub(super) out: &'a mut Vec<Command<E>>,
    /// What is to be started after the other commands, apart from them: a fan-out starts many.
    pub(super) runs: &'a mut VecDeque<Invoke<E>>,
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

    pub(super) fn role(&self, event: &E) -> Option<Role> {
        self.graph.event(event.event()).map(|event| event.role)
    }

    pub(super) fn event_name(&self, id: EventId) -> String {
        self.graph.event(id).map_or_else(|| format!("event {}", id.0), |event| event.name.to_string())
    }

    pub(super) fn step_name(&self, step: StepId) -> &'a str {
        self.graph.step(step).map_or("?", |step| &step.name)
    }
}
