//! Runs from their start to their end.

use workflow_runtime::engine::Status;

use crate::case::Case;
use crate::dice::Dice;
use crate::model::{Limits, Seen};
use crate::run::{Break, Held, Outcome, Pace, Policy, Return, Run};
use crate::seeds::{Broken, Tally};

/// Cases that take more steps than this when nothing stops them are left out.
pub const LONGEST: u64 = 80;

/// How a run is driven.
#[derive(Clone, Copy)]
pub struct Habits {
    pub pace: Pace,
    pub breaks: Breaks,
    /// Of a hundred ticks, after so many a saved copy of the run goes along from then on.
    pub copies: u64,
    pub limits: Limits,
}

/// Where a run is put down and taken up again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    Nowhere,
    /// After so many of a hundred ticks.
    Somewhere(u64),
    Everywhere,
    /// After so many of a hundred ticks its process is lost, more often than a step may be interrupted.
    Lossy(u64),
}

/// A run is lost at most so often: an invocation that was interrupted too often counts as failed.
const LOST_AT_MOST: usize = 12;

const LOST_BEYOND_MEASURE: usize = 24;

/// A wild run is continued at most so often.
const CONTINUED_AT_MOST: usize = 12;

impl Habits {
    pub fn orderly(breaks: Breaks) -> Self {
        Self { pace: Pace::Orderly, breaks, copies: 0, limits: Limits::default() }
    }
}

/// One run in a random order, to its end.
pub fn interleave(
    case: &Case,
    seed: u64,
    habits: Habits,
    tally: &mut Tally,
) -> Result<(Outcome, Seen), Broken> {
    let run = |log, tally: &mut Tally| -> (Held<(Outcome, Seen)>, String) {
        match Run::start(case, habits.limits, log) {
            Ok(mut run) => {
                let held = to_the_end(&mut run, seed, habits, tally);
                (held, run.log())
            }
            Err(why) => (Err(why), String::new()),
        }
    };
    run(false, tally).0.map_err(|why| {
        let (_, log) = run(true, &mut Tally::default());
        broken(case, why, log)
    })
}

/// What does not hold about an interleaving as a whole.
pub fn at(case: &Case, seed: u64, habits: Habits, why: String) -> Broken {
    let log = Run::start(case, habits.limits, true).map(|mut run| {
        _ = to_the_end(&mut run, seed, habits, &mut Tally::default());
        run.log()
    });
    broken(case, why, log.unwrap_or_default())
}

pub fn broken(case: &Case, why: String, log: String) -> Broken {
    let graph = case.graph.to_text();
    Broken { size: case.graph.steps.len(), text: format!("{why}\n\n{graph}\n{log}\n{why}") }
}

fn to_the_end(run: &mut Run<'_>, seed: u64, habits: Habits, tally: &mut Tally) -> Held<(Outcome, Seen)> {
    // Apart, so that the same seed gives the same order with and without breaks.
    let (mut order, mut side) = (Dice::new(seed), Dice::new(!seed));
    let policy = Policy::pick(&mut order);
    let (mut steps, mut lost, mut continued) = (0, 0, 0);
    // Where something is refused on purpose, nothing may ever end the run.
    let longest = match (run.case().is_restless(), habits.pace) {
        (true, _) => LONGEST,
        (_, Pace::Wild) => 2 * LONGEST,
        (_, Pace::Orderly) => 8 * LONGEST,
    };
    let outcome = loop {
        if let Some(outcome) = run.outcome() {
            break outcome;
        }
        if side.percent(5) {
            tally.add("refused ticks", 1);
            run.poke(&mut side)?;
        }
        if run.can_be_continued() {
            continued += 1;
            if habits.pace == Pace::Wild && (continued > CONTINUED_AT_MOST || side.percent(4)) {
                tally.add("given up", 1);
                break Outcome::Cut;
            }
            go_on(run, Break::Ended, habits, &mut side, tally)?;
            continue;
        }
        if side.percent(habits.copies) {
            run.copy()?;
            tally.add("copies taken along", 1);
        }
        let how = match habits.breaks {
            Breaks::Nowhere => None,
            Breaks::Somewhere(chance) if !side.percent(chance) => None,
            Breaks::Somewhere(_) | Breaks::Everywhere if side.percent(50) && lost < LOST_AT_MOST => {
                Some(Break::Lost)
            }
            Breaks::Somewhere(_) | Breaks::Everywhere => {
                let ways = [Break::Suspended, Break::Suspended, Break::Cancelled, Break::Failed];
                Some(side.pick(&ways))
            }
            Breaks::Lossy(chance) => {
                (side.percent(chance) && lost < LOST_BEYOND_MEASURE).then_some(Break::Lost)
            }
        };
        if let Some(how) = how {
            lost += usize::from(matches!(how, Break::Lost));
            go_on(run, how, habits, &mut side, tally)?;
            if run.model.status != Status::Running {
                continue;
            }
        }
        if steps > longest || !run.step(policy, habits.pace, &mut order)? {
            run.cancel()?;
        }
        steps += 1;
    };
    for _ in 0..2 {
        run.poke(&mut side)?;
    }
    let seen = run.model.seen.clone();
    count(tally, &outcome, run.model.ticks, &seen);
    Ok((outcome, seen))
}

/// Puts the run down, if it has not ended, and takes it up again, mostly from what was saved of it.
fn go_on(run: &mut Run<'_>, how: Break, habits: Habits, side: &mut Dice, tally: &mut Tally) -> Held {
    if habits.pace == Pace::Wild {
        run.clock += side.pick(&[0, 0, 10, 400, 50_000]);
    }
    let at_once = habits.breaks == Breaks::Everywhere || side.percent(50);
    let behind = if habits.pace == Pace::Wild { side.pick(&[0, 0, 0, 20]) } else { 0 };
    let again = Return { at_once, behind };
    let same_process = !matches!(how, Break::Lost) && side.percent(40);
    if same_process {
        return run.pause_and_resume(how, again, side);
    }
    tally.add("snapshots restored", 1);
    run.break_and_resume(how, again, side)
}

fn count(tally: &mut Tally, outcome: &Outcome, ticks: u64, seen: &Seen) {
    let end = match outcome {
        Outcome::Stopped(_) => "stopped",
        Outcome::Stalled(..) => "stalled",
        Outcome::Cut => "cut",
    };
    for (what, count) in [
        (end, 1),
        ("interleavings", 1),
        ("ticks", ticks as usize),
        ("runs three fan-outs deep", usize::from(seen.deepest > 2)),
    ] {
        tally.add(what, count);
    }
    for (what, count) in &seen.counts {
        tally.add(what, *count);
    }
}
