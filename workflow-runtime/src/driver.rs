//! The in-memory driver: does the engine's commands on tokio, and makes ticks of what happens.
//!
//! There is no actor. A run is a mutex, held for one tick and never while a step is polled; whoever has a
//! tick (a finished step, a caller) applies it. How steps are polled:
//!
//! ```text
//!  released by a tick ──▶ ready queue ──▶ a lane polls the step once, in place
//!                                            │ ready: its tick, then the lane takes the next step
//!                                            └ pending: the step becomes a task of its own, and when
//!                                              that has finished, the task goes on as a lane
//! ```
//!
//! At most `available_parallelism` lanes are awake per run, so that a chain costs no task switch and a
//! fan-out still uses every core.
//!
//! A run's end is announced when every step has really stopped: each step at work holds a [`Ticket`], and
//! the last ticket to go announces.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow_graph::{EventId, StepId};

use crate::context::{Context, Updates};
use crate::engine::{
    Command, Ending, Engine, InvocationId, InvocationState, Invoke, Notice, Payload, Refused, Tick, Time,
    Verdict,
};
use crate::error::{StepError, StepErrorKind};
use crate::handle::{Question, RunError, RunId, RunOptions, Stalled};
use crate::snapshot::Restored;
use crate::stream::{EventCounts, RunEventKind, Stream};
use crate::wakers::{Place, Wakers};
use crate::workflow::{BlockingStep, StepCall, StepFuture, StepResult, Workflow};

/// A lane gives way to other tasks after so many steps ..
const STEPS_PER_SHIFT: u32 = 64;
/// .. or after so long, whichever comes first.
const TIME_PER_SHIFT: Duration = Duration::from_micros(200);

/// One run in memory.
pub(crate) struct Host<W: Workflow> {
    workflow: Arc<W>,
    id: RunId,
    clock: Clock,
    runtime: Handle,
    stream: Arc<Stream<W>>,
    live: Mutex<Live<W>>,
}

/// What changes with every tick.
struct Live<W: Workflow> {
    engine: Engine<W::Event>,
    /// What the steps that have finished made of it.
    state: Arc<W::State>,
    /// Reused from tick to tick; empty between them.
    commands: Vec<Command<W::Event>>,
    /// Steps that the engine has started and nobody has taken yet.
    ready: VecDeque<Invoke<W::Event>>,
    /// How many lanes are awake.
    lanes: usize,
    /// Steps that a lane polls or that have a task of their own.
    at_work: usize,
    /// How to tell steps that they are cancelled: those that have a task of their own, and those that want to know.
    tasks: BTreeMap<InvocationId, CancellationToken>,
    /// The run has ended, and is announced when nothing is at work any more.
    ending: Option<Ending<W::Event>>,
    outcome: Option<Result<W::Output, RunError>>,
    waiting: Wakers,
    /// The author's `Clone` or `Drop` has panicked in the middle of a tick, with this message. What the engine holds
    /// cannot be relied on any more.
    broken: Option<String>,
    /// When something is due, and how to stop waiting for it.
    timer: Option<(Time, CancellationToken)>,
}

/// What a tick leaves to do once the lock is released.
#[derive(Default)]
#[must_use = "steps are cancelled, callers woken and lanes started only by `Host::finish`"]
struct Afterwards {
    cancel: Vec<CancellationToken>,
    wake: Vec<Waker>,
    spawn_lane: bool,
    wait_until: Option<(Time, CancellationToken)>,
}

/// What a lane does next.
enum Next<E> {
    Step(Invoke<E>),
    /// Let other tasks run, then ask again.
    GiveWay,
    /// Nothing is ready. The lane is not counted any more.
    Leave,
}

