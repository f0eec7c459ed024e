//! Steps that remember, ask and take signals while they run: everything goes wrong as in [`troubles`](super::troubles),
//! and each call of each attempt finds what the model says, before and after every restore.

use crate::case::{Case, Troubles};
use crate::dice::{Dice, mix};
use crate::draft;
use crate::drive::{Breaks, Habits, interleave};
use crate::model::Limits;
use crate::run::Pace;
use crate::seeds;

#[test]
fn whatever_steps_wait_for_each_call_comes_to_what_the_model_says() {
    let tally = seeds::each(500_000..500_150, |seed, tally| {
        let mut dice = Dice::new(seed);
        let graph = draft::sound_graph_that_waits(&mut dice);
        tally.add("graphs", 1);
        let case = Case::new(graph, seed).with_calls();
        for order in 0..8 {
            let troubles = Troubles { wild: true, ..Troubles::pick(&mut dice) };
            let case = case.with_seed(mix(seed, order / 3)).with_troubles(troubles);
            let breaks = match dice.below(20) {
                0..=9 => Breaks::Nowhere,
                10..=17 => Breaks::Somewhere(8),
                18 if dice.percent(50) => Breaks::Everywhere,
                18 => Breaks::Somewhere(30),
                _ => Breaks::Lossy(dice.pick(&[5, 40, 85])),
            };
            let deadline = dice.percent(10).then(|| dice.pick(&[40, 400, 60_000]));
            let timeout = dice.percent(30).then(|| dice.pick(&[30, 200, 5_000]));
            let limits = Limits { deadline, timeout };
            let copies = if dice.percent(3) { 100 } else { dice.pick(&[0, 2, 4]) };
            interleave(&case, mix(seed, order), Habits { pace: Pace::Wild, breaks, copies, limits }, tally)?;
        }
        Ok(())
    });
    println!("{tally}");
    tally.at_least(&[
        ("interleavings", 1_200),
        ("copies taken along", 1_500),
        ("snapshots restored", 3_000),
        ("restores with waits open", 1_200),
        ("memos found again", 2_500),
        ("memos of earlier attempts found again", 500),
        ("memos of attempts that were over", 15),
        ("sleeps found again", 3_000),
        ("answers found again", 600),
        ("signals found again", 2_500),
        ("ends of waits found again", 1_500),
        ("questions of steps answered", 1_200),
        ("questions of steps expired", 1_100),
        ("questions of steps withdrawn", 250),
        ("waits given up", 800),
        ("what came given up unseen", 80),
        ("what came for a step that does not run", 80),
        ("signals received that came early", 2_500),
        ("signals received by who waited longest", 1_800),
        ("signals for the longest waiting of several", 800),
        ("signals given back by cancelled steps", 50),
        ("signals given back by failed steps", 150),
        ("signals given back by who gave up", 200),
        ("signals given back to who waits", 70),
        ("signals given back unread", 350),
        ("times at which the time of a run stood because its steps waited", 500),
        ("runs out of time", 1_200),
    ]);
}
