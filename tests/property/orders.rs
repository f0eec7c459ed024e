//! Whatever order steps finish in, and wherever a run is put down and taken up: the engine does what the model
//! says after every tick, and the outcome is the same unless something came up that lets the order decide.

use workflow_runtime::graph::{Graph, Tool};

use crate::case::{Case, Value};
use crate::dice::{Dice, mix};
use crate::draft;
use crate::model::Seen;
use crate::run::{Break, Held, Outcome, Policy, Run, ensure};
use crate::seeds::{self, Broken, Tally};

/// Cases that take more steps than this when nothing stops them are left out.
const LONGEST: usize = 80;

/// A run is lost at most so often: an invocation that was interrupted too often counts as failed.
const LOST_AT_MOST: usize = 12;

/// Where a run is put down and taken up again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    Nowhere,
    Somewhere,
    Everywhere,
}

#[test]
fn the_outcome_does_not_depend_on_the_order_in_which_steps_finish() {
    let tally = seeds::each(0..2_400, |seed, tally| {
        for_each_case(seed, 2, tally, |case, possible, tally| {
            for order in 0..22 {
                let (outcome, seen) = interleave(case, mix(seed, order), Breaks::Nowhere, tally)?;
                possible
                    .allows(case, &outcome, &seen)
                    .map_err(|why| at(case, mix(seed, order), Breaks::Nowhere, why))?;
            }
            Ok(())
        })
    });
    println!("{tally}");
    tally.at_least(&[
        ("interleavings", 90_000),
        ("cases with one outcome", 1_500),
        ("cases in which the order matters", 100),
        ("cases with racing stops", 100),
        ("stopped", 20_000),
        ("stalled", 1_000),
        ("scopes closed", 50_000),
        ("scopes cancelled", 1_000),
        ("empty fan-outs", 2_000),
        ("gathers fired", 50_000),
        ("takes fired early", 1_000),
        ("joins fired", 10_000),
        ("questions asked", 10_000),
        ("events sent by emitters", 5_000),
        ("events with several takers", 20_000),
        ("waits for a worker", 5_000),
    ]);
}

#[test]
fn a_run_that_is_put_down_and_taken_up_anywhere_ends_as_if_it_had_not_been() {
    let tally = seeds::each(100_000..101_500, |seed, tally| {
        for_each_case(seed, 1, tally, |case, possible, tally| {
            for order in 0..4 {
                let breaks = if order == 0 { Breaks::Everywhere } else { Breaks::Somewhere };
                let seed = mix(seed, order);
                let (plain, _) = interleave(case, seed, Breaks::Nowhere, tally)?;
                let (broken, seen) = interleave(case, seed, breaks, tally)?;
                possible.allows(case, &broken, &seen).map_err(|why| at(case, seed, breaks, why))?;
                // What was sent may take its turns again, which the other run does not have.
                if (breaks == Breaks::Everywhere || !has_emitters(&case.graph)) && plain != broken {
                    return Err(at(
                        case,
                        seed,
                        breaks,
                        format!("it ends with {broken:?} and not with {plain:?}"),
                    ));
                }
            }
            Ok(())
        })
    });
    println!("{tally}");
    tally.at_least(&[("interleavings", 9_000), ("snapshots restored", 12_000), ("stopped", 2_000)]);
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
        let mut run = Run::start(&case, false)?;
        let Some(mut stops) = run.run_up_to_stops(LONGEST, &mut Dice::new(0))? else { return Ok(None) };
        stops.sort();
        stops.dedup();
        let order_matters = run.model.seen.order_matters();
        tally.add("cases", 1);
        tally.add("cases in which the order matters", usize::from(order_matters));
        tally.add("cases with racing stops", usize::from(!order_matters && stops.len() > 1));
        tally.add("cases with one outcome", usize::from(!order_matters && stops.len() < 2));
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
    seed: u64,
    count: u64,
    tally: &mut Tally,
    check: impl Fn(&Case, &Possible, &mut Tally) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let graph = draft::sound_graph(&mut Dice::new(seed));
    let case = Case::new(graph, seed);
    tally.add("graphs", 1);
    for number in 0..count {
        let case = case.with_seed(mix(seed, number));
        let possible = Possible::of(&case, tally).map_err(|why| broken(&case, why, String::new()))?;
        match possible {
            Some(possible) => check(&case, &possible, tally)?,
            None => tally.add("cases that take too long", 1),
        }
    }
    Ok(())
}

