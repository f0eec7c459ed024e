//! How far it is to a `Stop`.

use workflow_runtime::graph::{Alternative, Event, EventId, Graph, Role, Step};

use super::emitters;

/// How far it is from each event to a `Stop`.
pub(super) struct Ways {
    events: Vec<u32>,
}

/// Further than any way to a `Stop`.
const NO_STOP: u32 = 1_000;

impl Ways {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut ways = Self { events: vec![2 * NO_STOP; graph.events.len()] };
        loop {
            let next: Vec<u32> = graph.events.iter().map(|event| ways.from(graph, event)).collect();
            if next == ways.events {
                return ways;
            }
            ways.events = next;
        }
    }

    fn from(&self, graph: &Graph, event: &Event) -> u32 {
        match event.role {
            Role::Stop => 0,
            Role::Prompt { response, .. } => response.map_or(2 * NO_STOP, |response| self.of_event(response)),
            _ => {
                let steps = event.accepted_by.iter().map(|slot| &graph.steps[slot.step.index()]);
                let from_step = |step: &Step| {
                    let end = step.returns.optional.then_some(NO_STOP);
                    let sent = emitters(step).map(Alternative::Many);
                    let ways = step.returns.alternatives.iter().copied().chain(sent);
                    ways.map(|way| self.length(graph, Some(way))).chain(end).min().unwrap_or(2 * NO_STOP)
                };
                steps.map(from_step).min().map_or(2 * NO_STOP, |length| (length + 1).min(2 * NO_STOP))
            }
        }
    }

    pub(super) fn of_event(&self, event: EventId) -> u32 {
        self.events[event.index()]
    }

    pub(super) fn length(&self, graph: &Graph, way: Option<Alternative>) -> u32 {
        match way {
            None => NO_STOP,
            Some(Alternative::One(event)) => self.of_event(event),
            Some(Alternative::Many(point)) => {
                let items = graph.points[point.index()].items.iter().map(|event| self.of_event(*event));
                items.min().unwrap_or(2 * NO_STOP).max(1)
            }
        }
    }
}
