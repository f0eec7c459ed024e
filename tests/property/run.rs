//! One run of a real engine beside its model, in a random order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use workflow_runtime::engine::{
    Branch, Command, Counted, Emitted, Ending, Engine, Invocation, InvocationId, InvocationState, Notice,
    ScopeId, Status, Tick, Time, Verdict,
};
use workflow_runtime::graph::{EventId, PointId, StepId};
use workflow_runtime::{RequestId, RunId, Snapshot, StepError};

use crate::case::{Case, Value, emitters, history};
use crate::dice::{Dice, mix};
use crate::model::{Expectation, Model, WorkState};

/// What does not hold, in words.
pub type Held<T = ()> = Result<T, String>;

macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use ensure;

pub struct Run<'c> {
    case: &'c Case,
    engine: Engine<Value>,
    pub model: Model,
    clock: u64,
    pub ticks: usize,
    /// How many events each emitter of an attempt has sent in it.
    sent: BTreeMap<InvocationId, Vec<u32>>,
    newest_scope: ScopeId,
    last_finished: Option<(InvocationId, u32)>,
    /// What every finished step did and what was left over, whatever the order.
    deeds: u64,
    out: Vec<Command<Value>>,
    log: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Stopped(Value),
    /// What waits and what ended, and everything that was done until then.
    Stalled(Expectation, u64),
    /// It was cancelled because it took too long.
    Cut,
}

/// Which of what is on the way comes next.
#[derive(Clone, Copy)]
pub enum Policy {
    Random,
    Oldest,
    Newest,
    /// Some steps are always faster than others.
    Favourites(u64),
    /// People answer when nothing else can happen.
    AnswersLast,
    AnswersFirst,
}

impl Policy {
    pub fn pick(dice: &mut Dice) -> Self {
        match dice.below(9) {
            0 => Self::Oldest,
            1 => Self::Newest,
            2 | 3 => Self::Favourites(dice.next()),
            4 => Self::AnswersLast,
            5 => Self::AnswersFirst,
            _ => Self::Random,
        }
    }
}

/// Something on the way: what could come next.
#[derive(Clone, Copy)]
enum Next {
    Work(usize),
    Question(usize),
}

/// How a run is put down before it is taken up from its snapshot.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// Its process is gone.
    Lost,
    Suspended,
    Cancelled,
    /// A step fails, and works the next time.
    Failed,
}

impl<'c> Run<'c> {
    pub fn start(case: &'c Case, log: bool) -> Held<Self> {
        let mut run = Self {
            case,
            engine: Engine::new(Arc::clone(&case.graph)),
            model: Model::new(Arc::clone(&case.graph)),
            clock: 0,
            ticks: 0,
            sent: BTreeMap::new(),
            newest_scope: ScopeId::ROOT,
            last_finished: None,
            deeds: 0,
            out: Vec::new(),
            log: log.then(String::new),
        };
        run.tick(Tick::Started { input: case.input() })?;
        Ok(run)
    }

    pub fn case(&self) -> &Case {
        self.case
    }

    pub fn log(&mut self) -> String {
        self.log.take().unwrap_or_default()
    }

