//! From a step's number to its method: what it takes, the call, what it gives.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use workflow_graph as model;

use crate::expand::forms::{element, has_answer, one_of, whole};
use crate::expand::{Names, checked, located};
use crate::graph::{EventInfo, Graph, spelled_alike};
use crate::parse::StepDef;
use crate::signature::{Alternative, Arg, Event, Many, Param, ParamForm, Taken, Tool};
use crate::types::unraw;

/// The arms of `fn call`, one per step, each with a future of its own: one for all would be as large as the largest.
///
/// Each arm is a function: in one function for all, the compiler would say of the first step only that its future cannot be
/// moved between threads, where others hold the same type across an `.await`.
pub(super) fn body(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let Names { private, self_ty, .. } = names;
    let (impl_generics, _, where_clause) = names.assumed.split_for_impl();
    let events = names.events_ty();
    let arms = graph.steps().map(|(id, step, def)| {
        let number = id.0;
        let arm = Arm { graph, names, step, def };
        let (parts, args, body) = (arm.parts(), arm.args(), arm.body());
        let span = def.signature.name.span();
        let call = if def.signature.is_async {
            // The caret of "future cannot be sent between threads safely" stands under the step's name.
            let (of, boxed) =
                (located(quote!(#private::Of::), span), located(quote!(::every_step_is_send), span));
            let room = quote!(__room);
            // What a future takes with it has to be put there. So it takes no more than it needs.
            let borrows = def.signature.params.iter().any(Param::borrows);
            let (before, within) = if borrows { (parts, args) } else { (quote!(#parts #args), quote!()) };
            let block = quote_spanned!(span=> (async move { #within #body }, #room));
            quote!(#before #private::Ok(#of <#self_ty> #boxed #block))
        } else if def.args.blocking {
            quote!(#private::Ok(#private::Of::<#self_ty>::blocking(move || { #parts #args #body })))
        } else {
            quote!(#private::Ok(#private::done(move || { #parts #args #body })))
        };
        quote! {
            #number => {
                fn __step #impl_generics (
                    __input: #private::Input<#events>,
                    __context: #private::Context<#self_ty>,
                    __room: &mut #private::Room<#events>,
                ) -> #private::Called<#events> #where_clause {
                    #call
                }
                __step(__input, __context, __room)
            }
        }
    });
    quote! {
        #private::called(match __step.0 {
            #(#arms)*
            _ => #private::no_such_step(__step),
        })
    }
}

struct Arm<'a> {
    graph: &'a Graph<'a>,
    names: &'a Names,
    step: &'a model::Step,
    def: &'a StepDef,
}

impl Arm<'_> {
    /// Calls the step, with what [`Self::args`] has made.
    fn body(&self) -> TokenStream {
        let Names { private, self_ty, .. } = self.names;
        let signature = &self.def.signature;
        let tools = self.tools();
        let receiver = signature.has_self.then(|| quote!(__context.workflow(),));
        let args = signature.args.iter().map(|arg| match arg {
            Arg::Context(ty) => {
                quote!(<#ty as #private::Form<#private::Context<#self_ty>>>::from_ours_ref(&__context))
            }
            Arg::Event(position) => {
                let arg = format_ident!("__arg{position}");
                quote!(#arg)
            }
            Arg::Tool(position) => {
                let tool = format_ident!("__tool{position}");
                quote!(#tool)
            }
        });
        let (this, name) = (checked(self_ty), &signature.name);
        let wait = signature.is_async.then(|| quote!(.await));
        let gives = self.gives();
        quote! {
            #tools
            let __out = <#this>::#name(#receiver #(#args),*)#wait;
            #private::Ok(#gives)
        }
    }

    // ---- what it takes ----

    /// `let __part0 = ..;` for each event parameter: what is for it in the input.
    fn parts(&self) -> TokenStream {
        let private = &self.names.private;
        let name = unraw(&self.def.signature.name);
        let params = &self.def.signature.params;
        if let [Param { form: ParamForm::One, .. }] = params.as_slice() {
            return quote!(let __part0 = #private::one(__input, #name)?;);
        }
        let parts: Vec<Ident> = (0..params.len()).map(part).collect();
        let each = params.iter().zip(&parts).map(|(param, part)| match param.form {
            ParamForm::One => quote!(let #part = #private::part(#part, #name)?;),
            ParamForm::Gather => quote!(let #part = #private::all(#part, #name)?;),
            ParamForm::GatherFailures => quote!(let #part = #private::all_or_failed(#part, #name)?;),
            ParamForm::Failed => self.failed(param, part),
        });
        quote!(let [#(#parts),*] = #private::parts(__input, #name)?; #(#each)*)
    }

    /// `let __arg0 = ..;` for each event parameter, out of its part.
    fn args(&self) -> TokenStream {
        let params = self.def.signature.params.iter().enumerate();
        let args = params.map(|(position, param)| {
            let (part, arg) = (part(position), format_ident!("__arg{position}"));
            let subject = if param.borrows() { quote!(&#part) } else { quote!(#part) };
            let value = match param.form {
                ParamForm::Gather | ParamForm::GatherFailures => self.gather(param, &part),
                ParamForm::Failed => self.handed_failure(param, &subject),
                ParamForm::One => self.take(param, &subject),
            };
            quote!(let #arg = #value;)
        });
        quote!(#(#args)*)
    }

    /// What a parameter takes, out of the event in `subject`: by value, or a borrow if some alternative is one.
    fn take(&self, param: &Param, subject: &TokenStream) -> TokenStream {
        let private = &self.names.private;
        let (events, step) = (&self.names.events, unraw(&self.def.signature.name));
        let letters = letters();
        let arms = param.alternatives.iter().zip(&letters).filter_map(|(taken, letter)| {
            let (_, info) = self.graph.event(&taken.event)?;
            let variant = &info.variant;
            let value = self.taken(taken, info, param.borrows());
            let value = if param.one_of.is_some() { quote!(#private::OneOf::#letter(#value)) } else { value };
            Some(quote!(#events::#variant(__event) => #value,))
        });
        let value = quote!(match #subject { #(#arms)* _ => return #private::misrouted(#step) });
        match &param.one_of {
            Some(written) => {
                let ours = param.alternatives.iter().map(|taken| whole(taken, self.names));
                self.passed(param, written, &one_of(ours, self.names), &value)
            }
            None => value,
        }
    }

    /// The value of one alternative, out of `event`: the variant's content, borrowed if some alternative is.
    fn taken(&self, taken: &Taken, info: &EventInfo, borrows: bool) -> TokenStream {
        let private = &self.names.private;
        let first = &info.first.ty;
        let of = self.names.of_event(&info.first);
        let ty = &taken.event.ty;
        let other_spelling = !spelled_alike(first, ty);
        if taken.by_ref {
            return if other_spelling {
                quote!(<#ty as #private::SameEvent<#first>>::from_first_ref(&**__event))
            } else {
                quote!(&**__event)
            };
        }
        let value = match (borrows, info.by_ref) {
            (true, _) => quote!(#of.copy(__event)),
            (false, true) => quote!(#of.unshare(__event)),
            (false, false) => quote!(__event),
        };
        if other_spelling { quote!(<#ty as #private::SameEvent<#first>>::from_first(#value)) } else { value }
    }

    /// `let` a failure and what the failed step was given, out of `part`.
    fn failed(&self, param: &Param, part: &Ident) -> TokenStream {
        let private = &self.names.private;
        let name = unraw(&self.def.signature.name);
        let given = (!param.alternatives.is_empty()).then(|| {
            let events = param.alternatives.iter().filter_map(|taken| {
                let number = self.graph.event(&taken.event)?.0.0;
                Some(quote!(#private::graph::EventId(#number)))
            });
            quote!(let #part = #private::given(#part, &[#(#events),*], #name)?;)
        });
        quote!(let (__failure, #part) = #private::failed(#part, #name)?; #given)
    }

    /// A `StepFailed`, out of the failure and what the failed step was given, which is in `subject`.
    fn handed_failure(&self, param: &Param, subject: &TokenStream) -> TokenStream {
        let private = &self.names.private;
        let (input, ours) = if param.alternatives.is_empty() {
            (quote!(()), quote!(#private::StepFailed))
        } else {
            let element = element(param, self.names);
            (self.take(param, subject), quote!(#private::StepFailed<#element>))
        };
        self.passed(param, &param.ty, &ours, &quote!(#private::StepFailed::new(__failure, #input)))
    }

    fn gather(&self, param: &Param, members: &Ident) -> TokenStream {
        let private = &self.names.private;
        let mut value = self.take(param, &quote!(__member));
        let all = if param.borrows() { quote!(&#members) } else { quote!(#members) };
        let mut element = element(param, self.names);
        if let ParamForm::GatherFailures = param.form {
            let failure =
                if param.borrows() { quote!(#private::Clone::clone(__failure)) } else { quote!(__failure) };
            value = quote!(match __member {
                #private::Ok(__member) => #private::Ok(#value),
                #private::Err(__failure) => #private::Err(#private::StepFailed::new(*#failure, ())),
            });
            element = quote!(#private::Result<#element, #private::StepFailed>);
        }
        let list = quote!({
            let mut __list = #private::Vec::with_capacity(#members.len());
            for __member in #all {
                __list.push(#value);
            }
            __list
        });
        self.passed(param, &param.ty, &quote!(#private::Vec<#element>), &list)
    }

    // ---- what it gives ----

    /// `Emitted` out of `__out`.
    fn gives(&self) -> TokenStream {
        let private = &self.names.private;
        let returns = &self.def.signature.returns;
        let unwrapped = returns.result.as_ref().map(|(written, ok)| {
            let written = checked(written);
            quote!(let __out = <#written as #private::Fallible<#ok>>::into_step_result(__out)?;)
        });
        if returns.alternatives.is_empty() {
            return quote!({ #unwrapped let () = __out; #private::Emitted::None });
        }
        let emitted = match (&returns.one_of, returns.alternatives.as_slice()) {
            (None, [alternative]) => self.alternative(alternative, 0),
            (written, alternatives) => {
                let letters = letters();
                let arms =
                    alternatives.iter().zip(&letters).enumerate().map(|(position, (alternative, letter))| {
                        let emitted = self.alternative(alternative, position);
                        quote!(#private::OneOf::#letter(__out) => #emitted,)
                    });
                let types = alternatives.iter().map(|alternative| {
                    let ty = alternative.ty();
                    quote!(#ty)
                });
                let ours = one_of(types, self.names);
                let out = written.as_ref().map(|written| self.as_ours(written, &ours, &quote!(__out)));
                quote!(match #out { #(#arms)* })
            }
        };
        match &returns.option {
            None => quote!({ #unwrapped #emitted }),
            Some((written, some)) => {
                let out = self.as_ours(written, &quote!(#private::Option<#some>), &quote!(__out));
                quote!({
                    #unwrapped
                    match #out {
                        #private::Some(__out) => #emitted,
                        #private::None => #private::Emitted::None,
                    }
                })
            }
        }
    }

    fn alternative(&self, alternative: &Alternative, position: usize) -> TokenStream {
        let private = &self.names.private;
        match alternative {
            Alternative::One(event) => {
                let event = self.emitted(event);
                quote!(#private::Emitted::One(#event))
            }
            Alternative::Many(many) => self.many(many, position),
        }
    }

    fn many(&self, many: &Many, position: usize) -> TokenStream {
        let private = &self.names.private;
        let Some(model::Alternative::Many(point)) = self.step.returns.alternatives.get(position) else {
            return TokenStream::new();
        };
        let point = point.0;
        let element = &many.element;
        let each = self.element(many);
        let list = self.as_ours(&many.ty, &quote!(#private::Vec<#element>), &quote!(__out));
        quote! {
            #private::Emitted::Many(
                #private::graph::PointId(#point),
                #private::Iterator::collect(#private::Iterator::map(#private::IntoIterator::into_iter(#list), |__out| #each)),
            )
        }
    }

    /// `let __tool0 = ..;` for each capability.
    fn tools(&self) -> TokenStream {
        let private = &self.names.private;
        let tools = self.def.signature.tools.iter().zip(self.step.tools.iter()).enumerate();
        let tools = tools.map(|(position, tool)| {
            let name = format_ident!("__tool{position}");
            let (written, ours, value) = match tool {
                (Tool::Emitter(many), model::Tool::Emitter(point)) => {
                    let (element, each, point) = (&many.element, self.element(many), point.0);
                    let value = quote! {
                        #private::Emitter::new(&__context, #private::graph::PointId(#point), |__out: #element| #each)
                    };
                    (&many.ty, quote!(#private::Emitter<#element>), value)
                }
                (Tool::Asker { prompt, response, .. }, model::Tool::Asker(id)) => {
                    let (asked, payload, id) = (&prompt.ty, self.names.payload(&prompt.payload), id.0);
                    let of = self.names.of(&payload);
                    let question = self.emitted(prompt);
                    let answer = self.taken_inside(response, &format_ident!("response"));
                    let value = quote! {
                        #private::Asker::new(
                            &__context,
                            #private::graph::EventId(#id),
                            |__prompt| #of.encode(__prompt),
                            |__out: #asked| #question,
                            |__event| #answer,
                        )
                    };
                    // Not compared with the written type once more, which is none where the question is no prompt.
                    let payload = checked(&payload);
                    return quote!(let #name: #private::Asker<#payload> = #value;);
                }
                (Tool::Inbox { ty, signal }, model::Tool::Inbox(id)) => {
                    let (payload, id) = (self.names.payload(&signal.payload), id.0);
                    let taken = self.taken_inside(signal, &Literal::usize_unsuffixed(0));
                    let value = quote! {
                        #private::Inbox::new(&__context, #private::graph::EventId(#id), |__event| #taken)
                    };
                    (&**ty, quote!(#private::Inbox<#payload>), value)
                }
                // The graph was built from these tools, in this order.
                _ => return TokenStream::new(),
            };
            let value = self.as_written(written, &ours, &value);
            quote!(let #name = #value;)
        });
        quote!(#(#tools)*)
    }

    /// A field of the event in `__event`, if it is that event.
    fn taken_inside(&self, event: &Event, field: &impl ToTokens) -> TokenStream {
        let private = &self.names.private;
        let Some((_, info)) = self.graph.event(event) else { return TokenStream::new() };
        let (events, variant) = (&self.names.events, &info.variant);
        let value = self.taken(&Taken { event: event.clone(), by_ref: false }, info, false);
        quote!(match __event {
            #events::#variant(__event) => #private::Some(#value.#field),
            _ => #private::None,
        })
    }

    /// The variant of the element of a fan-out in `__out`.
    fn element(&self, many: &Many) -> TokenStream {
        let private = &self.names.private;
        match (&many.one_of, many.items.as_slice()) {
            (None, [item]) => self.emitted(item),
            (written, items) => {
                let letters = letters();
                let arms = items.iter().zip(&letters).map(|(item, letter)| {
                    let emitted = self.emitted(item);
                    quote!(#private::OneOf::#letter(__out) => #emitted,)
                });
                let types = items.iter().map(|item| {
                    let ty = &item.ty;
                    quote!(#ty)
                });
                let ours = one_of(types, self.names);
                let out = written.as_ref().map(|written| self.as_ours(written, &ours, &quote!(__out)));
                quote!(match #out { #(#arms)* })
            }
        }
    }

    /// The variant of the event in `__out`.
    fn emitted(&self, event: &Event) -> TokenStream {
        let private = &self.names.private;
        let Some((_, info)) = self.graph.event(event) else {
            return TokenStream::new();
        };
        let (events, variant) = (&self.names.events, &info.variant);
        let (first, ty) = (&info.first.ty, &event.ty);
        let value = if spelled_alike(first, ty) {
            quote!(__out)
        } else {
            quote!(<#ty as #private::SameEvent<#first>>::into_first(__out))
        };
        let value = self.names.wrapped(info, value);
        quote!(#events::#variant(#value))
    }

    // ---- between the author's spelling and ours ----

    /// A value in the parameter that takes it. Where an answer is in it, the type is left to the parameter: written here
    /// once more, it would be reported once more.
    fn passed(&self, param: &Param, written: &Type, ours: &TokenStream, value: &TokenStream) -> TokenStream {
        if has_answer(param) {
            let private = &self.names.private;
            return quote!(<_ as #private::Form<#ours>>::from_ours(#value));
        }
        self.as_written(written, ours, value)
    }

    fn as_written(&self, written: &Type, ours: &TokenStream, value: &TokenStream) -> TokenStream {
        let (private, written) = (&self.names.private, checked(written));
        quote!(<#written as #private::Form<#ours>>::from_ours(#value))
    }

    fn as_ours(&self, written: &Type, ours: &TokenStream, value: &TokenStream) -> TokenStream {
        let (private, written) = (&self.names.private, checked(written));
        quote!(<#written as #private::Form<#ours>>::into_ours(#value))
    }
}

/// What an event parameter is made of.
fn part(position: usize) -> Ident {
    format_ident!("__part{position}")
}

/// The variants of `OneOf`.
fn letters() -> Vec<Ident> {
    ["A", "B", "C", "D", "E", "F", "G", "H"].into_iter().map(|letter| format_ident!("{letter}")).collect()
}
