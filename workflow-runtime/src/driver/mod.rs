//! The in-memory driver: does the engine's commands on tokio, and makes ticks of what happens.
//!
//! There is no actor. A run is a mutex, held for one tick and never while a step is polled; whoever has a
//! tick (a finished step, a caller) applies it. What observers see is under the same one. How steps are polled:
//!
//! ```text
//!  released by a tick ──▶ ready queue ──▶ a lane polls the step once, in place
//!                                            │ ready: its tick, then the lane takes the next step; of those that
//!                                            │        are known to be short, some at once
//!                                            └ pending: the step becomes a task of its own, and when
//!                                              that has finished, the task goes on as a lane
//! ```
//!
//! At most `available_parallelism` lanes are awake per run, so that a chain costs no task switch and a
//! fan-out still uses every core, unless its steps are known to be short (see `pace`).
//!
//! A run's end is announced when every step has really stopped: each one that leaves its lane, and each that a
//! [`Ticket`](ticket::Ticket) holds and lets go, looks whether it was the last.
//!
//! # Reading order
//!
//! `begin` is how runs come into memory, `live` what changes there, this file what a tick does, `happening` what that is and
//! leaves to do, and `relay` the usual ones by a short way; `queue` and `ready` which step starts next and `pace` whether
//! lanes share the work; `pool` in which task a lane works, and `lane`, `batch` and `ticket` who polls a step and how it
//! reports; `notes` what it waits for, `attention` whether the run alone can wake it, `tell` what observers hear. `ledger`
//! holds all of that back until it is stored, in a run with a store.

mod attention;
mod batch;
mod begin;
mod clock;
mod happening;
mod hold;
mod lane;
mod ledger;
mod live;
mod notes;
mod pace;
mod pool;
mod queue;
mod ready;
mod relay;
mod tell;
mod ticket;

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow_graph::{EventId, StepId};

use crate::common::Common;
use crate::engine::{Command, Engine, InvocationId, InvocationState, Refused, Tick, Time};
use crate::error::{StepError, StepErrorKind};
use crate::forms::Stored;
use crate::handle::{RunError, RunId};
use crate::journal;
use crate::store::Json;
use crate::stream::{Keeper, RunEventKind, Stream};
use crate::wakers::Place;
use crate::workflow::{Shared, Workflow};

use clock::{Alarm, Now};
use happening::{Afterwards, Changed, Happening, Kept, MoreAfterwards};
use lane::Lane;
use ledger::{Entry, Journal};
use live::{End, Live};
use pool::{Job, Work};
use ready::{Permit, most_lanes};

pub(crate) use attention::{Attention, Listener};
pub(crate) use begin::KeptAt;
pub(crate) use clock::{Clock, millis};
pub(crate) use lane::give_way;
pub(crate) use ledger::Standing;

/// The list of commands is used again for the next tick, unless it has become so long.
const MOST_COMMANDS_KEPT: usize = 1_024;

/// One run in memory.
pub(crate) struct Host<W: Workflow> {
    workflow: Shared<W>,
    /// Made when somebody asks for it. Few do in a short run.
    id: OnceLock<RunId>,
    clock: Clock,
    runtime: Handle,
    /// How many handles could still answer, signal or wait for the end.
    handles: AtomicUsize,
    /// Where the run is kept, if it is kept anywhere.
    journal: Option<Box<Journal<W>>>,
    /// Told when nothing is at work any more but what waits for somebody, while somebody holds the run.
    quiet: OnceLock<Box<Notify>>,
    live: Mutex<Live<W>>,
}

impl<W: Workflow> Host<W> {
    pub(crate) fn workflow(&self) -> &W {
        self.workflow.value()
    }

    pub(crate) fn id(&self) -> &RunId {
        self.id.get_or_init(RunId::random)
    }

    /// The moment of a time.
    pub(crate) fn instant(&self, time: Time) -> tokio::time::Instant {
        self.clock.instant(time)
    }

    pub(crate) fn publish(&self, step: StepId, invocation: InvocationId, attempt: u32, value: W::Progress) {
        // Looked at before the lock is taken, for which others may be waiting.
        let moment = Instant::now();
        let readers = {
            let mut live = self.lock();
            let at = live.now.time_at(moment, &self.clock);
            live.stream.publish(at, step, invocation, attempt, value);
            live.stream.take_readers()
        };
        readers.into_iter().flatten().for_each(Waker::wake);
    }

