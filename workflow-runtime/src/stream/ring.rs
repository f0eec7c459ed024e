//! The writing end, and what is kept.

use std::sync::Arc;

use workflow_graph::{EventId, StepId};

use super::kept::{Kept, Numbered, What};
use super::latest::Latest;
use super::{RunEvent, RunEventKind};
use crate::engine::{Counted, InvocationId, Invoke, Notice, Time};
use crate::event::RequestId;
use crate::handle::RunId;
use crate::seldom::Seldom;
use crate::store::StoredEvent;
use crate::table::Table;
use crate::wakers::{Waiting, Wakers};
use crate::workflow::Workflow;

/// The writing end, and what is kept.
pub(crate) struct Stream<W: Workflow> {
    kept: Latest<Kept<W>>,
    /// The number of the first event of all.
    began: u64,
    /// The number of the oldest event kept, or of the next one where none is.
    first: u64,
    /// The number of the last event that readers may see. In a run with a store, the others are not stored yet.
    shown: u64,
    /// In a run with a store: events that are to be stored with what happens next.
    unstored: Seldom<Vec<StoredEvent>>,
    pub(super) tick: u64,
    pub(super) at: Time,
    /// The questions that are open, for readers that fell behind.
    open: Table<RequestId, Asked<W>>,
    /// Nothing is appended any more: the terminal event is the last one.
    over: bool,
    /// The terminal event is to be appended when somebody reads, who is to be told what the run has come to.
    owes_the_end: bool,
    /// There is something that readers could not see when they were woken last.
    news: bool,
    pub(super) readers: Wakers,
}

/// Where the event of an open question is.
enum Asked<W: Workflow> {
    /// Kept like any other, under this number.
    Kept(u64),
    /// Here, because the ring has gone on.
    Dropped(Box<Numbered<W>>),
}

impl<W: Workflow> Asked<W> {
    fn number(&self) -> u64 {
        match self {
            Self::Kept(number) => *number,
            Self::Dropped(event) => event.number,
        }
    }

    /// An event makes room. If it is a question that is open, it is still there for those who miss it.
    #[inline(never)]
    fn set_aside(open: &mut Table<RequestId, Self>, number: u64, kept: &Kept<W>) {
        let What::Told(kind) = &kept.what else { return };
        let RunEventKind::InputRequired(question) = &**kind else { return };
        if let Some(asked) = open.get_mut(&question.id).filter(|asked| asked.number() == number) {
            *asked = Self::Dropped(Box::new(Numbered { number, kept: kept.clone() }));
        }
    }

    fn dropped(&self) -> Option<&Numbered<W>> {
        match self {
            Self::Kept(_) => None,
            Self::Dropped(event) => Some(event),
        }
    }
}