impl<W: Workflow> Host<W> {
    /// Starts a run.
    pub(crate) fn start(workflow: Arc<W>, input: W::Input, options: RunOptions) -> Arc<Self> {
        let RunOptions { id, timeout, deadline } = options;
        let deadline = deadline.map(|at| Time(millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())));
        let engine = Engine::new(W::GRAPH).with_limits(deadline, timeout.map(millis));
        let host = Self::new(workflow, id.unwrap_or_else(RunId::random), engine, W::State::default(), 1);
        host.first_tick(Tick::Started { input: W::start(input) });
        host
    }

    /// Takes up a run that was saved.
    pub(crate) fn resume(workflow: Arc<W>, restored: Restored<W::Event>, state: W::State) -> Arc<Self> {
        let host = Self::new(workflow, restored.run, restored.engine, state, restored.next_event);
        host.first_tick(Tick::Resumed);
        host
    }

    fn new(
        workflow: Arc<W>,
        id: RunId,
        engine: Engine<W::Event>,
        state: W::State,
        next_event: u64,
    ) -> Arc<Self> {
        let clock = Clock::not_before(engine.state().now());
        let live = Live {
            engine,
            state: Arc::new(state),
            commands: Vec::new(),
            ready: VecDeque::new(),
            lanes: 0,
            at_work: 0,
            tasks: BTreeMap::new(),
            ending: None,
            outcome: None,
            waiting: Wakers::default(),
            broken: None,
            timer: None,
        };
        Arc::new(Self {
            workflow,
            id,
            clock,
            runtime: Handle::current(),
            stream: Arc::new(Stream::starting_at(next_event)),
            live: Mutex::new(live),
        })
    }

    fn first_tick(self: &Arc<Self>, tick: Tick<W::Event>) {
        if let Err(refused) = self.tick(tick) {
            // Only a workflow written by hand can name a start event that its graph does not have.
            let error = RunError::Misrouted { run: self.id.clone(), reason: refused.to_string() };
            self.publish(RunEventKind::Failed { error: error.clone() });
            self.lock().outcome = Some(Err(error));
        }
    }

    pub(crate) fn id(&self) -> &RunId {
        &self.id
    }

    pub(crate) fn stream(&self) -> &Arc<Stream<W>> {
        &self.stream
    }

    pub(crate) fn publish(&self, kind: RunEventKind<W>) {
        self.stream.publish(self.clock.now(), kind);
    }

    /// Looks at the engine between two ticks.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Engine<W::Event>) -> T) -> T {
        look(&self.lock().engine)
    }

    /// Looks at the engine and the state, as they belong together.
    ///
    /// # Errors
    /// The message of a panic that has broken them.
    pub(crate) fn look_at_all<T>(
        &self,
        look: impl FnOnce(&Engine<W::Event>, &W::State) -> T,
    ) -> Result<T, String> {
        let live = self.lock();
        live.broken.clone().map_or_else(|| Ok(look(&live.engine, &live.state)), Err)
    }

    /// What is cancelled when that step is; `None` if it is not current any more.
    pub(crate) fn cancellation(&self, invocation: InvocationId, attempt: u32) -> Option<CancellationToken> {
        let mut live = self.lock();
        Self::is_current(&live, invocation, attempt)
            .then(|| live.tasks.entry(invocation).or_default().clone())
    }

    /// The state of the run.
    pub(crate) fn state(&self) -> Arc<W::State> {
        Arc::clone(&self.lock().state)
    }

    /// Applies what a caller does to the run.
    pub(crate) fn tick(self: &Arc<Self>, tick: Tick<W::Event>) -> Result<(), Refused> {
        let mut afterwards = Afterwards::default();
        let taken = {
            let mut live = self.lock();
            let taken = self.apply(&mut live, tick, &mut afterwards);
            live.want_lane(&mut afterwards);
            taken
        };
        self.finish(afterwards);
        taken
    }

    /// What the run came to; else `waker` is woken when that is known.
    pub(crate) fn poll_outcome(&self, place: &mut Place, waker: &Waker) -> Poll<Result<W::Output, RunError>> {
        let mut live = self.lock();
        if let Some(outcome) = &live.outcome {
            return Poll::Ready(outcome.clone());
        }
        live.waiting.wait(place, waker);
        Poll::Pending
    }

    /// Somebody waits no longer.
    pub(crate) fn leave(&self, place: &Place) {
        self.lock().waiting.leave(place);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lock().outcome.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Live<W>> {
        // The engine does not panic. The author's code that runs under the lock (`Clone`, `Serialize`) can,
        // but only while a value is read.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles one tick and does its commands, as far as the lock allows.
    fn apply(
        &self,
        live: &mut Live<W>,
        tick: Tick<W::Event>,
        afterwards: &mut Afterwards,
    ) -> Result<(), Refused> {
        // Events are cloned and dropped in a tick, which is the author's code.
        let applied = catch_unwind(AssertUnwindSafe(|| self.follow(live, tick, afterwards)));
        let taken = applied.unwrap_or_else(|panic| {
            live.broken = Some(panic_message(&*panic).to_owned());
            live.ending = None;
            // What is thrown away may panic as well.
            let ready = std::mem::take(&mut live.ready);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(ready)));
            afterwards.cancel.extend(std::mem::take(&mut live.tasks).into_values());
            afterwards.cancel.extend(live.timer.take().map(|(_, token)| token));
            Ok(())
        });
        self.announce_if_over(live, afterwards);
        taken
    }

    fn follow(
        &self,
        live: &mut Live<W>,
        tick: Tick<W::Event>,
        afterwards: &mut Afterwards,
    ) -> Result<(), Refused> {
        if live.broken.is_some() {
            return Err(Refused::Ended);
        }
        let at = self.clock.now();
        let mut commands = std::mem::take(&mut live.commands);
        let taken = live.engine.handle(at, tick, &mut commands);
        let mut stream = self.stream.write(live.engine.state().ticks(), at);
        for command in commands.drain(..) {
            match command {
                Command::Run(invoke) => live.ready.push_back(invoke),
                // A step without a task is in the ready queue or with a lane, and is found out there.
                Command::Abort { invocation } => afterwards.cancel.extend(live.tasks.remove(&invocation)),
                Command::Publish(notice) => {
                    if let Some(kind) = observed(notice, at) {
                        stream.push(kind);
                    }
                }
                Command::Finish(ending) => {
                    live.ready.clear();
                    live.ending = Some(ending);
                }
            }
        }
        drop(stream);
        live.commands = commands;
        live.arm(afterwards);
        taken
    }

    /// Announces the end of the run, once nothing is at work any more.
    fn announce_if_over(&self, live: &mut Live<W>, afterwards: &mut Afterwards) {
        if live.at_work > 0 || live.outcome.is_some() {
            return;
        }
        let broken = |message| Err(RunError::Broken { run: self.id.clone(), message });
        let outcome = match (live.broken.clone(), live.ending.take()) {
            (Some(message), _) => broken(message),
            (None, Some(ending)) => {
                // The output is cloned for the stream, which is the author's code.
                let ended = catch_unwind(AssertUnwindSafe(|| {
                    let outcome = self.outcome(ending);
                    (outcome.clone(), outcome)
                }));
                match ended {
                    Ok((for_stream, outcome)) => return self.announce(live, for_stream, outcome, afterwards),
                    Err(panic) => broken(panic_message(&*panic).to_owned()),
                }
            }
            (None, None) => return,
        };
        self.announce(live, outcome.clone(), outcome, afterwards);
    }

    fn announce(
        &self,
        live: &mut Live<W>,
        for_stream: Result<W::Output, RunError>,
        outcome: Result<W::Output, RunError>,
        afterwards: &mut Afterwards,
    ) {
        let terminal = match for_stream {
            Ok(output) => RunEventKind::Completed { output },
            Err(RunError::Cancelled { reason, .. }) => RunEventKind::Cancelled { reason },
            Err(RunError::TimedOut { running, .. }) => RunEventKind::TimedOut { running },
            Err(RunError::Suspended { .. }) => RunEventKind::Suspended,
            Err(error) => RunEventKind::Failed { error },
        };
        self.stream.write(live.engine.state().ticks(), self.clock.now()).push(terminal);
        live.outcome = Some(outcome);
        afterwards.wake.extend(live.waiting.take());
    }

    fn outcome(&self, ending: Ending<W::Event>) -> Result<W::Output, RunError> {
        let run = self.id.clone();
        Err(match ending {
            Ending::Completed { output } => match W::output(output) {
                Ok(output) => return Ok(output),
                Err(event) => {
                    let reason = format!("`{}` carries no output", event_name::<W>(event.event()));
                    RunError::Misrouted { run, reason }
                }
            },
            Ending::Failed { invocation, step, error } => {
                RunError::Failed { run, step: step_name::<W>(step).to_owned(), invocation, error }
            }
            Ending::TimedOut { running } => {
                let running = running.into_iter().map(|step| step_name::<W>(step).to_owned()).collect();
                RunError::TimedOut { run, running }
            }
            Ending::Stalled(stall) => RunError::Stalled(Stalled::new(run, W::GRAPH, &stall)),
            Ending::Cancelled { reason } => RunError::Cancelled { run, reason },
            Ending::Suspended => RunError::Suspended { run },
        })
    }

    /// Does what a tick left to do. The lock must not be held.
    fn finish(self: &Arc<Self>, afterwards: Afterwards) {
        for token in afterwards.cancel {
            token.cancel();
        }
        for waker in afterwards.wake {
            waker.wake();
        }
        if let Some((due, token)) = afterwards.wait_until {
            let alarm = Alarm { host: Arc::clone(self), armed: true };
            self.runtime.spawn(alarm.wait(due, token));
        }
        if afterwards.spawn_lane {
            let lane = Lane { host: Arc::clone(self), counted: true };
            self.runtime.spawn(lane.work(None));
        }
    }

    fn is_current(live: &Live<W>, invocation: InvocationId, attempt: u32) -> bool {
        let found = live.engine.state().invocation(invocation).filter(|_| live.broken.is_none());
        found.is_some_and(|found| found.state == InvocationState::Running && found.attempt == attempt)
    }

    /// The next step for a lane, which is counted in `lanes`.
    fn next(live: &mut Live<W>, may_take: bool, afterwards: &mut Afterwards) -> Next<W::Event> {
        while live.ready.front().is_some_and(|next| !Self::is_current(live, next.invocation, next.attempt)) {
            live.ready.pop_front();
        }
        if live.ready.is_empty() {
            live.lanes -= 1;
            return Next::Leave;
        }
        if live.ready.len() > 1 {
            live.want_lane(afterwards);
        }
        // A task that is spawned here lies in a slot of this worker that nobody can steal from, so it
        // would not run before this lane gives way.
        if !may_take || afterwards.spawn_lane {
            return Next::GiveWay;
        }
        match live.ready.pop_front() {
            Some(invoke) => {
                live.at_work += 1;
                Next::Step(invoke)
            }
            None => Next::GiveWay,
        }
    }
}

