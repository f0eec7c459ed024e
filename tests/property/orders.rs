//! Whatever order steps finish in, and wherever a run is put down and taken up: the engine does what the model
//! says after every tick, and the outcome is the same unless something came up that lets the order decide.

use workflow_runtime::graph::{Graph, Tool};

use crate::case::{Case, Troubles, Value};
use crate::dice::{Dice, mix};
use crate::draft;
use crate::drive::{Breaks, Habits, LONGEST, at, broken, interleave};
use crate::model::{Limits, Seen};
use crate::run::{Held, Outcome, Run, ensure};
use crate::seeds::{self, Broken, Tally};

#[test]
fn the_outcome_does_not_depend_on_the_order_in_which_steps_finish() {
    let tally = seeds::each(0..1_100, |seed, tally| {
        for_each_case(calm(seed), 2, tally, |case, possible, tally| {
            for order in 0..22 {
                let (seed, habits) = (mix(case.seed(), order), Habits::orderly(Breaks::Nowhere));
                let (outcome, seen) = interleave(case, seed, habits, tally)?;
                possible.allows(case, &outcome, &seen).map_err(|why| at(case, seed, habits, why))?;
            }
            Ok(())
        })
    });
    println!("{tally}");
    tally.at_least(&[
        ("interleavings", 45_000),
        ("cases with one outcome", 750),
        ("cases in which the order matters", 50),
        ("cases with racing stops", 50),
        ("stopped", 10_000),
        ("stalled", 500),
        ("scopes closed", 25_000),
        ("scopes cancelled", 500),
        ("empty fan-outs", 1_000),
        ("gathers fired", 25_000),
        ("takes fired early", 500),
        ("joins fired", 5_000),
        ("questions asked", 5_000),
        ("events sent by emitters", 2_500),
        ("events with several takers", 10_000),
        ("waits for a worker", 2_500),
    ]);
}

#[test]
fn a_run_that_is_put_down_and_taken_up_anywhere_ends_as_if_it_had_not_been() {
    let tally = seeds::each(100_000..100_600, |seed, tally| {
        for_each_case(calm(seed), 1, tally, |case, possible, tally| {
            for order in 0..4 {
                let breaks = if order == 0 { Breaks::Everywhere } else { Breaks::Somewhere(25) };
                let (seed, habits) = (mix(case.seed(), order), Habits::orderly(breaks));
                let (plain, _) = interleave(case, seed, Habits::orderly(Breaks::Nowhere), tally)?;
                let (broken, seen) = interleave(case, seed, habits, tally)?;
                possible.allows(case, &broken, &seen).map_err(|why| at(case, seed, habits, why))?;
                // What was sent may take its turns again, which the other run does not have.
                if (breaks == Breaks::Everywhere || !has_emitters(&case.graph)) && plain != broken {
                    let why = format!("it ends with {broken:?} and not with {plain:?}");
                    return Err(at(case, seed, habits, why));
                }
            }
            Ok(())
        })
    });
    println!("{tally}");
    tally.at_least(&[("interleavings", 4_500), ("snapshots restored", 6_000), ("stopped", 1_000)]);
}

/// Retries, error handlers, gathers that take failures, expiries and runs that fail and are continued change nothing
/// about that, and neither do limits of time that are set anew when a run is continued.
#[test]
fn the_outcome_does_not_depend_on_the_order_in_which_things_go_wrong() {
    let tally = seeds::each(300_000..300_400, |seed, tally| {
        for_each_case(troubled(seed), 2, tally, |case, possible, tally| {
            for order in 0..6 {
                let seed = mix(case.seed(), order);
                let mut dice = Dice::new(mix(seed, 1));
                let breaks = match dice.below(20) {
                    0 => Breaks::Everywhere,
                    1..=6 => Breaks::Somewhere(10),
                    _ => Breaks::Nowhere,
                };
                let mut habits = Habits::orderly(breaks);
                if dice.percent(15) {
                    let (deadline, timeout) = (dice.pick(&[20, 200, 3_000]), dice.pick(&[40, 150, 600]));
                    habits.limits = Limits { deadline: Some(deadline), timeout: Some(timeout) };
                }
                let (outcome, seen) = interleave(case, seed, habits, tally)?;
                possible.allows(case, &outcome, &seen).map_err(|why| at(case, seed, habits, why))?;
            }
            Ok(())
        })
    });
    println!("{tally}");
    tally.at_least(&[
        ("interleavings", 3_000),
        ("cases with one outcome", 150),
        ("cases with one outcome in which failures leave a fan-out", 5),
        ("stopped", 2_000),
        ("stalled", 100),
        ("retries", 4_000),
        ("failures taken by an error handler", 400),
        ("failures taken by a gather", 1_200),
        ("failures that left a fan-out", 250),
        ("failures that nobody took", 900),
        ("questions expired", 400),
        ("runs out of time", 1_000),
        ("snapshots restored", 3_000),
    ]);
}

