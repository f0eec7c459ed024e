//! The pure engine: a tick in, commands out.
//!
//! No clock, no randomness, no tokio, no I/O. Time arrives with the tick, ids are counters in the state,
//! so the same state and the same ticks give the same commands. Every driver runs this engine, and a
//! snapshot is its [`State`].
//!
//! # States of a run
//!
//! ```text
//!        Started              Finished with Stop
//!  New ──────────▶ Running ───────────────────────▶ Completed
//!                   ▲   │  Failed · stall · out of time · Cancelled · Suspended
//!                   │   ▼
//!           Resumed │  Failed, TimedOut, Cancelled, Suspended
//!                   └───┘
//! ```
//!
//! # States of an invocation
//!
//! ```text
//!  delivered ──▶ Queued ──▶ Running ──▶ (gone: finished, taken by a handler or a gather, or cancelled)
//!                  ▲           │
//!                  ├───────────┤ the run was interrupted
//!                  │           ├──▶ Delayed (until its retry is due)
//!                  ├───────────│──────┘
//!                  │           ▼
//!                  └─────── Failed (nothing took it; run again when the run is resumed)
//! ```
//!
//! # The contract with the driver
//!
//! - It passes every tick to [`Engine::handle`], one at a time, and then does the commands in order. (The driver of this
//!   crate asks for the parts of it, the short ways of `relay` and the rest, one by one: they are the same to whoever
//!   replays.)
//! - [`Command::Run`] is answered by exactly one [`Tick::Finished`] or [`Tick::Failed`] that carries the
//!   same invocation and attempt, unless a [`Command::Abort`] comes first. A tick that comes too late is
//!   refused as [`Refused::NotCurrent`] and has changed nothing.
//! - [`Command::Wake`] says that something has come for a call of a running step. Where the step is not running any
//!   more, nothing is to be done: the next attempt finds it in the notes.
//! - After [`Command::Finish`] no command follows until [`Tick::Resumed`].
//! - It passes [`Tick::Time`] when [`Engine::next_due`] says so, at the latest.
//! - A refused tick changes nothing; only what was due by then has happened, as a tick of its own, so there may
//!   be commands all the same. [`Tick::Time`] in its place would have done exactly that.
//! - Nothing here panics; what can are the `Clone` and `Drop` of the payload. A state in the middle of such a panic is
//!   not to be used any more.
//!
//! # Reading order
//!
//! [`tick`](Tick) and [`command`](Command) are the vocabulary, [`state`](State) is what is remembered, of it `scopes` what
//! is open and has arrived there, and `members` what keeps that open.
//!
//! `turn` is what one tick does: `delivery` hands events to who takes them, `question` asks people, `fan_out` opens and closes
//! scopes, `failure` finds who takes a failure, and `notes` is what steps remember and wait for while they run; `start` is
//! which steps start in the end, unless it is the `ending` of the run. `relay` is the usual ticks by a short way.

mod command;
mod delivery;
mod ending;
mod failure;
mod fan_out;
mod members;
mod notes;
mod payload;
mod question;
mod relay;
mod scopes;
mod start;
mod state;
mod tick;
mod turn;

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::Arc;

use workflow_graph::{Graph, StepId};

pub use command::{Command, Counted, Ending, Invoke, Missing, Notice, Stall};
pub(crate) use fan_out::emitter_points;
pub(crate) use members::{Member, Members};
pub use notes::{Note, NoteKey, NoteKind, Noted, WaitId};
pub(crate) use notes::{Notes, Waiter};
pub use payload::{Emitted, Failure, Input, Json, Part, Payload};
pub use scopes::Scope;
pub(crate) use scopes::{Arrivals, Gather, Joins, Parked, Place};
pub use state::{Branch, Invocation, InvocationId, InvocationState, Request, ScopeId, State, Status, Time};
pub(crate) use state::{Budget, Extras, FailedAttempts, History, Recoveries, Sender, Timer, drop_if_empty};
pub use tick::{Refused, Tick, Verdict};

use turn::Turn;

/// The number of what the engine does: the next version in which the same ticks may give other commands has the next
/// number. Journals and snapshots carry it.
pub const ENGINE: u32 = 1;

/// Runs that were interrupted this often while one invocation ran, and did not come further, count as its failure, so that
/// a step which kills its process cannot do so for ever. To come further is to note something: a memo, a sleep, a
/// question, a wait for a signal.
pub const MAX_INTERRUPTIONS: u32 = 16;

/// One run of one workflow, as a function from ticks to commands.
#[derive(Clone, Debug)]
pub struct Engine<E> {
    graph: GraphRef,
    state: State<E>,
}