impl<W: Workflow> Live<W> {
    /// Sees to it that somebody waits for what is due next.
    fn arm(&mut self, afterwards: &mut Afterwards) {
        let due = self.engine.next_due();
        if due == self.timer.as_ref().map(|(due, _)| *due) {
            return;
        }
        afterwards.cancel.extend(self.timer.take().map(|(_, token)| token));
        if let Some(due) = due {
            let token = CancellationToken::new();
            self.timer = Some((due, token.clone()));
            afterwards.wait_until = Some((due, token));
        }
    }

    /// Asks for another lane if there is work for one.
    fn want_lane(&mut self, afterwards: &mut Afterwards) {
        if !self.ready.is_empty() && self.lanes < most_lanes() {
            self.lanes += 1;
            afterwards.spawn_lane = true;
        }
    }
}

/// The run is in nobody's hands any more: nothing was at work, and no handle is left to answer or resume.
impl<W: Workflow> Drop for Host<W> {
    fn drop(&mut self) {
        let live = self.live.get_mut().unwrap_or_else(PoisonError::into_inner);
        if live.outcome.is_none() {
            let reason = "every handle was dropped while the run waited for an answer".to_owned();
            self.stream.publish(self.clock.now(), RunEventKind::Cancelled { reason });
        }
    }
}

