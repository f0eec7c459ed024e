//! The definition with its names resolved: events numbered, routes drawn.

use proc_macro2::{Ident, Span};
use syn::Type;
use workflow_graph as model;
use workflow_graph::build::{AlternativeDecl, Builder, ReturnsDecl, StepDecl, ToolDecl};
use workflow_graph::{Catches, EventId, Skip, StepId, StepOptions};

use crate::error::{Errors, nearest};
use crate::parse::{Source, StepDef, WorkflowDef};
use crate::signature::{Alternative, Event, Kind, ParamForm, Tool};
use crate::types::{compact, unraw};

/// The graph of a workflow, with the syntax that each part came from.
pub(crate) struct Graph<'a> {
    pub(crate) source: &'a Source,
    pub(crate) def: &'a WorkflowDef,
    /// What the runtime will see.
    pub(crate) table: model::Graph,
    /// What the table does not say of its events, in the same order.
    pub(crate) events: Vec<EventInfo>,
}

/// An event as the expansion needs it.
pub(crate) struct EventInfo {
    /// The first mention. Its type is the type of the event; other spellings are compared with it.
    pub(crate) first: Event,
    /// Some step takes it by reference: the runtime holds it in an `Arc`.
    pub(crate) by_ref: bool,
    /// Where a step takes it by value.
    pub(crate) by_value: Vec<Type>,
    /// Its variant in the event enum.
    pub(crate) variant: Ident,
}

impl<'a> Graph<'a> {
    pub(crate) fn build(source: &'a Source, def: &'a WorkflowDef) -> Result<Self, Errors> {
        let mut errors = Errors::new();
        let name = def.args.name.as_ref().map_or_else(|| unraw(&source.name), syn::LitStr::value);
        let mut names = Names { builder: Builder::new(name).docs(&def.docs), events: Vec::new() };
        for step in &def.steps {
            let decl = names.step(step, def, &mut errors);
            names.builder.step(decl);
        }
        errors.finish()?;
        Ok(Self { source, def, table: names.builder.build(), events: names.events })
    }

    /// The number and the facts of a mentioned event.
    pub(crate) fn event(&self, event: &Event) -> Option<(EventId, &EventInfo)> {
        let name = full_name(event);
        let id = self.table.event_named(&name)?;
        Some((id, self.events.get(id.index())?))
    }

    /// The events of one kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (EventId, &EventInfo)> {
        let ids = (0..=u16::MAX).map(EventId);
        ids.zip(&self.events).filter(move |(_, info)| info.first.kind == kind)
    }

    /// The steps with their definitions.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (StepId, &model::Step, &StepDef)> {
        let ids = (0..=u16::MAX).map(StepId);
        ids.zip(self.table.steps.iter()).zip(&self.def.steps).map(|((id, step), def)| (id, step, def))
    }
}

/// An event as it stands in snapshots.
pub(crate) fn full_name(event: &Event) -> String {
    let payload = event.payload.name();
    let form = match event.kind {
        Kind::Event => return payload,
        Kind::Start => "Start",
        Kind::Stop => "Stop",
        Kind::Prompt => "InputRequired",
        Kind::Response => "HumanResponse",
        Kind::Expired => "Expired",
        Kind::Signal => "Signal",
    };
    if payload == "()" { form.to_owned() } else { format!("{form}<{payload}>") }
}

struct Names {
    builder: Builder,
    events: Vec<EventInfo>,
}

