//! One method: what it accepts and what it emits.
//!
//! Everything here is read from spelling: the last segment of a path says which form it is. Whether that
//! name really is ours is for the compiler to say, see `expand.rs`.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::spanned::Spanned as _;
use syn::visit_mut::VisitMut as _;
use syn::{
    FnArg, PatType, Receiver, ReceiverKind, ReturnType, Safety, Type, TypeReference, parse_quote_spanned,
};

use crate::error::Errors;
use crate::types::{ReplaceSelf, bare, compact, event_name, last_segment, owned};

/// What a step can do while it runs.
const CAPABILITIES: &[&str] = &["Emitter", "Asker", "Inbox"];

/// The most alternatives that `OneOf` has room for.
const MOST_ALTERNATIVES: usize = 8;

/// What one step takes and gives.
pub(crate) struct Signature {
    pub(crate) name: Ident,
    pub(crate) is_async: bool,
    pub(crate) has_self: bool,
    /// Every parameter after `self`, in source order.
    pub(crate) args: Vec<Arg>,
    /// The event parameters, in source order.
    pub(crate) params: Vec<Param>,
    /// The capabilities, in source order.
    pub(crate) tools: Vec<Tool>,
    pub(crate) returns: Returns,
}

/// What a parameter is.
pub(crate) enum Arg {
    /// `ctx: &Context<Self>`, by the type behind the borrow.
    Context(Box<Type>),
    /// Position in [`Signature::params`].
    Event(usize),
    /// Position in [`Signature::tools`].
    Tool(usize),
}

/// One event parameter.
pub(crate) struct Param {
    /// The type as written.
    pub(crate) ty: Type,
    pub(crate) form: ParamForm,
    /// The `OneOf<..>` as written, where there is one.
    pub(crate) one_of: Option<Type>,
    /// What it takes; more than one only with `one_of`.
    pub(crate) alternatives: Vec<Taken>,
}

impl Param {
    /// Whether some alternative is taken by reference.
    pub(crate) fn borrows(&self) -> bool {
        self.alternatives.iter().any(|taken| taken.by_ref)
    }
}

/// How a parameter takes its events.
pub(crate) enum ParamForm {
    One,
    /// `Vec<..>`.
    Gather,
    /// `Vec<Result<.., StepFailed>>`.
    GatherFailures,
    /// `StepFailed` or `StepFailed<T>`.
    Failed,
}

/// One alternative of a parameter.
pub(crate) struct Taken {
    pub(crate) by_ref: bool,
    pub(crate) event: Event,
}

/// One mention of an event.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// The type as written, for example `Start<Order>`.
    pub(crate) ty: Type,
    /// What the form is about: the `Order` of `Start<Order>`; the type itself for an author's event.
    pub(crate) payload: Payload,
}

impl Event {
    /// Whether the author wrote the type; where not, it is behind a capability, which the author wrote.
    pub(crate) fn is_written(&self) -> bool {
        !is_ours(&self.ty)
    }
}

/// Whether a type is that of an event behind a capability.
pub(crate) fn is_ours(ty: &Type) -> bool {
    matches!(ty, Type::Path(ty) if ty.path.segments.first().is_some_and(|first| first.ident == OURS))
}

/// What a form is about.
#[derive(Clone)]
pub(crate) enum Payload {
    /// As written.
    Written(Box<Type>),
    /// Not written: `()`.
    Unit,
    /// Not written: the plain `Text` question.
    Text,
}

impl Payload {
    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Written(ty) => event_name(ty),
            Self::Unit => "()".to_owned(),
            Self::Text => "Text".to_owned(),
        }
    }
}

/// What an event is to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    Event,
    Prompt,
    Response,
    Expired,
    Signal,
    Stop,
}

/// A capability.
pub(crate) enum Tool {
    Emitter(Box<Many>),
    /// The answer comes back to the step; it is an event all the same, because it is saved with the run.
    Asker {
        ty: Box<Type>,
        prompt: Box<Event>,
        response: Box<Event>,
    },
    Inbox {
        ty: Box<Type>,
        signal: Box<Event>,
    },
}