    /// A run that is over from the beginning, in a way that no tick has led to. Nobody reads it yet.
    fn is_over_with(&self, kind: RunEventKind<W>, outcome: Result<W::Output, RunError>) {
        let mut live = self.lock();
        live.stream.announce(self.clock.now(), kind);
        live.end = End::Announced(outcome.map_err(Box::new));
    }

    /// Whether the run has a store.
    pub(crate) fn is_kept(&self) -> bool {
        self.journal.is_some()
    }

    /// Looks at the engine between two ticks, and at what was told of them.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Engine<W::Event>, &Stream<W>) -> T) -> T {
        let live = self.lock();
        look(&live.engine, &live.stream)
    }

    /// Looks at the engine, the stream and the state, as they belong together.
    ///
    /// # Errors
    /// The message of a panic that has broken them.
    pub(crate) fn look_at_all<T>(
        &self,
        look: impl FnOnce(&Engine<W::Event>, &Stream<W>, &W::State) -> T,
    ) -> Result<T, String> {
        let live = self.lock();
        live.broken
            .get()
            .map_or_else(|| Ok(look(&live.engine, &live.stream, &live.state)), |broken| Err(broken.clone()))
    }

    /// What is cancelled when that step is; `None` if it is not current any more.
    pub(crate) fn cancellation(&self, invocation: InvocationId, attempt: u32) -> Option<CancellationToken> {
        let mut live = self.lock();
        Self::is_current(&live, invocation, attempt)
            .then(|| live.apart.make().tasks.entry(invocation).or_default().clone())
    }

    /// There is one handle more.
    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// There is one handle less. After the last one, a run that only waits for somebody waits in vain.
    pub(crate) fn drop_handle(self: &Arc<Self>) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.rest_if_idle();
        }
    }

    /// Whether nobody holds the run.
    fn is_unattended(&self) -> bool {
        self.handles.load(Ordering::Acquire) == 0
    }

    /// If nobody holds the run and nothing in it goes on by itself, it leaves memory: to its store, or for good.
    fn rest_if_idle(self: &Arc<Self>) {
        if !self.is_unattended() {
            return;
        }
        if self.journal.is_some() {
            return self.give_back_if_idle();
        }
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.lock();
            if live.is_over() {
                return;
            }
            self.end_if_abandoned(&mut live, &mut afterwards);
        }
        self.finish(afterwards);
    }

    /// Ends a run that nobody can answer any more, and that nothing else can wake.
    fn end_if_abandoned(&self, live: &mut Live<W>, afterwards: &mut Afterwards) {
        let unattended = || !live.is_broken() && self.journal.is_none() && self.is_unattended();
        let nothing_due = || live.engine.state().is_idle() && live.engine.next_due().is_none();
        if unattended() && nothing_due() && live.only_the_run_wakes() {
            let reason = "every handle was dropped while the run waited for an answer".to_owned();
            // The run is running, so this is never refused.
            let _ = self.apply(live, self.happening_of_run(Tick::Cancelled { reason }), afterwards);
        }
    }

    /// The state of the run, as far as it is stored.
    pub(crate) fn state(&self) -> Arc<W::State> {
        let live = self.lock();
        live.ledger.as_ref().map_or(&live.state, |ledger| &ledger.state).share()
    }

    /// Applies what a caller does to the run.
    pub(crate) fn tick(self: &Arc<Self>, tick: Tick<W::Event>) -> Result<(), Refused> {
        self.happens(self.happening(tick)?)
    }

    /// A tick, made ready to be stored. What does not serialise is found out here, before anything has happened.
    fn happening(&self, tick: Tick<W::Event>) -> Result<Happening<W>, Refused> {
        if self.journal.is_none() {
            return Ok(Happening::new(tick, None));
        }
        let body = journal::body(W::GRAPH, &tick).map_err(|unsaved| Refused::Unsaved {
            event: unsaved.event,
            reason: unsaved.source.to_string(),
        })?;
        Ok(Happening::new(tick, Some(body)))
    }

    /// A tick that carries nothing of the author's, and so can always be stored.
    fn happening_of_run(&self, tick: Tick<W::Event>) -> Happening<W> {
        let body = self.journal.as_ref().and_then(|_| journal::body(W::GRAPH, &tick).ok());
        Happening::new(tick, body)
    }

    /// The state as JSON, in a run with a store.
    fn state_json(&self, state: &W::State) -> Result<Option<Json>, serde_json::Error> {
        if self.journal.is_none() {
            return Ok(None);
        }
        stored_json(state).map(Some)
    }

    fn happens(self: &Arc<Self>, happening: Happening<W>) -> Result<(), Refused> {
        self.happens_at(|now| now.look_at(&self.clock), happening)
    }

    fn happens_at(
        self: &Arc<Self>,
        at: impl FnOnce(&mut Now) -> Time,
        happening: Happening<W>,
    ) -> Result<(), Refused> {
        let mut afterwards = Afterwards::default();
        let taken = {
            let mut live = self.lock();
            let at = at(&mut live.now);
            let taken = self.apply_at(at, &mut live, happening, &mut afterwards);
            live.want_lane(&mut afterwards);
            taken
        };
        self.finish(afterwards);
        taken
    }

    /// What the run came to; else `waker` is woken when that is known.
    pub(crate) fn poll_outcome(&self, place: &mut Place, waker: &Waker) -> Poll<Result<W::Output, RunError>> {
        let mut live = self.lock();
        if let Some(outcome) = self.outcome_again(&mut live) {
            return Poll::Ready(outcome);
        }
        live.waiting.wait(place, waker);
        Poll::Pending
    }

    /// Somebody waits no longer.
    pub(crate) fn leave(&self, place: &Place) {
        self.lock().waiting.leave(place);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    fn lock(&self) -> MutexGuard<'_, Live<W>> {
        // The engine does not panic. The author's code that runs under the lock can: ticks look for that, a change of
        // the state is made on a copy, and the stream changes only after it has cloned or saved, and before it drops.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles one tick, which happens now, and does its commands, as far as the lock allows.
    fn apply(
        &self,
        live: &mut Live<W>,
        happening: Happening<W>,
        afterwards: &mut Afterwards,
    ) -> Result<(), Refused> {
        let at = live.now.look_at(&self.clock);
        self.apply_at(at, live, happening, afterwards)
    }

    fn apply_at(
        &self,
        at: Time,
        live: &mut Live<W>,
        happening: Happening<W>,
        afterwards: &mut Afterwards,
    ) -> Result<(), Refused> {
        // Events are cloned and dropped in a tick, which is the author's code.
        let applied = catch_unwind(AssertUnwindSafe(|| self.follow(at, live, happening, afterwards)));
        let taken = applied.unwrap_or_else(|panic| {
            live.give_up(&*panic, afterwards);
            Ok(())
        });
        self.look_whether_it_rests(live, afterwards);
        live.tell_readers(afterwards);
        taken
    }

    /// What may have to be done where nothing is at work after a tick.
    fn look_whether_it_rests(&self, live: &mut Live<W>, afterwards: &mut Afterwards) {
        self.end_if_abandoned(live, afterwards);
        self.announce_if_over(live, afterwards);
        if live.at_work == 0 && live.engine.state().is_idle() {
            live.shrink();
            live.stream.shrink();
        }
    }

    fn follow(
        &self,
        at: Time,
        live: &mut Live<W>,
        happening: Happening<W>,
        afterwards: &mut Afterwards,
    ) -> Result<(), Refused> {
        if live.is_done_with() {
            return Err(Refused::Ended);
        }
        let Happening { tick, state, kept } = happening;
        // Brought twice, by who loads the run and by who looks after all of them.
        let letter = kept.as_ref().and_then(|kept| kept.letter.as_ref());
        if letter.is_some_and(|letter| live.has_decided(letter.message)) {
            return Err(Refused::Ended);
        }
        let mut commands = std::mem::take(&mut live.commands);
        let ticks = live.engine.state().ticks();
        // What is held back until it is stored is not ready yet.
        let (waiting, mut held_back) = (live.ready.len(), VecDeque::new());
        let runs = if kept.is_some() { &mut held_back } else { live.ready.end() };
        let taken = live.engine.handle_at_length(at, tick, &mut commands, runs);
        if let Some(state) = state.filter(|_| taken.is_ok()) {
            live.state = Common::Shared(state);
        }
        if let Some(kept) = kept {
            // What was due has happened also where the tick itself was refused.
            let ticked = live.engine.state().ticks() > ticks;
            self.write_down(live, Entry { at, kept, taken: taken.clone(), ticked }, &mut commands, held_back);
        } else {
            self.do_at_once(live, at, &mut commands, waiting, afterwards);
        }
        if commands.capacity() <= MOST_COMMANDS_KEPT {
            live.commands = commands;
        }
        live.arm(afterwards);
        taken
    }

    /// Does what the engine commands, in a run without a store. So many steps were waiting before; the ready queue has the
    /// new ones already.
    fn do_at_once(
        &self,
        live: &mut Live<W>,
        at: Time,
        commands: &mut Vec<Command<W::Event>>,
        waiting: usize,
        afterwards: &mut Afterwards,
    ) {
        live.stream.begin(live.engine.state().ticks(), at);
        let (released, mut end) = (live.ready.len(), None);
        for command in commands.drain(..) {
            match command {
                Command::Publish(notice) => live.stream.tell(notice, || self.id().clone()),
                Command::Finish(ending) => end = Some(ending),
                Command::Run(invoke) => {
                    live.stream.started(invoke.step, invoke.invocation, invoke.attempt);
                    live.ready.push_back(invoke);
                }
                other => live.perform(other, afterwards),
            }
        }
        for invoke in live.ready.iter().take(released).skip(waiting) {
            live.stream.started(invoke.step, invoke.invocation, invoke.attempt);
        }
        if let Some(ending) = end {
            live.ready.clear();
            live.end = End::Near(Box::new(ending));
        }
    }

    /// Does what a tick left to do. The lock must not be held.
    #[inline]
    fn finish(self: &Arc<Self>, afterwards: Afterwards) {
        let Afterwards { spawn_lane, wake, more } = afterwards;
        // The usual case has none of them: a step has released the next one.
        if let Some(more) = more.into_inner() {
            self.finish_more(more);
        }
        if let Some(waker) = wake {
            waker.wake();
        }
        if spawn_lane {
            pool::spawn(&self.runtime, Arc::clone(self));
        }
    }

    #[inline(never)]
    fn finish_more(self: &Arc<Self>, more: MoreAfterwards) {
        let MoreAfterwards { cancel, wake_too, queue_at, wait_until } = more;
        cancel.into_iter().for_each(|token| token.cancel());
        wake_too.into_iter().for_each(Waker::wake);
        if let Some((due, token)) = wait_until {
            let alarm = Alarm { host: Arc::clone(self), armed: true };
            self.runtime.spawn(alarm.wait(due, token));
        }
        if let Some(gate) = queue_at {
            let host = Arc::clone(self);
            self.runtime.spawn(async move {
                // The gate of a runner is never closed.
                if let Ok(permit) = gate.acquire_owned().await {
                    host.granted(permit);
                }
            });
        }
    }

    fn is_current(live: &Live<W>, invocation: InvocationId, attempt: u32) -> bool {
        let found = live.engine.state().invocation(invocation).filter(|_| !live.is_done_with());
        found.is_some_and(|found| found.state == InvocationState::Running && found.attempt == attempt)
    }
}

