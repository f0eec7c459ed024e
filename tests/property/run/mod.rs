//! One run of a real engine beside its model.

mod calls;
mod choose;
mod compare;
mod poke;
mod saved;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use workflow_runtime::engine::{
    Command, Emitted, Engine, InvocationId, NoteKey, Noted, Refused, ScopeId, Stall, Status, Tick, Time,
    Verdict,
};
use workflow_runtime::graph::{EventId, PointId, StepId};

use crate::case::{Call, Case, Try, Value, emitters, history};
use crate::dice::{Dice, mix};
use crate::model::{Expectation, Limits, Model, Work};

use calls::NextCall;
pub use choose::{Pace, Policy};
pub use saved::{Break, Return};

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
    /// The same run, saved and read back at some tick before. It must go on exactly as the original does.
    copy: Option<Engine<Value>>,
    pub clock: u64,
    /// How many events each emitter of an attempt has sent in it.
    sent: BTreeMap<InvocationId, Vec<u32>>,
    /// Invocations and questions whose failure has failed the run: they do not fail again when it is continued.
    mended: BTreeSet<u64>,
    /// Invocations that must never run again.
    over: BTreeSet<InvocationId>,
    /// What each invocation calls.
    calls: BTreeMap<InvocationId, Rc<[Call]>>,
    /// How many of its calls an attempt has made.
    called: BTreeMap<InvocationId, usize>,
    /// What calls have come to, once a step has seen it: from then on it never changes.
    found: BTreeMap<(InvocationId, NoteKey), Noted<Value>>,
    signals_sent: usize,
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
    Stalled(Stall, u64),
    /// It was cancelled because it took too long, or because it waited for something that never comes.
    Cut,
}

/// What a running step does next.
enum Turn {
    Goes(Tick<Value>),
    /// It stops the run with this.
    Stops(Tick<Value>, Value),
    /// It fails for good.
    Fails(Tick<Value>),
    /// Nothing: it waits.
    Waits,
}

impl<'c> Run<'c> {
    pub fn start(case: &'c Case, limits: Limits, log: bool) -> Held<Self> {
        let engine = Engine::new(Arc::clone(&case.graph));
        let mut run = Self {
            case,
            engine: engine.with_limits(limits.deadline.map(Time), limits.timeout),
            model: Model::new(Arc::clone(&case.graph), limits),
            copy: None,
            clock: 0,
            sent: BTreeMap::new(),
            mended: BTreeSet::new(),
            over: BTreeSet::new(),
            calls: BTreeMap::new(),
            called: BTreeMap::new(),
            found: BTreeMap::new(),
            signals_sent: 0,
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
            // What a failure cancels has come this far or that far before.
            Some(Expectation::Stalled(stall)) if self.model.seen.torn => {
                Some(Outcome::Stalled(Stall { ended: Vec::new(), ..stall.clone() }, 0))
            }
            Some(Expectation::Stalled(stall)) => Some(Outcome::Stalled(stall.clone(), self.deeds)),
            Some(Expectation::Cancelled) => Some(Outcome::Cut),
            _ => None,
        }
    }

    /// Whether the run has ended, and can be continued.
    pub fn can_be_continued(&self) -> bool {
        !matches!(self.model.status, Status::Running | Status::Completed)
    }

    pub fn cancel(&mut self) -> Held {
        self.tick(Tick::Cancelled { reason: "too long".to_owned() })
    }