/// The graph an engine runs by: a table in the program, or one that was read at run time.
#[derive(Clone, Debug)]
pub enum GraphRef {
    /// A constant that `#[workflow]` emitted.
    Static(&'static Graph),
    /// A graph that came with a stored run.
    Shared(Arc<Graph>),
}

impl Deref for GraphRef {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        match self {
            Self::Static(graph) => graph,
            Self::Shared(graph) => graph,
        }
    }
}

impl From<&'static Graph> for GraphRef {
    fn from(graph: &'static Graph) -> Self {
        Self::Static(graph)
    }
}

impl From<Arc<Graph>> for GraphRef {
    fn from(graph: Arc<Graph>) -> Self {
        Self::Shared(graph)
    }
}

impl<E: Payload> Engine<E> {
    /// A run that has not started.
    pub fn new(graph: impl Into<GraphRef>) -> Self {
        Self::with_state(graph, State::new())
    }

    /// A run that goes on from a saved state; the next tick is [`Tick::Resumed`].
    pub(crate) fn with_state(graph: impl Into<GraphRef>, state: State<E>) -> Self {
        Self { graph: graph.into(), state }
    }

    /// Limits the time of a run that has not started: when it must have ended, and for how many milliseconds it may be
    /// at work.
    #[must_use]
    pub fn with_limits(mut self, deadline: Option<Time>, timeout: Option<u64>) -> Self {
        self.limit(deadline, timeout);
        self
    }

    /// Does so in place.
    pub(crate) fn limit(&mut self, deadline: Option<Time>, timeout: Option<u64>) {
        if deadline.is_some() || timeout.is_some() {
            let extras = self.state.extras.make();
            extras.deadline = deadline;
            extras.budget = timeout.map(|whole| Budget { whole, left: whole });
        }
    }

    /// What is remembered of the run: all that a snapshot holds.
    #[must_use]
    pub fn state(&self) -> &State<E> {
        &self.state
    }

    /// The graph it runs by.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The graph, as it was given.
    pub(crate) fn graph_ref(&self) -> &GraphRef {
        &self.graph
    }

    /// When [`Tick::Time`] is due at the latest, if nothing else happens before; `None` while nothing waits for a
    /// time. It changes with every tick.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        self.state.next_due()
    }

    /// Gives back memory that is not needed while nothing happens. Worth its cost where a run waits for somebody.
    pub(crate) fn shrink(&mut self) {
        self.state.shrink();
    }

    /// Takes what happened, and adds what is to be done to `out`.
    ///
    /// The cost depends on what the tick releases, never on what has happened before.
    ///
    /// # Errors
    /// The tick is not legal now; nothing has changed.
    pub fn handle(&mut self, at: Time, tick: Tick<E>, out: &mut Vec<Command<E>>) -> Result<(), Refused> {
        let tick = match tick {
            Tick::Started { input } => match self.begin(input, at) {
                Ok(invoke) => {
                    out.push(Command::Run(invoke));
                    return Ok(());
                }
                Err(input) => Tick::Started { input },
            },
            Tick::Finished { invocation, attempt, emitted: Emitted::One(event) } => {
                let mut at_work = Invoke::at_work(invocation, attempt);
                let step = self.state.invocation(invocation).map_or(StepId(0), |found| found.step);
                let emitted = Counted::One(event.event());
                if self.complete((invocation, attempt), &event, at) {
                    out.push(Command::Publish(Notice::StepFinished { invocation, step, emitted }));
                    out.push(Command::Finish(Ending::Completed { output: event }));
                    return Ok(());
                }
                match self.relay(&mut at_work, event, at) {
                    Ok(starts) => {
                        out.push(Command::Publish(Notice::StepFinished { invocation, step, emitted }));
                        out.extend(starts.then_some(Command::Run(at_work)));
                        return Ok(());
                    }
                    Err(event) => Tick::Finished { invocation, attempt, emitted: Emitted::One(event) },
                }
            }
            other => other,
        };
        let (told, mut runs) = (out.len(), VecDeque::new());
        let taken = self.handle_at_length(at, tick, out, &mut runs);
        turn::order_runs(out, told, runs);
        taken
    }

    /// As [`handle`](Self::handle), for a tick that the short ways do not take. What is to be started is added to
    /// `runs`, and follows what is added to `out`, but for the end of the run; unless something else was due before, where
    /// all is in `out`.
    pub(crate) fn handle_at_length(
        &mut self,
        at: Time,
        tick: Tick<E>,
        out: &mut Vec<Command<E>>,
        runs: &mut VecDeque<Invoke<E>>,
    ) -> Result<(), Refused> {
        Turn::new(&self.graph, &mut self.state, out, runs).take(at, tick)
    }
}
