//! A tick on its way into a run, and what it leaves to do.

use std::sync::Arc;
use std::task::Waker;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::engine::{Tick, Time};
use crate::journal;
use crate::runner::Letter;
use crate::seldom::Seldom;
use crate::store::Json;
use crate::workflow::Workflow;

/// A new state of a run; and as JSON, in a run with a store.
pub(super) type Changed<W> = (Arc<<W as Workflow>::State>, Option<Json>);

/// A tick that is to be taken.
pub(super) struct Happening<W: Workflow> {
    pub(super) tick: Tick<W::Event>,
    /// What the tick makes of the run's state, if it is taken.
    pub(super) state: Option<Arc<W::State>>,
    /// In a run with a store. Boxed, because the others carry nothing of it through every tick.
    pub(super) kept: Option<Box<Kept>>,
}

/// What a store keeps of a tick.
pub(super) struct Kept {
    /// The tick as it is written down.
    pub(super) body: journal::TickBody,
    /// What it makes of the run's state.
    pub(super) state: Option<Json>,
    /// The message that it came with.
    pub(super) letter: Option<Letter>,
    /// The run is put down only because its process ends.
    pub(super) leaves: bool,
}

impl<W: Workflow> Happening<W> {
    pub(super) fn new(tick: Tick<W::Event>, body: Option<journal::TickBody>) -> Self {
        let kept = |body| Box::new(Kept { body, state: None, letter: None, leaves: false });
        Self { tick, state: None, kept: body.map(kept) }
    }

    /// With more to be kept, in a run with a store.
    pub(super) fn keeping(self, more: impl FnOnce(Kept) -> Kept) -> Self {
        Self { kept: self.kept.map(|kept| Box::new(more(*kept))), ..self }
    }
}

/// What a tick leaves to do once the lock is released.
#[derive(Default)]
#[must_use = "steps are cancelled, callers woken and lanes started only by `Host::finish`"]
pub(super) struct Afterwards {
    pub(super) spawn_lane: bool,
    /// One who waits for what has come. Mostly there is no other one.
    pub(super) wake: Option<Waker>,
    /// What most ticks do not leave.
    pub(super) more: Seldom<MoreAfterwards>,
}

#[derive(Default)]
pub(super) struct MoreAfterwards {
    pub(super) cancel: Vec<CancellationToken>,
    pub(super) wake_too: Vec<Waker>,
    pub(super) queue_at: Option<Arc<Semaphore>>,
    pub(super) wait_until: Option<(Time, CancellationToken)>,
}

impl Afterwards {
    pub(super) fn cancel(&mut self, tokens: impl IntoIterator<Item = CancellationToken>) {
        let mut tokens = tokens.into_iter().peekable();
        if tokens.peek().is_some() {
            self.more.make().cancel.extend(tokens);
        }
    }

    pub(super) fn wake(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            match self.wake {
                None => self.wake = Some(waker),
                Some(_) => self.more.make().wake_too.push(waker),
            }
        }
    }
}
