//! The rule about gathers: a `Vec` is taken where a `Vec` was returned.

use super::{Place, Rule, Violation, violation};
use crate::EventId;
use crate::flow::{Emission, Flow};
use crate::levels::{Levels, OUTSIDE};

/// A gather waits for the scope that its events are in, and outside every fan-out there is none.
pub(super) fn gathers_are_inside_a_fan_out(flow: &Flow<'_>, levels: &Levels, found: &mut Vec<Violation>) {
    if !levels.is_complete() {
        return;
    }
    for (id, step) in flow.steps() {
        for (param, it) in (0..).zip(step.params.iter()).filter(|(_, param)| param.is_gather()) {
            for (alternative, event) in (0..).zip(it.events.iter()) {
                let arrives = levels.at_event(*event);
                if !arrives.contains(OUTSIDE) || !super::forms::can_be_gathered(flow, *event) {
                    continue;
                }
                let at = Place::Param { step: id, param, alternative };
                let name = flow.event(*event);
                if arrives.iter().all(|level| level == OUTSIDE) {
                    let message = format!(
                        "step `{}` gathers {name}, but no step fans out on the way to it; \
                         take {name}, or return a `Vec` upstream",
                        step.name
                    );
                    let it = violation(Rule::GatherInFanOut, at, message);
                    found.push(with_sources(flow, levels, it, *event));
                } else if !step.options.skip.outside {
                    found.push(also_outside(flow, levels, at, *event, &step.name));
                }
            }
        }
    }
}

fn also_outside(flow: &Flow<'_>, levels: &Levels, at: Place, event: EventId, gather: &str) -> Violation {
    let name = flow.event(event);
    let how = match outside(flow, levels, event).next() {
        Some(emission) => format!(" (step {} returns it directly)", flow.step(emission.step)),
        None => String::new(),
    };
    let message = format!(
        "{name} can also arrive outside any fan-out{how}, where no gather can take it; \
         return a `Vec` there too, or say `skip(outside)` on `{gather}`"
    );
    with_sources(flow, levels, violation(Rule::GatherInFanOut, at, message), event)
}

fn with_sources(flow: &Flow<'_>, levels: &Levels, mut it: Violation, event: EventId) -> Violation {
    let text = format!("{} arrives outside any fan-out from here", flow.event(event));
    it.also.extend(outside(flow, levels, event).map(|emission| (emission.at, text.clone())));
    it
}

/// Where an event is emitted outside every fan-out.
fn outside<'f>(flow: &'f Flow<'_>, levels: &'f Levels, event: EventId) -> impl Iterator<Item = &'f Emission> {
    let directly = |it: &&Emission| it.point.is_none() && levels.at_step(it.step).contains(OUTSIDE);
    flow.sources(event).iter().filter(directly)
}