    /// What a running step does next.
    fn turn_of(&self, position: usize, dice: &mut Dice) -> Held<Turn> {
        let Work { id, step, at, ref input, attempt, .. } = self.model.work[position];
        let Some(invocation) = id else { return Err("work without an invocation".to_owned()) };
        let (depth, mended) = (self.model.depth(at.scope), self.mended.contains(&invocation.0));
        let fate = self.case.attempt(&Try { step, input, depth, attempt, mended });
        let deed = self.case.deed(step, input);
        let sent = self.sent.get(&invocation);
        let place = |emitter: usize| sent.and_then(|sent| sent.get(emitter)).copied().unwrap_or(0);
        let most = |emitter: usize| deed.sends[emitter].1.len().min(fate.sends);
        let unsent: Vec<usize> =
            (0..deed.sends.len()).filter(|it| (place(*it) as usize) < most(*it)).collect();
        let (next, waits) = match self.next_call(position, fate.calls) {
            NextCall::Is(tick) => (Some(tick), false),
            NextCall::Waits => (None, true),
            NextCall::None => (None, false),
        };
        if let Some(tick) = next.filter(|_| unsent.is_empty() || dice.percent(50)) {
            return Ok(Turn::Goes(tick));
        }
        if !unsent.is_empty() {
            let emitter = dice.pick(&unsent);
            let (point, values) = &deed.sends[emitter];
            let place = place(emitter);
            let event = values[place as usize];
            return Ok(Turn::Goes(Tick::Sent { invocation, attempt, point: *point, place, event }));
        }
        if waits {
            return Ok(Turn::Waits);
        }
        if let Some((error, verdict)) = fate.failure {
            let tick = Tick::Failed { invocation, attempt, error, verdict };
            return Ok(if verdict == Verdict::Final { Turn::Fails(tick) } else { Turn::Goes(tick) });
        }
        let stop = match &deed.returns {
            Emitted::One(value) if self.case.stops(&deed.returns) => Some(*value),
            _ => None,
        };
        let tick = Tick::Finished { invocation, attempt, emitted: deed.returns };
        Ok(match stop {
            Some(stop) => Turn::Stops(tick, stop),
            None => Turn::Goes(tick),
        })
    }

    fn answer(&self, position: usize) -> Held<Tick<Value>> {
        let question = &self.model.questions[position];
        let Some(request) = question.id else { return Err("a question without a request".to_owned()) };
        Ok(Tick::Answered { request, response: self.case.answer(&question.prompt) })
    }

    /// A tick at the present time, and what is due by then.
    pub fn tick(&mut self, tick: Tick<Value>) -> Held {
        self.tick_at(self.clock, tick)
    }

    /// What is due comes first, exactly as if the time had been told before.
    fn tick_at(&mut self, at: u64, tick: Tick<Value>) -> Held {
        let is_due = self.model.next_due().is_some_and(|due| due <= at);
        if !is_due || matches!(tick, Tick::Resumed | Tick::Time) {
            return self.single_tick(at, tick).map(drop);
        }
        let (mut engine, mut out) = (self.engine.clone(), Vec::new());
        let handled = engine.handle(Time(at), tick.clone(), &mut out);
        _ = self.single_tick(at, Tick::Time)?;
        let mut one_by_one = std::mem::take(&mut self.out);
        let last = self.single_tick(at, tick)?;
        one_by_one.append(&mut self.out);
        ensure!(last == handled, "after what is due the tick is {last:?}, and with it {handled:?}");
        ensure!(out == one_by_one, "what is due is not done as if it came before: {out:?}");
        let (this, other) = (self.engine.state(), engine.state());
        let same = this.status() == other.status()
            && this.invocations().eq(other.invocations())
            && this.requests().eq(other.requests())
            && this.scopes().eq(other.scopes());
        ensure!(same, "what is due does not come to the same as if it came before");
        Ok(())
    }