/// Takes steps from the ready queue of one run, one at a time, and polls them in place.
struct Lane<W: Workflow> {
    host: Arc<Host<W>>,
    /// Whether it still counts in `lanes`.
    counted: bool,
}

impl<W: Workflow> Lane<W> {
    async fn work(mut self, first: Option<Invoke<W::Event>>) {
        let mut shift = Shift::start();
        let mut next = match first {
            Some(invoke) => Next::Step(invoke),
            None => self.next(&shift),
        };
        loop {
            next = match next {
                Next::Step(invoke) => {
                    shift.steps += 1;
                    self.step(invoke, &shift).await
                }
                Next::GiveWay => {
                    if shift.is_long() {
                        // A worker that is kept busy for long looks at what came from elsewhere, and at its timers,
                        // only when its own queue is empty, so this stays out of that queue for once.
                        tokio::task::yield_now().await;
                    } else {
                        give_way().await;
                    }
                    shift = Shift::start();
                    self.next(&shift)
                }
                Next::Leave => {
                    self.counted = false;
                    return;
                }
            }
        }
    }

    fn next(&self, shift: &Shift) -> Next<W::Event> {
        let mut afterwards = Afterwards::default();
        let next = Host::next(&mut self.host.lock(), shift.goes_on(), &mut afterwards);
        self.host.finish(afterwards);
        next
    }

