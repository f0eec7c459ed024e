//! The prompt enum, and who may ask what.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{GenericParam, Generics};

use crate::expand::events::answer_event;
use crate::expand::{Names, checked, prompt_variant};
use crate::graph::Graph;
use crate::parse::{Source, WorkflowDef};
use crate::signature::{Event, Kind};
use crate::types::{any_ident, mentions, unraw};

/// The enum of all prompts of a workflow, if it has any.
pub(crate) struct PromptEnum {
    name: Ident,
    workflow: String,
    /// The parameters that the prompts mention; usually none.
    generics: Generics,
    variants: Vec<Variant>,
}

struct Variant {
    name: Ident,
    event: Event,
    payload: TokenStream,
}

impl PromptEnum {
    pub(crate) fn new(source: &Source, def: &WorkflowDef, names: &Names) -> Self {
        let mut variants: Vec<Variant> = Vec::new();
        for event in def.steps.iter().flat_map(|step| step.signature.events()) {
            let known = |variant: &Variant| variant.event.payload.name() == event.payload.name();
            if event.kind != Kind::Prompt || variants.iter().any(known) {
                continue;
            }
            let base = prompt_variant(event);
            let clash = variants.iter().any(|variant| variant.name == base);
            let name =
                if clash { format_ident!("{base}{}", variants.len() + 1) } else { format_ident!("{base}") };
            let payload = names.payload(&event.payload);
            variants.push(Variant { name, event: event.clone(), payload });
        }
        let workflow = unraw(&source.name);
        let name = def.args.prompts.clone().unwrap_or_else(|| format_ident!("{workflow}Prompt"));
        Self { name, workflow, generics: mentioned(&names.generics, &variants), variants }
    }

