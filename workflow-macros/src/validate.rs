//! Everything that a graph must be before it is expanded.

use proc_macro2::TokenStream;
use quote::ToTokens;
use workflow_graph::StepId;
use workflow_graph::check::Place;

use crate::error::Errors;
use crate::forgotten::Forgotten;
use crate::graph::Graph;
use crate::parse::{Source, StepDef, WorkflowDef};
use crate::signature::{Alternative, ParamForm, Signature, Tool};
use crate::types::plain;

/// A graph that keeps every rule.
pub(crate) struct Checked<'a>(Graph<'a>);

impl<'a> Checked<'a> {
    pub(crate) fn graph(&self) -> &Graph<'a> {
        &self.0
    }
}

/// The rules about the graph, all of them, each violation on the tokens at fault.
///
/// The rules themselves are `workflow_graph`'s, because a running program checks graphs too.
pub(crate) fn check(graph: Graph<'_>) -> Result<Checked<'_>, Errors> {
    let violations = graph.table.check();
    if !violations.is_empty() {
        nothing_plain_is_an_event(graph.def)?;
    }
    let forgotten = Forgotten::of(&graph);
    let mut errors = Errors::new();
    for violation in violations {
        let message = match forgotten.hint(&violation, &graph) {
            Some(hint) if violation.message.ends_with('?') => format!("{} {hint}", violation.message),
            Some(hint) => format!("{}; {hint}", violation.message),
            None => violation.message,
        };
        errors.on(tokens_at(violation.at, &graph), message);
        for (place, message) in &violation.also {
            errors.on(tokens_at(*place, &graph), message);
        }
    }
    errors.finish().map(|()| Checked(graph))
}

/// A `u32` or a `String` between steps is a forgotten `Start` or `Stop`, or not yet an event. A graph with such a place
/// says nothing beyond that.
///
/// In a graph that keeps the rules it is for the compiler to say whether the type is an event: an author may have one
/// that is called so.
fn nothing_plain_is_an_event(def: &WorkflowDef) -> Result<(), Errors> {
    let mut errors = Errors::new();
    for Signature { params, tools, returns, .. } in def.steps.iter().map(|step| &step.signature) {
        for param in params {
            let gathers = matches!(param.form, ParamForm::Gather | ParamForm::GatherFailures);
            for ty in param.alternatives.iter().map(|taken| &taken.event.ty) {
                let Some(name) = plain(ty) else { continue };
                let input = if name == "str" { "String" } else { &name };
                let input = if gathers { format!("Vec<{input}>") } else { input.to_owned() };
                errors.no_event(ty, format!("`{name}` is no event; what a run is started with is taken as `Start<{input}>`, and what another step emits is a type with `#[event]`"));
            }
        }
        for item in tools.iter().filter_map(Tool::sent).flatten() {
            let Some(name) = plain(&item.ty) else { continue };
            errors.no_event(&item.ty, format!("`{name}` is no event; put it into a type with `#[event]`"));
        }
        for alternative in &returns.alternatives {
            let list = matches!(alternative, Alternative::Many(_));
            for ty in alternative.events().iter().map(|event| &event.ty) {
                let Some(name) = plain(ty) else { continue };
                let output = if list { format!("Vec<{name}>") } else { name.clone() };
                errors.no_event(ty, format!("`{name}` is no event; a run ends with it as `Stop<{output}>`, and what another step takes is a type with `#[event]`"));
            }
        }
    }
    errors.finish()
}

/// What fits the rest of its step, or of the workflow, or does not.
pub(crate) fn fits(def: &WorkflowDef, source: &Source) -> Result<(), Errors> {
    let mut errors = Errors::new();
    for step in &def.steps {
        if let (Some(key), false) = (step.args.key("timeout"), step.signature.is_async) {
            errors
                .on(key, "`timeout` is for an `async fn`: a plain `fn` cannot be stopped before it returns");
        }
        if let (Some(key), true) = (step.args.key("blocking"), step.signature.is_async) {
            errors.on(key, "`blocking` is for a plain `fn` that computes for long; an `async fn` gives way at each `.await`");
        }
    }
    for step in def.steps.iter().filter(|step| !step.signature.is_async) {
        for tool in &step.signature.tools {
            let message = match tool {
                Tool::Emitter(_) => "sending may have to wait, so a step with an `Emitter` is an `async fn`",
                Tool::Asker { .. } => "an answer takes its time, so a step with an `Asker` is an `async fn`",
                Tool::Inbox { .. } => "a signal takes its time, so a step with an `Inbox` is an `async fn`",
            };
            errors.on(tool.ty(), message);
        }
    }
    let generic = !source.generics.params.is_empty();
    if let (Some(path), true) = (&def.args.register, generic) {
        let name = &source.name;
        errors.on(
            path,
            format!("`{name}` has parameters, so there are many workflows to register; call `workflow_runtime::register!({name}<..>, ..)` for each"),
        );
    }
    errors.finish()
}

/// What the author wrote at that place.
fn tokens_at(place: Place, graph: &Graph<'_>) -> TokenStream {
    let step = place.step().and_then(|id| step_at(graph, id));
    let found = step.and_then(|step| within(place, step));
    match (found, step) {
        (Some(tokens), _) => tokens,
        (None, Some(step)) => step.signature.name.to_token_stream(),
        (None, None) => graph.source.self_ty.to_token_stream(),
    }
}

fn step_at<'a>(graph: &Graph<'a>, id: StepId) -> Option<&'a StepDef> {
    graph.def.steps.get(id.index())
}

fn within(place: Place, step: &StepDef) -> Option<TokenStream> {
    let signature = &step.signature;
    match place {
        Place::Workflow | Place::Step(_) => None,
        Place::Param { param, alternative, .. } => {
            let param = signature.params.get(usize::from(param))?;
            Some(match param.alternatives.get(usize::from(alternative)) {
                Some(taken) => taken.event.ty.to_token_stream(),
                None => param.ty.to_token_stream(),
            })
        }
        Place::Returned { alternative, item, .. } => {
            match signature.returns.alternatives.get(usize::from(alternative)) {
                Some(Alternative::One(event)) => Some(event.ty.to_token_stream()),
                Some(Alternative::Many(many)) => Some(match many.items.get(usize::from(item)) {
                    Some(item) => item.ty.to_token_stream(),
                    None => many.ty.to_token_stream(),
                }),
                None => signature.returns.ty.as_ref().map(ToTokens::to_token_stream),
            }
        }
        Place::Tool { tool, .. } => {
            signature.tools.get(usize::from(tool)).map(|tool| tool.ty().to_token_stream())
        }
        Place::Catches { position, .. } => {
            let named = position.and_then(|position| step.args.catches.as_ref()?.get(usize::from(position)));
            let option = named.or_else(|| step.args.key("catches")).map(ToTokens::to_token_stream);
            option.or_else(|| signature.params.first().map(|param| param.ty.to_token_stream()))
        }
        Place::Option { name, .. } => step.args.key(name).map(ToTokens::to_token_stream),
    }
}