impl Tool {
    pub(crate) fn ty(&self) -> &Type {
        match self {
            Self::Emitter(many) => &many.ty,
            Self::Asker { ty, .. } | Self::Inbox { ty, .. } => ty,
        }
    }
}

/// What a step returns, from the outside in. Each type is as written.
#[derive(Default)]
pub(crate) struct Returns {
    /// The whole type; `None` where nothing is written.
    pub(crate) ty: Option<Type>,
    /// `Result<ok, ..>`, and `ok`.
    pub(crate) result: Option<(Type, Type)>,
    /// `Option<some>`, and `some`.
    pub(crate) option: Option<(Type, Type)>,
    pub(crate) one_of: Option<Type>,
    /// None: the step returns `()`.
    pub(crate) alternatives: Vec<Alternative>,
}

/// One alternative of what a step returns.
pub(crate) enum Alternative {
    One(Box<Event>),
    Many(Box<Many>),
}

impl Alternative {
    pub(crate) fn ty(&self) -> &Type {
        match self {
            Self::One(event) => &event.ty,
            Self::Many(many) => &many.ty,
        }
    }
}

/// A `Vec` or an `Emitter` that fans out.
pub(crate) struct Many {
    /// The `Vec<..>` or `Emitter<..>` as written.
    pub(crate) ty: Type,
    /// Its element as written.
    pub(crate) element: Type,
    pub(crate) one_of: Option<Type>,
    pub(crate) items: Vec<Event>,
}

impl Signature {
    /// Reads a signature; `Self` in it becomes `self_ty`. What cannot be read goes to `errors`, and is not there.
    pub(crate) fn read(sig: &syn::Signature, self_ty: &Type, all: &mut Errors) -> Self {
        let mut errors = Errors::new();
        refuse_qualifiers(sig, &mut errors);
        let mut reader = Reader {
            self_ty,
            errors,
            has_self: false,
            args: Vec::new(),
            params: Vec::new(),
            tools: Vec::new(),
            context: None,
        };
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => reader.receiver(receiver),
                FnArg::Typed(param) => reader.param(param),
            }
        }
        reader.params_agree(&sig.ident);
        let returns = reader.returns(&sig.output);
        let Reader { errors, has_self, args, params, tools, .. } = reader;
        all.extend(errors);
        let (name, is_async) = (sig.ident.clone(), sig.asyncness.is_some());
        Self { name, is_async, has_self, args, params, tools, returns }
    }

    /// Every event that the signature mentions, in source order.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        let taken = self.params.iter().flat_map(|param| &param.alternatives).map(|taken| &taken.event);
        let tools = self.tools.iter().flat_map(|tool| match tool {
            Tool::Emitter(many) => many.items.as_slice(),
            Tool::Asker { prompt, .. } => std::slice::from_ref(&**prompt),
            Tool::Inbox { signal, .. } => std::slice::from_ref(&**signal),
        });
        let returned = self.returns.alternatives.iter().flat_map(|alternative| match alternative {
            Alternative::One(event) => std::slice::from_ref(&**event),
            Alternative::Many(many) => many.items.as_slice(),
        });
        taken.chain(tools).chain(returned)
    }
}

/// What the types of such events begin with.
const OURS: &str = "__private";

