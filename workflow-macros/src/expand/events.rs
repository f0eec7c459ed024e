//! The event enum: a variant per event that crosses a step boundary.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::{Names, PromptEnum};
use crate::graph::{Graph, spelled_alike};
use crate::signature::{Kind, Payload};

/// The enum and what the runtime needs of it.
pub(super) fn definition(graph: &Graph<'_>, names: &Names, prompts: &PromptEnum) -> TokenStream {
    let Names { private, events, self_ty, generics, .. } = names;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let events_ty = names.events_ty();
    let variants = graph.events.iter().map(|info| {
        let (variant, ty) = (&info.variant, &info.first.ty);
        if info.by_ref { quote!(#variant(#private::Arc<#ty>)) } else { quote!(#variant(#ty)) }
    });
    // The parameters of the block stand in no event, perhaps; an enum has to mention each.
    let phantom = (!generics.params.is_empty())
        .then(|| quote!(__Parameters(#private::Never, #private::PhantomData<fn() -> #self_ty>),));
    let no_phantom = phantom.as_ref().map(|_| quote!(Self::__Parameters(never, _) => match *never {},));
    let clones = graph.events.iter().map(|info| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        if info.by_ref {
            quote!(Self::#variant(event) => Self::#variant(#private::Arc::clone(event)),)
        } else {
            quote!(Self::#variant(event) => Self::#variant(#of.copy(event)),)
        }
    });
    let numbers = graph.events.iter().zip(0u16..).map(|(info, number)| {
        let variant = &info.variant;
        quote!(Self::#variant(_) => #number,)
    });
    let implementation = implementation(graph, names, prompts, no_phantom.as_ref());
    quote! {
        pub enum #events #impl_generics #where_clause { #(#variants,)* #phantom }

        #[automatically_derived]
        impl #impl_generics #private::Clone for #events_ty #where_clause {
            fn clone(&self) -> Self {
                match self { #(#clones)* #no_phantom }
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Payload for #events_ty #where_clause {
            fn event(&self) -> #private::graph::EventId {
                #private::graph::EventId(match self { #(#numbers)* #no_phantom })
            }
        }

        #implementation
    }
}

fn implementation(
    graph: &Graph<'_>,
    names: &Names,
    prompts: &PromptEnum,
    no_phantom: Option<&TokenStream>,
) -> TokenStream {
    let Names { private, .. } = names;
    let (impl_generics, _, where_clause) = names.generics.split_for_impl();
    let events_ty = names.events_ty();
    let payload_of = |kind| {
        graph.of_kind(kind).next().map_or_else(|| quote!(()), |(_, info)| names.payload(&info.first.payload))
    };
    let (input, output, prompt) = (payload_of(Kind::Start), payload_of(Kind::Stop), prompts.ty(names));
    let start = graph.of_kind(Kind::Start).next().map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        let value = names.wrapped(info, quote!(#of.start(input)));
        quote!(Self::#variant(#value))
    });
    let outputs = graph.of_kind(Kind::Stop).map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        quote!(Self::#variant(event) => #private::Ok(#of.output(event)),)
    });
    let encodes = graph.events.iter().map(|info| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        quote!(Self::#variant(event) => #of.encode(event),)
    });
    let decodes = graph.events.iter().zip(0u16..).map(|(info, number)| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        let value = names.wrapped(info, quote!(event));
        quote!(#number => #private::Result::map(#of.decode(json), |event| Self::#variant(#value)),)
    });
    let prompt = quote!(#prompt);
    let questions = prompts.questions(graph, names);
    let answers = answers(graph, names);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Events for #events_ty #where_clause {
            type Input = #input;
            type Output = #output;
            type Prompt = #prompt;

            fn start(input: Self::Input) -> Self {
                #start
            }

            fn into_output(self) -> #private::Result<Self::Output, Self> {
                match self {
                    #(#outputs)*
                    other => #private::Err(other),
                }
            }

            fn prompt(&self) -> #private::Option<Self::Prompt> {
                match self {
                    #questions
                    _ => #private::None,
                }
            }

            fn answer(
                &self,
                request: #private::RequestId,
                response: &#private::RawValue,
            ) -> #private::Result<Self, #private::AnswerError> {
                match self {
                    #answers
                    _ => #private::no_question(),
                }
            }

            fn encode(&self) -> #private::Result<#private::Box<#private::RawValue>, #private::JsonError> {
                match self { #(#encodes)* #no_phantom }
            }

            fn decode(
                event: #private::graph::EventId,
                json: &#private::RawValue,
            ) -> #private::Result<Self, #private::JsonError> {
                match event.0 {
                    #(#decodes)*
                    _ => #private::no_such_event(event),
                }
            }
        }
    }
}

fn answers(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let Names { private, .. } = names;
    let arms = graph.of_kind(Kind::Prompt).filter_map(|(id, info)| {
        let variant = &info.variant;
        let prompt = names.payload(&info.first.payload);
        let (asked, answered) = (names.of(&info.first.ty), names.of(&prompt));
        let answer = answer_event(graph, names, id)?;
        Some(quote! {
            Self::#variant(event) => {
                #private::Result::map(#answered.answer_json(#asked.asked(event), request, response), |answer| #answer)
            }
        })
    });
    quote!(#(#arms)*)
}

/// The event that `answer` becomes, where the prompt is the event with that number.
pub(super) fn answer_event(
    graph: &Graph<'_>,
    names: &Names,
    prompt: workflow_graph::EventId,
) -> Option<TokenStream> {
    let Names { private, .. } = names;
    let workflow_graph::Role::Prompt { response: Some(response), .. } = graph.table.event(prompt)?.role
    else {
        return None;
    };
    let asked = graph.events.get(prompt.index())?;
    let info = graph.events.get(response.index())?;
    let events = &names.events;
    let variant = &info.variant;
    let value = match (&asked.first.payload, &info.first.payload) {
        // Two spellings of one prompt: the compiler says whether they are one type.
        (Payload::Written(first), Payload::Written(second)) if !spelled_alike(first, second) => {
            let second = &info.first.ty;
            quote!(<#second as #private::SameEvent<#private::HumanResponse<#first>>>::from_first(answer))
        }
        _ => quote!(answer),
    };
    let value = names.wrapped(info, value);
    Some(quote!(#events::#variant(#value)))
}
