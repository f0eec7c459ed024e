//! Random graphs.
//!
//! A graph grows from the pieces that authors use, each put where an event stands open: a step, a question, a
//! choice, branches that are joined, a fan-out and its gather, a loop. Such a graph mostly passes the rules. Some
//! are bent afterwards: an event taken from elsewhere, one more parameter, a `Vec` put around something. That
//! gives what nobody would draw, and some of it passes as well. [`trouble`] adds what is there for when something goes
//! wrong, and signals; [`waits`] adds what steps ask and wait for while they run.

mod trouble;
mod waits;

use workflow_runtime::graph::build::{AlternativeDecl, Builder, ReturnsDecl, StepDecl, ToolDecl};
use workflow_runtime::graph::{Catches, EventId, Graph, Param, ParamForm, StepId, StepOptions};

use crate::dice::Dice;

/// A random graph, with or without mistakes.
pub fn graph(dice: &mut Dice) -> Graph {
    draft(dice, 0, |_| {})
}

fn draft(dice: &mut Dice, deep: usize, last: impl Fn(&mut Draft)) -> Graph {
    let crowded = dice.percent(25);
    let (dice_now, steps) = (dice.clone(), Vec::new());
    let mut draft =
        Draft { dice: dice_now, steps, events: 0, questions: 0, signals: 0, deep, nest: 0, crowded };
    draft.grow();
    if draft.dice.percent(55) {
        for _ in 0..=draft.dice.below(3) {
            draft.bend();
        }
    }
    last(&mut draft);
    // The place of a step in the source decides what is delivered first, and how gathers are ordered.
    if draft.dice.percent(50) {
        let Draft { dice, steps, .. } = &mut draft;
        dice.shuffle(steps);
    }
    *dice = draft.dice.clone();
    draft.build()
}

/// A random graph that passes every rule.
pub fn sound_graph(dice: &mut Dice) -> Graph {
    loop {
        let graph = graph(dice);
        if graph.check().is_empty() {
            return graph;
        }
    }
}

/// A random graph that passes every rule, with error handlers, expiries, gathers that take failures, and signals.
pub fn sound_graph_for_troubles(dice: &mut Dice) -> Graph {
    loop {
        let deep = dice.pick(&[0, 1, 2, 2, 2, 3]);
        let graph = draft(dice, deep, Draft::prepare_for_troubles);
        if graph.check().is_empty() {
            return graph;
        }
    }
}

/// A random graph as for troubles, with steps that ask and take signals while they run.
pub fn sound_graph_that_waits(dice: &mut Dice) -> Graph {
    loop {
        let deep = dice.pick(&[0, 1, 1, 2]);
        let graph = draft(dice, deep, |draft| {
            draft.prepare_for_troubles();
            draft.let_wait();
        });
        if graph.check().is_empty() {
            return graph;
        }
    }
}

struct Draft {
    dice: Dice,
    steps: Vec<Drafted>,
    events: usize,
    questions: usize,
    signals: usize,
    /// So many fan-outs, each in the one before, come first.
    deep: usize,
    /// How many fan-outs are around what is drafted.
    nest: usize,
    /// Many steps have few workers, and many fan-outs are cancelled: both at once is rare otherwise.
    crowded: bool,
}

struct Drafted {
    /// What it is called until all are there and in their places.
    key: usize,
    /// How many fan-outs are around it.
    nest: usize,
    takes: Vec<Taken>,
    sends: Vec<Vec<Ev>>,
    /// The questions that it asks and the signals that it takes while it runs.
    waits: Vec<Ev>,
    optional: bool,
    gives: Vec<Given>,
    catches: Option<Caught>,
    options: StepOptions,
}

#[derive(Clone)]
enum Caught {
    Rest,
    /// By their keys.
    Steps(Vec<usize>),
}

/// What a step that fans out returns in place of it, or beside it.
struct Opened {
    instead: Option<Ev>,
    beside: Option<Ev>,
}

#[derive(Clone)]
struct Taken {
    events: Vec<Ev>,
    form: ParamForm,
}

const ALL: ParamForm = ParamForm::Gather { failures: false };

