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
}
