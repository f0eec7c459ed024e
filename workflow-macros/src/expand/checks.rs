//! What the compiler is asked about the author's types, each question once per type and place.
//!
//! Where an answer is no, the compiler has said so at the author's token, and nothing more is to be read: not that the
//! event enum cannot be shared between threads, not that a method of the trait asks for a prompt. For this all checks
//! stand in one function, whose result is a parameter of `__Checked`. A function that does not compile has no result;
//! a type without its parameters is no type; and the compiler is silent about what is made of no type.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Generics, Type};

use crate::expand::{Names, forms};
use crate::graph::{EventInfo, Graph};
use crate::parse::{Source, WorkflowDef};
use crate::signature::{Event, Kind, Payload, is_ours};
use crate::types::{mentions, parts};

/// All checks of a workflow.
pub(super) fn all(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let mut checks = Checks::of_signatures(graph.source, graph.def, names);
    for (_, _, step) in graph.steps() {
        forms::of_step(step, names).into_iter().for_each(|check| checks.add(check));
    }
    for info in &graph.events {
        checks.add(for_type(info, names));
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
    /// What can be asked where the signatures have mistakes, too.
    pub(crate) fn of_signatures(source: &'a Source, def: &WorkflowDef, names: &Names) -> Self {
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
            step.signature.events().for_each(|event| checks.add(for_event(event, names)));
        }
        let first = |kind| {
            let mut events = def.steps.iter().flat_map(|step| step.signature.events());
            events.find(|event| event.kind == kind)
        };
        if let Some(Payload::Written(input)) = first(Kind::Start).map(|start| &start.payload) {
            checks.add(saved(input, private));
            checks.add(asked(input, &["is_shareable"], names));
        }
        if let Some(Payload::Written(output)) = first(Kind::Stop).map(|stop| &stop.payload) {
            checks.add(saved(output, private));
            checks.add(asked(output, &["is_shareable", "is_copied"], names));
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
        Kind::Event => quote!(#private::event::<#ty>();),
        Kind::Start => form(quote!(Start<_>)),
        Kind::Stop => form(quote!(Stop<_>)),
        Kind::Prompt => {
            let form = form(quote!(InputRequired<_>));
            quote!(#form #prompt)
        }
        // The type itself asks whether it is about a prompt.
        Kind::Response => form(quote!(HumanResponse<_, _>)),
        Kind::Expired => {
            let form = form(quote!(Expired<_>));
            quote!(#form #prompt)
        }
        Kind::Signal => form(quote!(Signal<_>)),
    }
}

/// Asks once per event: whether it can be saved, and cloned if some step takes it by value.
fn for_type(info: &EventInfo, names: &Names) -> TokenStream {
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
    let (asked, taken) = match kind {
        Kind::Event => {
            (asked(&["event_is_saved", "event_is_shareable"]), taken(ty, "event_is_taken", "is_copied"))
        }
        // Whether it can be saved has been asked.
        Kind::Start => (TokenStream::new(), taken(ty, "is_taken", "is_copied")),
        Kind::Prompt => (asked(&["prompt_is_saved", "response_is_saved", "prompt_is_shareable"]), None),
        Kind::Response => (TokenStream::new(), taken(payload, "answer_is_taken", "answer_is_copied")),
        Kind::Signal => {
            let (saved, shareable) = (saved(payload, private), asked(&["is_shareable"]));
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
