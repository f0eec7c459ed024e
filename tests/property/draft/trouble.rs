//! What a graph has for when something goes wrong, and what it takes from outside.

use workflow_runtime::graph::ParamForm;

use super::{Caught, Draft, Drafted, Ev, Given, Taken, all, either, one};

const FAILED: ParamForm = ParamForm::Failed;

impl Draft {
    pub(super) fn prepare_for_troubles(&mut self) {
        self.gather_failures();
        if self.dice.percent(40) {
            self.crowd();
        }
        for question in 1..=self.questions {
            if self.dice.percent(45) {
                self.let_expire(question);
            }
        }
        if self.dice.percent(25) {
            self.send_twice();
        }
        if self.dice.percent(35) {
            for _ in 0..=self.dice.below(2) {
                self.signal();
            }
        }
        let caught: Vec<usize> = self.steps.iter().map(|step| step.key).collect();
        let mut free = caught.clone();
        for _ in 0..self.dice.below(3) {
            self.handle_by_name(&mut free);
        }
        if self.dice.percent(15) {
            let takes = vec![Taken { events: Vec::new(), form: FAILED }];
            let caught = self.dice.pick(&caught);
            self.handler(takes, caught, Caught::Rest);
        }
    }

    /// Work waits where other work is delayed, fails and is cancelled.
    fn crowd(&mut self) {
        let Self { dice, steps, .. } = self;
        for step in steps.iter_mut().filter(|step| step.nest > 0) {
            if dice.percent(40) {
                step.options.workers = Some(1 + dice.below(2) as u32);
            }
        }
    }

    fn gather_failures(&mut self) {
        let Self { dice, steps, .. } = self;
        for step in steps {
            for taken in step.takes.iter_mut().filter(|taken| taken.gathers()) {
                if dice.percent(if step.nest == 0 { 65 } else { 30 }) {
                    taken.form = ParamForm::Gather { failures: true };
                }
            }
            if step.options.take.is_some() && dice.percent(40) {
                step.options.cancel_rest = false;
            }
        }
    }

    /// Some step takes it when nobody answers: the one that takes the answer, or one of its own.
    fn let_expire(&mut self, question: usize) {
        let (answer, expired) = (Ev::Answer(question), Ev::Expired(question));
        let takes = |step: &Drafted| step.takes.iter().position(|taken| taken.events.contains(&answer));
        let Some((step, param)) = (0..).zip(&self.steps).find_map(|(at, step)| Some((at, takes(step)?)))
        else {
            return;
        };
        if self.dice.percent(40) {
            return self.steps[step].takes[param].events.push(expired);
        }
        let gives = self.instead_of(step);
        self.step(vec![one(expired)], gives);
    }

    /// What a step gives that stands in for another one.
    fn instead_of(&mut self, step: usize) -> Vec<Given> {
        let Drafted { takes, gives, .. } = &self.steps[step];
        let again: Vec<Given> = takes
            .iter()
            .filter(|taken| taken.form == ParamForm::One)
            .flat_map(|taken| &taken.events)
            .filter(|event| matches!(event, Ev::Event(_)))
            .map(|event| Given::One(*event))
            .collect();
        let gives = gives.clone();
        match self.dice.below(8) {
            0 | 1 if !again.is_empty() => vec![self.dice.pick(&again)],
            0..=4 if !gives.is_empty() => vec![self.dice.pick(&gives)],
            5 if !gives.is_empty() => gives,
            6 => vec![Given::One(Ev::Stop)],
            _ => Vec::new(),
        }
    }

    fn handle_by_name(&mut self, free: &mut Vec<usize>) {
        let mut caught = Vec::new();
        for _ in 0..=self.dice.below(2) {
            if !free.is_empty() {
                caught.push(free.swap_remove(self.dice.below(free.len())));
            }
        }
        let Some(first) = caught.first().copied() else { return };
        let typed = self.dice.percent(40);
        let taken = self.steps[first].takes.iter().find(|taken| typed && taken.form == ParamForm::One);
        let events = taken.map(|taken| taken.events.clone()).unwrap_or_default();
        self.handler(vec![Taken { events, form: FAILED }], first, Caught::Steps(caught));
    }

    fn handler(&mut self, takes: Vec<Taken>, caught: usize, catches: Caught) {
        let mut gives = self.instead_of(caught);
        if self.dice.percent(25) && matches!(gives[..], [Given::One(Ev::Event(_))]) {
            // A person decides what becomes of it.
            self.questions += 1;
            let (ask, answer) = (Ev::Ask(self.questions), Ev::Answer(self.questions));
            self.step(vec![one(answer)], std::mem::replace(&mut gives, vec![Given::One(ask)]));
        }
        let handler = self.step(takes, gives);
        let most = [None, None, Some(1), Some(2), Some(3)];
        self.steps[handler].options.max_recoveries = self.dice.pick(&most);
        self.steps[handler].catches = Some(catches);
    }

    /// One more emitter of a step that has one.
    fn send_twice(&mut self) {
        let Some(sender) = self.steps.iter().position(|step| !step.sends.is_empty()) else { return };
        let (sent, done) = (self.event(), self.event());
        self.steps[sender].sends.push(vec![sent]);
        self.step(vec![one(sent)], vec![Given::One(done)]);
        let gather = self.step(vec![all(vec![done])], Vec::new());
        if self.dice.percent(60) {
            self.steps[gather].takes[0].form = ParamForm::Gather { failures: true };
        }
    }

    /// Something comes from outside: to a step of its own, to two, or to one that waits for it with something else.
    fn signal(&mut self) {
        self.signals += 1;
        let signal = Ev::Signal(self.signals);
        let any = self.dice.below(self.steps.len());
        match self.dice.below(5) {
            0 => _ = self.step(vec![one(signal)], Vec::new()),
            1 => {
                self.step(vec![one(signal)], Vec::new());
                let out = self.then(vec![one(signal)]);
                let end = self.piece(out, 2);
                self.step(vec![one(end)], vec![Given::One(Ev::Stop)]);
            }
            2 => self.steps[any].takes.push(one(signal)),
            3 => self.steps[any].takes.insert(0, one(signal)),
            _ => {
                let out = self.event();
                self.step(vec![either(signal, out)], vec![Given::One(Ev::Stop)]);
                self.steps[any].gives.push(Given::One(out));
            }
        }
    }
}