/// A lane is a job for a task.
impl<W: Workflow> Job for Host<W> {
    fn put(self: Arc<Self>, room: &mut Option<Work>) {
        let lane = Lane::counted(self, None).work();
        match room {
            Some(used) => used.set(lane),
            None => *room = Some(Work::new(lane)),
        }
    }
}

impl<W: Workflow> Keeper<W> for Host<W> {
    fn look_at_stream(&self, look: &mut dyn FnMut(&mut Stream<W>)) {
        look(&mut self.lock().stream);
    }

    fn read_stream(&self, read: &mut dyn FnMut(&mut Stream<W>)) {
        let mut live = self.lock();
        if live.stream.owes_the_end() {
            if let Some(outcome) = self.outcome_again(&mut live) {
                // The oldest event may have to go, which may be the author's.
                let tell = || live.stream.tell_the_end(RunEventKind::terminal(outcome));
                let _ = catch_unwind(AssertUnwindSafe(tell));
            }
        }
        read(&mut live.stream);
    }
}

fn panicked(panic: &(dyn Any + Send)) -> StepError {
    StepError::of_kind(StepErrorKind::Panicked, format_args!("panicked: {}", panic_message(panic)))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not a text")
}

pub(crate) fn stored_json<S: Stored>(state: &S) -> Result<Json, serde_json::Error> {
    let mut json = Vec::new();
    state.store(&mut serde_json::Serializer::new(&mut json))?;
    serde_json::from_slice(&json)
}

pub(crate) fn step_name<W: Workflow>(step: StepId) -> &'static str {
    W::GRAPH.step(step).map_or("?", |step| &step.name)
}

pub(crate) fn event_name<W: Workflow>(event: EventId) -> &'static str {
    W::GRAPH.event(event).map_or("?", |event| &event.name)
}
