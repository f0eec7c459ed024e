//! Runs with a store: nothing is shown and no step is started before the tick that led to it is stored.
//!
//! ```text
//!  a tick ──▶ the engine ──▶ record, events, commands ──▶ the store ──▶ the commands are done, the events shown
//!                                                           │
//!                                                           └ not stored: the run in memory is thrown away
//! ```
//!
//! The engine may be ahead of the store by some ticks; what it commands is held back in order. Where a commit fails,
//! what the engine holds never happened: the run ends here with [`RunError::NotStored`], and goes on from what is
//! stored wherever it is claimed next.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Afterwards, End, Host, Kept, KeptAt, Live, step_name};
use crate::common::Common;
use crate::engine::{Command, Ending, Invoke, Notice, Refused, State, Status, Tick, Time};
use crate::handle::RunError;
use crate::journal;
use crate::runner::{Commit, Commits, Committed, Letter, NotStored, json_text};
use crate::snapshot::Snapshot;
use crate::store::{Append, Due, Json, MessageId, OpenQuestion, Record, RunStatus, Taken, Verdict};
use crate::stream::RunEventKind;
use crate::workflow::{Events as _, Workflow};

/// A snapshot is taken with a commit when the records after the last one are as large as a new one, and at least this
/// many bytes: so what it costs is spread over them.
const SMALLEST_TAIL: usize = 16 * 1024;

/// Where a run is kept.
pub(crate) struct Journal<W: Workflow> {
    pub(crate) commits: Commits,
    /// At which the run was claimed.
    pub(crate) epoch: u64,
    evict_waiting_steps: bool,
    host: Weak<Host<W>>,
    progress: watch::Sender<Progress>,
}

/// How far the store is.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// How many commits are stored.
    stored: u64,
    failed: Option<NotStored>,
}

/// How a run stands with its store.
pub(super) struct Ledger<W: Workflow> {
    /// The position of the last record.
    position: u64,
    /// The graph that the next record has to name, because the records before it were written under another.
    fingerprint: Option<String>,
    /// How many commits were handed to the store.
    commits: u64,
    /// What waits for its commit, in order.
    held_back: VecDeque<HeldBack<W>>,
    /// The state of the run, as far as it is stored.
    pub(super) state: Common<W::State>,
    /// Messages that were decided about. They are kept for a while after that is stored, because who reads the inbox may
    /// have read it before.
    decided: BTreeSet<MessageId>,
    /// Those of them whose verdict is stored.
    answered: Vec<MessageId>,
    /// Bytes of the records after the last snapshot, and of that.
    tail: usize,
    snapshot: usize,
    /// The run was given back to the store: what comes now belongs to whoever claims it next.
    pub(super) given_back: bool,
    /// The run has ended, and this is stored.
    pub(super) ended: Option<Result<W::Output, RunError>>,
}

/// What is written down of one tick.
pub(super) struct Entry {
    pub(super) at: Time,
    pub(super) kept: Box<Kept>,
    /// What the engine said to it.
    pub(super) taken: Result<(), Refused>,
    /// Whether the engine has moved, which it may have also where it refused the tick.
    pub(super) ticked: bool,
}

/// What may happen when a commit is stored.
struct HeldBack<W: Workflow> {
    commands: Vec<Command<W::Event>>,
    /// The last event that may be seen then.
    shown: u64,
    state: Common<W::State>,
    ended: Option<Result<W::Output, RunError>>,
    decided: Option<MessageId>,
}

impl<W: Workflow> HeldBack<W> {
    /// Nothing but the state as it is then.
    fn of(state: Common<W::State>) -> Self {
        Self { commands: Vec::new(), shown: 0, state, ended: None, decided: None }
    }
}

/// Where a run that is taken up stands in its store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// The position of its last record.
    pub(crate) position: u64,
    /// The graph that its next record has to name.
    pub(crate) fingerprint: Option<String>,
    /// Bytes of the records after its last snapshot, and of that.
    pub(crate) tail: usize,
    pub(crate) snapshot: usize,
}

impl<W: Workflow> Journal<W> {
    pub(super) fn new(host: Weak<Host<W>>, kept: KeptAt) -> Self {
        let KeptAt { commits, epoch, evict_waiting_steps, .. } = kept;
        Self { commits, epoch, evict_waiting_steps, host, progress: watch::Sender::default() }
    }
}

