//! The event enum: a variant per event that crosses a step boundary.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use crate::expand::{Bodies, Names, PromptEnum, call, checked};
use crate::graph::{EventInfo, Graph, spelled_alike};
use crate::parse::WorkflowDef;
use crate::signature::{Kind, Payload};

/// The enum and what the runtime needs of it.
pub(super) fn definition(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let Names { private, events, self_ty, assumed, .. } = names;
    let (impl_generics, _, where_clause) = assumed.split_for_impl();
    let events_ty = names.events_ty();
    let variants = graph.events.iter().map(|info| {
        let (variant, ty) = (&info.variant, checked(&names.event_ty(&info.first)));
        if info.by_ref { quote!(#variant(#private::Arc<#ty>)) } else { quote!(#variant(#ty)) }
    });
    // Perhaps no event mentions the parameters of the block; an enum has to mention each of its own.
    let phantom = (!assumed.params.is_empty())
        .then(|| quote!(__Parameters(#private::Never, #private::PhantomData<fn() -> #self_ty>),));
    let no_phantom = phantom.as_ref().map(|_| quote!(Self::__Parameters(__never, _) => match *__never {},));
    let clones = graph.events.iter().map(|info| {
        let variant = &info.variant;
        let of = names.of_event(&info.first);
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
    let expiry = expiry(graph, names);
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

            #expiry
        }

        #implementation
    }
}

fn implementation(graph: &Graph<'_>, names: &Names, no_phantom: Option<&TokenStream>) -> TokenStream {
    let Names { private, .. } = names;
    let (impl_generics, _, where_clause) = names.assumed.split_for_impl();
    let events_ty = names.events_ty();
    let encodes = graph.events.iter().map(|info| {
        let variant = &info.variant;
        let of = names.of_event(&info.first);
        quote!(Self::#variant(__event) => #of.encode(__event),)
    });
    let decodes = graph.events.iter().zip(0u16..).map(|(info, number)| {
        let variant = &info.variant;
        let of = names.of_event(&info.first);
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

/// How long questions stay open, and what they become then. Nothing for a workflow that asks none.
fn expiry(graph: &Graph<'_>, names: &Names) -> Option<TokenStream> {
    let private = &names.private;
    let questions = graph.of_kind(Kind::Prompt).map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of_event(&info.first);
        quote!(Self::#variant(__event) => #of.expires_in(__event),)
    });
    let questions: Vec<_> = questions.collect();
    if questions.is_empty() {
        return None;
    }
    let taken = graph.of_kind(Kind::Prompt).filter_map(|(id, info)| {
        let workflow_graph::Role::Prompt { expired: Some(expired), .. } = graph.table.event(id)?.role else {
            return None;
        };
        let taken = graph.events.get(expired.index())?;
        let expired = match other_prompt(info, taken) {
            Some(first) => names.of(&quote!(#private::Expired<#first>)),
            None => names.of_event(&taken.first),
        };
        let value = quote!(#expired.expired(__event, __request));
        let value = as_the_same_prompt(info, taken, &quote!(Expired), value, names);
        let value = names.wrapped(taken, value);
        let (variant, becomes) = (&info.variant, &taken.variant);
        Some(quote!(Self::#variant(__event) => #private::Some(Self::#becomes(#value)),))
    });
    let taken: Vec<_> = taken.collect();
    let expired = (!taken.is_empty()).then(|| {
        quote! {
            fn expired(
                &self,
                __request: #private::RequestId,
                _: #private::graph::EventId,
            ) -> #private::Option<Self> {
                match self { #(#taken)* _ => #private::None }
            }
        }
    });
    Some(quote! {
        #expired

        fn unanswered(
            &self,
            __request: #private::RequestId,
            __event: #private::graph::EventId,
        ) -> #private::Option<Self> {
            #private::default_answer(self, __request, __event)
        }

        fn expires_in(&self) -> #private::Option<#private::u64> {
            match self { #(#questions)* _ => #private::None }
        }
    })
}

/// The prompt of `asked`, where the answer or the expiry `taken` spells it in another way.
fn other_prompt<'a>(asked: &'a EventInfo, taken: &EventInfo) -> Option<&'a Type> {
    match (&asked.first.payload, &taken.first.payload) {
        (Payload::Written(first), Payload::Written(second)) if !spelled_alike(first, second) => Some(first),
        _ => None,
    }
}

/// A `form` of the prompt of `asked`, as `taken` spells it. Where there are two spellings of the prompt, the compiler
/// says whether they are one type.
fn as_the_same_prompt(
    asked: &EventInfo,
    taken: &EventInfo,
    form: &TokenStream,
    value: TokenStream,
    names: &Names,
) -> TokenStream {
    let private = &names.private;
    let Some(first) = other_prompt(asked, taken) else { return value };
    let ty = &taken.first.ty;
    quote!(<#ty as #private::SameEvent<#private::#form<#first>>>::from_first(#value))
}

/// `Signals<T>` for each signal that a step takes.
pub(super) fn signals(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let impls = graph.of_kind(Kind::Signal).map(|(_, info)| {
        let (events, variant) = (&names.events, &info.variant);
        let of = names.of_event(&info.first);
        let value = names.wrapped(info, quote!(#of.signal(__signal)));
        let payload = names.payload(&info.first.payload);
        signals_impl(names, &payload, &quote!(#events::#variant(#value)))
    });
    quote!(#(#impls)*)
}

/// The same, where nothing can be sent yet.
pub(crate) fn signals_stubs(def: &WorkflowDef, names: &Names) -> TokenStream {
    let private = &names.private;
    let mut known = Vec::new();
    let mentioned = def.steps.iter().flat_map(|step| step.signature.events());
    let stubs = mentioned.filter(|event| event.kind == Kind::Signal).filter_map(|event| {
        let name = event.payload.name();
        let is_new = !known.contains(&name);
        known.push(name);
        is_new.then(|| signals_impl(names, &names.payload(&event.payload), &quote!(#private::unfinished())))
    });
    quote!(#(#stubs)*)
}

fn signals_impl(names: &Names, payload: &TokenStream, event: &TokenStream) -> TokenStream {
    let Names { private, self_ty, .. } = names;
    let (impl_generics, _, where_clause) = names.assumed.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Signals<#payload> for #self_ty #where_clause {
            fn signal(__signal: #payload) -> <Self as #private::Workflow>::Event {
                #event
            }
        }
    }
}

/// What leads from the workflow into the enum and out of it.
pub(super) fn bodies(graph: &Graph<'_>, names: &Names, prompts: &PromptEnum) -> Bodies {
    let Names { private, events, .. } = names;
    let start = graph.of_kind(Kind::Start).next().map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of_event(&info.first);
        let value = names.wrapped(info, quote!(#of.start(__input)));
        quote!(#events::#variant(#value))
    });
    let outputs = graph.of_kind(Kind::Stop).map(|(_, info)| {
        let variant = &info.variant;
        let of = names.of_event(&info.first);
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
        let (asked, answered) = (names.of_event(&info.first), names.of(&prompt));
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
    let asked = graph.events.get(prompt.index())?;
    // One that only an `Asker` asks is answered by an event that no step takes, so the table does not link them.
    let same_question = |info: &&EventInfo| info.first.payload.name() == asked.first.payload.name();
    let info = graph.of_kind(Kind::Response).map(|(_, info)| info).find(same_question)?;
    let events = &names.events;
    let variant = &info.variant;
    let value = as_the_same_prompt(asked, info, &quote!(HumanResponse), quote!(__answer), names);
    let value = names.wrapped(info, value);
    Some(quote!(#events::#variant(#value)))
}
