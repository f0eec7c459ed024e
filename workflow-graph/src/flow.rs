//! Who emits an event and who takes it: the index that the rules, the levels and the drawings share.
//!
//! It reads the declarations, not the derived parts, and follows no number blindly.

use crate::check::Place;
use crate::{
    Alternative, Catches, EventId, Graph, ParamForm, Point, PointId, Role, Slot, Step, StepId, Tool,
};

/// One event in one place of a step's return or of its emitters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    pub(crate) step: StepId,
    pub(crate) event: EventId,
    pub(crate) at: Place,
    /// The scope that it opens a branch of.
    pub(crate) point: Option<PointId>,
}

/// One event in one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acceptance {
    pub(crate) slot: Slot,
    pub(crate) alternative: u16,
    pub(crate) form: ParamForm,
}

impl Acceptance {
    pub(crate) fn at(&self) -> Place {
        Place::Param { step: self.slot.step, param: self.slot.param, alternative: self.alternative }
    }
}

pub(crate) struct Flow<'g> {
    pub(crate) graph: &'g Graph,
    /// Per step, in source order: the return first, then the emitters.
    emitted_by: Vec<Vec<Emission>>,
    emissions: Vec<Vec<Emission>>,
    acceptances: Vec<Vec<Acceptance>>,
    handlers: Vec<Option<StepId>>,
}

impl<'g> Flow<'g> {
    pub(crate) fn of(graph: &'g Graph) -> Self {
        let emitted_by: Vec<Vec<Emission>> = graph.step_ids().map(|id| emitted_by(graph, id)).collect();
        let mut emissions = vec![Vec::new(); graph.events.len()];
        for emission in emitted_by.iter().flatten() {
            if let Some(places) = emissions.get_mut(emission.event.index()) {
                places.push(*emission);
            }
        }
        let mut acceptances = vec![Vec::new(); graph.events.len()];
        for (id, step) in graph.numbered_steps() {
            for (param, it) in
                (0..).zip(step.params.iter()).filter(|(_, param)| param.form != ParamForm::Failed)
            {
                for (alternative, event) in (0..).zip(it.events.iter()) {
                    if let Some(places) = acceptances.get_mut(event.index()) {
                        places.push(Acceptance {
                            slot: Slot { step: id, param },
                            alternative,
                            form: it.form,
                        });
                    }
                }
            }
        }
        Self { graph, emitted_by, emissions, acceptances, handlers: handlers(graph) }
    }

    /// Every step with its number, in source order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (StepId, &'g Step)> + use<'g> {
        self.graph.numbered_steps()
    }

    /// What a step returns, then what its emitters send.
    pub(crate) fn emitted_by(&self, step: StepId) -> &[Emission] {
        self.emitted_by.get(step.index()).map_or(&[], Vec::as_slice)
    }

    /// Where an event is returned or sent, by its own name.
    pub(crate) fn emissions(&self, event: EventId) -> &[Emission] {
        self.emissions.get(event.index()).map_or(&[], Vec::as_slice)
    }

    /// Which parameters take an event, by its own name.
    pub(crate) fn acceptances(&self, event: EventId) -> &[Acceptance] {
        self.acceptances.get(event.index()).map_or(&[], Vec::as_slice)
    }

    /// Where an event comes from: the answer to a question comes from where it is asked.
    pub(crate) fn sources(&self, event: EventId) -> &[Emission] {
        match self.graph.event(event).map(|event| event.role) {
            Some(Role::Response { prompt } | Role::Expired { prompt }) => {
                prompt.map_or(&[], |prompt| self.emissions(prompt))
            }
            _ => self.emissions(event),
        }
    }

    /// What becomes of an event that is emitted: a question becomes its answer or its expiry.
    pub(crate) fn becomes(&self, event: EventId) -> impl Iterator<Item = EventId> + use<> {
        match self.graph.event(event).map(|event| event.role) {
            Some(Role::Prompt { response, expired }) => [response, expired],
            _ => [Some(event), None],
        }
        .into_iter()
        .flatten()
    }

    /// The steps that may run because this one did, its error handler left aside.
    pub(crate) fn followers(&self, step: StepId) -> impl Iterator<Item = StepId> + '_ {
        let events = self.emitted_by(step).iter().flat_map(|emission| self.becomes(emission.event));
        events.flat_map(|event| self.acceptances(event)).map(|acceptance| acceptance.slot.step)
    }

    /// See [`Event::payload`](crate::Event::payload).
    pub(crate) fn payload(&self, event: EventId) -> &str {
        self.graph.event(event).map_or("?", |event| event.payload())
    }

    /// See [`Graph::handler_of`].
    pub(crate) fn handler_of(&self, step: StepId) -> Option<StepId> {
        self.handlers.get(step.index()).copied().flatten()
    }

    /// The steps that an error handler catches, in source order.
    pub(crate) fn caught_by(&self, handler: StepId) -> impl Iterator<Item = StepId> + '_ {
        self.graph.step_ids().filter(move |step| self.handler_of(*step) == Some(handler))
    }
}