impl Names {
    fn step(&mut self, step: &StepDef, def: &WorkflowDef, errors: &mut Errors) -> StepDecl {
        let signature = &step.signature;
        let mut decl = StepDecl::new(unraw(&signature.name));
        decl.docs.clone_from(&step.docs);
        decl.was = step.args.was.as_ref().map(syn::LitStr::value);
        decl.options = options(step, def, errors);
        for param in &signature.params {
            let mut ids = Vec::new();
            for taken in &param.alternatives {
                let id = self.event(&taken.event);
                if let Some(info) = self.events.get_mut(id.index()) {
                    if taken.by_ref {
                        info.by_ref = true;
                    } else {
                        info.by_value.push(taken.event.ty.clone());
                    }
                }
                ids.push(id);
            }
            let form = match param.form {
                ParamForm::One => model::ParamForm::One,
                ParamForm::Gather => model::ParamForm::Gather { failures: false },
                ParamForm::GatherFailures => model::ParamForm::Gather { failures: true },
                ParamForm::Failed => model::ParamForm::Failed,
            };
            decl.params.push(model::Param::new(form, ids));
        }
        decl.tools = signature
            .tools
            .iter()
            .map(|tool| match tool {
                Tool::Emitter(many) => {
                    ToolDecl::Emitter(many.items.iter().map(|item| self.event(item)).collect())
                }
                Tool::Asker { prompt, response, .. } => {
                    let prompt = self.event(prompt);
                    self.taken_inside(response);
                    ToolDecl::Asker(prompt)
                }
                Tool::Inbox { signal, .. } => ToolDecl::Inbox(self.taken_inside(signal)),
            })
            .collect();
        decl.returns = ReturnsDecl {
            fallible: signature.returns.result.is_some(),
            optional: signature.returns.option.is_some() || signature.returns.alternatives.is_empty(),
            alternatives: signature
                .returns
                .alternatives
                .iter()
                .map(|alternative| match alternative {
                    Alternative::One(event) => AlternativeDecl::One(self.event(event)),
                    Alternative::Many(many) => {
                        AlternativeDecl::Many(many.items.iter().map(|item| self.event(item)).collect())
                    }
                })
                .collect(),
        };
        decl
    }

    /// An event that the run keeps for the step, which gets a clone.
    fn taken_inside(&mut self, event: &Event) -> EventId {
        let id = self.event(event);
        if let Some(info) = self.events.get_mut(id.index()) {
            info.by_value.push(event.ty.clone());
        }
        id
    }

    fn event(&mut self, event: &Event) -> EventId {
        let payload = event.payload.name();
        let id = match event.kind {
            Kind::Start => self.builder.start(&payload),
            Kind::Event => self.builder.event(&payload),
            Kind::Prompt => self.builder.prompt(&payload),
            Kind::Response => self.builder.response(&payload),
            Kind::Expired => self.builder.expired(&payload),
            Kind::Signal => self.builder.signal(&payload),
            Kind::Stop => self.builder.stop(&payload),
        };
        if id.index() == self.events.len() {
            let variant = self.variant(&full_name(event));
            self.events.push(EventInfo {
                first: event.clone(),
                by_ref: false,
                by_value: Vec::new(),
                variant,
            });
        }
        id
    }

    /// A variant that reads like the event: `HumanResponseApproveOrder`.
    fn variant(&self, name: &str) -> Ident {
        let base = identifier(name);
        let taken = |name: &str| self.events.iter().any(|info| info.variant == name);
        let mut name = base.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{base}{number}");
            number += 1;
        }
        Ident::new(&name, Span::call_site())
    }
}

/// The name of a type as one identifier.
pub(crate) fn identifier(name: &str) -> String {
    let letters: String = name.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    match letters.chars().next() {
        Some(first) if first.is_alphabetic() && letters != "Self" => letters,
        _ => format!("V{letters}"),
    }
}

/// Whether two mentions are written alike; if not, the compiler has to say whether they are one type.
pub(crate) fn spelled_alike(a: &Type, b: &Type) -> bool {
    compact(a) == compact(b)
}

fn options(step: &StepDef, def: &WorkflowDef, errors: &mut Errors) -> StepOptions {
    let args = &step.args;
    let number = |count: &Option<crate::args::Count>| count.as_ref().map(crate::args::Count::number);
    StepOptions {
        workers: number(&args.workers),
        take: number(&args.take),
        cancel_rest: args.cancel_rest.as_ref().is_none_or(|cancel| cancel.value),
        catches: args.catches.as_ref().map(|names| {
            let caught: Vec<StepId> = names.iter().filter_map(|name| caught(name, def, errors)).collect();
            Catches::Steps(caught.into())
        }),
        max_recoveries: number(&args.max_recoveries),
        skip: Skip {
            reachability: args.skips("reachability"),
            dead_end: args.skips("dead_end"),
            outside: args.skips("outside"),
            join: args.skips("join"),
        },
    }
}

fn caught(name: &Ident, def: &WorkflowDef, errors: &mut Errors) -> Option<StepId> {
    let position = def.steps.iter().position(|step| step.signature.name == *name);
    if position.is_none() {
        let known: Vec<String> = def.steps.iter().map(|step| unraw(&step.signature.name)).collect();
        let remedy = match nearest(&unraw(name), known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a step of this workflow".to_owned(),
        };
        errors.on(name, format!("no step is called `{name}`; {remedy}"));
    }
    position.and_then(|position| u16::try_from(position).ok()).map(StepId)
}