    /// Calls a step and polls it once.
    async fn step(&self, invoke: Invoke<W::Event>, shift: &Shift) -> Next<W::Event> {
        let host = &self.host;
        let ticket = Ticket::of(host, &invoke);
        let context = Context::new(Arc::clone(host), &invoke, ticket.updates.clone());
        let Invoke { step, input, .. } = invoke;
        let call = AssertUnwindSafe(|| Arc::clone(&host.workflow).call(step, input, context));
        let result = match catch_unwind(call) {
            Ok(StepCall::Done(result)) => result,
            Ok(StepCall::Running(mut future)) => {
                match poll_fn(|poller| Poll::Ready(poll_step(&mut future, poller))).await {
                    Poll::Ready(result) => drop_step(future).and(result),
                    Poll::Pending => {
                        ticket.detach(future);
                        return self.next(shift);
                    }
                }
            }
            Ok(StepCall::Blocking(work)) => {
                let runtime = host.runtime.clone();
                runtime.spawn_blocking(move || ticket.block(work));
                return self.next(shift);
            }
            Err(panic) => Err(panicked(&*panic)),
        };
        ticket.report(result, |live, afterwards| Host::next(live, shift.goes_on(), afterwards))
    }
}

/// A lane that goes while steps are ready was dropped by a runtime that shuts down.
impl<W: Workflow> Drop for Lane<W> {
    fn drop(&mut self) {
        if self.counted {
            let mut live = self.host.lock();
            live.lanes -= 1;
            let abandoned = !live.ready.is_empty();
            drop(live);
            if abandoned {
                // Refused only if the run has ended in between, and then nothing is lost.
                let _ = self.host.tick(Tick::Suspended);
            }
        }
    }
}

/// Waits for the time at which something is due.
struct Alarm<W: Workflow> {
    host: Arc<Host<W>>,
    armed: bool,
}