#[derive(Clone)]
enum Given {
    One(Ev),
    Many(Vec<Ev>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ev {
    Start,
    Stop,
    Event(usize),
    Ask(usize),
    Answer(usize),
    Expired(usize),
    Signal(usize),
}

fn one(event: Ev) -> Taken {
    Taken { events: vec![event], form: ParamForm::One }
}

fn either(a: Ev, b: Ev) -> Taken {
    Taken { events: if a == b { vec![a] } else { vec![a, b] }, form: ParamForm::One }
}

fn all(events: Vec<Ev>) -> Taken {
    Taken { events, form: ALL }
}

impl Taken {
    fn gathers(&self) -> bool {
        matches!(self.form, ParamForm::Gather { .. })
    }
}

impl Draft {
    fn grow(&mut self) {
        let size = 1 + self.dice.below(7);
        let end = self.piece(Ev::Start, size);
        let end = if end == Ev::Start { self.then(vec![one(end)]) } else { end };
        self.step(vec![one(end)], vec![Given::One(Ev::Stop)]);
        if self.dice.percent(15) {
            let end = self.piece(Ev::Start, 2);
            if end != Ev::Start {
                self.step(vec![one(end)], vec![]);
            }
        }
    }

    /// Puts something between an event and the event that it gives, which comes in the same branch.
    fn piece(&mut self, input: Ev, size: usize) -> Ev {
        if self.deep > 0 {
            self.deep -= 1;
            return self.fan_out(input, size, 1);
        }
        if size == 0 {
            return input;
        }
        let part = self.dice.below(size);
        let rest = size - 1 - part;
        match self.dice.below(14) {
            0 | 1 => {
                let middle = self.then(vec![one(input)]);
                self.piece(middle, size - 1)
            }
            2 => {
                let answer = self.question(input);
                self.piece(answer, size - 1)
            }
            3 => self.choice(input, part, rest),
            4 | 5 => self.joined(input, part, rest),
            6..=9 => self.fan_out(input, part, rest),
            10 => self.rounds(input, part, rest),
            11 => {
                self.step(vec![one(input)], vec![]);
                self.piece(input, size - 1)
            }
            12 => {
                let middle = self.piece(input, part);
                self.piece(middle, rest)
            }
            _ => self.twice(input, part, rest),
        }
    }

    /// One step takes what comes of the same event in two ways.
    fn twice(&mut self, input: Ev, part: usize, rest: usize) -> Ev {
        let (a, b) = (self.then(vec![one(input)]), self.then(vec![one(input)]));
        let (a, b) = (self.piece(a, part), self.piece(b, rest));
        self.then(vec![either(a, b)])
    }

    fn choice(&mut self, input: Ev, part: usize, rest: usize) -> Ev {
        let (a, b) = (self.event(), self.event());
        self.step(vec![one(input)], vec![Given::One(a), Given::One(b)]);
        let (a, b) = (self.piece(a, part), self.piece(b, rest));
        if self.dice.percent(50) {
            return self.then(vec![either(a, b)]);
        }
        let out = self.event();
        self.step(vec![one(a)], vec![Given::One(out)]);
        self.step(vec![one(b)], vec![Given::One(out)]);
        out
    }

    fn joined(&mut self, input: Ev, part: usize, rest: usize) -> Ev {
        let left = self.then(vec![one(input)]);
        let right = self.then(vec![one(input)]);
        let (left, right) = (self.piece(left, part), self.piece(right, rest));
        let mut takes = vec![one(left), one(right)];
        if self.dice.percent(20) {
            takes.push(one(input));
        }
        self.dice.shuffle(&mut takes);
        self.then(takes)
    }

    fn fan_out(&mut self, input: Ev, part: usize, rest: usize) -> Ev {
        let kinds = 1 + usize::from(self.dice.percent(30));
        // Each with what it is by the time a step takes it: the element of a fan-out can be a question.
        let items: Vec<(Ev, Ev)> = (0..kinds).map(|_| self.element()).collect();
        let Opened { instead, beside } = self.open(input, items.iter().map(|(item, _)| *item).collect());
        let mut done: Vec<Ev> = Vec::new();
        self.nest += 1;
        for (_, taken) in items {
            let end = self.piece(taken, part);
            if !done.contains(&end) {
                done.push(end);
            }
        }
        self.nest -= 1;
        if self.dice.percent(12) {
            self.recurse(input, done[0]);
        }
        let out = self.gathered(beside.unwrap_or(input), beside.is_some(), done);
        if let Some(instead) = instead {
            self.step(vec![one(instead)], vec![Given::One(out)]);
        }
        self.piece(out, rest)
    }

    /// The step that fans out. Sometimes it may as well return one event, sometimes it sends while it runs and
    /// then returns one.
    fn open(&mut self, input: Ev, items: Vec<Ev>) -> Opened {
        if self.dice.percent(18) {
            let returned = self.dice.percent(50).then(|| self.event());
            let step = self.step(vec![one(input)], returned.map(Given::One).into_iter().collect());
            self.steps[step].sends.push(items);
            return Opened { instead: None, beside: returned };
        }
        let instead = self.dice.percent(15).then(|| self.event());
        let mut gives = vec![Given::Many(items)];
        gives.extend(instead.map(Given::One));
        self.step(vec![one(input)], gives);
        Opened { instead, beside: None }
    }

    /// Something in a fan-out starts what fanned out again.
    fn recurse(&mut self, input: Ev, done: Ev) {
        if matches!(input, Ev::Event(_)) && input != done {
            if let Some(step) =
                self.steps.iter_mut().rev().find(|step| step.gives.iter().any(|it| it.is(done)))
            {
                step.gives.push(Given::One(input));
            }
        }
    }

    fn gathered(&mut self, beside: Ev, must: bool, done: Vec<Ev>) -> Ev {
        let joined_with = (must || self.dice.percent(18)).then(|| one(beside));
        let mut takes = vec![all(done.clone())];
        takes.extend(joined_with);
        if self.dice.percent(30) {
            takes.reverse();
        }
        let out = self.then(takes);
        let gather = self.steps.len() - 1;
        self.take_some(gather);
        if self.dice.percent(25) {
            let beside = self.step(vec![all(vec![self.dice.clone().pick(&done)])], vec![]);
            self.take_some(beside);
            if self.dice.percent(40) {
                let other = self.event();
                self.steps[beside].gives.push(Given::One(other));
                self.steps[beside].optional = false;
                return self.then(vec![one(out), one(other)]);
            }
        }
        out
    }

    fn take_some(&mut self, step: usize) {
        if self.dice.percent(if self.crowded { 60 } else { 18 }) {
            self.steps[step].options.take =
                Some(1 + self.dice.below(if self.crowded { 2 } else { 3 }) as u32);
            self.steps[step].options.cancel_rest = self.dice.percent(if self.crowded { 90 } else { 60 });
        }
    }

    fn rounds(&mut self, input: Ev, part: usize, rest: usize) -> Ev {
        let (again, middle, out) = (self.event(), self.event(), self.event());
        self.step(vec![either(input, again)], vec![Given::One(middle)]);
        let end = self.piece(middle, part);
        self.step(vec![one(end)], vec![Given::One(again), Given::One(out)]);
        self.piece(out, rest)
    }

    fn question(&mut self, input: Ev) -> Ev {
        self.questions += 1;
        let (ask, answer) = (Ev::Ask(self.questions), Ev::Answer(self.questions));
        let mut gives = vec![Given::One(ask)];
        if self.dice.percent(30) {
            let sure = self.event();
            gives.push(Given::One(sure));
            self.step(vec![one(input)], gives);
            return self.then(vec![either(answer, sure)]);
        }
        self.step(vec![one(input)], gives);
        answer
    }

    fn element(&mut self) -> (Ev, Ev) {
        if self.dice.percent(12) {
            self.questions += 1;
            return (Ev::Ask(self.questions), Ev::Answer(self.questions));
        }
        let event = self.event();
        (event, event)
    }

    /// One step with one event behind it.
    fn then(&mut self, takes: Vec<Taken>) -> Ev {
        let out = self.event();
        self.step(takes, vec![Given::One(out)]);
        out
    }

    fn step(&mut self, takes: Vec<Taken>, gives: Vec<Given>) -> usize {
        let mut step = Drafted {
            key: self.steps.len(),
            nest: self.nest,
            takes,
            sends: Vec::new(),
            waits: Vec::new(),
            optional: gives.is_empty() || self.dice.percent(8),
            gives,
            catches: None,
            options: StepOptions::NONE,
        };
        if self.dice.percent(7) && !step.gives.iter().any(|it| it.is(Ev::Stop)) {
            step.gives.push(Given::One(Ev::Stop));
        }
        if self.dice.percent(if self.crowded { 50 } else { 12 }) {
            step.options.workers = Some(1 + self.dice.below(3) as u32);
        }
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn event(&mut self) -> Ev {
        self.events += 1;
        Ev::Event(self.events)
    }

    /// Changes one thing.
    fn bend(&mut self) {
        let at = self.dice.below(self.steps.len());
        let taken = self.any(&[Ev::Start], true);
        let given = self.any(&[Ev::Stop], false);
        let Self { dice, steps, .. } = self;
        let step = &mut steps[at];
        let param = dice.below(step.takes.len());
        match dice.below(10) {
            0 => step.takes[param].events = vec![taken],
            1 => step.takes[param].events.push(taken),
            2 => step.takes[param].form = if step.takes[param].gathers() { ParamForm::One } else { ALL },
            3 | 4 => {
                let form = if dice.percent(40) { ALL } else { ParamForm::One };
                step.takes.push(Taken { events: vec![taken], form });
            }
            5 => step.gives.push(Given::One(given)),
            6 => {
                if let Some(it) = step.gives.first_mut() {
                    *it = Given::One(given);
                }
            }
            7 => step.gives.push(Given::Many(vec![given])),
            8 => {
                if let Some(Given::One(event)) = step.gives.first().cloned() {
                    if event != Ev::Stop {
                        step.gives[0] = Given::Many(vec![event]);
                    }
                }
            }
            _ => step.optional = true,
        }
        if dice.percent(25) {
            step.options.skip.outside = true;
        }
    }

    fn any(&mut self, special: &[Ev], taken: bool) -> Ev {
        let mut events: Vec<Ev> = (1..=self.events).map(Ev::Event).collect();
        let question = |n| if taken { Ev::Answer(n) } else { Ev::Ask(n) };
        events.extend((1..=self.questions).map(question));
        if events.is_empty() || self.dice.percent(10) {
            events.extend(special);
        }
        self.dice.pick(&events)
    }

    fn build(&self) -> Graph {
        let mut builder = Builder::new("Random");
        let place_of = |key: &usize| {
            let place = self.steps.iter().position(|step| step.key == *key);
            StepId(place.unwrap_or(usize::from(u16::MAX)) as u16)
        };
        for (number, drafted) in self.steps.iter().enumerate() {
            let mut step = StepDecl::new(format!("s{number}"));
            for taken in &drafted.takes {
                let mut events: Vec<EventId> = Vec::new();
                for event in &taken.events {
                    let event = event.declared(&mut builder);
                    if !events.contains(&event) {
                        events.push(event);
                    }
                }
                step.params.push(Param::new(taken.form, events));
            }
            step.options = drafted.options.clone();
            step.options.catches = drafted.catches.as_ref().map(|catches| match catches {
                Caught::Rest => Catches::Rest,
                Caught::Steps(keys) => Catches::Steps(keys.iter().map(place_of).collect::<Vec<_>>().into()),
            });
            if !drafted.takes.iter().any(Taken::gathers) {
                step.options.take = None;
                step.options.cancel_rest = true;
                step.options.skip.outside = false;
            }
            for items in &drafted.sends {
                let items = items.iter().map(|event| event.declared(&mut builder)).collect();
                step.tools.push(ToolDecl::Emitter(items));
            }
            for event in &drafted.waits {
                let declared = event.declared(&mut builder);
                step.tools.push(match event {
                    Ev::Ask(_) => ToolDecl::Asker(declared),
                    _ => ToolDecl::Inbox(declared),
                });
            }
            let mut gives: Vec<Given> = Vec::new();
            for given in &drafted.gives {
                let twice = matches!(given, Given::One(event) if gives.iter().any(|it| it.is(*event)));
                if !twice {
                    gives.push(given.clone());
                }
            }
            let mut alternative = |given: &Given| match given {
                Given::One(event) => AlternativeDecl::One(event.declared(&mut builder)),
                Given::Many(items) => {
                    AlternativeDecl::Many(items.iter().map(|event| event.declared(&mut builder)).collect())
                }
            };
            let alternatives = gives.iter().map(&mut alternative).collect();
            let optional = drafted.optional || gives.is_empty();
            step.returns = ReturnsDecl { fallible: false, optional, alternatives };
            builder.step(step);
        }
        builder.build()
    }
}

impl Given {
    fn is(&self, event: Ev) -> bool {
        matches!(self, Self::One(it) if *it == event)
    }
}

impl Ev {
    fn declared(self, builder: &mut Builder) -> EventId {
        match self {
            Self::Start => builder.start("()"),
            Self::Stop => builder.stop("()"),
            Self::Event(number) => builder.event(&format!("E{number}")),
            Self::Ask(number) => builder.prompt(&format!("Q{number}")),
            Self::Answer(number) => builder.response(&format!("Q{number}")),
            Self::Expired(number) => builder.expired(&format!("Q{number}")),
            Self::Signal(number) => builder.signal(&format!("S{number}")),
        }
    }
}
