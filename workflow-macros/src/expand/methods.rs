//! The methods of the trait, whose bodies differ between a workflow and its stub.

use proc_macro2::TokenStream;
use quote::quote;

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
        let private = &names.private;
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
            quote!(fn share(self: #private::Arc<Self>) -> #private::Shared<Self>),
            quote! {
                fn call(
                    __step: #private::graph::StepId,
                    __input: #private::Input<Self::Event>,
                    __context: #private::Context<Self>,
                    __room: &mut #private::Room<Self::Event>,
                ) -> #private::StepCall<Self::Event>
            },
        ];
        let share = &quote!(#private::Of::<Self>::share(self));
        let bodies = [start, output, prompt, answer_json, share, call];
        quote!(#(#headers { #bodies })*)
    }
}