    /// A tick before which nothing is due, or the time itself. The engine must do with it what the model does.
    fn single_tick(&mut self, at: u64, tick: Tick<Value>) -> Held<Result<(), Refused>> {
        self.note(at, &tick);
        if self.model.permits(&tick) {
            self.remember(&tick);
        }
        let legal = self.model.take(at, &tick);
        let untouched = (!legal && tick != Tick::Time).then(|| self.engine.state().clone());
        self.out.clear();
        let handled = self.engine.handle(Time(at), tick.clone(), &mut self.out);
        if let Some(log) = &mut self.log {
            for command in &self.out {
                _ = writeln!(log, "      {command:?}");
            }
        }
        ensure!(
            handled.is_ok() == legal,
            "a tick that is {} is {handled:?}",
            if legal { "legal" } else { "not" }
        );
        self.copy_goes_along(at, &tick, &handled)?;
        if let Some(before) = untouched {
            ensure!(self.out.is_empty(), "a refused tick gives commands: {:?}", self.out);
            ensure!(*self.engine.state() == before, "a refused tick changes something");
            return Ok(handled);
        }
        if let Some(Expectation::Failed(id, ..)) = &self.model.expected.ending {
            self.mended.insert(id.0);
            let failed = *id;
            // What nobody answered in time is asked anew.
            self.found.retain(|(id, _), noted| *id != failed || !matches!(noted, Noted::Expired(_)));
        }
        self.is_as_expected(tick == Tick::Resumed)?;
        if let (Tick::Finished { invocation, attempt, .. }, Some(_)) = (tick, &self.model.expected.finished) {
            self.last_finished = Some((invocation, attempt));
            self.over.insert(invocation);
        }
        Ok(handled)
    }

    /// Keeps what a legal tick says of a step, whatever the order.
    fn remember(&mut self, tick: &Tick<Value>) {
        let work = |id: &InvocationId| self.model.work.iter().find(|it| it.id == Some(*id));
        match tick {
            Tick::Finished { invocation, .. } => {
                // Addition, because the order in which things are done is not meant.
                let deed = work(invocation).map_or(0, |it| mix(u64::from(it.step.0), history(&it.input)));
                self.deeds = self.deeds.wrapping_add(deed);
            }
            Tick::Failed { invocation, verdict: Verdict::Retry { .. }, .. } => {
                self.sent.remove(invocation);
                self.called.remove(invocation);
            }
            Tick::Noted { invocation, attempt, key, .. } => {
                let is_current = work(invocation).is_some_and(|it| it.attempt == *attempt);
                let calls = self.calls.get(invocation).filter(|_| is_current);
                let place = calls.and_then(|calls| calls.iter().position(|it| it.key == *key));
                if let Some(place) = place {
                    self.called.insert(*invocation, place + 1);
                }
            }
            Tick::Withdrawn { invocation, key, .. } => {
                self.found.insert((*invocation, key.clone()), Noted::Withdrawn);
            }
            Tick::Sent { invocation, point, place, .. } => {
                let step = work(invocation).map_or(StepId(0), |it| it.step);
                let points: Vec<PointId> = emitters(&self.case.graph.steps[step.index()]).collect();
                let sent = self.sent.entry(*invocation).or_insert_with(|| vec![0; points.len()]);
                if let Some(position) = points.iter().position(|it| it == point) {
                    sent[position] = place + 1;
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, at: u64, tick: &Tick<Value>) {
        let (model, graph) = (&self.model, &self.case.graph);
        let Some(log) = &mut self.log else { return };
        let step = |id: &InvocationId| {
            let work = model.work.iter().find(|it| it.id == Some(*id));
            work.map_or("?", |it| &graph.steps[it.step.index()].name)
        };
        let name = |event: EventId| &*graph.events[event.index()].name;
        let text = match tick {
            Tick::Finished { invocation, emitted, .. } => {
                let what = match emitted {
                    Emitted::None => "nothing".to_owned(),
                    Emitted::One(value) => name(value.event).to_owned(),
                    Emitted::Many(_, values) => {
                        format!("{:?}", values.iter().map(|value| name(value.event)).collect::<Vec<_>>())
                    }
                };
                format!("{} {invocation} returns {what}", step(invocation))
            }
            Tick::Failed { invocation, attempt, verdict, .. } => {
                format!("{} {invocation} fails in attempt {attempt}: {verdict:?}", step(invocation))
            }
            Tick::Sent { invocation, event, place, .. } => {
                format!("{} {invocation} sends {} at {place}", step(invocation), name(event.event))
            }
            Tick::Noted { invocation, attempt, key, note } => {
                format!("{} {invocation} calls {key:?} in attempt {attempt}: {note:?}", step(invocation))
            }
            other => format!("{other:?}"),
        };
        _ = writeln!(log, "{at:>6} {text}");
    }
}
