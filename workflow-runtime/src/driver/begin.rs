//! How runs come into memory: started, taken up from a snapshot or a store, or over already.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::clock::{Clock, Now, millis};
use super::ledger::{Journal, Ledger, Standing};
use super::queue::Queue;
use super::{Afterwards, End, Host, Kept, Live};
use crate::common::Common;
use crate::engine::{Engine, Tick, Time};
use crate::handle::{RunError, RunId, RunOptions};
use crate::journal::Limits;
use crate::runner::Commits;
use crate::seldom::Seldom;
use crate::snapshot::Restored;
use crate::stream::{RunEventKind, Stream};
use crate::wakers::Wakers;
use crate::workflow::{Shared, Workflow};

/// Where a run lives: in a store perhaps, and in line with others perhaps.
#[derive(Default)]
struct Place {
    kept: Option<KeptAt>,
    gate: Option<Arc<Semaphore>>,
}

/// Where a run is kept, and how it stands there.
pub(crate) struct KeptAt {
    pub(crate) commits: Commits,
    /// At which it was claimed.
    pub(crate) epoch: u64,
    pub(crate) standing: Standing,
    /// A run whose steps wait leaves memory as well.
    pub(crate) evict_waiting_steps: bool,
}

impl<W: Workflow> Host<W> {
    /// Starts a run. The caller holds its first handle.
    pub(crate) fn start(workflow: Shared<W>, input: W::Input, options: RunOptions) -> Arc<Self> {
        Self::begin(workflow, input, options, Place::default())
    }

    /// Starts a run that takes turns with others.
    pub(crate) fn start_limited(
        workflow: Shared<W>,
        input: W::Input,
        options: RunOptions,
        gate: Option<Arc<Semaphore>>,
    ) -> Arc<Self> {
        Self::begin(workflow, input, options, Place { kept: None, gate })
    }

    /// Starts a run that was created in a store.
    pub(crate) fn start_kept(
        workflow: Shared<W>,
        input: W::Input,
        options: RunOptions,
        kept: KeptAt,
        gate: Option<Arc<Semaphore>>,
    ) -> Arc<Self> {
        Self::begin(workflow, input, options, Place { kept: Some(kept), gate })
    }

