//! Methods that would be the step that a graph misses, if they had `#[step]`.

use workflow_graph::check::{Place, Rule, Violation};

use crate::error::Errors;
use crate::graph::{Graph, full_name};
use crate::parse::StepDef;
use crate::signature::{Event, Kind, Signature, Tool};

/// The methods of the block that are no steps, as far as they could be.
pub(crate) struct Forgotten(Vec<Signature>);

impl Forgotten {
    /// A method could be a step if it reads like one, and takes nothing that the graph does not know: a helper that
    /// takes something else is meant to be one.
    pub(crate) fn of(graph: &Graph<'_>) -> Self {
        let fits = |signature: &Signature| {
            let is_known = |event: &Event| event.kind == Kind::Start || graph.event(event).is_some();
            signature.has_self && signature.taken().all(|event| is_known(event) || answers(event, graph))
        };
        let methods = graph.source.other_methods().filter_map(|method| {
            let mut errors = Errors::new();
            let signature = Signature::read(&method, &graph.source.self_ty, &mut errors);
            (errors.is_empty() && fits(&signature)).then_some(signature)
        });
        Self(methods.collect())
    }

    /// What to say of the method that would set a violation right.
    pub(crate) fn hint(&self, violation: &Violation, graph: &Graph<'_>) -> Option<String> {
        let event = || event_at(violation.at, graph);
        match violation.rule {
            Rule::OneStart if violation.at == Place::Workflow => {
                self.with("takes", |method| method.taken().find(|event| event.kind == Kind::Start))
            }
            Rule::OneStop if violation.at == Place::Workflow => {
                self.with("returns", |method| method.returned().find(|event| event.kind == Kind::Stop))
            }
            Rule::EmittedIsAccepted => {
                let emitted = event()?;
                let kind = if emitted.kind == Kind::Prompt { Kind::Response } else { emitted.kind };
                self.with("takes", |method| method.taken().find(|event| is_it(event, kind, emitted)))
            }
            Rule::AcceptedIsEmitted => {
                let accepted = event()?;
                let kind = if accepted.kind == Kind::Event { Kind::Event } else { Kind::Prompt };
                self.with("returns", |method| method.returned().find(|event| is_it(event, kind, accepted)))
            }
            _ => None,
        }
    }

    fn with<'a>(&'a self, does: &str, find: impl Fn(&'a Signature) -> Option<&'a Event>) -> Option<String> {
        let (method, event) = self.0.iter().find_map(|method| Some((method, find(method)?)))?;
        Some(format!("method `{}` {does} `{}` and has no `#[step]`", method.name, full_name(event)))
    }
}

/// Whether an event is of this kind, and about the same as the other.
fn is_it(event: &Event, kind: Kind, other: &Event) -> bool {
    event.kind == kind && event.payload.name() == other.payload.name()
}

/// Whether it answers a question of the graph.
fn answers(event: &Event, graph: &Graph<'_>) -> bool {
    matches!(event.kind, Kind::Response | Kind::Expired)
        && graph.of_kind(Kind::Prompt).any(|(_, asked)| is_it(&asked.first, Kind::Prompt, event))
}

/// The event that stands at a place, where it is one.
fn event_at<'a>(place: Place, graph: &Graph<'a>) -> Option<&'a Event> {
    let step: &'a StepDef = graph.def.steps.get(place.step()?.index())?;
    let Signature { params, tools, returns, .. } = &step.signature;
    match place {
        Place::Param { param, alternative, .. } => {
            let param = params.get(usize::from(param))?;
            Some(&param.alternatives.get(usize::from(alternative))?.event)
        }
        Place::Returned { alternative, item, .. } => {
            returns.alternatives.get(usize::from(alternative))?.events().get(usize::from(item))
        }
        Place::Tool { tool, .. } => match tools.get(usize::from(tool)).and_then(Tool::sent)? {
            [sent] => Some(sent),
            _ => None,
        },
        _ => None,
    }
}
