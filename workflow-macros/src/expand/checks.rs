//! What the compiler is asked about the author's types, each question once per type and place.
//!
//! Where an answer is no, the compiler has said so at the author's token, and nothing more is to be read: not that the
//! event enum cannot be shared between threads, not that a method of the trait asks for a prompt. For this all checks
//! stand in one function, whose result is a parameter of `__Checked`. A function that does not compile has no result;
//! a type without its parameters is no type; and the compiler is silent about what is made of no type.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::VisitMut as _;
use syn::{Generics, Type};

use crate::error::Errors;
use crate::expand::{Names, forms};
use crate::graph::{EventInfo, Graph};
use crate::parse::{Source, WorkflowDef};
use crate::signature::{Event, Kind, Payload, is_ours};
use crate::types::{AllStatic, mentions, parts};

/// All checks of a workflow.
pub(super) fn all(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let mut checks = Checks::of_signatures(graph.source, graph.def, names, &Errors::new());
    for (_, _, step) in graph.steps() {
        forms::of_step(step, graph.source, names).into_iter().for_each(|check| checks.add(check));
    }
    for info in &graph.events {
        checks.add(for_type(info, graph.source, names));
    }
    let checks = checks.definition(names);
    let one_name = one_name(graph);
    quote!(#checks #one_name)
}

/// The checks, apart by whether the types can be asked about without the parameters of the block.
pub(crate) struct Checks<'a> {
    generics: &'a Generics,
    known: TokenStream,
    open: TokenStream,
}

impl<'a> Checks<'a> {
    /// What can be asked where the signatures have mistakes, too; apart from what `errors` say already.
    pub(crate) fn of_signatures(
        source: &'a Source,
        def: &WorkflowDef,
        names: &Names,
        errors: &Errors,
    ) -> Self {
        let private = &names.private;
        let mut checks =
            Self { generics: &source.generics, known: TokenStream::new(), open: TokenStream::new() };
        if let Some((_, state)) = &def.args.state {
            checks.add(saved(state, private));
            checks.add(asked(state, &["is_shareable", "is_copied", "has_default"], names));
        }
        if let Some(progress) = &def.args.progress {
            checks.add(saved(progress, private));
            checks.add(asked(progress, &["is_shareable", "is_copied"], names));
        }
        for step in &def.steps {
            let events = step.signature.events().filter(|event| !errors.say_no_event(&event.ty));
            events.for_each(|event| checks.add(for_event(event, names)));
            for param in &step.signature.params {
                let answers = param.alternatives.iter().map(|taken| &taken.event);
                let answers = answers.filter(|event| event.kind == Kind::Response);
                answers.for_each(|event| checks.add(for_answer(event, &param.ty, source, names)));
            }
        }
        let first = |kind| {
            let mut events = def.steps.iter().flat_map(|step| step.signature.events());
            events.find(|event| event.kind == kind)
        };
        if let Some(Payload::Written(input)) = first(Kind::Start).map(|start| &start.payload) {
            checks.add(saved(input, private));
            checks.add(asked_of_event(input, "is_shareable", source, names));
        }
        if let Some(Payload::Written(output)) = first(Kind::Stop).map(|stop| &stop.payload) {
            checks.add(saved(output, private));
            checks.add(asked_of_event(output, "is_shareable", source, names));
            checks.add(asked(output, &["is_copied"], names));
        }
        checks
    }

    fn add(&mut self, check: TokenStream) {
        if mentions(&check, self.generics) { &mut self.open } else { &mut self.known }.extend(check);
    }

