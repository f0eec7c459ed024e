//! How long steps keep a worker, and whether it pays that others help.
//!
//! Lanes of one run meet at its lock. Where a step takes hardly longer than that, two lanes are slower than one, because
//! what they share goes to and fro between cores. So steps that are known to be short are left to one lane, which does
//! some of them at once. Whether they are is learned while the run goes on, for each step by itself, as a mean that forgets:
//! one time that is long, because the processor was taken away, changes little; a step that takes long now and then
//! makes it long. What is not known counts as long.
//!
//! What was believed wrongly costs the others those steps that were taken at once, however long they are: they are started
//! when those have ended or wait. So an `async` step that blocks its thread until another step of its run has done something,
//! which is what `blocking` steps are for, can wait in vain if it was short many times before.

use std::time::Duration;

use workflow_graph::StepId;

/// Not worth sharing: the tick, and the lock where others want it as well, take about as long.
const SHORT: Duration = Duration::from_micros(3);
/// So many times a step must have been seen until it can be believed to be short.
const SEEN_ENOUGH: u32 = 32;
/// The mean is over about so many times.
const MEMORY: u32 = 256;

/// How long each step takes.
#[derive(Debug, Default)]
pub(super) struct Paces(Vec<Pace>);

#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// How many times it was seen, at most [`MEMORY`].
    seen: u32,
    nanos: u32,
}

impl Paces {
    /// So long a step has kept its worker, so many times: on average, where it was done at once with others.
    pub(super) fn saw(&mut self, step: StepId, times: u32, took: Duration) {
        let at = usize::from(step.0);
        if self.0.len() <= at {
            self.0.resize(at + 1, Pace::default());
        }
        let Some(pace) = self.0.get_mut(at) else { return };
        pace.seen = MEMORY.min(pace.seen + times);
        let (mean, nanos) = (i64::from(pace.nanos), i64::try_from(took.as_nanos()).unwrap_or(i64::MAX));
        let mean =
            mean + (nanos.min(i64::from(u32::MAX)) - mean) * i64::from(times) / i64::from(pace.seen.max(1));
        pace.nanos = u32::try_from(mean).unwrap_or(u32::MAX);
    }

    /// Whether the step is known to be short.
    pub(super) fn is_short(&self, step: StepId) -> bool {
        let known = self.0.get(usize::from(step.0)).filter(|pace| pace.seen >= SEEN_ENOUGH);
        known.is_some_and(|pace| u128::from(pace.nanos) < SHORT.as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: StepId = StepId(3);
    const LONG: Duration = Duration::from_millis(2);

    fn after(seen: impl IntoIterator<Item = Duration>) -> bool {
        let mut paces = Paces::default();
        seen.into_iter().for_each(|took| paces.saw(STEP, 1, took));
        paces.is_short(STEP)
    }

    fn short(times: u32) -> impl Iterator<Item = Duration> {
        (0..times).map(|_| Duration::from_nanos(400))
    }

    #[test]
    fn a_step_is_short_when_that_was_seen_often_enough() {
        assert!(!after(short(0)));
        assert!(!after(short(SEEN_ENOUGH - 1)));
        assert!(after(short(SEEN_ENOUGH)));
        assert!(!Paces::default().is_short(StepId(u16::MAX)));
    }

    #[test]
    fn a_step_that_becomes_long_is_noticed_at_once_and_forgotten_in_time() {
        let then = |times| after(short(1_000).chain([LONG]).chain(short(times)));
        assert!(!then(0));
        assert!(!then(100));
        assert!(then(1_000));
        assert!(!after(short(1_000).chain((0..20).map(|_| Duration::from_micros(50)))));
    }

    #[test]
    fn an_interruption_changes_little() {
        assert!(after(short(1_000).chain([Duration::from_micros(500)])));
    }

    #[test]
    fn steps_of_which_some_are_long_are_never_short() {
        let mut paces = Paces::default();
        for n in 0..10_000 {
            paces.saw(STEP, 1, if n % 100 == 50 { LONG } else { Duration::ZERO });
            assert!(n < 100 || !paces.is_short(STEP), "after {n}");
        }
    }

    #[test]
    fn steps_that_are_done_at_once_count_each() {
        let (mut one_by_one, mut at_once) = (Paces::default(), Paces::default());
        short(SEEN_ENOUGH).for_each(|took| one_by_one.saw(STEP, 1, took));
        at_once.saw(STEP, SEEN_ENOUGH, Duration::from_nanos(400));
        assert!(one_by_one.is_short(STEP) && at_once.is_short(STEP));
        at_once.saw(STEP, 8, LONG / 8);
        assert!(!at_once.is_short(STEP));
    }
}
