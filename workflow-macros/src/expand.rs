//! A checked graph as tokens: an enum, a table, a `match` from step to method. No decisions are left to make.
//!
//! Types are checked by the compiler, by the way they are used here: every type of a signature passes through
//! one function or trait of `__private` whose error text speaks to the author. See `private.rs` in the runtime
//! for why a mistake is reported only once.

mod call;
mod checks;
mod events;
mod forms;
mod methods;
mod policy;
mod prompts;
mod table;

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::VisitMut as _;
use syn::{Generics, Path, Type, parse_quote};

use crate::graph::{EventInfo, Graph, identifier};
use crate::parse::{Source, WorkflowDef};
use crate::signature::{Event, Kind, Payload};
use crate::types::{ReplaceSelf, compact, mentions, unraw};
use crate::validate::Checked;

pub(crate) use checks::{Checks, saved, used_path};
pub(crate) use events::signals_stubs;
pub(crate) use methods::Bodies;
pub(crate) use policy::of_no_steps;
pub(crate) use prompts::PromptEnum;

/// Everything that stands for a workflow beside the author's own block.
pub(crate) fn workflow(checked: &Checked<'_>) -> TokenStream {
    let graph = checked.graph();
    let names = Names::new(graph.source, graph.def);
    let prompts = PromptEnum::new(graph.source, graph.def, &names);
    let block = graph.source.stripped();
    let prompt_enum = prompts.definition();
    let prompt_impls = prompts.impls(&names);
    let events = events::definition(graph, &names);
    let asks = prompts::asks(graph, &names, &prompts);
    let signals = events::signals(graph, &names);
    let workflow = implementation(graph, &names, &prompts);
    let checks = checks::all(graph, &names);
    let used = used_path(graph.source);
    let register = register(graph, &names);
    let krate = &names.krate;
    quote! {
        #block
        #prompt_enum
        #[doc(hidden)]
        #[allow(
            clippy::all, clippy::pedantic, clippy::nursery, dead_code, deprecated, missing_docs,
            non_camel_case_types, private_interfaces, unreachable_code, unreachable_patterns,
            unreachable_pub, unused_imports, unused_qualifications, unused_variables
        )]
        const _: () = {
            use #krate::__private::{self, Otherwise as _};
            #checks
            #events
            #prompt_impls
            #asks
            #signals
            #workflow
            #used
            #register
        };
    }
}

/// The names that the pieces of an expansion share.
pub(crate) struct Names {
    /// The runtime.
    pub(crate) krate: TokenStream,
    /// What the runtime keeps for expansions. The block that they stand in imports it, so that they stay
    /// readable; what stands outside says `krate`.
    pub(crate) private: TokenStream,
    /// The event enum.
    pub(crate) events: Ident,
    pub(crate) self_ty: Type,
    /// The parameters of the block, with `Self` in their bounds replaced.
    pub(crate) generics: Generics,
    /// The same, and what the checks ask of types that mention a parameter. It is true where they pass; where they do
    /// not, this is why nothing else is reported.
    pub(crate) assumed: Generics,
}