impl<W: Workflow> Stream<W> {
    /// A stream whose first event has this number.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self::new(first, u64::MAX, Seldom::NEVER)
    }

    /// A stream whose first event has this number, and whose events are seen when they are stored.
    pub(crate) fn stored_from(first: u64) -> Self {
        Self::new(first, first.saturating_sub(1), Some(Vec::new()).into())
    }

    fn new(first: u64, shown: u64, unstored: Seldom<Vec<StoredEvent>>) -> Self {
        Self {
            kept: Latest::new(),
            began: first,
            first,
            shown,
            unstored,
            tick: 0,
            at: Time(0),
            open: Table::new(),
            over: false,
            owes_the_end: false,
            news: false,
            readers: Wakers::default(),
        }
    }

    /// The number before that of the first event.
    pub(crate) fn before_first(&self) -> u64 {
        self.began.saturating_sub(1)
    }

    /// The number that the next event gets.
    #[inline]
    pub(crate) fn next_number(&self) -> u64 {
        self.first + self.kept.len() as u64 + u64::from(self.owes_the_end)
    }

    /// The number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.next_number().saturating_sub(1)
    }

    /// What is appended next belongs to that tick. The end belongs to the one that led to it.
    #[inline]
    pub(crate) fn begin(&mut self, tick: u64, at: Time) {
        if !self.over {
            self.tick = tick;
            self.at = at;
        }
    }

    /// Appends that a step starts.
    #[inline]
    pub(crate) fn started(&mut self, step: StepId, invocation: InvocationId, attempt: u32) {
        self.keep(What::Started { step, invocation, attempt });
    }

    /// Appends that a step has finished with one event, and which one starts, if one does, all in one tick of a run without a
    /// store.
    //
    // Each event is written from here to where it is to stay. Where it is passed on through memory, written in small parts
    // and read in large ones, the processor waits each time.
    pub(crate) fn relayed(
        &mut self,
        tick: u64,
        at: Time,
        (step, invocation): (StepId, InvocationId),
        event: EventId,
        next: Option<&Invoke<W::Event>>,
    ) {
        self.begin(tick, at);
        if self.over {
            return;
        }
        let finished = What::Finished { step, invocation, emitted: Some(event) };
        self.append(Kept { tick, at, what: finished }, false);
        if let Some(&Invoke { step, invocation, attempt, .. }) = next {
            let started = What::Started { step, invocation, attempt };
            self.append(Kept { tick, at, what: started }, false);
        }
    }

    /// Appends what the engine of that run has told.
    #[inline]
    pub(crate) fn tell(&mut self, notice: Notice<W::Event>, run: impl FnOnce() -> RunId) {
        let what = match notice {
            Notice::StepSent { step, invocation, event } => What::Sent { step, invocation, event },
            Notice::StepFinished { step, invocation, emitted: Counted::None } => {
                What::Finished { step, invocation, emitted: None }
            }
            Notice::StepFinished { step, invocation, emitted: Counted::One(event) } => {
                What::Finished { step, invocation, emitted: Some(event) }
            }
            other => return self.tell_in_full(other, run),
        };
        self.keep(what);
    }

    #[inline(never)]
    fn tell_in_full(&mut self, notice: Notice<W::Event>, run: impl FnOnce() -> RunId) {
        if let Some(kind) = RunEventKind::told(notice, run) {
            self.push(kind);
        }
    }

    /// Appends what a step published, under the tick that came last.
    pub(crate) fn publish(
        &mut self,
        at: Time,
        step: StepId,
        invocation: InvocationId,
        attempt: u32,
        value: W::Progress,
    ) {
        let shows = self.is_between_ticks(at);
        self.add(What::Progress { step, invocation, attempt, value }, shows);
    }

    /// Appends an event that no tick has led to.
    pub(crate) fn announce(&mut self, at: Time, kind: RunEventKind<W>) {
        let shows = self.is_between_ticks(at);
        self.push_shown(kind, shows);
    }

    /// What is appended next does not wait for the store, only for its turn: whether that has come, because everything
    /// before it can be seen.
    #[inline]
    fn is_between_ticks(&mut self, at: Time) -> bool {
        if !self.over {
            self.at = self.at.max(at);
        }
        self.newest() == self.shown
    }

    /// Appends an event. After the terminal one nothing is appended.
    pub(crate) fn push(&mut self, kind: RunEventKind<W>) {
        self.push_shown(kind, false);
    }

    fn push_shown(&mut self, kind: RunEventKind<W>, shows: bool) {
        if self.over {
            return;
        }
        let kind = Arc::new(kind);
        if self.unstored.get().is_some() {
            self.store_next(What::Told(Arc::clone(&kind)));
        }
        match &*kind {
            RunEventKind::InputRequired(question) => {
                let number = self.next_number();
                self.open.insert(question.id, Asked::Kept(number));
            }
            RunEventKind::InputReceived { request }
            | RunEventKind::InputExpired { request }
            | RunEventKind::InputWithdrawn { request } => {
                self.open.remove(request);
            }
            other => self.over = other.is_terminal(),
        }
        self.append_now(What::Told(kind), shows);
    }

    /// The run has ended, which is the last event of the stream. Few runs that end have readers, so it is told when there is
    /// one.
    pub(crate) fn end(&mut self) {
        if !self.over {
            self.news |= self.next_number() <= self.shown;
            self.over = true;
            self.owes_the_end = true;
        }
    }

    /// Whether somebody who reads has to be told first how the run has ended.
    pub(crate) fn owes_the_end(&self) -> bool {
        self.owes_the_end
    }

    /// Appends how the run has ended.
    pub(crate) fn tell_the_end(&mut self, kind: RunEventKind<W>) {
        if std::mem::take(&mut self.owes_the_end) {
            self.append_now(What::Told(Arc::new(kind)), false);
        }
    }

    /// Appends one of the events that are small, in a tick.
    #[inline]
    fn keep(&mut self, what: What<W>) {
        self.add(what, false);
    }

    #[inline]
    fn add(&mut self, what: What<W>, shows: bool) {
        if self.over {
            return;
        }
        if self.unstored.get().is_some() {
            self.store_next(what.clone());
        }
        self.append_now(what, shows);
    }

    fn append_now(&mut self, what: What<W>, shows: bool) {
        self.append(Kept { tick: self.tick, at: self.at, what }, shows);
    }

    #[inline(always)]
    fn append(&mut self, kept: Kept<W>, shows: bool) {
        let number = self.next_number();
        if shows {
            self.shown = number;
        }
        self.news |= number <= self.shown;
        let Some(oldest) = self.kept.make_room() else { return self.kept.push(kept) };
        if let What::Told(_) = oldest.what {
            Asked::set_aside(&mut self.open, self.first, oldest);
        }
        self.first += 1;
        // Drops what was there, which may be the author's; so it is the last thing to do.
        *oldest = kept;
    }

    /// Has an event stored with what happens next.
    #[inline(never)]
    fn store_next(&mut self, what: What<W>) {
        let (number, tick, at) = (self.next_number(), self.tick, self.at);
        let event = RunEvent { number, tick, at, kind: what.into() };
        // What a step published may not serialise; everything else in a run has been serialised before.
        let body = serde_json::value::to_raw_value(&event).or_else(|_| serde_json::value::to_raw_value(&()));
        if let (Some(unstored), Ok(body)) = (self.unstored.get_mut(), body) {
            unstored.push(StoredEvent { number, tick, at, body });
        }
    }

    /// The readers that are to be woken, once the lock of the run is released: whoever was woken before that would run
    /// into it.
    #[inline]
    pub(crate) fn take_readers(&mut self) -> Option<Waiting> {
        let news = std::mem::take(&mut self.news);
        if news && !self.readers.is_empty() { Some(self.readers.take()) } else { None }
    }

    /// Whether readers have been shown that this question is open.
    pub(crate) fn shows(&self, request: RequestId) -> bool {
        self.open.get(&request).is_some_and(|asked| asked.number() <= self.shown)
    }

    /// What is to be stored with what happens next; nothing in a run without a store.
    pub(crate) fn take_unstored(&mut self) -> Vec<StoredEvent> {
        self.unstored.get_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Lets readers see the events up to that number.
    pub(crate) fn show(&mut self, up_to: u64) {
        if up_to > self.shown {
            self.shown = up_to;
            // What steps published meanwhile waits for its turn only.
            while self.at(self.shown.saturating_add(1)).is_some_and(|kept| kept.what.is_progress()) {
                self.shown += 1;
            }
            self.news = true;
        }
    }

    /// Gives back memory that is not needed while nothing happens.
    pub(crate) fn shrink(&mut self) {
        self.kept.shrink();
        self.open.shrink();
    }

    /// Forgets what was not shown, because it could not be stored, and ends with this event.
    pub(crate) fn break_off(&mut self, kind: RunEventKind<W>) {
        let shown = self.position(self.shown.saturating_add(1));
        self.kept.truncate(shown);
        self.over = false;
        self.owes_the_end = false;
        self.unstored = Seldom::NEVER;
        self.shown = u64::MAX;
        self.push(kind);
    }

    /// Where the event of that number is kept, or would be.
    fn position(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// The event of that number, if it is kept.
    fn at(&self, number: u64) -> Option<&Kept<W>> {
        let position = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.range(position..usize::MAX).next()
    }

    /// How many events a reader that has come so far will never see.
    pub(super) fn missed_after(&self, after: u64) -> u64 {
        // What was not shown yet is not missed yet, even if it is not kept any more.
        let oldest = self.first.min(self.shown.saturating_add(1));
        oldest.saturating_sub(after.saturating_add(1))
    }

    /// The open questions among the events up to that number that are not kept any more.
    pub(super) fn asked_until(&self, number: u64) -> impl Iterator<Item = Numbered<W>> {
        let dropped = self.open.values().filter_map(Asked::dropped);
        dropped.filter(move |asked| asked.number <= number).cloned()
    }

    /// The events that readers may see after that number, of which none is missed. Whoever is past the end gets the end.
    pub(super) fn shown_after(&self, after: u64) -> impl Iterator<Item = Numbered<W>> {
        let newest = self.next_number().saturating_sub(1);
        let next = after.saturating_add(1).min(if self.over { newest } else { u64::MAX });
        let end = newest.min(self.shown).saturating_add(1);
        let shown = self.kept.range(self.position(next)..self.position(end));
        shown.zip(next..).map(|(kept, number)| Numbered { number, kept: kept.clone() })
    }
}
