//! What comes next in a run: which step, which person, or the time.

use workflow_runtime::engine::{Emitted, Status, Tick};
use workflow_runtime::graph::EventId;

use super::{Held, Run, Turn, ensure};
use crate::case::Value;
use crate::dice::{Dice, mix};
use crate::model::WorkState;

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

/// How time passes, and when people do what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// What is meant to be answered is answered in time, and the rest never.
    Orderly,
    /// Ticks come early and late, and people answer or not.
    Wild,
}

/// Something on the way: what could come next.
enum Next {
    Work(usize),
    Question(usize),
    Time(u64),
    Signal(EventId),
    /// Something else that a step does.
    Tick(Tick<Value>),
}

/// At most so many signals are sent to one run.
const SIGNALS: usize = 4;

/// .. if steps wait for them while they run.
const MANY_SIGNALS: usize = 16;

/// Later than this never comes.
const NEVER: u64 = 1 << 40;

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

impl Run<'_> {
    /// One thing happens. `false` if nothing ever will by itself: the run waits for a signal, or for a time that
    /// never comes.
    pub fn step(&mut self, policy: Policy, pace: Pace, dice: &mut Dice) -> Held<bool> {
        for position in 0..self.model.work.len() {
            if self.model.work[position].state == WorkState::Running && !self.has_begun(position) {
                self.call_again(position)?;
            }
        }
        let Some(next) = self.choose(policy, pace, dice)? else { return Ok(false) };
        let mut at = self.clock + dice.pick(&[0, 0, 1, 5, 30]);
        let next = match next {
            // Who means to answer does so before it is too late.
            Next::Time(until) if pace == Pace::Orderly => self.answered_until(until).unwrap_or(next),
            other if pace == Pace::Orderly => self.answered_until(at).unwrap_or(other),
            other => other,
        };
        if matches!(next, Next::Question(_)) && pace == Pace::Orderly {
            at = self.clock;
        }
        if let Next::Work(position) = next {
            self.call_again(position)?;
        }
        let tick = match next {
            Next::Work(position) if pace == Pace::Wild && dice.percent(1) => self.stray(position)?,
            Next::Work(position) => match self.turn_of(position, dice)? {
                Turn::Goes(tick) | Turn::Stops(tick, _) | Turn::Fails(tick) => tick,
                Turn::Waits => return Err("a step that waits was chosen".to_owned()),
            },
            Next::Tick(tick) => tick,
            Next::Question(position) => self.answer(position)?,
            Next::Time(until) => {
                at = until;
                Tick::Time
            }
            Next::Signal(event) => {
                self.signals_sent += 1;
                Tick::Signal { event: self.case.signal(event, self.signals_sent) }
            }
        };
        self.clock = at;
        // Clocks are not always right; the run's own never goes back.
        let behind = if pace == Pace::Wild && dice.percent(4) { dice.below(50) as u64 } else { 0 };
        self.tick_at(at.saturating_sub(behind), tick)?;
        Ok(true)
    }

    /// A step emits what no step can.
    fn stray(&self, position: usize) -> Held<Tick<Value>> {
        let work = &self.model.work[position];
        let Some(invocation) = work.id else { return Err("work without an invocation".to_owned()) };
        let emitted = Emitted::One(self.case.input());
        Ok(Tick::Finished { invocation, attempt: work.attempt, emitted })
    }

    fn choose(&self, policy: Policy, pace: Pace, dice: &mut Dice) -> Held<Option<Next>> {
        let time = self.model.next_due().filter(|due| *due < NEVER);
        let (most, often) = if self.case.has_calls() { (MANY_SIGNALS, 18) } else { (SIGNALS, 10) };
        let signals = if self.signals_sent < most { self.case.signals() } else { &[] };
        if let Some(due) = time.filter(|_| dice.percent(12)) {
            return Ok(Some(Next::Time(self.moment(due, pace, dice))));
        }
        if !signals.is_empty() && dice.percent(often) {
            return Ok(Some(Next::Signal(dice.pick(signals))));
        }
        if self.case.has_calls() {
            let some = match dice.below(40) {
                0..=2 => self.to_give_up(),
                3 => self.late_memos(),
                _ => Vec::new(),
            };
            if !some.is_empty() {
                return Ok(Some(Next::Tick(dice.pick(&some))));
            }
        }
        let work = self.model.work.iter().enumerate().filter(|(_, it)| it.state == WorkState::Running);
        let work = work.filter(|(position, _)| !self.is_stuck(*position));
        let mut all: Vec<Next> = work.map(|(position, _)| Next::Work(position)).collect();
        let works = all.len();
        for (position, question) in self.model.questions.iter().enumerate() {
            let never = self.stays_unanswered(position) && question.closes.is_some_and(|due| due < NEVER);
            if !never || (pace == Pace::Wild && dice.percent(15)) {
                all.push(Next::Question(position));
            }
        }
        if all.is_empty() {
            if let Some(due) = time {
                return Ok(Some(Next::Time(self.moment(due, pace, dice))));
            }
            let waits = !self.case.signals().is_empty() || self.model.next_due().is_some();
            ensure!(waits, "nothing is on the way, and the run has not ended");
            if !signals.is_empty() {
                return Ok(Some(Next::Signal(dice.pick(signals))));
            }
            let some = self.to_give_up();
            return Ok((!some.is_empty()).then(|| Next::Tick(dice.pick(&some))));
        }
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
                    Next::Work(position) => self.model.work[position].step.0,
                    Next::Question(position) => self.model.questions[position].step.0,
                    Next::Time(_) | Next::Signal(_) | Next::Tick(_) => u16::MAX,
                };
                (0..all.len())
                    .min_by_key(|position| mix(taste, u64::from(step(&all[*position]))))
                    .unwrap_or(0)
            }
        };
        Ok(Some(all.swap_remove(chosen)))
    }

    /// The moment at which the time is told: when something is due, or also before or after it.
    fn moment(&self, due: u64, pace: Pace, dice: &mut Dice) -> u64 {
        let due = due.max(self.clock);
        match (pace, dice.below(10)) {
            (Pace::Orderly, 0) => due + dice.below(40) as u64,
            (Pace::Orderly, _) | (Pace::Wild, 0..=5) => due,
            (Pace::Wild, 6) => due.saturating_sub(1).max(self.clock),
            (Pace::Wild, 7 | 8) => due + dice.below(500) as u64,
            (Pace::Wild, _) => due + 1_000_000,
        }
    }

    /// What has failed the run by staying unanswered is asked anew, and answered then.
    fn stays_unanswered(&self, position: usize) -> bool {
        let question = &self.model.questions[position];
        let mended = question.id.is_some_and(|id| self.mended.contains(&id.0));
        question.prompt.stays_unanswered() && !mended
    }

    /// A question that closes by then, and is meant to be answered.
    fn answered_until(&self, until: u64) -> Option<Next> {
        let closes = |it: &usize| self.model.questions[*it].closes.is_some_and(|due| due <= until);
        let all = 0..self.model.questions.len();
        all.into_iter().find(|it| !self.stays_unanswered(*it) && closes(it)).map(Next::Question)
    }

    /// Goes on, oldest first, until nothing is left but steps that stop the run, and says with what. Failures come
    /// when nothing else is left. `None` if that takes too long.
    pub fn run_up_to_stops(&mut self, most: u64, dice: &mut Dice) -> Held<Option<Vec<Value>>> {
        loop {
            if self.model.ticks > most {
                return Ok(None);
            }
            if self.outcome().is_some() {
                return Ok(Some(Vec::new()));
            }
            if self.can_be_continued() {
                self.tick(Tick::Resumed)?;
                self.sent.clear();
                continue;
            }
            let (mut goes, mut fails, mut stops) = (None, None, Vec::new());
            for position in 0..self.model.work.len() {
                if self.model.work[position].state != WorkState::Running {
                    continue;
                }
                match self.turn_of(position, dice)? {
                    Turn::Goes(tick) => goes = goes.or(Some(tick)),
                    Turn::Fails(tick) => fails = fails.or(Some(tick)),
                    Turn::Stops(_, stop) => stops.push(stop),
                    Turn::Waits => {}
                }
            }
            let answer = (0..self.model.questions.len()).find(|it| !self.stays_unanswered(*it));
            let due = self.model.next_due();
            if let Some(tick) = goes {
                self.tick(tick)?;
            } else if let Some(position) = answer {
                let tick = self.answer(position)?;
                self.tick(tick)?;
            } else if let (Some(due), Status::Running) = (due, &self.model.status) {
                self.clock = self.clock.max(due);
                self.tick(Tick::Time)?;
            } else if let Some(tick) = fails {
                self.tick(tick)?;
            } else {
                return Ok(Some(stops));
            }
        }
    }
}