impl<W: Workflow> Ledger<W> {
    pub(super) fn new(standing: Standing, state: Common<W::State>) -> Self {
        let Standing { position, fingerprint, tail, snapshot } = standing;
        Self {
            position,
            fingerprint,
            commits: 0,
            held_back: VecDeque::new(),
            state,
            decided: BTreeSet::new(),
            answered: Vec::new(),
            tail,
            snapshot,
            given_back: false,
            ended: None,
        }
    }
}

impl<W: Workflow> Host<W> {
    /// Waits until everything that has happened so far is stored. At once in a run without a store.
    ///
    /// # Errors
    /// Something could not be stored; it has not happened.
    pub(crate) async fn settled(&self) -> Result<(), NotStored> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let commits = self.lock().ledger.as_ref().map_or(0, |ledger| ledger.commits);
        let mut progress = journal.progress.subscribe();
        let reached = progress.wait_for(|it| it.stored >= commits || it.failed.is_some()).await;
        match reached {
            Ok(progress) if progress.stored >= commits => Ok(()),
            Ok(progress) => Err(progress.failed.clone().unwrap_or(NotStored::Closed)),
            Err(_) => Err(NotStored::Closed),
        }
    }

    /// Hands to the store what a tick has led to, and holds back what is to be done about it.
    pub(super) fn write_down(
        &self,
        live: &mut Live<W>,
        entry: Entry,
        commands: &mut Vec<Command<W::Event>>,
        runs: VecDeque<Invoke<W::Event>>,
    ) {
        let (Some(journal), Some(ledger)) = (&self.journal, &mut live.ledger) else { return };
        let Entry { at, kept, taken, ticked } = entry;
        let Kept { body, state, letter, leaves } = *kept;
        let (body, state) = match &taken {
            Ok(()) => (Some(body), state),
            Err(_) => {
                let time = || journal::body::<W::Event>(W::GRAPH, &Tick::Time).ok();
                (ticked.then(time).flatten(), None)
            }
        };
        if body.is_none() && letter.is_none() {
            return;
        }
        let engine = &live.engine;
        let mut append = Append::new(self.id().clone(), journal.epoch, ledger.position, at);
        let mut held_back = HeldBack::of(live.state.clone());
        let mut key = None;
        if let Some(letter) = letter {
            let verdict = match taken {
                Ok(()) => {
                    key = letter.key;
                    Verdict::Accepted
                }
                Err(refused) => Verdict::Refused { reason: json_text(&refused.to_string()) },
            };
            held_back.decided = Some(letter.message);
            append.taken.push(Taken { message: letter.message, verdict });
        }
        if let Some(body) = body {
            let body = journal::record(body, engine.state().last_id(), state);
            let (position, fingerprint) = (ledger.position + 1, ledger.fingerprint.take());
            append.records.push(Record { position, at, key, fingerprint, body });
            let state = engine.state();
            let (status, due) =
                if leaves { (RunStatus::Running, Due::Now) } else { standing(state, engine.next_due()) };
            append.status = Some(status);
            append.due = Some(due);
        }
        let stream = &mut live.stream;
        stream.begin(engine.state().ticks(), at);
        let mut end = None;
        for command in commands.drain(..) {
            match command {
                Command::Publish(notice) => {
                    note_questions::<W>(&notice, &mut append);
                    stream.tell(notice, || self.id().clone());
                }
                Command::Finish(ending) => end = Some(ending),
                Command::Run(ref invoke) => {
                    stream.started(invoke.step, invoke.invocation, invoke.attempt);
                    held_back.commands.push(command);
                }
                Command::Abort { .. } | Command::Wake { .. } => held_back.commands.push(command),
            }
        }
        for invoke in &runs {
            stream.started(invoke.step, invoke.invocation, invoke.attempt);
        }
        held_back.commands.extend(runs.into_iter().map(Command::Run));
        if let Some(ending) = end {
            let output = match &ending {
                Ending::Completed { output } => output.encode().ok(),
                _ => None,
            };
            let outcome = self.outcome(ending);
            let error = || serde_json::value::to_raw_value(outcome.as_ref().err()?).ok();
            append.outcome = output.or_else(error);
            stream.push(RunEventKind::terminal(outcome.clone()));
            held_back.ended = Some(outcome);
        }
        held_back.shown = stream.newest();
        append.events = stream.take_unstored();
        let idle = engine.state().waits_outside() && live.at_work == 0 && held_back.commands.is_empty();
        append.release =
            held_back.ended.is_some() || (idle && ledger.held_back.is_empty() && self.is_unattended());
        let written: usize = append.records.iter().map(|record| record.body.get().len()).sum();
        if append.release || ledger.tail + written >= ledger.snapshot.max(SMALLEST_TAIL) {
            append.snapshot = self.saved(live);
        }
        self.hand_in(live, append, held_back);
    }

    fn hand_in(&self, live: &mut Live<W>, append: Append, held_back: HeldBack<W>) {
        let (Some(journal), Some(ledger)) = (&self.journal, &mut live.ledger) else { return };
        for record in &append.records {
            ledger.position = record.position;
            ledger.tail += record.body.get().len();
        }
        if let Some(snapshot) = &append.snapshot {
            ledger.snapshot = snapshot.get().len();
            ledger.tail = 0;
        }
        ledger.given_back |= append.release;
        ledger.decided.extend(held_back.decided);
        ledger.commits += 1;
        ledger.held_back.push_back(held_back);
        if let Some(host) = journal.host.upgrade() {
            journal.commits.send(Commit { append, host });
        }
    }

    /// The run as it is now; `None` where nothing is left to save.
    fn saved(&self, live: &Live<W>) -> Option<Json> {
        let snapshot = Snapshot::take(self.id(), &live.engine, live.stream.next_number()).ok()?;
        let snapshot =
            if size_of::<W::State>() == 0 { Some(snapshot) } else { snapshot.with_state(&*live.state).ok() };
        serde_json::value::to_raw_value(&snapshot?).ok()
    }

    /// Counts one handle more, unless the run was given back to its store just now.
    pub(crate) fn attach(&self) -> bool {
        let live = self.lock();
        // What was not stored is nothing to hold on to: the run goes on from what is.
        let stays = !live.is_done_with() || (live.is_over() && !live.thrown_away);
        if stays {
            self.add_handle();
        }
        stays
    }

    /// At which the run was claimed; `None` in a run without a store, and for one that was given back.
    pub(crate) fn epoch(&self) -> Option<u64> {
        let held = self.lock().ledger.as_ref().is_some_and(|ledger| !ledger.given_back);
        self.journal.as_ref().filter(|_| held).map(|journal| journal.epoch)
    }

    /// Whether nothing of the run is left to do here, and nobody looks at it.
    pub(crate) fn is_gone(&self) -> bool {
        let live = self.lock();
        let stored = live.ledger.as_ref().is_none_or(|it| it.given_back && it.held_back.is_empty());
        let over = live.is_over() || live.ledger.as_ref().is_some_and(|it| it.given_back);
        over && stored && live.at_work == 0
    }

    /// Whether the run was given back to its store, so that messages are for whoever claims it next.
    pub(crate) fn is_given_back(&self) -> bool {
        self.lock().ledger.as_ref().is_some_and(|ledger| ledger.given_back)
    }

    /// Whether a message has been decided about already.
    pub(crate) fn has_decided(&self, message: MessageId) -> bool {
        self.lock().has_decided(message)
    }

    /// Whoever reads the inbox from now on does not find the messages whose verdict is stored.
    pub(crate) fn forget_decided(&self) {
        if let Some(ledger) = &mut self.lock().ledger {
            for message in std::mem::take(&mut ledger.answered) {
                ledger.decided.remove(&message);
            }
        }
    }

    /// Gives an idle run back to the store, if nobody looks at it.
    pub(crate) fn give_back_if_idle(&self) {
        let Some(journal) = &self.journal else { return };
        let mut cancelled: Vec<CancellationToken> = Vec::new();
        {
            let mut live = self.lock();
            let live = &mut *live;
            let idle = live.engine.state().is_idle() && !live.is_done_with();
            let quiet = live.ledger.as_ref().is_some_and(|it| it.held_back.is_empty());
            let only_waits = |live: &Live<W>| match live.engine.state().waits_outside() {
                true => live.at_work == 0,
                false => journal.evict_waiting_steps && live.only_the_run_wakes(),
            };
            if idle && quiet && self.is_unattended() && only_waits(live) {
                self.give_back(live, RunStatus::Waiting, Due::Idle { wake: live.engine.next_due() }, None);
                cancelled.extend(live.take_tasks());
            }
        }
        cancelled.into_iter().for_each(|token| token.cancel());
    }

    fn give_back(&self, live: &mut Live<W>, status: RunStatus, due: Due, outcome: Option<Json>) {
        let snapshot = if status == RunStatus::Blocked { None } else { self.saved(live) };
        let (Some(journal), Some(ledger)) = (&self.journal, &live.ledger) else { return };
        let mut append = Append::new(self.id().clone(), journal.epoch, ledger.position, self.clock.now());
        append.status = Some(status);
        append.due = Some(due);
        append.outcome = outcome;
        append.snapshot = snapshot;
        append.release = true;
        append.events = live.stream.take_unstored();
        let shown = live.stream.newest();
        let held_back = HeldBack { shown, ..HeldBack::of(live.state.clone()) };
        self.hand_in(live, append, held_back);
    }

    /// Puts the run down so that whoever comes next takes it up at once, as when the process ends.
    pub(crate) fn leave_behind(self: &Arc<Self>) {
        let mut afterwards = Afterwards::default();
        if let Ok(suspended) = self.happening(Tick::Suspended) {
            let leaves = suspended.keeping(|kept| Kept { leaves: true, ..kept });
            // Refused where the run has ended, or was given back before. No lane is wanted: nothing starts any more.
            let _ = self.apply(&mut self.lock(), leaves, &mut afterwards);
        }
        self.finish(afterwards);
    }

    /// A message for the run. What becomes of it is stored with what it leads to.
    pub(crate) fn take_letter(self: &Arc<Self>, letter: Letter, tick: Result<Tick<W::Event>, String>) {
        let happening = tick.and_then(|tick| self.happening(tick).map_err(|refused| refused.to_string()));
        match happening {
            // Refused with a verdict, which is stored.
            Ok(happening) => {
                drop(self.happens(happening.keeping(|kept| Kept { letter: Some(letter), ..kept })))
            }
            Err(reason) => {
                let mut live = self.lock();
                let live = &mut *live;
                let (Some(journal), Some(ledger)) = (&self.journal, &live.ledger) else { return };
                if live.is_done_with() || live.has_decided(letter.message) {
                    return;
                }
                let mut append =
                    Append::new(self.id().clone(), journal.epoch, ledger.position, self.clock.now());
                let verdict = Verdict::Refused { reason: json_text(&reason) };
                append.taken.push(Taken { message: letter.message, verdict });
                let decided = Some(letter.message);
                let held_back = HeldBack { decided, ..HeldBack::of(live.state.clone()) };
                self.hand_in(live, append, held_back);
            }
        }
    }

    /// Says how the run has ended, once that is stored and nothing is at work any more.
    pub(super) fn announce_what_is_stored(&self, live: &mut Live<W>, afterwards: &mut Afterwards) {
        if let Some(message) = live.broken.get().filter(|_| !live.thrown_away).cloned() {
            live.thrown_away = true;
            let error = RunError::Broken { run: self.id().clone(), message };
            live.stream.break_off(RunEventKind::Failed { error: error.clone() });
            let outcome = serde_json::value::to_raw_value(&error).ok();
            if let Some(ledger) = &mut live.ledger {
                ledger.held_back.clear();
                ledger.ended = Some(Err(error));
            }
            // Put aside: whoever took it up would break in the same way.
            self.give_back(live, RunStatus::Blocked, Due::Aside, outcome);
        }
        let Some(ended) = live.ledger.as_mut().and_then(|ledger| ledger.ended.take()) else { return };
        live.stream.show(u64::MAX);
        live.end = End::Announced(ended.map_err(Box::new));
        live.tell_readers(afterwards);
        afterwards.wake(live.waiting.take());
    }

    /// The run is not ours any more, or its store fails: what was not stored has not happened.
    pub(crate) fn throw_away(self: &Arc<Self>, why: &NotStored) {
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.lock();
            let live = &mut *live;
            if !live.is_over() && live.ledger.as_ref().is_some_and(|ledger| ledger.ended.is_none()) {
                let error = RunError::NotStored { run: self.id().clone(), why: why.clone() };
                if let Some(ledger) = &mut live.ledger {
                    ledger.held_back.clear();
                    ledger.given_back = true;
                    ledger.ended = Some(Err(error.clone()));
                }
                live.ready.clear();
                live.thrown_away = true;
                afterwards.cancel(live.take_tasks());
                afterwards.cancel(live.timer.take().map(|(_, token)| token));
                live.stream.break_off(RunEventKind::Failed { error });
                live.tell_readers(&mut afterwards);
            }
            self.announce_if_over(live, &mut afterwards);
        }
        if let Some(journal) = &self.journal {
            journal.progress.send_modify(|progress| progress.failed = Some(why.clone()));
        }
        self.finish(afterwards);
    }

    /// A commit is stored: what was held back for it happens.
    fn release(self: &Arc<Self>) {
        let mut afterwards = Afterwards::default();
        {
            let mut live = self.lock();
            let live = &mut *live;
            let Some(held_back) = live.ledger.as_mut().and_then(|ledger| ledger.held_back.pop_front()) else {
                return;
            };
            let HeldBack { commands, shown, state, ended, decided } = held_back;
            if let Some(ledger) = &mut live.ledger {
                ledger.state = state;
            }
            // What is thrown away may panic in the author's `Drop`.
            let perform = || commands.into_iter().for_each(|command| live.perform(command, &mut afterwards));
            let done = catch_unwind(AssertUnwindSafe(perform));
            if let Err(panic) = done {
                live.broken = Some(super::panic_message(&*panic).to_owned()).into();
            }
            if let Some(ledger) = &mut live.ledger {
                ledger.answered.extend(decided);
                if ended.is_some() {
                    live.ready.clear();
                    ledger.ended = ended;
                }
            }
            // The end is shown when the last step is gone.
            if live.ledger.as_ref().is_some_and(|ledger| ledger.ended.is_none()) {
                live.stream.show(shown);
                live.tell_readers(&mut afterwards);
            }
            live.arm(&mut afterwards);
            live.want_lane(&mut afterwards);
            self.announce_if_over(live, &mut afterwards);
        }
        if let Some(journal) = &self.journal {
            journal.progress.send_modify(|progress| progress.stored += 1);
        }
        self.finish(afterwards);
        self.give_back_if_idle();
    }
}