impl<W: Workflow> Alarm<W> {
    async fn wait(mut self, due: Time, token: CancellationToken) {
        tokio::select! {
            biased;
            () = token.cancelled() => {}
            () = tokio::time::sleep_until(self.host.clock.instant(due)) => {
                self.host.lock().timer = None;
                // Refused if the run has ended in between.
                let _ = self.host.tick(Tick::Time);
            }
        }
        self.armed = false;
    }
}

/// An alarm that goes while it is armed was dropped by a runtime that shuts down.
impl<W: Workflow> Drop for Alarm<W> {
    fn drop(&mut self) {
        if self.armed {
            // Refused if the run has ended in between.
            let _ = self.host.tick(Tick::Suspended);
        }
    }
}

/// How long a lane has been working without giving way.
struct Shift {
    since: Instant,
    steps: u32,
}

impl Shift {
    fn start() -> Self {
        Self { since: Instant::now(), steps: 0 }
    }

    /// Whether a step has kept its worker busy for so long that others may be waiting.
    fn is_long(&self) -> bool {
        self.since.elapsed() >= TIME_PER_SHIFT
    }

    fn goes_on(&self) -> bool {
        self.steps < STEPS_PER_SHIFT && !self.is_long()
    }
}

/// Lets the other tasks of this worker run. Unlike tokio's `yield_now`, which defers the wake-up until the
/// worker has polled its drivers, this goes to the back of the queue at once.
pub(crate) async fn give_way() {
    let mut gave_way = false;
    poll_fn(|poller| {
        if gave_way {
            return Poll::Ready(());
        }
        gave_way = true;
        poller.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A step at work. Whoever holds it owes the run a report; dropping it says that the step was cancelled.
struct Ticket<W: Workflow> {
    host: Arc<Host<W>>,
    invocation: InvocationId,
    attempt: u32,
    step: StepId,
    first_failed_at: Option<Time>,
    /// When the attempt has taken too long.
    times_out: Option<Instant>,
    updates: Updates<W::State>,
    open: bool,
}

impl<W: Workflow> Ticket<W> {
    /// The ticket of a step that is counted in `at_work`.
    fn of(host: &Arc<Host<W>>, invoke: &Invoke<W::Event>) -> Self {
        let Invoke { invocation, attempt, step, first_failed_at, .. } = *invoke;
        let times_out = W::policy(step).timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let updates = (size_of::<W::State>() > 0).then(Arc::default);
        let host = Arc::clone(host);
        Self { host, invocation, attempt, step, first_failed_at, times_out, updates, open: true }
    }

    /// What the step's retry policy says. The policy may call the author's code, so this is not done under the lock.
    fn verdict(&self, error: &StepError) -> Verdict {
        let Some(retry) = W::policy(self.step).retry else { return Verdict::Final };
        let since_first =
            self.first_failed_at.map_or(0, |first| self.host.clock.now().0.saturating_sub(first.0));
        let seed = self.host.id.seed() ^ self.invocation.0.rotate_left(32);
        let decide = || retry.decide(error, self.attempt, Duration::from_millis(since_first), seed);
        match catch_unwind(AssertUnwindSafe(decide)) {
            Ok(Some(after)) => Verdict::Retry { after: millis(after) },
            Ok(None) | Err(_) => Verdict::Final,
        }
    }

    /// Hands in how the step ended. `then` looks for what to do next under the same lock.
    fn report<T>(
        mut self,
        result: StepResult<W::Event>,
        then: impl FnOnce(&mut Live<W>, &mut Afterwards) -> T,
    ) -> T {
        self.open = false;
        let (invocation, attempt) = (self.invocation, self.attempt);
        let mut afterwards = Afterwards::default();
        let mut live;
        let (tick, state) = match result {
            Ok(emitted) => {
                live = self.host.lock();
                match self.changed_state(&live.state) {
                    Ok(state) => (Tick::Finished { invocation, attempt, emitted }, state),
                    Err(error) => {
                        drop(live);
                        let tick = self.failed(error);
                        live = self.host.lock();
                        (tick, None)
                    }
                }
            }
            Err(error) => {
                let tick = self.failed(error);
                live = self.host.lock();
                (tick, None)
            }
        };
        live.at_work -= 1;
        live.tasks.remove(&invocation);
        // Refused if the step was cancelled while it finished: then what it did has no effect.
        if self.host.apply(&mut live, tick, &mut afterwards).is_ok() {
            if let Some(state) = state {
                live.state = state;
            }
        }
        let next = then(&mut live, &mut afterwards);
        drop(live);
        self.host.finish(afterwards);
        next
    }

    fn failed(&self, error: StepError) -> Tick<W::Event> {
        let verdict = self.verdict(&error);
        Tick::Failed { invocation: self.invocation, attempt: self.attempt, error, verdict }
    }

    /// The state with the step's changes, if it has made any. They are made on a copy, so that a panic tears nothing.
    fn changed_state(&self, state: &W::State) -> Result<Option<Arc<W::State>>, StepError> {
        let Some(updates) = &self.updates else { return Ok(None) };
        let updates = std::mem::take(&mut *updates.lock().unwrap_or_else(PoisonError::into_inner));
        if updates.is_empty() {
            return Ok(None);
        }
        let change = AssertUnwindSafe(|| {
            let mut copy = state.clone();
            updates.iter().for_each(|update| update(&mut copy));
            copy
        });
        catch_unwind(change).map(|changed| Some(Arc::new(changed))).map_err(|panic| panicked(&*panic))
    }

    /// Runs a step that blocks its thread. It cannot be stopped from outside; a step that was cancelled is waited for.
    fn block(self, work: BlockingStep<W::Event>) {
        let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)));
        self.report(result, |live, afterwards| live.want_lane(afterwards));
    }

    /// Gives a step that is not ready a task of its own.
    fn detach(self, future: StepFuture<W::Event>) {
        let Some(token) = self.host.cancellation(self.invocation, self.attempt) else {
            // It was cancelled while it was polled. The future goes before the ticket.
            drop(future);
            return;
        };
        let runtime = self.host.runtime.clone();
        runtime.spawn(Work { future, token, ticket: self }.run());
    }
}

