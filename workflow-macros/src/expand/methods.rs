//! The methods of the trait, whose bodies differ between a workflow and its stub.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::expand::Names;

/// What stands in the methods.
pub(crate) struct Bodies {
    pub(crate) start: TokenStream,
    pub(crate) output: TokenStream,
    pub(crate) prompt: TokenStream,
    pub(crate) answer_json: TokenStream,
    pub(crate) call: TokenStream,
}

impl Bodies {
    pub(crate) fn methods(&self, names: &Names) -> TokenStream {
        let Names { private, self_ty, .. } = names;
        let Self { start, output, prompt, answer_json, call } = self;
        let headers = [
            quote!(fn start(__input: Self::Input) -> Self::Event),
            quote!(fn output(__event: Self::Event) -> #private::Result<Self::Output, Self::Event>),
            quote!(fn prompt(__asked: &Self::Event) -> #private::Option<Self::Prompt>),
            quote! {
                fn answer_json(
                    __asked: &Self::Event,
                    __request: #private::RequestId,
                    __response: &#private::RawValue,
                ) -> #private::Result<Self::Event, #private::AnswerError>
            },
            quote! {
                fn call(
                    self: #private::Arc<Self>,
                    __step: #private::graph::StepId,
                    __input: #private::Input<Self::Event>,
                    __context: #private::Context<Self>,
                ) -> #private::StepCall<Self::Event>
            },
        ];
        let bodies = [start, output, prompt, answer_json, call];
        let methods =
            headers.into_iter().zip(bodies).map(|(header, body)| bounded(header, body, self_ty.span()));
        quote!(#(#methods)*)
    }
}

/// A method that stands at that place from one end to the other. Each header asks the same of its types; so what
/// they lack is reported once, at that place, and not once per header. What is between the ends keeps its spans,
/// because the names of the parameters are looked up by them.
pub(super) fn bounded(header: TokenStream, body: &TokenStream, span: Span) -> TokenStream {
    let mut header: Vec<TokenTree> = header.into_iter().collect();
    if let Some(first) = header.first_mut() {
        first.set_span(span);
    }
    if let Some(last) = header.last_mut() {
        last.set_span(span);
    }
    let header: TokenStream = header.into_iter().collect();
    quote_spanned!(span=> #header { #body })
}
