//! What the compiler is asked about the author's types, each question once per type and place.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::expand::{Names, located};
use crate::graph::{EventInfo, Graph};
use crate::parse::Source;
use crate::signature::{Event, Kind, Payload};
use crate::types::mentions;

/// All checks of a workflow.
pub(super) fn all(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let (impl_generics, _, where_clause) = names.generics.split_for_impl();
    let places =
        graph.def.steps.iter().flat_map(|step| step.signature.events()).map(|event| for_event(event, names));
    let types = graph.events.iter().map(|info| for_type(info, names));
    let one_name = one_name(graph);
    quote! {
        fn __checks #impl_generics () #where_clause {
            #(#places)*
            #(#types)*
        }
        #one_name
    }
}

/// Asks at every place where a signature mentions an event.
pub(crate) fn for_event(event: &Event, names: &Names) -> TokenStream {
    let private = &names.private;
    let ty = &event.ty;
    let form = |form: TokenStream| quote!(#private::form::<#ty, #private::#form>(););
    match event.kind {
        Kind::Event => quote!(#private::event::<#ty>();),
        Kind::Start => form(quote!(Start<_>)),
        Kind::Stop => form(quote!(Stop<_>)),
        Kind::Prompt => form(quote!(InputRequired<_>)),
        Kind::Response => form(quote!(HumanResponse<_, _>)),
        Kind::Expired => form(quote!(Expired<_>)),
        Kind::Signal => form(quote!(Signal<_>)),
    }
}

/// Asks once per event: whether it can be saved, and cloned if some step takes it by value.
fn for_type(info: &EventInfo, names: &Names) -> TokenStream {
    let private = &names.private;
    let of = |ty: &TokenStream, method: &str, span: Span| {
        let method = Ident::new(method, span);
        let of = names.of(ty);
        located(quote!(#of.#method();), span)
    };
    let payload = names.payload(&info.first.payload);
    let span = match &info.first.payload {
        Payload::Written(ty) => ty.span(),
        Payload::Unit | Payload::Text => info.first.ty.span(),
    };
    let cloned_at = info.by_value.first();
    match info.first.kind {
        Kind::Event => {
            let cloned = cloned_at.map(|ty| of(&quote!(#ty), "event_is_cloned", ty.span()));
            let saved = of(&payload, "event_is_saved", span);
            quote!(#saved #cloned)
        }
        // The input and the output are checked by the bounds of `Workflow`; only the input is taken.
        Kind::Start => cloned_at.map(|_| quote!(#private::taken_by_value::<#payload>();)).unwrap_or_default(),
        Kind::Prompt => {
            let prompt = of(&payload, "prompt_is_saved", span);
            let response = of(&payload, "response_is_saved", span);
            quote!(#prompt #response)
        }
        Kind::Response => {
            cloned_at.map(|ty| of(&payload, "response_is_cloned", ty.span())).unwrap_or_default()
        }
        Kind::Signal => {
            let cloned = cloned_at.map(|ty| of(&quote!(#ty), "signal_is_cloned", ty.span()));
            quote!(#private::signal::<#payload>(); #cloned)
        }
        // The question's own checks say all there is to say about the one that expired.
        Kind::Stop | Kind::Expired => TokenStream::new(),
    }
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