impl<W: Workflow> Drop for Ticket<W> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.host.lock();
            live.at_work -= 1;
            live.tasks.remove(&self.invocation);
            if Host::is_current(&live, self.invocation, self.attempt) {
                // Nobody cancelled this step: the runtime that ran it shuts down. The run can be resumed.
                let _ = self.host.apply(&mut live, Tick::Suspended, &mut afterwards);
            }
            self.host.announce_if_over(&mut live, &mut afterwards);
        }
        self.host.finish(afterwards);
    }
}

/// A step that has a task of its own. The fields are dropped in this order: the run is told that the step
/// is gone when its future is gone.
struct Work<W: Workflow> {
    future: StepFuture<W::Event>,
    token: CancellationToken,
    ticket: Ticket<W>,
}

impl<W: Workflow> Work<W> {
    async fn run(mut self) {
        let times_out = self.ticket.times_out;
        let timeout = async {
            match times_out {
                Some(at) => tokio::time::sleep_until(at).await,
                None => pending().await,
            }
        };
        let result = tokio::select! {
            biased;
            () = self.token.cancelled() => return,
            result = poll_fn(|poller| poll_step(&mut self.future, poller)) => result,
            () = timeout => Err(StepError::of_kind(StepErrorKind::TimedOut, "the step took too long")),
        };
        let Self { future, ticket, .. } = self;
        let result = drop_step(future).and(result);
        let host = Arc::clone(&ticket.host);
        let next = ticket.report(result, |live, afterwards| {
            if live.ready.is_empty() || live.lanes >= most_lanes() {
                return Next::Leave;
            }
            live.lanes += 1;
            Host::next(live, true, afterwards)
        });
        let lane = match next {
            Next::Step(invoke) => Lane { host, counted: true }.work(Some(invoke)),
            Next::GiveWay => Lane { host, counted: true }.work(None),
            Next::Leave => return,
        };
        // Boxed, so that a waiting step does not carry the room for a lane.
        Box::pin(lane).await;
    }
}

