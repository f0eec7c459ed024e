//! What goes wrong in a run, and when it is tried again.
//!
//! It follows from the same seed as what steps do, so that a failure comes wherever its step gets that input, whatever
//! the order.

use workflow_runtime::StepError;
use workflow_runtime::engine::{Input, Verdict};
use workflow_runtime::graph::{EventId, StepId};

use super::value::{Limit, Value, summary};
use crate::dice::{Dice, mix};

/// How often what goes wrong.
#[derive(Clone, Copy)]
pub struct Troubles {
    /// Of a hundred invocations of a bad step so many fail at first, inside a fan-out and outside. Some steps are bad.
    pub failing: (u64, u64),
    /// Of a hundred questions so many stay unanswered until they close.
    pub unanswered: u64,
    /// Times may be such as nobody would choose.
    pub wild: bool,
}

/// One attempt at an invocation.
pub struct Try<'i> {
    pub step: StepId,
    pub input: &'i Input<Value>,
    /// How many fan-outs are open around it.
    pub depth: u32,
    pub attempt: u32,
    pub mended: bool,
}

/// What becomes of one attempt.
pub struct Attempt {
    /// What it fails with; it works if there is none.
    pub failure: Option<(StepError, Verdict)>,
    /// How many events each of its emitters sends at most, before it fails.
    pub sends: usize,
    /// How many calls it makes before it fails.
    pub calls: usize,
}

impl Troubles {
    pub fn pick(dice: &mut Dice) -> Self {
        let failing = dice.pick(&[(10, 3), (20, 7), (40, 12), (70, 20), (80, 80)]);
        let unanswered = dice.pick(&[0, 30, 60]);
        Self { failing, unanswered, wild: false }
    }

    /// What becomes of an attempt. What has failed the run and is `mended` works when the run is continued.
    pub(super) fn attempt(self, case: u64, at: &Try<'_>) -> Attempt {
        let is_bad = Dice::new(mix(mix(case, u64::from(at.step.0)), 0x5e9)).percent(40);
        let mut plan = Dice::new(mix(history_at(case, at.step, at.input), 0xbad));
        let chance = if at.depth == 0 { self.failing.1 } else { self.failing.0 };
        if !is_bad || !plan.percent(chance) {
            return Attempt::works();
        }
        let retries = plan.pick(&[0, 0, 1, 1, 2, 3]);
        let works = plan.percent(50) && retries > 0;
        let mut dice = Dice::new(mix(plan.next(), u64::from(at.attempt)));
        let verdict = if at.attempt <= retries {
            let delays = [0, 1, 7, 7, 60, 60, 400];
            let never = self.wild && dice.percent(3);
            Verdict::Retry { after: if never { u64::MAX } else { dice.pick(&delays) } }
        } else if works || at.mended {
            return Attempt::works();
        } else {
            Verdict::Final
        };
        let error = StepError::new(format_args!("{:04x}", dice.next() & 0xffff));
        Attempt { failure: Some((error, verdict)), sends: dice.below(4), calls: dice.below(6) }
    }

    /// How long a question stays open.
    pub(super) fn limit(self, history: u64, becomes: Option<EventId>) -> Option<Limit> {
        let mut dice = Dice::new(mix(history, 0xa5c));
        let unanswered = dice.percent(self.unanswered);
        let after = match unanswered {
            _ if self.wild && dice.percent(6) => dice.pick(&[0, u64::MAX]),
            true => dice.pick(&[1, 20, 60, 300, 5_000]),
            false if dice.percent(50) => dice.pick(&[1, 20, 60, 300, 5_000]),
            false => return None,
        };
        Some(Limit { after, becomes, unanswered })
    }
}

impl Attempt {
    pub(super) fn works() -> Self {
        Self { failure: None, sends: usize::MAX, calls: usize::MAX }
    }
}

/// What led to this invocation, and which step it is.
pub(super) fn history_at(seed: u64, step: StepId, input: &Input<Value>) -> u64 {
    mix(mix(seed, u64::from(step.0)), summary(input).1)
}
