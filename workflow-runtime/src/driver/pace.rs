//! How long steps keep a worker, and whether it pays that others help.
//!
//! Lanes of one run meet at its lock. Where a step takes hardly longer than that, two lanes are slower than one, because
//! what they share goes to and fro between cores. So steps that are known to be short are left to one lane. Whether they
//! are is learned while the run goes on, for each step by itself; what is not known counts as long, and so does for a
//! good while what was long once.
//!
//! What was believed wrongly costs the others that one step, however long it is: they are started when it ends or
//! waits. So an `async` step that blocks its thread until another step of its run has done something, which is what
//! `blocking` steps are for, can wait in vain if it was short many times before.

use std::time::Duration;

use workflow_graph::StepId;

/// Not worth sharing, if the tick and the lock take about a tenth of it.
pub(super) const SHORT: Duration = Duration::from_micros(5);
/// Nobody should wait for such a step, as long as there are other workers.
const LONG: Duration = Duration::from_micros(50);

/// So many short steps in a row are needed to believe that a step is short ..
const AT_FIRST: u16 = 32;
/// .. so many more after one that was neither, such as one that was interrupted ..
const AFTER_MIDDLING: u16 = 8;
/// .. and so many after a long one.
const AFTER_LONG: u16 = 4_096;

/// How many short steps in a row it takes until each step is believed to be short.
#[derive(Debug, Default)]
pub(super) struct Paces(Vec<u16>);

impl Paces {
    /// So long a step has kept its worker.
    pub(super) fn saw(&mut self, step: StepId, took: Duration) {
        let at = usize::from(step.0);
        if self.0.len() <= at {
            self.0.resize(at + 1, AT_FIRST);
        }
        if let Some(needed) = self.0.get_mut(at) {
            *needed = if took < SHORT {
                needed.saturating_sub(1)
            } else if took < LONG {
                AFTER_LONG.min(*needed + AFTER_MIDDLING)
            } else {
                AFTER_LONG
            };
        }
    }

    /// Whether the step is known to be short.
    pub(super) fn is_short(&self, step: StepId) -> bool {
        self.0.get(usize::from(step.0)).is_some_and(|needed| *needed == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: StepId = StepId(3);

    fn after(seen: impl IntoIterator<Item = Duration>) -> bool {
        let mut paces = Paces::default();
        seen.into_iter().for_each(|took| paces.saw(STEP, took));
        paces.is_short(STEP)
    }

    fn short(times: u16) -> impl Iterator<Item = Duration> {
        (0..times).map(|_| Duration::from_nanos(400))
    }

    #[test]
    fn a_step_is_short_when_that_was_seen_often_enough() {
        assert!(!after(short(0)));
        assert!(!after(short(AT_FIRST - 1)));
        assert!(after(short(AT_FIRST)));
        assert!(!Paces::default().is_short(StepId(u16::MAX)));
    }

    #[test]
    fn an_interruption_is_soon_forgotten_and_a_long_step_is_not() {
        let then = |took, times| after(short(100).chain([took]).chain(short(times)));
        assert!(!then(SHORT, AFTER_MIDDLING - 1));
        assert!(then(SHORT, AFTER_MIDDLING));
        assert!(!then(LONG, AFTER_LONG - 1));
        assert!(then(LONG, AFTER_LONG));
    }

    #[test]
    fn steps_of_which_some_are_long_are_never_short() {
        let mixed = (0..10_000).map(|n| if n % 100 == 50 { LONG } else { Duration::ZERO });
        assert!(!after(mixed));
    }
}