impl<W: Workflow> Live<W> {
    pub(super) fn has_decided(&self, message: MessageId) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.decided.contains(&message))
    }
}

impl<W: Workflow> Committed for Host<W> {
    fn stored(self: Arc<Self>, result: Result<(), NotStored>) {
        match result {
            Ok(()) => self.release(),
            Err(why) => self.throw_away(&why),
        }
    }
}

/// What is told of questions, for the list of those that are open.
fn note_questions<W: Workflow>(notice: &Notice<W::Event>, append: &mut Append) {
    match notice {
        Notice::InputRequired { request, step, prompt, asked_at, expires_at } => {
            append.closed.retain(|closed| closed != request);
            let shown = W::prompt(prompt).and_then(|prompt| serde_json::value::to_raw_value(&prompt).ok());
            append.asked.extend(shown.map(|prompt| OpenQuestion {
                request: *request,
                step: step_name::<W>(*step).to_owned(),
                prompt,
                asked_at: *asked_at,
                expires_at: *expires_at,
            }));
        }
        Notice::InputReceived { request }
        | Notice::InputExpired { request }
        | Notice::InputWithdrawn { request } => {
            append.asked.retain(|asked| asked.request != *request);
            append.closed.push(*request);
        }
        _ => {}
    }
}

/// Where a run stands, for those who look at it from outside.
fn standing<E>(state: &State<E>, next_due: Option<Time>) -> (RunStatus, Due) {
    match state.status() {
        Status::New => (RunStatus::New, Due::Now),
        Status::Running if state.waits_outside() => (RunStatus::Waiting, Due::Idle { wake: next_due }),
        // A step that waits may wait for more than an answer. Whoever comes next runs it again, to wait anew.
        Status::Running if state.is_idle() => (RunStatus::Waiting, Due::Now),
        Status::Running => (RunStatus::Running, Due::Now),
        Status::Suspended => (RunStatus::Suspended, Due::Aside),
        Status::Cancelled => (RunStatus::Cancelled, Due::Aside),
        Status::Failed => (RunStatus::Failed, Due::Aside),
        Status::TimedOut => (RunStatus::TimedOut, Due::Aside),
        Status::Completed => (RunStatus::Completed, Due::Aside),
    }
}