/// One run in a random order, to its end.
pub fn interleave(
    case: &Case,
    seed: u64,
    breaks: Breaks,
    tally: &mut Tally,
) -> Result<(Outcome, Seen), Broken> {
    let run = |log, tally: &mut Tally| -> (Held<(Outcome, Seen)>, String) {
        match Run::start(case, log) {
            Ok(mut run) => {
                let held = to_the_end(&mut run, seed, breaks, tally);
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
fn at(case: &Case, seed: u64, breaks: Breaks, why: String) -> Broken {
    let log = Run::start(case, true).map(|mut run| {
        _ = to_the_end(&mut run, seed, breaks, &mut Tally::default());
        run.log()
    });
    broken(case, why, log.unwrap_or_default())
}

pub fn broken(case: &Case, why: String, log: String) -> Broken {
    let graph = case.graph.to_text();
    Broken { size: case.graph.steps.len(), text: format!("{why}\n\n{graph}\n{log}\n{why}") }
}

fn to_the_end(run: &mut Run<'_>, seed: u64, breaks: Breaks, tally: &mut Tally) -> Held<(Outcome, Seen)> {
    // Apart, so that the same seed gives the same order with and without breaks.
    let (mut order, mut side) = (Dice::new(seed), Dice::new(!seed));
    let policy = Policy::pick(&mut order);
    let (mut steps, mut lost) = (0, 0);
    // Where something is refused on purpose, nothing may ever end the run.
    let longest = if run.case().is_restless() { LONGEST } else { 4 * LONGEST };
    let outcome = loop {
        if let Some(outcome) = run.outcome() {
            break outcome;
        }
        if side.percent(5) {
            tally.add("refused ticks", 1);
            run.poke(&mut side)?;
        }
        if side.percent(2) {
            run.recount()?;
        }
        if breaks == Breaks::Everywhere || (breaks == Breaks::Somewhere && side.percent(25)) {
            let lost_again = side.percent(50) && lost < LOST_AT_MOST;
            lost += usize::from(lost_again);
            let ways = [Break::Suspended, Break::Suspended, Break::Cancelled, Break::Failed];
            let how = if lost_again { Break::Lost } else { side.pick(&ways) };
            let at_once = breaks == Breaks::Everywhere || side.percent(50);
            if !lost_again && side.percent(15) {
                run.pause_and_resume(how, at_once, &mut side)?;
            } else {
                run.break_and_resume(how, at_once, &mut side)?;
                tally.add("snapshots restored", 1);
            }
        }
        if steps > longest {
            run.cancel()?;
        } else {
            run.step(policy, &mut order)?;
        }
        steps += 1;
    };
    for _ in 0..2 {
        run.poke(&mut side)?;
    }
    let seen = run.model.seen.clone();
    count(tally, &outcome, run.ticks, &seen);
    Ok((outcome, seen))
}

fn count(tally: &mut Tally, outcome: &Outcome, ticks: usize, seen: &Seen) {
    let end = match outcome {
        Outcome::Stopped(_) => "stopped",
        Outcome::Stalled(..) => "stalled",
        Outcome::Cut => "cut",
    };
    for (what, count) in [
        (end, 1),
        ("interleavings", 1),
        ("ticks", ticks),
        ("scopes closed", seen.closed),
        ("fan-outs in fan-outs", seen.nested),
        ("runs three fan-outs deep", usize::from(seen.deepest > 2)),
        ("scopes cancelled", seen.cancelled),
        ("empty fan-outs", seen.empty_scopes),
        ("gathers fired", seen.gathers_fired),
        ("takes fired early", usize::from(seen.taken_early)),
        ("joins fired", seen.joined),
        ("questions asked", seen.asked),
        ("events sent by emitters", seen.sent),
        ("events with several takers", seen.broadcast),
        ("waits for a worker", seen.queued),
    ] {
        tally.add(what, count);
    }
}

fn has_emitters(graph: &Graph) -> bool {
    graph.steps.iter().any(|step| step.tools.iter().any(|tool| matches!(tool, Tool::Emitter(_))))
}