impl Names {
    pub(crate) fn new(source: &Source, def: &WorkflowDef) -> Self {
        let krate = runtime(def.args.krate.as_ref());
        let private = quote!(__private);
        let self_ty = source.self_ty.clone();
        let mut generics = source.generics.clone();
        ReplaceSelf(&self_ty).visit_generics_mut(&mut generics);
        let bounds = quote!(#krate::__private::Send + #krate::__private::Sync + 'static);
        let params: Vec<Ident> = generics.type_params().map(|param| param.ident.clone()).collect();
        for param in params {
            generics.make_where_clause().predicates.push(parse_quote!(#param: #bounds));
        }
        if !generics.params.is_empty() {
            generics.make_where_clause().predicates.push(parse_quote!(#self_ty: #bounds));
        }
        let events = format_ident!("__{}Events", unraw(&source.name));
        let mut assumed = generics.clone();
        for (ty, bounds) in asked_of_parameters(source, def) {
            let bounds = bounds.iter().map(|name| format_ident!("{name}"));
            let predicate = parse_quote!(#ty: #(#private::#bounds +)* 'static);
            assumed.make_where_clause().predicates.push(predicate);
        }
        Self { krate, private, events, self_ty, generics, assumed }
    }

    /// The type of a payload.
    pub(crate) fn payload(&self, payload: &Payload) -> TokenStream {
        let krate = &self.krate;
        match payload {
            Payload::Written(ty) => quote!(#ty),
            Payload::Unit => quote!(()),
            Payload::Text => quote!(#krate::Text),
        }
    }

    /// The type of an event, which stays silent where its prompt is none.
    pub(crate) fn event_ty(&self, event: &Event) -> TokenStream {
        let (private, ty) = (&self.private, &event.ty);
        match (event.kind, &event.payload) {
            (Kind::Response, Payload::Written(prompt)) => {
                let prompt = checked(prompt);
                quote!(#private::HumanResponse<#prompt>)
            }
            _ => quote!(#ty),
        }
    }

    /// The event enum with its parameters.
    pub(crate) fn events_ty(&self) -> TokenStream {
        let events = &self.events;
        let (_, ty_generics, _) = self.generics.split_for_impl();
        quote!(#events #ty_generics)
    }

    /// `Of::<T>::new()`, the receiver of the tolerant methods.
    pub(crate) fn of(&self, ty: &impl quote::ToTokens) -> TokenStream {
        let private = &self.private;
        quote!(#private::Of::<#ty>::new())
    }

    /// The same for an event.
    pub(crate) fn of_event(&self, event: &Event) -> TokenStream {
        self.of(&self.event_ty(event))
    }

    /// The value of a variant: in an `Arc` where some step borrows the event.
    pub(crate) fn wrapped(&self, info: &EventInfo, value: TokenStream) -> TokenStream {
        let private = &self.private;
        if info.by_ref { quote!(#private::Arc::new(#value)) } else { value }
    }
}

/// What the checks ask of the types that mention a parameter of the block, each once.
fn asked_of_parameters<'a>(
    source: &'a Source,
    def: &'a WorkflowDef,
) -> impl Iterator<Item = (&'a Type, &'static [&'static str])> {
    const DATA: &[&str] = &["Saved", "Send", "Sync"];
    const COPIED: &[&str] = &["Saved", "Clone", "Send", "Sync"];
    let events = def.steps.iter().flat_map(|step| step.signature.events()).filter_map(|event| {
        let Payload::Written(ty) = &event.payload else { return None };
        let bounds: &[&str] = match event.kind {
            Kind::Event => &["Event", "Saved"],
            Kind::Start | Kind::Signal => DATA,
            Kind::Stop => COPIED,
            // Where a bound says that it is a prompt, the compiler no longer looks up what its response is.
            Kind::Prompt | Kind::Response | Kind::Expired => return None,
        };
        Some((&**ty, bounds))
    });
    let state =
        def.args.state.iter().map(|(_, ty)| (ty, &["Saved", "Clone", "Default", "Send", "Sync"] as &[&str]));
    let progress = def.args.progress.iter().map(|ty| (ty, COPIED));
    let mut known = HashSet::new();
    let mut is_new = move |ty: &Type, bounds: &'static [&'static str]| known.insert((compact(ty), bounds));
    let mentions = |ty: &Type| mentions(ty, &source.generics);
    events.chain(state).chain(progress).filter(move |(ty, bounds)| mentions(ty) && is_new(ty, bounds))
}

/// The type; and where a check has failed, no type at all. See `checks.rs`.
pub(crate) fn checked(ty: &impl quote::ToTokens) -> TokenStream {
    quote!(__Checked<#ty>)
}

/// The same tokens, each at that place: for what an error may underline as a whole.
pub(crate) fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let at = |token| match token {
        // Its span says which crate it is.
        TokenTree::Ident(ident) if ident == "$crate" => TokenTree::Ident(ident),
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), located(group.stream(), span));
            moved.set_span(span);
            TokenTree::Group(moved)
        }
        mut token => {
            token.set_span(span);
            token
        }
    };
    tokens.into_iter().map(at).collect()
}

/// The path of the runtime.
pub(crate) fn runtime(krate: Option<&Path>) -> TokenStream {
    krate.map_or_else(|| quote!(::workflow_runtime), |path| quote!(#path))
}

/// The enum's name for a prompt: `ApproveOrder`.
pub(crate) fn prompt_variant(prompt: &Event) -> String {
    identifier(&prompt.payload.name())
}

fn implementation(graph: &Graph<'_>, names: &Names, prompts: &PromptEnum) -> TokenStream {
    let Names { private, self_ty, .. } = names;
    let (impl_generics, _, where_clause) = names.assumed.split_for_impl();
    let types = types(graph.def, names, &prompts.ty(names), &names.events_ty(), &quote!(()));
    let table = table::graph(graph, names);
    let methods = events::bodies(graph, names, prompts).methods(names);
    let policy = policy::of_steps(graph, names);
    let schemas = prompts::schemas(graph, names);
    let diagram = diagram(graph);
    quote! {
        #[doc = #diagram]
        #[automatically_derived]
        impl #impl_generics #private::Workflow for #self_ty #where_clause {
            #types
            const GRAPH: &'static #private::graph::Graph = #table;
            #methods
            #policy
            #schemas
        }
    }
}

/// The associated types, with `none` for an input or an output of which the steps do not say one thing.
pub(crate) fn types(
    def: &WorkflowDef,
    names: &Names,
    prompt: &TokenStream,
    event: &TokenStream,
    none: &TokenStream,
) -> TokenStream {
    let payload_of = |kind| {
        let events = def.steps.iter().flat_map(|step| step.signature.events());
        let mut payloads = events.filter(|event| event.kind == kind).map(|event| &event.payload);
        match payloads.next() {
            Some(first) if payloads.all(|other| other.name() == first.name()) => {
                checked(&names.payload(first))
            }
            _ => none.clone(),
        }
    };
    let (input, output) = (payload_of(Kind::Start), payload_of(Kind::Stop));
    let state = def.args.state.as_ref().map_or_else(|| quote!(()), |(_, ty)| checked(ty));
    let progress = def.args.progress.as_ref().map_or_else(|| quote!(()), checked);
    let prompt = checked(prompt);
    quote! {
        type Input = #input;
        type Output = #output;
        type State = #state;
        type Progress = #progress;
        type Prompt = #prompt;
        type Event = #event;
    }
}

/// It stands on the trait's `impl`, because rustdoc leaves out the author's where all steps are private.
fn diagram(graph: &Graph<'_>) -> String {
    format!(
        "The steps, what each accepts, and what it emits:\n```text\n{}\n```",
        graph.table.to_text().trim_end()
    )
}

fn register(graph: &Graph<'_>, names: &Names) -> Option<TokenStream> {
    let path = graph.def.args.register.as_ref()?;
    let Names { krate, private, self_ty, .. } = names;
    // The call stands where the path stands: that is where the compiler puts the caret under a function that builds
    // something else.
    let call = located(quote!(#private::built_by), path.span());
    let argument = quote_spanned!(path.span()=> (#path));
    Some(quote! {
        fn __registered() -> #self_ty {
            #call #argument
        }
        #krate::register!(#self_ty, __registered);
    })
}