/// The event behind a capability, of which the author writes the payload only.
fn ours(kind: Kind, form: &str, written: &Type, payload: Payload) -> Event {
    let (private, form) = (Ident::new(OURS, written.span()), Ident::new(form, written.span()));
    let ty = match &payload {
        Payload::Written(payload) => parse_quote_spanned!(written.span()=> #private::#form<#payload>),
        Payload::Unit | Payload::Text => parse_quote_spanned!(written.span()=> #private::#form),
    };
    Event { kind, ty, payload }
}

fn refuse_qualifiers(sig: &syn::Signature, errors: &mut Errors) {
    if !sig.generics.params.is_empty() {
        errors.on(
            &sig.generics,
            "a step cannot be generic: its signature has to name the events; put the parameter on the `impl` block",
        );
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.on(clause, "a step cannot have a `where` clause; put it on the `impl` block");
    }
    if let Some(token) = &sig.constness {
        errors.on(token, "a step cannot be `const`: steps are called while a workflow runs; remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            "a step cannot be `unsafe`: the runtime calls it; keep the `unsafe` block inside the step",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(abi, "a step cannot have a foreign calling convention; remove it");
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(variadic, "a step cannot be variadic; gather with `Vec<..>`");
    }
}

struct Reader<'a> {
    self_ty: &'a Type,
    errors: Errors,
    has_self: bool,
    args: Vec<Arg>,
    params: Vec<Param>,
    tools: Vec<Tool>,
    context: Option<Type>,
}

impl Reader<'_> {
    fn receiver(&mut self, receiver: &Receiver) {
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

    fn param(&mut self, param: &PatType) {
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

    /// Reads a form, or an author's event.
    fn event(&mut self, ty: &Type) -> Option<Event> {
        let (kind, payload) = match last_segment(ty) {
            None => (Kind::Event, Payload::Written(Box::new(ty.clone()))),
            Some((name, args)) => {
                let first = args.first().map(|arg| Payload::Written(Box::new(bare(arg).clone())));
                match name.to_string().as_str() {
                    "Start" => (Kind::Start, first.unwrap_or(Payload::Unit)),
                    "Stop" => (Kind::Stop, first.unwrap_or(Payload::Unit)),
                    "InputRequired" => (Kind::Prompt, first.unwrap_or(Payload::Text)),
                    "HumanResponse" => (Kind::Response, first.unwrap_or(Payload::Text)),
                    "Expired" => (Kind::Expired, first.unwrap_or(Payload::Text)),
                    "Signal" => match first {
                        Some(payload) => (Kind::Signal, payload),
                        None => {
                            self.errors.on(ty, "`Signal` needs the event that is sent: `Signal<T>`");
                            return None;
                        }
                    },
                    word if CAPABILITIES.contains(&word) => {
                        self.errors
                            .on(ty, format!("`{name}` is a capability: take it as a parameter of its own"));
                        return None;
                    }
                    "Context" => {
                        self.errors.on(ty, "the context is no event; take `ctx: &Context<Self>`");
                        return None;
                    }
                    "StepFailed" => {
                        self.errors.on(ty, "`StepFailed` stands alone as a parameter, or in a gather of `Vec<Result<T, StepFailed>>`");
                        return None;
                    }
                    _ => (Kind::Event, Payload::Written(Box::new(ty.clone()))),
                }
            }
        };
        self.owned_payload(&payload).then(|| Event { kind, ty: ty.clone(), payload })
    }

    fn owned_payload(&mut self, payload: &Payload) -> bool {
        let mut errors = Errors::new();
        if let Payload::Written(ty) = payload {
            owned(ty, &mut errors);
        }
        let fine = errors.is_empty();
        self.errors.extend(errors);
        fine
    }

    /// Refuses what can be no event at all, each with its remedy.
    fn right_kind_of_type(&mut self, ty: &Type, place: Place) -> Option<()> {
        let message = match ty {
            Type::Path(_) => return Some(()),
            Type::Tuple(tuple) if tuple.elems.is_empty() && place == Place::Taken => {
                "`()` is not an event; a step that runs at the start of a run takes `Start`"
            }
            Type::Tuple(_) => match place {
                Place::Taken => {
                    "a step cannot take a tuple; take several parameters to wait for all of them, or `OneOf<..>` for either"
                }
                Place::Returned => {
                    "a step cannot return a tuple; list the alternatives in `OneOf<..>`, or return one event and let two steps take it"
                }
            },
            Type::ImplTrait(_) => {
                "the graph is read from the signature, so every event has a name; write the type, or `OneOf<..>`"
            }
            Type::TraitObject(_) => {
                "an event is a type that can be saved, which `dyn Trait` cannot; write the type, or `OneOf<..>`"
            }
            Type::Reference(_) => match place {
                Place::Taken => "a step takes `T` or `&T`",
                Place::Returned => "a step cannot return a borrow: its event outlives it; return the value",
            },
            Type::Slice(_) | Type::Array(_) => match place {
                Place::Taken => "a step gathers events in a `Vec<T>`",
                Place::Returned => "a step fans out by returning a `Vec<T>`",
            },
            Type::FnPtr(_) => {
                "a function cannot be saved with the run, so it is no event; let an event say what to do"
            }
            Type::Ptr(_) => {
                "a pointer cannot be saved with the run, so it is no event; let the event own its data"
            }
            Type::Never(_) => {
                "a step that never returns ends no run; return `Stop`, or `()` where its branch ends"
            }
            Type::Infer(_) => {
                "the graph is read from the signature, so every type has to be written; replace `_` by the type"
            }
            Type::Macro(_) => {
                "the graph is read from the signature, and a macro hides the type; write the type"
            }
            _ => "this type cannot be an event; write the name of a type that has `#[event]`",
        };
        self.errors.on(ty, message);
        None
    }

    fn right_number(&mut self, one_of: &Type, number: usize) -> Option<()> {
        if number == 0 {
            self.errors.on(one_of, "`OneOf` needs its alternatives: `OneOf<A, B>`");
            return None;
        }
        if number > MOST_ALTERNATIVES {
            self.errors.on(one_of, format!("`OneOf` has room for {MOST_ALTERNATIVES} alternatives, and this lists {number}; use an `enum` event for those that go the same way"));
            return None;
        }
        Some(())
    }

    /// The same type twice would make two places of one event; both are reported.
    fn all_different<'t>(&mut self, types: impl Iterator<Item = &'t Type>, what: &str) {
        let mut seen: Vec<(String, &Type)> = Vec::new();
        for ty in types {
            let name = event_name(ty);
            match seen.iter().find(|(known, _)| *known == name) {
                None => seen.push((name, ty)),
                Some((_, first)) => {
                    self.errors.on(
                        ty,
                        format!(
                            "`{name}` is listed twice, so nobody could tell which {what} is meant; remove one, or rename one if they are two types"
                        ),
                    );
                    self.errors.on(*first, format!("`{name}` is first listed here"));
                }
            }
        }
    }

    fn params_agree(&mut self, name: &Ident) {
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

    fn returns(&mut self, output: &ReturnType) -> Returns {
        let mut returns = Returns::default();
        let ReturnType::Type(_, ty) = output else { return returns };
        let mut ty = bare(ty).clone();
        ReplaceSelf(self.self_ty).visit_type_mut(&mut ty);
        returns.ty = Some(ty.clone());
        if let Some(("Result", ok)) = wrapper(&ty) {
            let Some(ok) = ok else {
                self.errors.on(&ty, "`Result` needs what the step returns when it works: `Result<T, E>`");
                return returns;
            };
            returns.result = Some((ty, ok.clone()));
            ty = ok;
        }
        if is_unit(&ty) {
            return returns;
        }
        if let Some(("Option", some)) = wrapper(&ty) {
            let Some(some) = some else {
                self.errors.on(&ty, "`Option` needs what the step may return: `Option<T>`");
                return returns;
            };
            if is_unit(&some) {
                self.errors.on(&ty, "`Option<()>` emits nothing either way; return `()`");
                return returns;
            }
            returns.option = Some((ty, some.clone()));
            ty = some;
        }
        match last_segment(&ty) {
            Some((name, args)) if name == "OneOf" => {
                if self.right_number(&ty, args.len()).is_some() {
                    returns.alternatives =
                        args.iter().filter_map(|arg| self.alternative(bare(arg))).collect();
                    self.all_different(returns.alternatives.iter().map(Alternative::ty), "alternative");
                }
                returns.one_of = Some(ty);
            }
            _ => returns.alternatives.extend(self.alternative(&ty)),
        }
        returns
    }

    fn alternative(&mut self, ty: &Type) -> Option<Alternative> {
        match wrapper(ty) {
            Some(("Vec", Some(element))) => {
                let before = self.errors.count();
                let (one_of, items) = self.items(&element);
                let many = Box::new(Many { ty: ty.clone(), element, one_of, items });
                (self.errors.count() == before).then_some(Alternative::Many(many))
            }
            Some(("Vec", None)) => {
                self.errors.on(ty, "`Vec` needs the event that it fans out: `Vec<T>`");
                None
            }
            Some(("Option", _)) => {
                self.errors.on(ty, "`Option` stands outside: `Option<OneOf<..>>` may emit nothing");
                None
            }
            Some(("Result", _)) => {
                self.errors.on(
                    ty,
                    "`Result` stands outside everything else: `Result<Option<T>, E>`, `Result<OneOf<..>, E>`",
                );
                None
            }
            Some(("OneOf", _)) => {
                self.errors.on(ty, "a `OneOf` in a `OneOf` says no more than one list; list its alternatives in the outer one");
                None
            }
            _ if is_unit(ty) => {
                self.errors.on(
                    ty,
                    "`()` is not an alternative; a step that may emit nothing returns `Option<OneOf<..>>`",
                );
                None
            }
            _ => self.returned(ty).map(Box::new).map(Alternative::One),
        }
    }

    /// The elements of a fan-out: one event, or a `OneOf`.
    fn items(&mut self, element: &Type) -> (Option<Type>, Vec<Event>) {
        let element = bare(element);
        match wrapper(element) {
            Some(("OneOf", _)) => {
                let args = last_segment(element).map(|(_, args)| args).unwrap_or_default();
                if self.right_number(element, args.len()).is_none() {
                    return (None, Vec::new());
                }
                let items: Vec<Event> = args.iter().filter_map(|arg| self.item(bare(arg))).collect();
                self.all_different(items.iter().map(|item| &item.ty), "alternative");
                (Some(element.clone()), items)
            }
            _ => (None, self.item(element).into_iter().collect()),
        }
    }

    fn item(&mut self, ty: &Type) -> Option<Event> {
        let message = match wrapper(ty) {
            Some(("Option", _)) => {
                "an element of a fan-out is an event; leave out what is not there, and return a shorter list"
            }
            Some(("Result", _)) => {
                "an element of a fan-out is an event; for the whole list, return `Result<Vec<T>, E>`; for single elements, let the step that takes them fail"
            }
            Some(("Stop", _)) => {
                "one `Stop` ends the run, so a list of them makes no sense; return `OneOf<Vec<T>, Stop<O>>` to fan out or stop"
            }
            Some(("Vec", _)) => {
                "a fan-out opens one scope; return a flat `Vec<T>`, or fan out again in the step that takes the element"
            }
            _ if is_unit(ty) => "an element of a fan-out is an event, and `()` is none",
            _ => return self.returned(ty),
        };
        self.errors.on(ty, message);
        None
    }

    /// One event that a step emits.
    fn returned(&mut self, ty: &Type) -> Option<Event> {
        self.right_kind_of_type(ty, Place::Returned)?;
        let event = self.event(ty)?;
        let message = match event.kind {
            Kind::Event | Kind::Prompt | Kind::Stop => return Some(event),
            Kind::Start => {
                "`Start` begins a run, so no step can return it; return an event that the step to go to also takes"
            }
            Kind::Response => {
                "an answer comes from a person, so no step can return it; ask with `InputRequired<Q>`"
            }
            Kind::Expired => {
                "a question expires by itself, so no step can return it; ask with `InputRequired<Q>`"
            }
            Kind::Signal => "a signal comes from outside, so no step can return it; return the event itself",
        };
        self.errors.on(ty, message);
        None
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Taken,
    Returned,
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

/// One of the words that stand around events, and its first argument.
fn wrapper(ty: &Type) -> Option<(&'static str, Option<Type>)> {
    let (name, args) = last_segment(ty)?;
    let known = ["Result", "Option", "Vec", "OneOf", "Stop"];
    let word = known.into_iter().find(|word| name == word)?;
    Some((word, args.first().map(|arg| bare(arg).clone())))
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