/// Polls a step. A panic is a failure of the step.
fn poll_step<E>(future: &mut StepFuture<E>, poller: &mut std::task::Context<'_>) -> Poll<StepResult<E>> {
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(poller))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(panicked(&*panic))),
    }
}

/// Drops a step that is through. What its destructors do is part of the step, a panic included.
fn drop_step<E>(future: StepFuture<E>) -> Result<(), StepError> {
    catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(|panic| panicked(&*panic))
}

fn panicked(panic: &(dyn Any + Send)) -> StepError {
    StepError::of_kind(StepErrorKind::Panicked, format_args!("panicked: {}", panic_message(panic)))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not a text")
}

/// What observers see of a notice.
fn observed<W: Workflow>(notice: Notice<W::Event>, at: Time) -> Option<RunEventKind<W>> {
    Some(match notice {
        Notice::StepStarted { invocation, attempt, step } => {
            RunEventKind::StepStarted { step: step_name::<W>(step), invocation, attempt }
        }
        Notice::StepSent { invocation, step, event } => {
            RunEventKind::StepSent { step: step_name::<W>(step), invocation, event: event_name::<W>(event) }
        }
        Notice::StepFinished { invocation, step, emitted } => {
            let emitted = EventCounts::new(W::GRAPH, emitted);
            RunEventKind::StepFinished { step: step_name::<W>(step), invocation, emitted }
        }
        Notice::StepFailed { invocation, attempt, step, error } => {
            RunEventKind::StepFailed { step: step_name::<W>(step), invocation, attempt, error }
        }
        Notice::InputRequired { request, step, prompt, expires_at } => {
            // `None` only where a workflow written by hand calls something a question that is none.
            let prompt = W::prompt(&prompt)?;
            let step = step_name::<W>(step);
            RunEventKind::InputRequired(Question { id: request, step, prompt, asked_at: at, expires_at })
        }
        Notice::StepRetrying { invocation, attempt, step, error, due } => {
            RunEventKind::StepRetrying { step: step_name::<W>(step), invocation, attempt, error, due }
        }
        Notice::InputExpired { request } => RunEventKind::InputExpired { request },
        Notice::InputReceived { request } => RunEventKind::InputReceived { request },
        Notice::InputWithdrawn { request } => RunEventKind::InputWithdrawn { request },
        Notice::Unpaired { step, events } => {
            let events = events.into_iter().map(event_name::<W>).collect();
            RunEventKind::Unpaired { step: step_name::<W>(step), events }
        }
    })
}

pub(crate) fn step_name<W: Workflow>(step: StepId) -> &'static str {
    W::GRAPH.step(step).map_or("?", |step| &step.name)
}

fn event_name<W: Workflow>(event: EventId) -> &'static str {
    W::GRAPH.event(event).map_or("?", |event| &event.name)
}

fn most_lanes() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Wall-clock time that follows tokio's clock, so that a test which pauses tokio's pauses this one too.
struct Clock {
    started_at: Time,
    started: Instant,
}

impl Clock {
    /// A clock that shows no time before `last`, the time of the last tick. Where the wall clock was turned back, or
    /// is another machine's, a run that is resumed would else stand still until that time has come again.
    fn not_before(last: Time) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the driver owns the clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started_at: last.max(Time(millis(since_epoch))), started: Instant::now() }
    }

    fn instant(&self, time: Time) -> Instant {
        let ahead = Duration::from_millis(time.0.saturating_sub(self.started_at.0));
        // A century is far enough for a moment that does not fit.
        let far = Duration::from_secs(100 * 365 * 86_400);
        self.started.checked_add(ahead).unwrap_or(self.started + far)
    }

    fn now(&self) -> Time {
        Time(self.started_at.0.saturating_add(millis(self.started.elapsed())))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