fn calm(seed: u64) -> Case {
    Case::new(draft::sound_graph(&mut Dice::new(seed)), seed)
}

fn troubled(seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let graph = draft::sound_graph_for_troubles(&mut dice);
    Case::new(graph, seed).with_troubles(Troubles::pick(&mut dice))
}

/// What can come out of a case, whatever the order.
struct Possible {
    /// What the steps that stop the run stop it with, had they waited for everything else.
    stops: Vec<Value>,
    stalled: Option<Outcome>,
    order_matters: bool,
}

impl Possible {
    /// Runs the case with every `Stop` held back and no limit on workers. `None` if that takes too long.
    fn of(case: &Case, tally: &mut Tally) -> Held<Option<Self>> {
        let case = case.without_limits();
        let mut run = Run::start(&case, Limits::default(), false)?;
        let longest = if case.has_troubles() { 2 * LONGEST } else { LONGEST };
        let Some(mut stops) = run.run_up_to_stops(longest, &mut Dice::new(0))? else { return Ok(None) };
        stops.sort();
        stops.dedup();
        let seen = &run.model.seen;
        let order_matters = seen.order_matters() || seen.torn_alive || !case.signals().is_empty();
        tally.add("cases", 1);
        tally.add("cases in which the order matters", usize::from(order_matters));
        tally.add("cases with racing stops", usize::from(!order_matters && stops.len() > 1));
        tally.add("cases with one outcome", usize::from(!order_matters && stops.len() < 2));
        tally.add("cases in which failures leave a fan-out", usize::from(seen.torn));
        tally.add("cases in which failures may race", usize::from(seen.torn_alive));
        let torn = !order_matters && stops.len() < 2 && seen.torn;
        tally.add("cases with one outcome in which failures leave a fan-out", usize::from(torn));
        Ok(Some(Self { stops, stalled: run.outcome(), order_matters }))
    }

    fn allows(&self, case: &Case, outcome: &Outcome, seen: &Seen) -> Held {
        for slot in &seen.outside {
            let step = &case.graph.steps[slot.step.index()];
            ensure!(
                step.options.skip.outside,
                "an event for the gather `{}` arrived where nothing is gathered",
                step.name
            );
        }
        if self.order_matters {
            return Ok(());
        }
        ensure!(!seen.order_matters(), "the order matters, as it did not when nothing stopped the run");
        match (outcome, &self.stalled) {
            (Outcome::Stopped(output), _) if self.stops.contains(output) => Ok(()),
            (outcome, Some(stalled)) if outcome == stalled => Ok(()),
            _ => Err(format!(
                "it ends with {outcome:?} and not with one of {:?} or {:?}",
                self.stops, self.stalled
            )),
        }
    }
}

fn for_each_case(
    case: Case,
    count: u64,
    tally: &mut Tally,
    check: impl Fn(&Case, &Possible, &mut Tally) -> Result<(), Broken>,
) -> Result<(), Broken> {
    tally.add("graphs", 1);
    for number in 0..count {
        let case = case.with_seed(mix(case.seed(), number));
        let possible = Possible::of(&case, tally).map_err(|why| broken(&case, why, String::new()))?;
        match possible {
            Some(possible) => check(&case, &possible, tally)?,
            None => tally.add("cases that take too long", 1),
        }
    }
    Ok(())
}

fn has_emitters(graph: &Graph) -> bool {
    graph.steps.iter().any(|step| step.tools.iter().any(|tool| matches!(tool, Tool::Emitter(_))))
}
