//! What steps ask and wait for while they run.

use super::{Draft, Ev, Taken};

impl Draft {
    /// Few kinds of questions and signals for many steps, so that several wait for the same, and fan-outs that are
    /// cancelled while their steps wait or hold what they took.
    pub(super) fn let_wait(&mut self) {
        self.questions += 1;
        let (questions, inboxes) = (self.questions, 1 + self.dice.below(2));
        let first = self.signals;
        self.signals += inboxes;
        let Self { dice, steps, .. } = self;
        for step in steps {
            if dice.percent(45) {
                step.waits.push(Ev::Ask(1 + dice.below(questions)));
            }
            for inbox in 1..=inboxes {
                if dice.percent(if step.nest > 0 { 70 } else { 40 }) {
                    step.waits.push(Ev::Signal(first + inbox));
                }
            }
            dice.shuffle(&mut step.waits);
            if step.takes.iter().any(Taken::gathers) && dice.percent(40) {
                step.options.take = Some(1 + dice.below(2) as u32);
                step.options.cancel_rest = true;
            }
        }
    }
}
