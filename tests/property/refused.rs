//! What the rules refuse for never firing never fires: graphs with such a join or gather, run all the same.

use std::collections::BTreeSet;

use workflow_runtime::graph::{EventId, Graph, Place, Role, Rule, Slot, StepId};

use crate::case::Case;
use crate::dice::{Dice, mix};
use crate::draft;
use crate::drive::{Breaks, Habits, broken, interleave};
use crate::seeds::{self, Tally};

#[test]
fn a_join_or_gather_that_is_refused_never_fires() {
    let tally = seeds::each(200_000..200_900, |seed, tally| {
        let (graph, refused) = graph_with_refusals(&mut Dice::new(seed), tally);
        tally.add("graphs", 1);
        tally.add("joins refused", refused.joins.len());
        tally.add("gathers refused", refused.gathers.len());
        let case = Case::new(graph, seed).restless();
        for order in 0..9 {
            let case = case.with_seed(mix(seed, order / 3));
            let (_, seen) = interleave(&case, mix(seed, order), Habits::orderly(Breaks::Nowhere), tally)?;
            if let Some(join) = seen.invoked.intersection(&refused.joins).next() {
                let name = &case.graph.steps[join.index()].name;
                return Err(broken(&case, format!("the join `{name}` is refused, and fired"), refused.text));
            }
            if let Some((slot, _)) = seen.gathered.intersection(&refused.gathers).next() {
                let name = &case.graph.steps[slot.step.index()].name;
                let why = format!("an input of the gather `{name}` is refused, and arrived in a fan-out");
                return Err(broken(&case, why, refused.text));
            }
        }
        Ok(())
    });
    println!("{tally}");
    tally.at_least(&[("interleavings", 8_000), ("joins refused", 450), ("gathers refused", 340)]);
}

struct Refused {
    joins: BTreeSet<StepId>,
    /// Events that arrive at a gather outside every fan-out only.
    gathers: BTreeSet<(Slot, EventId)>,
    text: String,
}

fn graph_with_refusals(dice: &mut Dice, tally: &mut Tally) -> (Graph, Refused) {
    loop {
        let graph = draft::graph(dice);
        let violations = graph.check();
        tally.add("graphs drafted", 1);
        tally.add("graphs drafted that are sound", usize::from(violations.is_empty()));
        let apart = [Rule::Linked, Rule::Form, Rule::Names, Rule::OneStart];
        let nobody_answers =
            graph.events.iter().any(|it| matches!(it.role, Role::Prompt { response: None, .. }));
        if nobody_answers || violations.iter().any(|it| apart.contains(&it.rule)) {
            continue;
        }
        let mut refused = Refused { joins: BTreeSet::new(), gathers: BTreeSet::new(), text: String::new() };
        for it in &violations {
            match (it.rule, it.at) {
                (Rule::JoinCanFire, Place::Param { step, .. }) => {
                    refused.joins.insert(step);
                }
                // Where it arrives outside as well as inside, the gather does fire.
                (Rule::GatherInFanOut, Place::Param { step, param, alternative })
                    if it.message.contains("no step fans out on the way") =>
                {
                    let events = &graph.steps[step.index()].params[usize::from(param)].events;
                    refused.gathers.insert((Slot { step, param }, events[usize::from(alternative)]));
                }
                _ => continue,
            }
            refused.text += &format!("{it}\n");
        }
        if !refused.text.is_empty() {
            return (graph, refused);
        }
    }
}
