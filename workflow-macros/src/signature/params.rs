//! What a step takes: itself, the context, capabilities, and events.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::visit_mut::VisitMut as _;
use syn::{PatType, Receiver, ReceiverKind, Type, TypeReference};

use super::event::{Place, ours};
use super::{Arg, CAPABILITIES, Kind, Many, Param, ParamForm, Payload, Reader, Taken, Tool, is_unit};
use crate::types::{ReplaceSelf, bare, compact, event_name, last_segment};

impl Reader<'_> {
    pub(super) fn receiver(&mut self, receiver: &Receiver) {
        self.has_self = true;
        match &receiver.kind {
            ReceiverKind::Reference(_, None, None) => {}
            ReceiverKind::Reference(_, Some(lifetime), None) => {
                self.errors.on(lifetime, "a step cannot name lifetimes; take `&self`");
            }
            ReceiverKind::Reference(_, _, Some(_)) => self.errors.on(
                receiver,
                "a step cannot take `&mut self`: all runs share the workflow value; take `&self` and keep what changes in \
                 events or in the run's state",
            ),
            ReceiverKind::Typed(..) => {
                self.errors.on(receiver, "a step takes the workflow as `&self`");
            }
            _ => self.errors.on(
                receiver,
                "a step cannot take `self`: all runs share the workflow value, and steps run more than once; take `&self`",
            ),
        }
    }

    pub(super) fn param(&mut self, param: &PatType) {
        if let Some(attr) =
            param.attrs.iter().find(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
        {
            self.errors.on(
                attr,
                "a parameter of a step cannot be conditional, because the graph would be; write the step twice, each \
                 with `#[cfg(..)]`",
            );
        }
        let mut ty = bare(&param.ty).clone();
        ReplaceSelf(self.self_ty).visit_type_mut(&mut ty);
        match last_segment(referent(&ty)).map(|(name, args)| (name.to_string(), args)) {
            Some((name, args)) => match name.as_str() {
                "Context" => self.context(&ty),
                word if CAPABILITIES.contains(&word) => self.tool(&name, &ty, args.first().copied()),
                _ => self.event_param(&ty),
            },
            None => self.event_param(&ty),
        }
    }

    fn context(&mut self, ty: &Type) {
        let Type::Reference(TypeReference { lifetime: None, mutability: None, elem, .. }) = ty else {
            self.errors.on(ty, "the context is borrowed from the run; take `&Context<Self>`");
            return;
        };
        if let Some(first) = &self.context {
            self.errors.on(ty, "a step takes the context once; remove this parameter");
            self.errors.on(first, "the context is first taken here");
            return;
        }
        let of = last_segment(elem).and_then(|(_, args)| args.first().copied());
        if let Some(other) = of.filter(|of| event_name(of) != event_name(self.self_ty)) {
            self.errors.on(other, "a step sees the run of its own workflow only; take `&Context<Self>`");
        }
        self.context = Some(ty.clone());
        self.args.push(Arg::Context(elem.clone()));
    }

    fn tool(&mut self, name: &str, ty: &Type, arg: Option<&Type>) {
        if matches!(ty, Type::Reference(_)) {
            self.errors.on(ty, format!("`{name}` belongs to the step; take `{}`", compact(referent(ty))));
            return;
        }
        let tool = match (name, arg) {
            ("Asker", prompt) => {
                let payload = prompt.map_or(Payload::Text, |ty| Payload::Written(Box::new(ty.clone())));
                if !self.owned_payload(&payload) {
                    return;
                }
                let prompt = ours(Kind::Prompt, "InputRequired", ty, payload.clone());
                let response = ours(Kind::Response, "HumanResponse", ty, payload);
                Tool::Asker {
                    ty: Box::new(ty.clone()),
                    prompt: Box::new(prompt),
                    response: Box::new(response),
                }
            }
            ("Emitter", Some(item)) => {
                let element = bare(item).clone();
                let (one_of, items) = self.items(&element);
                Tool::Emitter(Box::new(Many { ty: ty.clone(), element, one_of, items }))
            }
            ("Inbox", Some(signal)) => {
                let payload = Payload::Written(Box::new(signal.clone()));
                if !self.owned_payload(&payload) {
                    return;
                }
                let signal = ours(Kind::Signal, "Signal", ty, payload);
                Tool::Inbox { ty: Box::new(ty.clone()), signal: Box::new(signal) }
            }
            _ => {
                self.errors.on(ty, format!("`{name}` needs the event it is about: `{name}<T>`"));
                return;
            }
        };
        self.args.push(Arg::Tool(self.tools.len()));
        self.tools.push(tool);
    }

    fn event_param(&mut self, ty: &Type) {
        let Some(param) = self.read_param(ty) else { return };
        self.args.push(Arg::Event(self.params.len()));
        self.params.push(param);
    }

    fn read_param(&mut self, ty: &Type) -> Option<Param> {
        let param = |form, one_of, alternatives| Some(Param { ty: ty.clone(), form, one_of, alternatives });
        if let Type::Reference(TypeReference { elem, .. }) = ty {
            if let Some((name, args)) = last_segment(elem) {
                let args: Vec<_> = args.iter().map(|arg| borrowed(arg)).collect();
                if name == "OneOf" {
                    self.errors.on(
                        ty,
                        format!("borrow the alternatives, not the choice: `OneOf<{}>`", args.join(", ")),
                    );
                    return None;
                }
                if name == "Vec" {
                    self.errors
                        .on(ty, format!("borrow the elements, not the list: `Vec<{}>`", args.join(", ")));
                    return None;
                }
            }
        }
        let Some((name, args)) = last_segment(ty) else {
            return param(ParamForm::One, None, vec![self.taken(ty)?]);
        };
        match name.to_string().as_str() {
            "OneOf" => {
                let alternatives = self.alternatives(ty, &args)?;
                param(ParamForm::One, Some(ty.clone()), alternatives)
            }
            "Vec" => self.gather(ty, args.first().copied()),
            "StepFailed" => match args.first().copied().map(bare) {
                None => param(ParamForm::Failed, None, Vec::new()),
                Some(input) if is_unit(input) => param(ParamForm::Failed, None, Vec::new()),
                Some(input) => match last_segment(input) {
                    Some((name, args)) if name == "OneOf" => {
                        let alternatives = self.alternatives(input, &args)?;
                        param(ParamForm::Failed, Some(input.clone()), alternatives)
                    }
                    Some((name, _)) if name == "Vec" => {
                        self.errors.on(
                            input,
                            "what a gather was given does not come back; take a plain `StepFailed`",
                        );
                        None
                    }
                    _ => param(ParamForm::Failed, None, vec![self.taken(input)?]),
                },
            },
            "Option" | "Result" if args.first().is_some_and(|arg| is_capability(arg)) => {
                args.first().and_then(|arg| self.event(referent(bare(arg))));
                None
            }
            "Option" => {
                self.errors.on(ty, "a step takes an event or does not run, so there is no `Option` to take; take the event itself, or let two steps take the two cases");
                None
            }
            "Result" => {
                self.errors.on(ty, "a step takes events, never a `Result`: an error goes to the step that takes `StepFailed`, or to a gather of `Vec<Result<T, StepFailed>>`");
                None
            }
            _ => param(ParamForm::One, None, vec![self.taken(ty)?]),
        }
    }

    fn gather(&mut self, ty: &Type, element: Option<&Type>) -> Option<Param> {
        let Some(element) = element else {
            self.errors.on(ty, "`Vec` needs the event that it gathers: `Vec<T>`");
            return None;
        };
        let mut form = ParamForm::Gather;
        let mut element = bare(element).clone();
        if let Some((name, args)) = last_segment(&element) {
            if name == "Result" {
                let failure = args
                    .get(1)
                    .and_then(|error| last_segment(error))
                    .filter(|(name, _)| *name == "StepFailed");
                let (Some(ok), Some((_, inputs))) = (args.first(), failure) else {
                    self.errors
                        .on(&element, "what fails in a fan-out is gathered as `Vec<Result<T, StepFailed>>`");
                    return None;
                };
                if let Some(input) = inputs.first().filter(|input| !is_unit(input)) {
                    self.errors.on(
                        input,
                        "any step of a fan-out may fail, so a gather takes failures without their input: `StepFailed`",
                    );
                    return None;
                }
                form = ParamForm::GatherFailures;
                element = bare(ok).clone();
            }
        }
        let (one_of, alternatives) = match last_segment(&element) {
            Some((name, args)) if name == "OneOf" => {
                (Some(element.clone()), self.alternatives(&element, &args)?)
            }
            Some((name, _)) if name == "Vec" => {
                self.errors
                    .on(&element, "each gather takes one fan-out; gather the inner one in a step of its own");
                return None;
            }
            Some((name, _)) if name == "Option" => {
                self.errors
                    .on(&element, "a branch that emits nothing is left out of the gather; gather `Vec<T>`");
                return None;
            }
            Some((name, _)) if name == "Start" || name == "Signal" => {
                self.errors.on(
                    &element,
                    format!("`{name}` comes from outside and is never fanned out, so it cannot be gathered"),
                );
                return None;
            }
            _ => (None, vec![self.taken(&element)?]),
        };
        Some(Param { ty: ty.clone(), form, one_of, alternatives })
    }

    /// The alternatives of a `OneOf` parameter.
    fn alternatives(&mut self, one_of: &Type, args: &[&Type]) -> Option<Vec<Taken>> {
        self.right_number(one_of, args.len())?;
        let mut whole = true;
        let mut alternatives = Vec::new();
        for arg in args {
            match last_segment(referent(bare(arg))) {
                Some((name, _)) if name == "Vec" => {
                    self.errors.on(arg, "a gather cannot be an alternative; gather `Vec<OneOf<..>>`, or take it in a step of its own");
                    whole = false;
                }
                Some((name, _)) if name == "OneOf" => {
                    self.errors.on(arg, "a `OneOf` in a `OneOf` says no more than one list; list its alternatives in the outer one");
                    whole = false;
                }
                _ => match self.taken(bare(arg)) {
                    Some(taken) => alternatives.push(taken),
                    None => whole = false,
                },
            }
        }
        self.all_different(alternatives.iter().map(|taken| &taken.event.ty), "alternative");
        whole.then_some(alternatives)
    }

    /// One event that a parameter takes, perhaps by reference.
    fn taken(&mut self, ty: &Type) -> Option<Taken> {
        let (by_ref, inner) = match bare(ty) {
            Type::Reference(TypeReference { mutability: Some(_), elem, .. }) => {
                self.errors.on(ty, format!("a step cannot change an event in place: others may hold it; take `{}` or `&{0}` and return a new event", compact(elem)));
                return None;
            }
            Type::Reference(TypeReference { lifetime: Some(lifetime), elem, .. }) => {
                self.errors.on(lifetime, format!("a step cannot name lifetimes; take `&{}`", compact(elem)));
                return None;
            }
            Type::Reference(TypeReference { elem, .. }) => (true, bare(elem)),
            ty => (false, ty),
        };
        self.right_kind_of_type(inner, Place::Taken)?;
        let event = self.event(inner)?;
        match event.kind {
            Kind::Stop => {
                self.errors.on(
                    inner,
                    "`Stop` ends the run, so no step can take it; return it, and read it by awaiting the run",
                );
                None
            }
            Kind::Prompt => {
                let name = event.payload.name();
                self.errors.on(inner, format!("`InputRequired` is a question to a person, so no step can take it; take the answer, `HumanResponse<{name}>`"));
                None
            }
            _ => Some(Taken { by_ref, event }),
        }
    }

    pub(super) fn params_agree(&mut self, name: &Ident) {
        if self.params.is_empty() && self.errors.is_empty() {
            self.errors.on(
                name,
                format!(
                    "step `{name}` takes no event, so nothing would ever run it; take `Start` or an event"
                ),
            );
        }
        if let Some(failed) = self.params.iter().find(|param| matches!(param.form, ParamForm::Failed)) {
            if self.params.len() > 1 {
                self.errors
                    .on(&failed.ty, "`StepFailed` stands alone: an error handler takes no other event");
            }
        }
        let mut seen: Vec<(String, &Type)> = Vec::new();
        let mut told = HashSet::new();
        let mut twice = Vec::new();
        for param in self.params.iter().filter(|param| matches!(param.form, ParamForm::One)) {
            let mut own = Vec::new();
            for taken in &param.alternatives {
                let name = event_name(&taken.event.ty);
                if let Some((_, first)) = seen.iter().find(|(known, _)| *known == name) {
                    twice.push((taken.event.ty.clone(), name.clone()));
                    if told.insert(name.clone()) {
                        twice.push(((*first).clone(), String::new()));
                    }
                } else {
                    own.push((name, &taken.event.ty));
                }
            }
            seen.extend(own);
        }
        let mut last = String::new();
        for (ty, name) in twice {
            if name.is_empty() {
                self.errors.on(ty, format!("`{last}` is first taken here"));
            } else {
                self.errors.on(ty, format!("a join cannot wait for `{name}` twice: one `{name}` would fill both places; gather `Vec<{name}>`, or give the second a type of its own"));
                last = name;
            }
        }
    }
}

/// The type behind a reference.
fn referent(ty: &Type) -> &Type {
    match ty {
        Type::Reference(reference) => bare(&reference.elem),
        ty => ty,
    }
}

fn borrowed(ty: &Type) -> String {
    match ty {
        Type::Reference(_) => compact(ty),
        ty => format!("&{}", compact(ty)),
    }
}

fn is_capability(ty: &Type) -> bool {
    last_segment(referent(bare(ty))).is_some_and(|(name, _)| CAPABILITIES.iter().any(|word| name == word))
}
