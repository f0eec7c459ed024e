//! The writing end, and what is kept.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{EVENTS_KEPT, RunEvent, RunEventKind};
use crate::engine::Time;
use crate::event::RequestId;
use crate::store::StoredEvent;
use crate::table::Table;
use crate::wakers::Wakers;
use crate::workflow::Workflow;

/// The writing end, and what is kept.
pub(crate) struct Stream<W: Workflow> {
    ring: Mutex<Ring<W>>,
}

pub(super) struct Ring<W: Workflow> {
    pub(super) kept: VecDeque<RunEvent<W>>,
    /// The number of the first event of all.
    began: u64,
    /// The number of the oldest event kept, or of the next one where none is.
    pub(super) first: u64,
    /// The number of the last event that readers may see. In a run with a store, the others are not stored yet.
    pub(super) shown: u64,
    /// In a run with a store: events that are to be stored with what happens next.
    unstored: Option<Vec<StoredEvent>>,
    pub(super) tick: u64,
    pub(super) at: Time,
    /// The questions that are open, for readers that fell behind.
    pub(super) open: Table<RequestId, Asked<W>>,
    /// The terminal event is the last one kept.
    pub(super) over: bool,
    pub(super) readers: Wakers,
}

/// Where the event of an open question is.
pub(super) enum Asked<W: Workflow> {
    /// Kept like any other, under this number.
    Kept(u64),
    /// Here, because the ring has gone on.
    Dropped(Box<RunEvent<W>>),
}

impl<W: Workflow> Asked<W> {
    fn number(&self) -> u64 {
        match self {
            Self::Kept(number) => *number,
            Self::Dropped(event) => event.number,
        }
    }

    pub(super) fn dropped(&self) -> Option<&RunEvent<W>> {
        match self {
            Self::Kept(_) => None,
            Self::Dropped(event) => Some(event),
        }
    }
}

impl<W: Workflow> Stream<W> {
    /// A stream whose first event has this number.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self::new(first, u64::MAX, None)
    }

    /// A stream whose first event has this number, and whose events are seen when they are stored.
    pub(crate) fn stored_from(first: u64) -> Self {
        Self::new(first, first.saturating_sub(1), Some(Vec::new()))
    }

    fn new(first: u64, shown: u64, unstored: Option<Vec<StoredEvent>>) -> Self {
        let ring = Ring {
            kept: VecDeque::new(),
            began: first,
            first,
            shown,
            unstored,
            tick: 0,
            at: Time(0),
            open: Table::new(),
            over: false,
            readers: Wakers::default(),
        };
        Self { ring: Mutex::new(ring) }
    }

    /// The number before that of the first event.
    pub(crate) fn before_first(&self) -> u64 {
        self.lock().began.saturating_sub(1)
    }

    /// The number that the next event gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.lock().next_number()
    }

    /// Appends events of one tick. Readers are woken when the writer is dropped.
    pub(crate) fn write(&self, tick: u64, at: Time) -> Writer<'_, W> {
        let mut ring = self.lock();
        ring.tick = tick;
        ring.at = at;
        Writer { ring, wrote: false }
    }

    /// Appends what a step published, under the tick that came last.
    pub(crate) fn publish(&self, at: Time, kind: RunEventKind<W>) {
        let mut ring = self.lock();
        ring.at = ring.at.max(at);
        let mut writer = Writer { ring, wrote: false };
        let newest = writer.newest();
        writer.push(kind);
        // It does not wait for the store, only for its turn.
        let ring = &mut *writer.ring;
        if ring.shown == newest {
            ring.shown = ring.next_number() - 1;
        }
    }

    /// Whether readers have been shown that this question is open.
    pub(crate) fn shows(&self, request: RequestId) -> bool {
        let ring = self.lock();
        ring.open.get(&request).is_some_and(|asked| asked.number() <= ring.shown)
    }

    /// What is to be stored with what happens next; nothing in a run without a store.
    pub(crate) fn take_unstored(&self) -> Vec<StoredEvent> {
        self.lock().unstored.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Lets readers see the events up to that number.
    pub(crate) fn show(&self, up_to: u64) {
        let mut ring = self.lock();
        if up_to > ring.shown {
            ring.shown = up_to;
            // What steps published meanwhile waits for its turn only.
            let is_progress = |event: &RunEvent<W>| matches!(event.kind, RunEventKind::Progress { .. });
            while ring.at(ring.shown.saturating_add(1)).is_some_and(is_progress) {
                ring.shown += 1;
            }
            drop(Writer { ring, wrote: true });
        }
    }

    /// Gives back memory that is not needed while nothing happens.
    pub(crate) fn shrink(&self) {
        let mut ring = self.lock();
        ring.kept.shrink_to_fit();
        ring.open.shrink();
    }

    /// Forgets what was not shown, because it could not be stored, and ends with this event.
    pub(crate) fn break_off(&self, kind: RunEventKind<W>) {
        let mut ring = self.lock();
        let shown = ring.shown;
        ring.kept.retain(|event| event.number <= shown);
        ring.over = false;
        ring.unstored = None;
        ring.shown = u64::MAX;
        Writer { ring, wrote: false }.push(kind);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Ring<W>> {
        // What a panicking `Clone` or `Serialize` of the author's left behind is consistent: every change
        // to the ring comes after such calls.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Workflow> Ring<W> {
    fn next_number(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn drop_oldest(&mut self) {
        let Some(event) = self.kept.pop_front() else { return };
        self.first += 1;
        if let RunEventKind::InputRequired(question) = &event.kind {
            if let Some(open) = self.open.get_mut(&question.id).filter(|open| open.number() == event.number) {
                *open = Asked::Dropped(Box::new(event));
            }
        }
    }

    /// The event of that number, if it is kept.
    pub(super) fn at(&self, number: u64) -> Option<&RunEvent<W>> {
        let position = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.get(position)
    }
}

pub(crate) struct Writer<'a, W: Workflow> {
    ring: MutexGuard<'a, Ring<W>>,
    wrote: bool,
}

impl<W: Workflow> Writer<'_, W> {
    /// The number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.ring.next_number() - 1
    }

    /// Appends an event. After the terminal one nothing is appended.
    pub(crate) fn push(&mut self, kind: RunEventKind<W>) {
        let ring = &mut *self.ring;
        if ring.over {
            return;
        }
        let event = RunEvent { number: ring.next_number(), tick: ring.tick, at: ring.at, kind };
        match &event.kind {
            RunEventKind::InputRequired(question) => {
                ring.open.insert(question.id, Asked::Kept(event.number));
            }
            RunEventKind::InputReceived { request }
            | RunEventKind::InputExpired { request }
            | RunEventKind::InputWithdrawn { request } => {
                ring.open.remove(request);
            }
            _ => {}
        }
        self.wrote = true;
        if let Some(unstored) = &mut ring.unstored {
            let RunEvent { number, tick, at, .. } = event;
            // What a step published may not serialise; everything else in a run has been serialised before.
            let body =
                serde_json::value::to_raw_value(&event).or_else(|_| serde_json::value::to_raw_value(&()));
            unstored.extend(body.map(|body| StoredEvent { number, tick, at, body }).ok());
        }
        ring.over = event.is_terminal();
        if ring.kept.len() == EVENTS_KEPT {
            ring.drop_oldest();
        }
        ring.kept.push_back(event);
    }
}

impl<W: Workflow> Drop for Writer<'_, W> {
    fn drop(&mut self) {
        if self.wrote && !self.ring.readers.is_empty() {
            for reader in self.ring.readers.take() {
                reader.wake();
            }
        }
    }
}
