//! What changes in a run with every tick.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::attention::Listener;
use super::clock::Now;
use super::happening::Afterwards;
use super::ledger::Ledger;
use super::pace::Paces;
use super::panic_message;
use super::queue::Queue;
use crate::common::Common;
use crate::engine::{Command, Ending, Engine, InvocationId, NoteKey, Time, drop_if_empty};
use crate::handle::RunError;
use crate::seldom::Seldom;
use crate::stream::Stream;
use crate::wakers::Wakers;
use crate::workflow::Workflow;

/// What changes with every tick.
pub(super) struct Live<W: Workflow> {
    pub(super) engine: Engine<W::Event>,
    /// What observers see.
    pub(super) stream: Stream<W>,
    /// What the steps that have finished made of it.
    pub(super) state: Common<W::State>,
    /// Reused from tick to tick; empty between them.
    pub(super) commands: Vec<Command<W::Event>>,
    /// Steps that the engine has started and nobody has taken yet.
    pub(super) ready: Queue<W::Event>,
    /// Steps were cancelled that may still be among those.
    pub(super) some_are_stale: bool,
    /// How many lanes are awake.
    pub(super) lanes: u32,
    /// How many steps that are known to be short they are at.
    pub(super) at_short_steps: u32,
    pub(super) paces: Seldom<Paces>,
    /// How many want that no step starts.
    pub(super) holds: u32,
    /// Steps that a lane polls or that have a task of their own.
    pub(super) at_work: usize,
    /// When the latest tick came. The clock is read once for each.
    pub(super) now: Now,
    pub(super) apart: Seldom<Apart>,
    pub(super) end: End<W>,
    /// How the run stands with its store, if it has one.
    pub(super) ledger: Option<Box<Ledger<W>>>,
    /// What lets steps start, where runs take turns.
    pub(super) gate: Option<Arc<Semaphore>>,
    /// The run stands in line at the gate.
    pub(super) queued: bool,
    /// What the engine holds never happened, because it could not be stored.
    pub(super) thrown_away: bool,
    pub(super) waiting: Wakers,
    /// The author's `Clone` or `Drop` has panicked in the middle of a tick, with this message. What the engine holds
    /// cannot be relied on any more.
    pub(super) broken: Seldom<String>,
    /// When something is due, and how to stop waiting for it.
    pub(super) timer: Option<(Time, CancellationToken)>,
}

/// The steps that are not done with when a lane has polled them once.
#[derive(Default)]
pub(super) struct Apart {
    /// How to tell steps that they are cancelled: those that have a task of their own, and those that want to know.
    pub(super) tasks: BTreeMap<InvocationId, CancellationToken>,
    /// Who polls the calls of steps that wait.
    pub(super) listeners: BTreeMap<(InvocationId, NoteKey), Listener>,
}

impl Apart {
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.listeners.is_empty()
    }
}

/// How far a run is from being over.
pub(super) enum End<W: Workflow> {
    /// It goes on. In a run with a store, perhaps only there.
    NotYet,
    /// It has ended, which is announced when nothing is at work any more.
    Near(Box<Ending<W::Event>>),
    Announced(Result<W::Output, Box<RunError>>),
}

impl<W: Workflow> Live<W> {
    /// Readers are woken for what they can see now.
    #[inline]
    pub(super) fn tell_readers(&mut self, afterwards: &mut Afterwards) {
        if let Some(readers) = self.stream.take_readers() {
            afterwards.wake(readers);
        }
    }

    /// Whether the end was announced.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.end, End::Announced(_))
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.get().is_some()
    }

    /// Whether what the engine holds counts no more: it is broken, was not stored, or belongs to somebody else.
    pub(super) fn is_done_with(&self) -> bool {
        self.is_broken() || self.thrown_away || self.ledger.as_ref().is_some_and(|it| it.given_back)
    }

    /// The author's code has panicked in the middle of a tick.
    #[cold]
    pub(super) fn give_up(&mut self, panic: &(dyn Any + Send), afterwards: &mut Afterwards) {
        self.broken = Some(panic_message(panic).to_owned()).into();
        // What was announced stays so.
        if !self.is_over() {
            self.end = End::NotYet;
        }
        // What is thrown away may panic as well.
        let ready = std::mem::take(&mut self.ready);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(ready)));
        afterwards.cancel(self.take_tasks());
        afterwards.cancel(self.timer.take().map(|(_, token)| token));
    }

    /// Does one command, of those that are no news.
    pub(super) fn perform(&mut self, command: Command<W::Event>, afterwards: &mut Afterwards) {
        match command {
            Command::Run(invoke) => self.ready.push_back(invoke),
            // A step without a task is in the ready queue or with a lane, and is found out there.
            Command::Abort { invocation } => {
                let task = self.take_task(invocation);
                self.some_are_stale |= task.is_none();
                afterwards.cancel(task);
            }
            Command::Wake { invocation, key } => {
                let apart = self.apart.get_mut();
                let listener = apart.and_then(|apart| apart.listeners.remove(&(invocation, key)));
                afterwards.wake(listener.map(|it| it.waker));
            }
            Command::Publish(_) | Command::Finish(_) => {}
        }
    }

    /// How to cancel a step that has a task of its own.
    pub(super) fn take_task(&mut self, invocation: InvocationId) -> Option<CancellationToken> {
        self.apart.get_mut()?.tasks.remove(&invocation)
    }

    pub(super) fn take_tasks(&mut self) -> impl Iterator<Item = CancellationToken> + use<W> {
        let tasks = self.apart.get_mut().map(|apart| std::mem::take(&mut apart.tasks));
        tasks.unwrap_or_default().into_values()
    }

    /// Gives back memory that is not needed while the run waits for somebody.
    pub(super) fn shrink(&mut self) {
        self.engine.shrink();
        self.commands.shrink_to_fit();
        self.ready.shrink();
        self.paces = Seldom::NEVER;
        self.apart.shrink(Apart::is_empty);
        if let Some(apart) = self.apart.get_mut() {
            drop_if_empty(&mut apart.tasks);
            drop_if_empty(&mut apart.listeners);
        }
    }

    /// Sees to it that somebody waits for what is due next.
    pub(super) fn arm(&mut self, afterwards: &mut Afterwards) {
        // Nobody waits here for a run that is somebody else's.
        let due = if self.is_done_with() { None } else { self.engine.next_due() };
        if due == self.timer.as_ref().map(|(due, _)| *due) {
            return;
        }
        afterwards.cancel(self.timer.take().map(|(_, token)| token));
        if let Some(due) = due {
            let token = CancellationToken::new();
            self.timer = Some((due, token.clone()));
            afterwards.more.make().wait_until = Some((due, token));
        }
    }
}
