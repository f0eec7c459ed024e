//! What an author gets beside the report of their mistakes: their block without our attributes, the checks of
//! the types that could be read, and a stub of the implementation, so that nothing else is reported and the
//! rest of the program still type-checks.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::error::Errors;
use crate::expand::{Bodies, Checks, Names, PromptEnum, of_no_steps, signals_stubs, types, used_path};
use crate::parse::{Source, Unreadable, WorkflowDef};

/// For a block whose steps have mistakes.
pub(crate) fn workflow(source: &Source, def: &WorkflowDef, errors: &Errors) -> TokenStream {
    let names = Names::new(source, def);
    let prompts = PromptEnum::new(source, def, &names);
    let Names { krate, private, self_ty, .. } = &names;
    let (impl_generics, _, where_clause) = names.assumed.split_for_impl();
    let block = source.stripped();
    let bodies = Bodies {
        start: quote!(#private::unfinished()),
        output: quote!(#private::Err(__event)),
        prompt: quote!(#private::None),
        answer_json: quote!(#private::no_question()),
        call: quote!(#private::called(#private::no_such_step(__step))),
    };
    let methods = bodies.methods(&names);
    let prompt_enum = prompts.definition();
    let prompt_impls = prompts.impls(&names);
    let asks = prompts.stubs(&names);
    let signals = signals_stubs(def, &names);
    // Reported here alone: the compiler drops what is said twice only where it does not compile incrementally. In a
    // function, because one that does not compile has no result, see `checks.rs`; and because a mistake between the items
    // of a module silences what the compiler has to say about names in that module.
    let mistakes = quote! {
        const fn __mistakes() -> #private::bool {
            #errors
            true
        }
    };
    // An input or an output of which the steps do not say one thing is no type.
    let none = quote!(<() as #private::Checked<{ __mistakes() }>>::Type);
    let types = types(def, &names, &prompts.ty(&names), &quote!(#private::Unfinished), &none);
    let checks = Checks::of_signatures(source, def, &names, errors).definition(&names);
    let options = of_no_steps(def, &names);
    let used = used_path(source);
    quote! {
        #block
        #prompt_enum
        #[doc(hidden)]
        #[allow(clippy::all, dead_code, private_interfaces, unreachable_patterns, unused_imports, unused_variables)]
        const _: () = {
            use #krate::__private::{self, Otherwise as _};
            #mistakes
            #checks
            #prompt_impls
            #asks
            #signals
            #[automatically_derived]
            impl #impl_generics #private::Workflow for #self_ty #where_clause {
                #types
                const GRAPH: &'static #private::graph::Graph = #private::NO_GRAPH;
                #methods
            }
            #options
            #used
        };
    }
}

/// For something that is no block that could be read.
pub(crate) fn unreadable(unreadable: &Unreadable, errors: &Errors) -> TokenStream {
    let mut tokens = unreadable.error.to_compile_error();
    errors.to_tokens(&mut tokens);
    tokens.extend(unreadable.tokens.clone());
    tokens
}