    /// The function, and the type that depends on it.
    pub(crate) fn definition(&self, names: &Names) -> TokenStream {
        let Names { private, self_ty, .. } = names;
        let Self { known, open, generics } = self;
        let (impl_generics, _, where_clause) = names.generics.split_for_impl();
        let open = (!open.is_empty())
            .then(|| quote!(fn __checks_of_parameters #impl_generics () #where_clause { #open }));
        // Not among the others: a workflow may hold runs of its own, and they depend on `__Checked`. What it can do
        // with parameters is only known where it is used.
        let shared = generics
            .params
            .is_empty()
            .then(|| quote!(fn __shared() { #private::shared_by_runs::<#self_ty>(); }));
        quote! {
            const fn __checks() -> #private::bool {
                let _ = || { #known };
                true
            }
            type __Checked<__T> = <__T as #private::Checked<{ __checks() }>>::Type;
            #open
            #shared
        }
    }
}

/// Asks at every place where a signature mentions an event.
fn for_event(event: &Event, names: &Names) -> TokenStream {
    if !event.is_written() {
        return TokenStream::new();
    }
    let private = &names.private;
    let ty = &event.ty;
    let form = |form: TokenStream| quote!(#private::form::<#ty, #private::#form>(););
    let prompt = match &event.payload {
        Payload::Written(prompt) => asked(prompt, &["prompt"], names),
        Payload::Unit | Payload::Text => TokenStream::new(),
    };
    match event.kind {
        Kind::Event => asked(ty, &["event"], names),
        Kind::Start => form(quote!(Start<_>)),
        Kind::Stop => form(quote!(Stop<_>)),
        Kind::Prompt => {
            let form = form(quote!(InputRequired<_>));
            quote!(#form #prompt)
        }
        // Asked about in its place, see `for_answer`.
        Kind::Response => TokenStream::new(),
        Kind::Expired => {
            let form = form(quote!(Expired<_>));
            quote!(#form #prompt)
        }
        Kind::Signal => form(quote!(Signal<_>)),
    }
}

/// Asks whether an answer is ours.
fn for_answer(event: &Event, place: &Type, source: &Source, names: &Names) -> TokenStream {
    let private = &names.private;
    let ours = quote!(#private::HumanResponse<_, _>);
    form_in_place(&event.ty, &ours, place, source, names)
}

/// Asks whether a type with an answer in it is the form `ours`. An answer asks by itself whether it is about a prompt,
/// and where it is not, the compiler says so of the whole type of the parameter. It would say it again of the type that
/// stands here, so that stands under another name, from where the parameter begins to where it ends: what is said twice
/// of one place is shown once.
// expands to:
// { type __Written = HumanResponse<Sure>; form::<__Written<>, HumanResponse<_, _>>(); }
pub(super) fn form_in_place(
    ty: &Type,
    ours: &TokenStream,
    place: &Type,
    source: &Source,
    names: &Names,
) -> TokenStream {
    let private = &names.private;
    // A name in a function cannot be about the parameters of a block around it.
    if mentions(ty, &source.generics) {
        return quote!(#private::form::<#ty, #ours>(););
    }
    let (begin, end) = ends(place);
    let (name, close) = (Ident::new("__Written", begin), quote_spanned!(end=> >));
    let mut ty = ty.clone();
    AllStatic.visit_type_mut(&mut ty);
    quote!({
        type __Written = #ty;
        #private::form::<#name < #close, #ours>();
    })
}

/// Asks once per event: whether it can be saved, and cloned if some step takes it by value.
fn for_type(info: &EventInfo, source: &Source, names: &Names) -> TokenStream {
    let private = &names.private;
    let Event { kind, ty, payload } = &info.first;
    // What is not written is ours.
    let Payload::Written(payload) = payload else { return TokenStream::new() };
    let asked = |questions: &[&str]| asked(payload, questions, names);
    // A step that takes it by value takes a copy; through a capability, of what it is about only.
    let taken = |of: &Type, question: &str, copied: &str| {
        let place = info.by_value.first()?;
        if is_ours(place) {
            return Some(asked(&[copied]));
        }
        let question = format_ident!("{question}");
        Some(quote!(#private::Of::<#of>::#question::<#place>();))
    };
    let event = |question: &str| asked_of_event(payload, question, source, names);
    let prompt = |question: &str| asked_of_prompt(payload, question, source, names);
    let (asked, taken) = match kind {
        Kind::Event => {
            let (saved, shareable) = (asked(&["event_is_saved"]), event("event_is_shareable"));
            (quote!(#saved #shareable), taken(ty, "event_is_taken", "is_copied"))
        }
        // Whether it can be saved has been asked.
        Kind::Start => (TokenStream::new(), taken(ty, "is_taken", "is_copied")),
        Kind::Prompt => {
            let (saved, response) = (asked(&["prompt_is_saved"]), prompt("response_is_saved"));
            let shareable = prompt("prompt_is_shareable");
            (quote!(#saved #response #shareable), None)
        }
        Kind::Response => (TokenStream::new(), taken(payload, "answer_is_taken", "answer_is_copied")),
        Kind::Signal => {
            let (saved, shareable) = (saved(payload, private), event("is_shareable"));
            (quote!(#saved #shareable), taken(ty, "is_taken", "is_copied"))
        }
        Kind::Stop | Kind::Expired => return TokenStream::new(),
    };
    quote!(#asked #taken)
}

/// Asks whether a type can be saved; where it cannot because of what it is made of, the answer is about that.
pub(crate) fn saved(ty: &Type, private: &TokenStream) -> TokenStream {
    let parts = parts(ty);
    // A tuple can be saved, if it is not too long.
    if parts.is_empty() || parts.len() > 8 {
        return quote!(#private::Of::<#ty>::saved::<#ty>(););
    }
    quote!(#(#private::Of::<#ty>::else_saved::<#parts>();)* #private::Of::<(#(#parts,)*)>::then_saved::<#ty>();)
}

/// Asks these questions about a type. It stands in each of them once more, for the compiler to underline.
fn asked(ty: &impl ToTokens, questions: &[&str], names: &Names) -> TokenStream {
    let private = &names.private;
    let questions = questions.iter().map(|question| format_ident!("{question}"));
    quote!(#(#private::Of::<#ty>::#questions::<#ty>();)*)
}

/// Asks a question that was asked where the type was defined, if `#[event]` stands there.
fn asked_of_event(ty: &Type, question: &str, source: &Source, names: &Names) -> TokenStream {
    asked_if_defined(ty, &format_ident!("EVENT_IS_DEFINED"), question, source, names)
}

/// The same of `#[prompt]`.
fn asked_of_prompt(ty: &Type, question: &str, source: &Source, names: &Names) -> TokenStream {
    asked_if_defined(ty, &format_ident!("PROMPT_IS_DEFINED"), question, source, names)
}

/// Asks of no type, where what `is_defined` stands for has not passed: so it is said at the definition only.
fn asked_if_defined(
    ty: &Type,
    is_defined: &Ident,
    question: &str,
    source: &Source,
    names: &Names,
) -> TokenStream {
    // A value cannot stand in a type together with the parameters of a block.
    if mentions(ty, &source.generics) {
        return asked(ty, &[question], names);
    }
    let (private, question) = (&names.private, format_ident!("{question}"));
    let defined = quote!(<#ty as #private::Checked<{ #private::Of::<#ty>::#is_defined }>>::Type);
    quote!(#private::Of::<#defined>::#question::<#ty>();)
}

/// Where a type begins and ends.
fn ends(ty: &Type) -> (Span, Span) {
    let tokens: Vec<TokenTree> = ty.to_token_stream().into_iter().collect();
    let begin = tokens.first().map_or_else(Span::call_site, TokenTree::span);
    let end = tokens.last().map_or_else(Span::call_site, |token| match token {
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    });
    (begin, end)
}

/// An event of two names would be two events that the compiler cannot tell apart. The name of the trait is
/// read in the error: "conflicting implementations of trait `EveryEventHasOneName`".
fn one_name(graph: &Graph<'_>) -> TokenStream {
    let impls = graph.events.iter().filter_map(|info| {
        let ty = &info.first.ty;
        // Parameters may stand for one type in one use and for two in another.
        let fixed = info.first.kind == Kind::Event && !mentions(ty, &graph.source.generics);
        fixed.then(|| quote_spanned!(ty.span()=> impl EveryEventHasOneName for #ty {}))
    });
    quote! {
        trait EveryEventHasOneName {}
        #(#impls)*
    }
}

/// Uses the path of `#[step]` once, so that its import is not unused, and an editor knows what it is.
pub(crate) fn used_path(source: &Source) -> Option<TokenStream> {
    let path = source.step_path.as_ref()?;
    Some(quote!(#[#path(__used)] const _: () = ();))
}
