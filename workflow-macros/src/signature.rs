//! One method: what it accepts and what it emits.
//!
//! Everything here is read from spelling: the last segment of a path says which form it is. Whether that
//! name really is ours is for the compiler to say, see `expand.rs`.
//!
//! Here is what is read; `params` reads what a step takes, `returns` what it gives, and `event` one mention of an event.

mod event;
mod params;
mod returns;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{FnArg, Safety, Type};

use crate::error::Errors;
use crate::types::{event_name, mentions};

/// What a step can do while it runs.
const CAPABILITIES: &[&str] = &["Emitter", "Asker", "Inbox"];

/// What the types of such events begin with.
const OURS: &str = "__private";

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
    /// What an emitter sends.
    pub(crate) fn sent(&self) -> Option<&[Event]> {
        match self {
            Self::Emitter(many) => Some(&many.items),
            Self::Asker { .. } | Self::Inbox { .. } => None,
        }
    }

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
    /// The event, or those that an element can be.
    pub(crate) fn events(&self) -> &[Event] {
        match self {
            Self::One(event) => std::slice::from_ref(event),
            Self::Many(many) => &many.items,
        }
    }

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
        // A parameter of the step, which has been refused, is not known outside of it.
        let refused = |tokens: &dyn ToTokens| mentions(&tokens.to_token_stream(), &sig.generics);
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => reader.receiver(receiver),
                FnArg::Typed(param) if refused(&param.ty) => {}
                FnArg::Typed(param) => reader.param(param),
            }
        }
        reader.params_agree(&sig.ident);
        let returns = if refused(&sig.output) { Returns::default() } else { reader.returns(&sig.output) };
        let Reader { errors, has_self, args, params, tools, .. } = reader;
        all.extend(errors);
        let (name, is_async) = (sig.ident.clone(), sig.asyncness.is_some());
        Self { name, is_async, has_self, args, params, tools, returns }
    }

    /// Every event that the signature mentions, in source order.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        let tools = self.tools.iter().flat_map(|tool| match tool {
            Tool::Emitter(many) => many.items.as_slice(),
            Tool::Asker { prompt, .. } => std::slice::from_ref(&**prompt),
            Tool::Inbox { signal, .. } => std::slice::from_ref(&**signal),
        });
        self.taken().chain(tools).chain(self.returned())
    }

    /// The events of the parameters.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &Event> {
        self.params.iter().flat_map(|param| &param.alternatives).map(|taken| &taken.event)
    }

    /// The events that are returned.
    pub(crate) fn returned(&self) -> impl Iterator<Item = &Event> {
        self.returns.alternatives.iter().flat_map(Alternative::events)
    }
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

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