    /// The type, as the workflow's `Prompt`.
    pub(crate) fn ty(&self, names: &Names) -> TokenStream {
        let private = &names.private;
        let name = &self.name;
        if self.variants.is_empty() {
            return quote!(#private::NoPrompt);
        }
        let (_, ty_generics, _) = self.generics.split_for_impl();
        quote!(#name #ty_generics)
    }

    /// The enum, which stands beside the author's block.
    pub(crate) fn definition(&self) -> Option<TokenStream> {
        if self.variants.is_empty() {
            return None;
        }
        let name = &self.name;
        let docs = format!(" Every question that `{}` asks.", self.workflow);
        let (impl_generics, _, where_clause) = self.generics.split_for_impl();
        let variants = self.variants.iter().map(|Variant { name, event, payload }| {
            let docs = format!(" The question `{}`.", event.payload.name());
            quote!(#[doc = #docs] #name(#payload))
        });
        Some(quote! {
            #[doc = #docs]
            #[allow(private_interfaces, unreachable_pub, clippy::large_enum_variant)]
            pub enum #name #impl_generics #where_clause { #(#variants,)* }
        })
    }

    /// What the runtime needs of the enum.
    pub(crate) fn impls(&self, names: &Names) -> Option<TokenStream> {
        if self.variants.is_empty() {
            return None;
        }
        let private = &names.private;
        let name = &self.name;
        let text = unraw(name);
        let (impl_generics, ty_generics, where_clause) = self.generics.split_for_impl();
        let clones = self.variants.iter().map(|Variant { name, payload, .. }| {
            let of = names.of(payload);
            quote!(Self::#name(__prompt) => Self::#name(#of.copy(__prompt)),)
        });
        let serializes = self.variants.iter().zip(0u32..).map(|(Variant { name, payload, .. }, index)| {
            let of = names.of(payload);
            let variant = name.to_string();
            quote!(Self::#name(__prompt) => #of.serialize(__prompt, #text, #index, #variant, __serializer),)
        });
        Some(quote! {
            #[automatically_derived]
            impl #impl_generics #private::Clone for #name #ty_generics #where_clause {
                fn clone(&self) -> Self {
                    match self { #(#clones)* }
                }
            }

            #[automatically_derived]
            impl #impl_generics #private::Serialize for #name #ty_generics #where_clause {
                fn serialize<__S: #private::Serializer>(
                    &self,
                    __serializer: __S,
                ) -> #private::Result<__S::Ok, __S::Error> {
                    match self { #(#serializes)* }
                }
            }
        })
    }

    /// The arms from question to prompt.
    pub(super) fn questions(&self, graph: &Graph<'_>, names: &Names) -> TokenStream {
        let Names { private, events, .. } = names;
        let enum_name = &self.name;
        let arms = self.variants.iter().filter_map(|Variant { name, event, payload }| {
            let (_, info) = graph.event(event)?;
            let variant = &info.variant;
            let (asked, prompt) = (names.of_event(&info.first), names.of(payload));
            Some(quote!(#events::#variant(__event) => #private::Some(#enum_name::#name(#prompt.copy(#asked.asked(__event)))),))
        });
        quote!(#(#arms)*)
    }

    /// `Asks<Q>` for each prompt, where nothing can be answered yet.
    pub(crate) fn stubs(&self, names: &Names) -> TokenStream {
        let private = &names.private;
        let stubs = self.variants.iter().map(|variant| {
            asks_impl(names, variant, &quote!(_ => #private::None), &quote!(#private::no_question()))
        });
        quote!(#(#stubs)*)
    }
}

/// `Asks<Q>` for each prompt.
pub(super) fn asks(graph: &Graph<'_>, names: &Names, prompts: &PromptEnum) -> TokenStream {
    let private = &names.private;
    let enum_name = &prompts.name;
    let several = prompts.variants.len() > 1;
    let impls = prompts.variants.iter().filter_map(|variant| {
        let Variant { name, event, payload } = variant;
        let (id, info) = graph.event(event)?;
        let others = several.then(|| quote!(_ => #private::None,));
        let pick = quote!(#enum_name::#name(__prompt) => #private::Some(__prompt), #others);
        let (asked, answered) = (names.of_event(&info.first), names.of(payload));
        let (events, event_variant) = (&names.events, &info.variant);
        let text = event.payload.name();
        let answer = answer_event(graph, names, id)?;
        let answer = quote! {
            match __asked {
                #events::#event_variant(__event) => {
                    #private::Result::map(#answered.answer(#asked.asked(__event), __request, __response), |__answer| #answer)
                }
                __other => #private::other_prompt(<Self as #private::Workflow>::GRAPH, __other, #text),
            }
        };
        Some(asks_impl(names, variant, &pick, &answer))
    });
    quote!(#(#impls)*)
}

fn asks_impl(names: &Names, variant: &Variant, pick: &TokenStream, answer: &TokenStream) -> TokenStream {
    let Names { private, self_ty, .. } = names;
    let payload = &variant.payload;
    let (impl_generics, _, where_clause) = names.assumed.split_for_impl();
    let checked = checked(payload);
    let response = quote!(<#checked as #private::Prompt>::Response);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Asks<#payload, #response> for #self_ty #where_clause {
            fn pick(__prompt: &<Self as #private::Workflow>::Prompt) -> #private::Option<&#payload> {
                match __prompt { #pick }
            }

            fn answer(
                __asked: &<Self as #private::Workflow>::Event,
                __request: #private::RequestId,
                __response: #response,
            ) -> #private::Result<<Self as #private::Workflow>::Event, #private::AnswerError> {
                #answer
            }
        }
    }
}

/// The schemas of what crosses the border, where types have them.
pub(super) fn schemas(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let private = &names.private;
    let found = graph.events.iter().zip(graph.table.events.iter()).filter_map(|(info, event)| {
        let name = event.name.as_ref();
        let payload = names.payload(&info.first.payload);
        if mentions(&payload, &graph.source.generics) {
            return None;
        }
        let of = names.of(&payload);
        match info.first.kind {
            Kind::Start | Kind::Stop | Kind::Prompt | Kind::Signal => {
                Some(quote!(#of.schema(#name, &mut __list);))
            }
            Kind::Response => Some(quote!(#of.response_schema(#name, &mut __list);)),
            Kind::Event | Kind::Expired => None,
        }
    });
    quote! {
        fn schemas() -> #private::Vec<#private::Schema> {
            let mut __list = #private::Vec::new();
            #(#found)*
            __list
        }
    }
}

/// The parameters that stand in a prompt, and the bounds that speak of those alone.
fn mentioned(generics: &Generics, variants: &[Variant]) -> Generics {
    let mut kept = generics.clone();
    let ident_of = |param: &GenericParam| match param {
        GenericParam::Type(param) => param.ident.clone(),
        GenericParam::Const(param) => param.ident.clone(),
        GenericParam::Lifetime(param) => param.lifetime.ident.clone(),
    };
    let stands = |ident: &Ident| {
        variants.iter().any(|variant| any_ident(variant.payload.clone(), &|word| word == ident))
    };
    let (stay, go): (Vec<_>, Vec<_>) =
        generics.params.iter().cloned().partition(|param| stands(&ident_of(param)));
    let gone: Vec<Ident> = go.iter().map(ident_of).collect();
    kept.params = stay.into_iter().collect();
    if let Some(clause) = &mut kept.where_clause {
        let speaks_of_gone = |tokens: TokenStream| any_ident(tokens, &|word| gone.contains(word));
        clause.predicates = clause
            .predicates
            .iter()
            .filter(|predicate| !kept.params.is_empty() && !speaks_of_gone(quote!(#predicate)))
            .cloned()
            .collect();
    }
    kept
}
