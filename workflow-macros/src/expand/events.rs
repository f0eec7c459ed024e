//! The event enum: a variant per event that crosses a step boundary.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::{Bodies, Names, PromptEnum, call};
use crate::graph::{Graph, spelled_alike};
use crate::signature::{Kind, Payload};

/// The enum and what the runtime needs of it.
pub(super) fn definition(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let Names { private, events, self_ty, generics, .. } = names;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let events_ty = names.events_ty();
    let variants = graph.events.iter().map(|info| {
        let (variant, ty) = (&info.variant, &info.first.ty);
        if info.by_ref { quote!(#variant(#private::Arc<#ty>)) } else { quote!(#variant(#ty)) }
    });
    // Perhaps no event mentions the parameters of the block; an enum has to mention each of its own.
    let phantom = (!generics.params.is_empty())
        .then(|| quote!(__Parameters(#private::Never, #private::PhantomData<fn() -> #self_ty>),));
    let no_phantom = phantom.as_ref().map(|_| quote!(Self::__Parameters(__never, _) => match *__never {},));
    let clones = graph.events.iter().map(|info| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        if info.by_ref {
            quote!(Self::#variant(__event) => Self::#variant(#private::Arc::clone(__event)),)
        } else {
            quote!(Self::#variant(__event) => Self::#variant(#of.copy(__event)),)
        }
    });
    let numbers = graph.events.iter().zip(0u16..).map(|(info, number)| {
        let variant = &info.variant;
        quote!(Self::#variant(_) => #number,)
    });
    let implementation = implementation(graph, names, no_phantom.as_ref());
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

fn implementation(graph: &Graph<'_>, names: &Names, no_phantom: Option<&TokenStream>) -> TokenStream {
    let Names { private, .. } = names;
    let (impl_generics, _, where_clause) = names.generics.split_for_impl();
    let events_ty = names.events_ty();
    let encodes = graph.events.iter().map(|info| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        quote!(Self::#variant(__event) => #of.encode(__event),)
    });
    let decodes = graph.events.iter().zip(0u16..).map(|(info, number)| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        let value = names.wrapped(info, quote!(__event));
        quote!(#number => #private::Result::map(#of.decode(__json), |__event| Self::#variant(#value)),)
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Events for #events_ty #where_clause {
            fn encode(&self) -> #private::Result<#private::Box<#private::RawValue>, #private::JsonError> {
                match self { #(#encodes)* #no_phantom }
            }

            fn decode(
                __event: #private::graph::EventId,
                __json: &#private::RawValue,
            ) -> #private::Result<Self, #private::JsonError> {
                match __event.0 {
                    #(#decodes)*
                    _ => #private::no_such_event(__event),
                }
            }
        }
    }
}

/// What leads from the workflow into the enum and out of it.
pub(super) fn bodies(graph: &Graph<'_>, names: &Names, prompts: &PromptEnum) -> Bodies {
    let Names { private, events, .. } = names;
    let start = graph.of_kind(Kind::Start).next().map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        let value = names.wrapped(info, quote!(#of.start(__input)));
        quote!(#events::#variant(#value))
    });
    let outputs = graph.of_kind(Kind::Stop).map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of(&info.first.ty);
        quote!(#events::#variant(__event) => #private::Ok(#of.output(__event)),)
    });
    let questions = prompts.questions(graph, names);
    let answers = answers(graph, names);
    Bodies {
        start: quote!(#start),
        output: quote!(match __event {
            #(#outputs)*
            __other => #private::Err(__other),
        }),
        prompt: quote!(match __asked {
            #questions
            _ => #private::None,
        }),
        answer_json: quote!(match __asked {
            #answers
            _ => #private::no_question(),
        }),
        call: call::body(graph, names),
    }
}

fn answers(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let Names { private, events, .. } = names;
    let arms = graph.of_kind(Kind::Prompt).filter_map(|(id, info)| {
        let variant = &info.variant;
        let prompt = names.payload(&info.first.payload);
        let (asked, answered) = (names.of(&info.first.ty), names.of(&prompt));
        let answer = answer_event(graph, names, id)?;
        Some(quote! {
            #events::#variant(__event) => {
                #private::Result::map(#answered.answer_json(#asked.asked(__event), __request, __response), |__answer| #answer)
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
            quote!(<#second as #private::SameEvent<#private::HumanResponse<#first>>>::from_first(__answer))
        }
        _ => quote!(__answer),
    };
    let value = names.wrapped(info, value);
    Some(quote!(#events::#variant(#value)))
}