    fn begin(workflow: Shared<W>, input: W::Input, options: RunOptions, place: Place) -> Arc<Self> {
        let RunOptions { id, timeout, deadline } = options;
        let deadline = deadline.map(|at| Time(millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())));
        let limits = Limits { deadline, timeout: timeout.map(millis) };
        let host = Self::new(workflow, id, Engine::new(W::GRAPH), Time(0), W::State::default(), 1, place);
        if limits.deadline.is_some() || limits.timeout.is_some() {
            host.lock().engine.limit(limits.deadline, limits.timeout);
        }
        match host.begin_at_once(W::start(input)) {
            Ok(()) => {}
            Err(input) => host.first_tick(Tick::Started { input }, limits),
        }
        host
    }

    /// Starts the run by the engine's short way. It happens when the run's clock was started, which was just now.
    ///
    /// # Errors
    /// It is not as simple as that: the input comes back, and nothing has happened.
    fn begin_at_once(self: &Arc<Self>, input: W::Event) -> Result<(), W::Event> {
        if self.is_kept() {
            return Err(input);
        }
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.lock();
            let Live { engine, stream, now, ready, .. } = &mut *live;
            // The input is cloned, which is the author's code.
            let begun = catch_unwind(AssertUnwindSafe(|| engine.begin(input, now.time())));
            match begun {
                Ok(begun) => {
                    let invoke = begun?;
                    stream.begin(engine.state().ticks(), now.time());
                    stream.started(invoke.step, invoke.invocation, invoke.attempt);
                    ready.push_back(invoke);
                    live.want_lane(&mut afterwards);
                }
                Err(panic) => {
                    live.give_up(&*panic, &mut afterwards);
                    self.look_whether_it_rests(&mut live, &mut afterwards);
                }
            }
        }
        self.finish(afterwards);
        Ok(())
    }

    /// Takes up a run that was saved. The caller holds its first handle.
    pub(crate) fn resume(workflow: Shared<W>, restored: Restored<W::Event>, state: W::State) -> Arc<Self> {
        let place = Place::default();
        let (now, engine) = (restored.engine.state().now(), restored.engine);
        let host = Self::new(workflow, Some(restored.run), engine, now, state, restored.next_event, place);
        host.first_tick(Tick::Resumed, Limits::default());
        host
    }

    /// Takes up a run that was stored.
    pub(crate) fn resume_kept(
        workflow: Shared<W>,
        restored: Restored<W::Event>,
        state: W::State,
        kept: KeptAt,
        gate: Option<Arc<Semaphore>>,
    ) -> Arc<Self> {
        let place = Place { kept: Some(kept), gate };
        let (now, engine) = (restored.engine.state().now(), restored.engine);
        let host = Self::new(workflow, Some(restored.run), engine, now, state, restored.next_event, place);
        host.first_tick(Tick::Resumed, Limits::default());
        host
    }

    /// A run that has ended with this output before.
    pub(crate) fn completed(workflow: Shared<W>, id: RunId, output: W::Output, next_event: u64) -> Arc<Self> {
        let engine = Engine::new(W::GRAPH);
        let state = W::State::default();
        let host = Self::new(workflow, Some(id), engine, Time(0), state, next_event, Place::default());
        host.is_over_with(RunEventKind::Completed { output: output.clone() }, Ok(output));
        host
    }

    /// `now` is the time of the engine's latest tick.
    #[inline]
    fn new(
        workflow: Shared<W>,
        id: Option<RunId>,
        engine: Engine<W::Event>,
        now: Time,
        state: W::State,
        next_event: u64,
        place: Place,
    ) -> Arc<Self> {
        let Place { kept, gate } = place;
        match kept {
            None => {
                let (stream, state) = (Stream::starting_at(next_event), Common::of(state));
                Arc::new(Self::in_memory(workflow, id, engine, now, state, stream, gate))
            }
            Some(kept) => {
                let host = Self::in_store(workflow, id, engine, now, state, next_event, kept);
                host.lock().gate = gate;
                host
            }
        }
    }

    /// A run that is kept in a store. Apart from the others, so that those are copied as seldom as can be.
    #[inline(never)]
    fn in_store(
        workflow: Shared<W>,
        id: Option<RunId>,
        engine: Engine<W::Event>,
        now: Time,
        state: W::State,
        next_event: u64,
        kept: KeptAt,
    ) -> Arc<Self> {
        let (stream, state) = (Stream::stored_from(next_event), Common::of(state));
        let ledger = Ledger::new(kept.standing.clone(), state.clone());
        Arc::new_cyclic(|me| {
            let mut host = Self::in_memory(workflow, id, engine, now, state, stream, None);
            host.journal = Some(Box::new(Journal::new(me.clone(), kept)));
            host.live.get_mut().unwrap_or_else(PoisonError::into_inner).ledger = Some(Box::new(ledger));
            host
        })
    }

    /// A run, in no store so far.
    //
    // It is large. Where this becomes one function with who allocates it, it is copied once less.
    #[inline(always)]
    fn in_memory(
        workflow: Shared<W>,
        id: Option<RunId>,
        engine: Engine<W::Event>,
        now: Time,
        state: Common<W::State>,
        stream: Stream<W>,
        gate: Option<Arc<Semaphore>>,
    ) -> Self {
        let clock = Clock::not_before(now);
        let now = Now::start_of(&clock);
        Self {
            workflow,
            id: id.map_or_else(OnceLock::new, OnceLock::from),
            clock,
            runtime: Handle::current(),
            handles: AtomicUsize::new(1),
            journal: None,
            quiet: OnceLock::new(),
            live: Mutex::new(Live {
                engine,
                stream,
                state,
                commands: Vec::new(),
                ready: Queue::default(),
                some_are_stale: false,
                lanes: 0,
                at_short_steps: 0,
                paces: Seldom::NEVER,
                holds: 0,
                at_work: 0,
                now,
                apart: Seldom::NEVER,
                end: End::NotYet,
                ledger: None,
                gate,
                queued: false,
                thrown_away: false,
                waiting: Wakers::default(),
                broken: Seldom::NEVER,
                timer: None,
            }),
        }
    }

    fn first_tick(self: &Arc<Self>, tick: Tick<W::Event>, limits: Limits) {
        let happened = self.happening(tick).and_then(|happening| {
            let happening = happening.keeping(|kept| Kept { body: kept.body.with_limits(limits), ..kept });
            // It happens when the run's clock was started, which was just now.
            self.happens_at(|now| now.time(), happening)
        });
        if let Err(refused) = happened {
            // Only a workflow written by hand can name a start event that its graph does not have.
            let error = RunError::Misrouted { run: self.id().clone(), reason: refused.to_string() };
            self.is_over_with(RunEventKind::Failed { error: error.clone() }, Err(error));
        }
    }
}