fn emitted_by(graph: &Graph, id: StepId) -> Vec<Emission> {
    let mut found = Vec::new();
    let Some(step) = graph.step(id) else { return found };
    for (alternative, it) in (0..).zip(step.returns.alternatives.iter()) {
        match *it {
            Alternative::One(event) => {
                let at = Place::Returned { step: id, alternative, item: 0 };
                found.push(Emission { step: id, event, at, point: None });
            }
            Alternative::Many(point) => {
                for (item, event) in (0..).zip(graph.items(point)) {
                    let at = Place::Returned { step: id, alternative, item };
                    found.push(Emission { step: id, event: *event, at, point: Some(point) });
                }
            }
        }
    }
    for (tool, it) in (0..).zip(step.tools.iter()) {
        if let Tool::Emitter(point) = *it {
            let at = Place::Tool { step: id, tool };
            let items = graph.items(point).iter();
            found.extend(items.map(|event| Emission { step: id, event: *event, at, point: Some(point) }));
        }
    }
    found
}

/// [`Graph::handler_of`] for all steps at once.
fn handlers(graph: &Graph) -> Vec<Option<StepId>> {
    let rest = graph
        .numbered_steps()
        .find(|(_, step)| step.options.catches == Some(Catches::Rest))
        .map(|(id, _)| id);
    let mut handlers = vec![rest; graph.steps.len()];
    let mut claimed = vec![false; graph.steps.len()];
    for (id, step) in graph.numbered_steps() {
        if let Some(Catches::Steps(caught)) = &step.options.catches {
            for caught in caught.iter().map(|step| step.index()) {
                if let (Some(handler), Some(claimed @ false)) =
                    (handlers.get_mut(caught), claimed.get_mut(caught))
                {
                    *handler = Some(id);
                    *claimed = true;
                }
            }
        }
    }
    for ((_, step), handler) in graph.numbered_steps().zip(&mut handlers) {
        if step.options.catches.is_some() {
            *handler = None;
        }
    }
    handlers
}

impl Graph {
    /// Every step with its number, in source order.
    pub(crate) fn numbered_steps(&self) -> impl Iterator<Item = (StepId, &Step)> {
        (0..=u16::MAX).map(StepId).zip(self.steps.iter())
    }

    /// The numbers of all steps, in source order.
    pub(crate) fn step_ids(&self) -> impl Iterator<Item = StepId> + use<> {
        (0..=u16::MAX).take(self.steps.len()).map(StepId)
    }

    /// Every fan-out point with its number, in source order.
    pub(crate) fn numbered_points(&self) -> impl Iterator<Item = (PointId, &Point)> {
        (0..=u16::MAX).map(PointId).zip(self.points.iter())
    }

    /// The numbers of all events, in order of first mention.
    pub(crate) fn event_ids(&self) -> impl Iterator<Item = EventId> + use<> {
        (0..=u16::MAX).take(self.events.len()).map(EventId)
    }

    /// The events that an element of a fan-out can be.
    pub(crate) fn items(&self, point: PointId) -> &[EventId] {
        self.point(point).map_or(&[], |point| &point.items)
    }

    pub(crate) fn role(&self, event: EventId) -> Option<Role> {
        self.event(event).map(|event| event.role)
    }
}