    /// How the run ended for good, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.model.expected.ending {
            Some(Expectation::Completed(output)) => Some(Outcome::Stopped(*output)),
            Some(stalled @ Expectation::Stalled(_)) => Some(Outcome::Stalled(stalled.clone(), self.deeds)),
            Some(Expectation::Cancelled) => Some(Outcome::Cut),
            _ => None,
        }
    }

    /// Everything that runs or waits takes its next turn, in that order, until the run has ended.
    pub fn step(&mut self, policy: Policy, dice: &mut Dice) -> Held {
        let work = self.model.work.iter().enumerate().filter(|(_, it)| it.state == WorkState::Running);
        let mut all: Vec<Next> = work.map(|(position, _)| Next::Work(position)).collect();
        let works = all.len();
        all.extend((0..self.model.questions.len()).map(Next::Question));
        ensure!(!all.is_empty(), "nothing is on the way, and the run has not ended");
        let answers = all.len() - works;
        let chosen = match policy {
            Policy::Random => dice.below(all.len()),
            Policy::Oldest => 0,
            Policy::Newest => works.max(1) - 1,
            Policy::AnswersLast if works > 0 => dice.below(works),
            Policy::AnswersFirst if answers > 0 => works + dice.below(answers),
            Policy::AnswersLast | Policy::AnswersFirst => dice.below(all.len()),
            Policy::Favourites(taste) => {
                let step = |next: &Next| match *next {
                    Next::Work(position) => self.model.work[position].step,
                    Next::Question(position) => self.model.questions[position].step,
                };
                let liked = |position: &usize| mix(taste, u64::from(step(&all[*position]).0));
                (0..all.len()).min_by_key(liked).unwrap_or(0)
            }
        };
        let tick = match all[chosen] {
            Next::Work(position) => self.next_of(position, dice)?.0,
            Next::Question(position) => self.answer(position)?,
        };
        self.tick(tick)
    }

    /// Goes on, oldest first, until nothing is left but steps that stop the run, and says with what.
    pub fn run_up_to_stops(&mut self, most: usize, dice: &mut Dice) -> Held<Option<Vec<Value>>> {
        while self.model.status == Status::Running {
            if self.ticks > most {
                return Ok(None);
            }
            let mut stops = Vec::new();
            let mut next = None;
            for position in 0..self.model.work.len() {
                let (tick, stop) = self.next_of(position, dice)?;
                match stop {
                    Some(stop) => stops.push(stop),
                    None => {
                        next = Some(tick);
                        break;
                    }
                }
            }
            let next = match next {
                Some(next) => next,
                None if !self.model.questions.is_empty() => self.answer(0)?,
                None => return Ok(Some(stops)),
            };
            self.tick(next)?;
        }
        Ok(Some(Vec::new()))
    }

    /// What a running step does next, and with what it stops the run if it does.
    fn next_of(&self, position: usize, dice: &mut Dice) -> Held<(Tick<Value>, Option<Value>)> {
        let work = &self.model.work[position];
        let Some(invocation) = work.id else { return Err("work without an invocation".to_owned()) };
        let deed = self.case.deed(work.step, &work.input);
        let attempt = 1;
        let sent = self.sent.get(&invocation);
        let place = |emitter: usize| sent.and_then(|sent| sent.get(emitter)).copied().unwrap_or(0);
        let unsent: Vec<usize> =
            (0..deed.sends.len()).filter(|it| (place(*it) as usize) < deed.sends[*it].1.len()).collect();
        if !unsent.is_empty() {
            let emitter = dice.pick(&unsent);
            let (point, values) = &deed.sends[emitter];
            let place = place(emitter);
            let event = values[place as usize];
            return Ok((Tick::Sent { invocation, attempt, point: *point, place, event }, None));
        }
        let stop = match &deed.returns {
            Emitted::One(value) if self.case.stops(&deed.returns) => Some(*value),
            _ => None,
        };
        Ok((Tick::Finished { invocation, attempt, emitted: deed.returns }, stop))
    }

    fn answer(&self, position: usize) -> Held<Tick<Value>> {
        let question = &self.model.questions[position];
        let Some(request) = question.id else { return Err("a question without a request".to_owned()) };
        Ok(Tick::Answered { request, response: self.case.answer(&question.prompt) })
    }

    pub fn cancel(&mut self) -> Held {
        self.tick(Tick::Cancelled { reason: "too long".to_owned() })
    }

    /// Puts the run down, saves it, drops everything, and takes it up from the text that was saved.
    pub fn break_and_resume(&mut self, how: Break, at_once: bool, dice: &mut Dice) -> Held {
        self.put_down(how, dice)?;
        let before = self.engine.state();
        let saved = Snapshot::take(&RunId::from("run"), &self.engine, 1);
        let json = saved.map_err(|error| format!("it cannot be saved: {error}"))?.to_json();
        let restored = Snapshot::from_json(&json)
            .and_then(|read| read.restore::<Value>(Arc::clone(&self.case.graph)))
            .map_err(|error| format!("what was saved cannot be restored: {error:?}\n{json}"))?;
        let after = restored.engine.state();
        // What keeps a scope open is counted anew when a snapshot is read.
        for (was, is) in before.scopes().zip(after.scopes()) {
            ensure!(was == is, "saved and restored, or recounted, {was:?} is {is:?}");
        }
        ensure!(before.scopes().count() == after.scopes().count(), "a scope is lost in the snapshot\n{json}");
        ensure!(before.invocations().eq(after.invocations()), "invocations change in the snapshot\n{json}");
        ensure!(before.requests().eq(after.requests()), "questions change in the snapshot\n{json}");
        self.engine = restored.engine;
        self.resume(at_once)
    }

    /// Puts the run down and takes it up in the same process.
    pub fn pause_and_resume(&mut self, how: Break, at_once: bool, dice: &mut Dice) -> Held {
        self.put_down(how, dice)?;
        self.resume(at_once)
    }

    fn put_down(&mut self, how: Break, dice: &mut Dice) -> Held {
        let running = self.model.work.iter().filter(|it| it.state == WorkState::Running);
        let fail = running.filter(|it| self.model.failure_ends_the_run(it.at.scope));
        let fail: Vec<InvocationId> = fail.filter_map(|it| it.id).collect();
        match how {
            Break::Failed if !fail.is_empty() => {
                let (invocation, error) = (dice.pick(&fail), StepError::new("try again"));
                self.tick(Tick::Failed { invocation, attempt: 1, error, verdict: Verdict::Final })
            }
            Break::Cancelled => self.tick(Tick::Cancelled { reason: "for now".to_owned() }),
            Break::Suspended => self.tick(Tick::Suspended),
            Break::Lost | Break::Failed => Ok(()),
        }
    }

    /// A new attempt sends again from its first event, either at once or when its turn comes.
    fn resume(&mut self, at_once: bool) -> Held {
        let sent = std::mem::take(&mut self.sent);
        self.tick(Tick::Resumed)?;
        for (invocation, counts) in sent.into_iter().filter(|_| at_once) {
            let Some(work) = self.model.work.iter().find(|it| it.id == Some(invocation)) else { continue };
            let sends = self.case.deed(work.step, &work.input).sends;
            for ((point, values), count) in sends.into_iter().zip(counts) {
                for (place, event) in (0..count).zip(values) {
                    self.tick(Tick::Sent { invocation, attempt: 1, point, place, event })?;
                }
            }
        }
        Ok(())
    }

    /// Compares the counts in the engine with a recount, which is what reading a snapshot does.
    pub fn recount(&self) -> Held {
        if self.model.status == Status::Completed {
            return Ok(());
        }
        let saved =
            Snapshot::take(&RunId::from("run"), &self.engine, 1).map_err(|error| error.to_string())?;
        let restored = saved.restore::<Value>(Arc::clone(&self.case.graph));
        let restored =
            restored.map_err(|error| format!("the state contradicts itself: {error:?}\n{saved:?}"))?;
        for (kept, counted) in self.engine.state().scopes().zip(restored.engine.state().scopes()) {
            ensure!(kept == counted, "what keeps a scope open is {kept:?}, but a recount gives {counted:?}");
        }
        Ok(())
    }

    /// A tick that the model takes, and the engine must.
    fn tick(&mut self, tick: Tick<Value>) -> Held {
        self.note(&tick);
        self.clock += 10;
        self.ticks += 1;
        let resumes = matches!(tick, Tick::Resumed);
        match &tick {
            Tick::Finished { invocation, attempt, .. } => {
                self.last_finished = Some((*invocation, *attempt));
                let work = self.model.work.iter().find(|it| it.id == Some(*invocation));
                // Addition, because the order in which things are done is not meant.
                let deed = work.map_or(0, |it| mix(u64::from(it.step.0), history(&it.input)));
                self.deeds = self.deeds.wrapping_add(deed);
            }
            Tick::Sent { invocation, point, place, .. } => {
                let work = self.model.work.iter().find(|it| it.id == Some(*invocation));
                let step = work.map_or(StepId(0), |it| it.step);
                let points: Vec<PointId> = emitters(&self.case.graph.steps[step.index()]).collect();
                let sent = self.sent.entry(*invocation).or_insert_with(|| vec![0; points.len()]);
                if let Some(position) = points.iter().position(|it| it == point) {
                    sent[position] = place + 1;
                }
            }
            _ => {}
        }
        self.model.take(&tick);
        let mut out = std::mem::take(&mut self.out);
        let handled = self.engine.handle(Time(self.clock), tick, &mut out);
        if let Some(log) = &mut self.log {
            for command in &out {
                _ = writeln!(log, "      {command:?}");
            }
        }
        if let Err(refused) = handled {
            return Err(format!("a legal tick is refused: {refused}"));
        }
        self.scopes_are_as_expected()?;
        self.invocations_are_as_expected()?;
        self.questions_are_as_expected()?;
        self.commands_are_as_expected(&out, resumes)?;
        self.whatever_lives_lives_in_an_open_scope()?;
        self.model.balance()?;
        out.clear();
        self.out = out;
        Ok(())
    }

    fn note(&mut self, tick: &Tick<Value>) {
        let model = &self.model;
        let graph = &self.case.graph;
        if let Some(log) = &mut self.log {
            let step = |id: &InvocationId| {
                let work = model.work.iter().find(|it| it.id == Some(*id));
                work.map_or("?", |it| &graph.steps[it.step.index()].name)
            };
            let name = |event: EventId| &*graph.events[event.index()].name;
            _ = match tick {
                Tick::Finished { invocation, emitted: Emitted::None, .. } => {
                    writeln!(log, "{} {invocation} returns nothing", step(invocation))
                }
                Tick::Finished { invocation, emitted: Emitted::One(value), .. } => {
                    writeln!(log, "{} {invocation} returns {}", step(invocation), name(value.event))
                }
                Tick::Finished { invocation, emitted: Emitted::Many(_, values), .. } => {
                    let names: Vec<&str> = values.iter().map(|value| name(value.event)).collect();
                    writeln!(log, "{} {invocation} returns {names:?}", step(invocation))
                }
                Tick::Sent { invocation, event, place, .. } => {
                    writeln!(log, "{} {invocation} sends {} at {place}", step(invocation), name(event.event))
                }
                other => writeln!(log, "{other:?}"),
            };
        }
    }

    fn scopes_are_as_expected(&mut self) -> Held {
        let state = self.engine.state();
        let mut fresh: Vec<ScopeId> =
            state.scopes().map(|(id, _)| id).filter(|id| *id > self.newest_scope).collect();
        self.newest_scope = fresh.last().copied().unwrap_or(self.newest_scope);
        for position in 0..self.model.scopes.len() {
            let scope = &self.model.scopes[position];
            let parent = Branch { scope: self.id_of(scope.parent.scope)?, index: scope.parent.index };
            let is_it = |id: ScopeId| {
                let found = state.scopes().find(|(other, _)| *other == id);
                found.is_some_and(|(_, it)| it.point == Some(scope.point) && it.parent == Some(parent))
            };
            let found = match scope.id {
                Some(id) => is_it(id).then_some(id),
                None => fresh.iter().copied().find(|id| is_it(*id)),
            };
            let Some(found) = found else {
                return Err(format!("a scope of point {} in {parent:?} is gone too early", scope.point.0));
            };
            fresh.retain(|id| *id != found);
            self.model.scopes[position].id = Some(found);
            let depth = self.model.depth(self.model.scopes[position].number);
            ensure!(
                state.scopes().any(|(id, it)| id == found && it.depth == depth),
                "the depth of {found:?} is not {depth}"
            );
        }
        let open = state.scopes().count() - 1;
        ensure!(
            open == self.model.scopes.len(),
            "{open} scopes are open, and not {}",
            self.model.scopes.len()
        );
        Ok(())
    }

    fn id_of(&self, scope: usize) -> Held<ScopeId> {
        if scope == 0 {
            return Ok(ScopeId::ROOT);
        }
        let found = self.model.scopes.iter().find(|it| it.number == scope).and_then(|it| it.id);
        found.ok_or_else(|| "something lives in a scope that is closed".to_owned())
    }

    fn invocations_are_as_expected(&mut self) -> Held {
        let mut there = self.engine.state().invocations();
        for position in 0..self.model.work.len() {
            let work = &self.model.work[position];
            let name = &self.case.graph.steps[work.step.index()].name;
            let Some((id, it)) = there.next() else {
                return Err(format!("an invocation of `{name}` is missing"));
            };
            ensure!(
                work.id.is_none_or(|known| known == id),
                "invocation {id} is there in place of {:?}",
                work.id
            );
            let branch = Branch { scope: self.id_of(work.at.scope)?, index: work.at.index };
            let state = match it.state {
                InvocationState::Queued | InvocationState::Delayed(_) => WorkState::Queued,
                InvocationState::Running => WorkState::Running,
                InvocationState::Failed(_) => WorkState::Failed,
            };
            let same = (it.step, it.branch, &it.input, state, it.attempt)
                == (work.step, branch, &work.input, work.state, 1);
            ensure!(
                same,
                "invocation {id} is {it:?} and not of `{name}` in {branch:?}, {:?}, with {:?}",
                work.state,
                work.input
            );
            self.model.work[position].id = Some(id);
        }
        match there.next() {
            Some((id, it)) => Err(format!("invocation {id} should not be there: {it:?}")),
            None => Ok(()),
        }
    }

    fn questions_are_as_expected(&mut self) -> Held {
        let mut there = self.engine.state().requests();
        for position in 0..self.model.questions.len() {
            let question = &self.model.questions[position];
            let Some((id, it)) = there.next() else { return Err("a question is missing".to_owned()) };
            let branch = Branch { scope: self.id_of(question.at.scope)?, index: question.at.index };
            let same = question.id.is_none_or(|known| known == id)
                && (it.step, it.branch, it.prompt) == (question.step, branch, question.prompt);
            ensure!(same, "question {id} is {it:?}");
            self.model.questions[position].id = Some(id);
        }
        ensure!(there.next().is_none(), "a question is open that was not asked");
        Ok(())
    }

    fn commands_are_as_expected(&mut self, out: &[Command<Value>], resumes: bool) -> Held {
        let expected = &self.model.expected;
        let mut started: Vec<InvocationId> = Vec::new();
        let mut told: Option<InvocationId> = None;
        let (mut finished, mut sent, mut failed, mut answered) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut asked, mut withdrawn, mut aborted) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unpaired, mut endings) = (Vec::new(), Vec::new());
        for command in out {
            ensure!(endings.is_empty(), "{command:?} follows the end");
            match command {
                Command::Run(invoke) => {
                    ensure!(told.take() == Some(invoke.invocation), "a start is not told: {invoke:?}");
                    let work = self.model.work.iter().find(|it| it.id == Some(invoke.invocation));
                    let Some(work) = work else { return Err(format!("{invoke:?} is not there to be run")) };
                    let depth = self.model.depth(work.at.scope);
                    ensure!(
                        (invoke.step, &invoke.input, invoke.attempt, invoke.depth)
                            == (work.step, &work.input, 1, depth),
                        "{invoke:?} is run in place of `{}` with {:?} at depth {depth}",
                        work.step.0,
                        work.input
                    );
                    started.push(invoke.invocation);
                }
                Command::Abort { invocation } => aborted.push(*invocation),
                Command::Wake { .. } => return Err(format!("{command:?}, though no step waits")),
                Command::Finish(ending) => endings.push(ending),
                Command::Publish(notice) => match notice {
                    Notice::StepStarted { invocation, .. } => told = Some(*invocation),
                    Notice::StepFinished { invocation, emitted, .. } => {
                        finished.push((*invocation, self.counts(emitted)));
                    }
                    Notice::StepSent { invocation, event, .. } => sent.push((*invocation, *event)),
                    Notice::StepFailed { invocation, .. } => failed.push(*invocation),
                    Notice::InputRequired { request, step, prompt, expires_at: None } => {
                        asked.push((*request, *step, *prompt))
                    }
                    Notice::InputReceived { request } => answered.push(*request),
                    Notice::InputWithdrawn { request } => withdrawn.push(*request),
                    Notice::Unpaired { step, events } => unpaired.push((*step, events.clone())),
                    Notice::InputRequired { .. }
                    | Notice::InputExpired { .. }
                    | Notice::StepRetrying { .. } => {
                        return Err(format!("nothing is retried or expires here: {notice:?}"));
                    }
                },
            }
        }
        ensure!(told.is_none(), "a start is told, and nothing is run");
        // One step's inputs are issued in delivery order; a step that had failed goes first when the run is resumed.
        let of = |id: &InvocationId| self.model.work.iter().find(|it| it.id == Some(*id)).map(|it| it.step);
        for (position, id) in started.iter().enumerate() {
            let overtakes = started[..position].iter().any(|earlier| earlier > id && of(earlier) == of(id));
            ensure!(resumes || !overtakes, "invocation {id} is overtaken by a later one of its step");
        }
        let should: Vec<InvocationId> =
            expected.started.iter().filter_map(|position| self.model.work[*position].id).collect();
        same("is started", started, should)?;
        same("is told to have finished", finished, expected.finished.clone().into_iter().collect())?;
        same("is told to be sent", sent, expected.sent.into_iter().collect())?;
        same("is told to have failed", failed, expected.failed.into_iter().collect())?;
        same("is told to be answered", answered, expected.answered.into_iter().collect())?;
        same("is aborted", aborted, expected.aborted.clone())?;
        for (step, events) in &unpaired {
            for event in events {
                self.deeds = self.deeds.wrapping_add(mix(u64::from(step.0), !u64::from(event.0)));
            }
        }
        same("is left over", unpaired, expected.unpaired.clone())?;
        let new: Vec<RequestId> = asked.iter().map(|(id, ..)| *id).collect();
        let asked = asked.into_iter().map(|(_, step, prompt)| (step, prompt)).collect();
        same("is asked", asked, expected.asked.clone())?;
        let (known, at_once): (Vec<_>, Vec<_>) =
            withdrawn.into_iter().partition(|id| expected.withdrawn.contains(id));
        same("is withdrawn", known, expected.withdrawn.clone())?;
        ensure!(
            at_once.len() == expected.withdrawn_at_once && at_once.iter().all(|id| new.contains(id)),
            "withdrawn without reason: {at_once:?}"
        );
        let ending = endings.pop().map(|ending| match ending {
            Ending::Completed { output } => Expectation::Completed(*output),
            Ending::Failed { invocation, .. } => Expectation::Failed(*invocation),
            Ending::Stalled(stall) => Expectation::Stalled(stall.clone()),
            Ending::Cancelled { .. } => Expectation::Cancelled,
            Ending::Suspended => Expectation::Suspended,
            Ending::TimedOut { .. } => Expectation::TimedOut,
        });
        ensure!(ending == expected.ending, "the end is {ending:?} and not {:?}", expected.ending);
        ensure!(*self.engine.state().status() == self.model.status, "the status is wrong");
        Ok(())
    }

    /// Each event that a step is told to have returned, with how many of it.
    fn counts(&self, emitted: &Counted) -> Vec<(EventId, u32)> {
        let mut counts: Vec<(EventId, u32)> = match emitted {
            Counted::None => Vec::new(),
            Counted::One(event) => vec![(*event, 1)],
            Counted::Many(point, counts) => {
                let items = self.case.graph.points[point.index()].items.iter().copied();
                items.zip(counts.iter().copied()).filter(|(_, count)| *count > 0).collect()
            }
        };
        counts.sort();
        counts
    }

    /// What can be seen without the model: what lives has its scope, a scope has what keeps it open, and no step
    /// has more workers than it may.
    fn whatever_lives_lives_in_an_open_scope(&self) -> Held {
        let state = self.engine.state();
        let open: Vec<ScopeId> = state.scopes().map(|(id, _)| id).collect();
        let mut kept = vec![false; open.len()];
        let mut keep = |scope: ScopeId| match open.binary_search(&scope) {
            Ok(position) => {
                kept[position] = true;
                true
            }
            Err(_) => false,
        };
        let mut busy = vec![0; self.case.graph.steps.len()];
        for (id, it) in state.invocations() {
            ensure!(keep(it.branch.scope), "invocation {id} lives in a scope that is closed");
            busy[it.step.index()] += u32::from(it.state == InvocationState::Running);
        }
        for (id, it) in state.requests() {
            ensure!(keep(it.branch.scope), "question {id} lives in a scope that is closed");
        }
        for (id, it) in state.scopes().filter(|(id, _)| *id != ScopeId::ROOT) {
            let Some(parent) = it.parent else { return Err(format!("{id:?} has no parent")) };
            ensure!(keep(parent.scope), "{id:?} lives in a scope that is closed");
        }
        for ((id, it), kept) in state.scopes().zip(kept).filter(|((id, _), _)| *id != ScopeId::ROOT) {
            let fills = |other: &Invocation<Value>| {
                Some(other.branch) == it.parent && self.may_fill(other.step, it.point)
            };
            ensure!(
                kept || state.invocations().any(|(_, other)| fills(other)),
                "{id:?} is open with nothing on the way"
            );
        }
        for (step, busy) in self.case.graph.steps.iter().zip(busy) {
            let limit = step.options.workers.unwrap_or(u32::MAX);
            ensure!(busy <= limit, "{busy} of `{}` run where {limit} may", step.name);
        }
        Ok(())
    }

    fn may_fill(&self, step: StepId, point: Option<PointId>) -> bool {
        emitters(&self.case.graph.steps[step.index()]).any(|it| Some(it) == point)
    }

    /// A tick that is not legal is refused, and changes nothing.
    pub fn poke(&mut self, dice: &mut Dice) -> Held {
        let tick = self.illegal(dice);
        let before = self.engine.state().clone();
        let mut out = std::mem::take(&mut self.out);
        let handled = self.engine.handle(Time(self.clock + 1_000_000), tick.clone(), &mut out);
        ensure!(handled.is_err(), "an illegal tick is taken: {tick:?}");
        ensure!(out.is_empty(), "a refused tick gives commands: {tick:?}");
        ensure!(*self.engine.state() == before, "a refused tick changes something: {tick:?}");
        self.out = out;
        Ok(())
    }

    fn illegal(&self, dice: &mut Dice) -> Tick<Value> {
        let nobody = (InvocationId(1_000_000), 1);
        let input = self.case.input();
        let finished = |(invocation, attempt): (InvocationId, u32)| Tick::Finished {
            invocation,
            attempt,
            emitted: Emitted::One(input),
        };
        if self.model.status != Status::Running {
            return match dice.below(6) {
                0 => Tick::Started { input },
                1 => finished(self.last_finished.unwrap_or(nobody)),
                2 => Tick::Suspended,
                3 => Tick::Cancelled { reason: "late".to_owned() },
                4 if self.model.status == Status::Completed => Tick::Resumed,
                _ => Tick::Answered { request: RequestId(1), response: input },
            };
        }
        let work: Vec<_> = self.model.work.iter().filter_map(|it| Some((it.id?, it))).collect();
        let some = (!work.is_empty()).then(|| dice.pick(&work));
        match (dice.below(8), some) {
            (0, _) => Tick::Started { input },
            (1, Some((id, _))) => finished((id, 2)),
            (2, Some((id, it))) if it.state == WorkState::Queued => finished((id, 1)),
            (3, Some((invocation, _))) => {
                Tick::Failed { invocation, attempt: 0, error: StepError::new("old"), verdict: Verdict::Final }
            }
            (4, Some((invocation, it))) if it.senders.iter().flatten().count() > 0 => {
                let sender = it.senders.iter().flatten().last().copied();
                let (point, sent) = sender.map_or((PointId(0), 0), |it| (it.point, it.sent));
                let place = sent + 1;
                let event = self.case.value_of(self.case.graph.points[point.index()].items[0]);
                Tick::Sent { invocation, attempt: 1, point, place, event }
            }
            (5, _) if !self.model.questions.is_empty() => {
                let open: Vec<RequestId> = self.model.questions.iter().filter_map(|it| it.id).collect();
                Tick::Answered { request: dice.pick(&open), response: input }
            }
            (6, _) => Tick::Answered { request: RequestId(1_000_000), response: input },
            _ => finished(self.last_finished.unwrap_or(nobody)),
        }
    }
}

fn same<T: Ord + std::fmt::Debug>(what: &str, mut are: Vec<T>, mut should: Vec<T>) -> Held {
    are.sort();
    should.sort();
    ensure!(are == should, "what {what} is {are:?} and not {should:?}");
    Ok(())
}
