//! Everything at once: steps fail, people do not answer, signals come, time runs out, processes are lost, and runs are
//! continued, at any moment. The outcome depends on the order then; what must hold is what the model says of each
//! tick, what can be seen without it, and that a saved copy goes on exactly as the run does.

use crate::case::{Case, Troubles};
use crate::dice::{Dice, mix};
use crate::draft;
use crate::drive::{Breaks, Habits, interleave};
use crate::model::Limits;
use crate::run::Pace;
use crate::seeds;

#[test]
fn whatever_goes_wrong_the_engine_does_what_the_model_says() {
    let tally = seeds::each(400_000..400_380, |seed, tally| {
        let mut dice = Dice::new(seed);
        let graph = draft::sound_graph_for_troubles(&mut dice);
        tally.add("graphs", 1);
        let case = Case::new(graph, seed);
        for order in 0..16 {
            let troubles = Troubles { wild: true, ..Troubles::pick(&mut dice) };
            let case = case.with_seed(mix(seed, order / 4)).with_troubles(troubles);
            let breaks = match dice.below(10) {
                0..=4 => Breaks::Nowhere,
                5..=7 => Breaks::Somewhere(8),
                8 => Breaks::Somewhere(30),
                _ => Breaks::Lossy(dice.pick(&[5, 40, 85])),
            };
            let deadline = dice.percent(15).then(|| dice.pick(&[1, 40, 400, 60_000]));
            let timeout = dice.percent(20).then(|| dice.pick(&[1, 30, 200, 5_000]));
            let limits = Limits { deadline, timeout };
            let copies = dice.pick(&[0, 2, 10]);
            interleave(&case, mix(seed, order), Habits { pace: Pace::Wild, breaks, copies, limits }, tally)?;
        }
        Ok(())
    });
    println!("{tally}");
    tally.at_least(&[
        ("interleavings", 5_000),
        ("copies taken along", 2_000),
        ("snapshots restored", 6_000),
        ("interruptions", 3_000),
        ("failures by interruption", 30),
        ("retries", 6_000),
        ("failures taken by an error handler", 500),
        ("failures that go on after an error handler has run", 100),
        ("failures taken by a gather", 2_000),
        ("failures of senders taken as their last event", 80),
        ("failures that left a fan-out", 400),
        ("failures that bothered nobody", 20),
        ("failures that nobody took", 1_200),
        ("questions expired", 1_000),
        ("expiries taken by an error handler", 60),
        ("expiries taken outwards", 200),
        ("expiries that nobody took", 300),
        ("signals", 1_200),
        ("runs out of time", 2_500),
        ("scopes cancelled in which something was to be tried again", 60),
    ]);
}
