//! `retry` and `timeout`: what the runtime does about a step that fails or takes too long.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::args::Count;
use crate::expand::{Names, located};
use crate::graph::Graph;
use crate::parse::WorkflowDef;

/// `fn policy`, with an arm for each step that has one of the options; nothing where none has.
// expands to:
// 2u16 => StepPolicy { retry: Some({ const __RETRY: Retry = ..; __RETRY }), timeout: None },
pub(super) fn of_steps(graph: &Graph<'_>, names: &Names) -> Option<TokenStream> {
    let private = &names.private;
    let arms = graph.steps().filter_map(|(id, _, def)| {
        let (retry, timeout) = (def.args.retry.as_ref(), def.args.timeout.as_ref());
        if retry.is_none() && timeout.is_none() {
            return None;
        }
        let number = id.0;
        let retry = optional(retry.map(|expr| inline(self::retry, "__RETRY", expr, names)), names);
        let timeout = optional(timeout.map(|expr| inline(self::timeout, "__TIMEOUT", expr, names)), names);
        Some(quote!(#number => #private::StepPolicy { retry: #retry, timeout: #timeout },))
    });
    let arms: Vec<_> = arms.collect();
    if arms.is_empty() {
        return None;
    }
    Some(quote! {
        fn policy(__step: #private::graph::StepId) -> #private::StepPolicy {
            match __step.0 {
                #(#arms)*
                _ => #private::StepPolicy::NONE,
            }
        }
    })
}

/// The constants of all options, where there are no steps to put them to: what is wrong with them is said all the same.
pub(crate) fn of_no_steps(def: &WorkflowDef, names: &Names) -> TokenStream {
    let unnamed = &quote!(_);
    let policies = def.steps.iter().map(|step| {
        let retry = step.args.retry.iter().map(|expr| retry(unnamed, expr, names));
        let timeout = step.args.timeout.iter().map(|expr| timeout(unnamed, expr, names));
        let counts = [&step.args.workers, &step.args.take, &step.args.max_recoveries];
        let counts = counts.into_iter().flatten().filter_map(|option| match option {
            Count::Number(_) => None,
            Count::Expr(expr) => Some(count(unnamed, expr, names)),
        });
        quote!(#(#retry)* #(#timeout)* #(#counts)*)
    });
    quote!(#(#policies)*)
}

/// A constant, so that what is wrong with the policy is said while compiling. Its type stands where the expression
/// stands, so that an expression of another type is the only place that is underlined.
fn retry(name: &TokenStream, expr: &Expr, names: &Names) -> TokenStream {
    let private = &names.private;
    let ty = located(quote!(#private::Retry), expr.span());
    let value = without_self(expr.to_token_stream(), names);
    quote!(const #name: #ty = #value;)
}

/// The call stands where its argument stands: that is where the compiler puts the caret under a malformed duration.
fn timeout(name: &TokenStream, expr: &Expr, names: &Names) -> TokenStream {
    let private = &names.private;
    let read = located(quote!(#private::timeout), expr.span());
    let text = without_self(expr.to_token_stream(), names);
    let argument = quote_spanned!(expr.span()=> (#text));
    quote!(const #name: #private::Duration = #read #argument;)
}

/// An option that counts something.
pub(super) fn count(name: &TokenStream, expr: &Expr, names: &Names) -> TokenStream {
    let private = &names.private;
    let checked = located(quote!(#private::at_least_one), expr.span());
    let argument = quote_spanned!(expr.span()=> (#expr));
    quote!(const #name: #private::u32 = #checked #argument;)
}

/// The value of a constant that is written where it is used.
pub(super) fn inline(
    constant: fn(&TokenStream, &Expr, &Names) -> TokenStream,
    name: &str,
    expr: &Expr,
    names: &Names,
) -> TokenStream {
    let name = format_ident!("{name}").into_token_stream();
    let constant = constant(&name, expr, names);
    quote!({
        #constant
        #name
    })
}

fn optional(value: Option<TokenStream>, names: &Names) -> TokenStream {
    let private = &names.private;
    value.map_or_else(|| quote!(#private::None), |value| quote!(#private::Some(#value)))
}

/// A constant in a method has no `Self`; the author's expression may.
fn without_self(tokens: TokenStream, names: &Names) -> TokenStream {
    let self_ty = &names.self_ty;
    let replace = |token| match token {
        TokenTree::Ident(word) if is_self(&word) => located(quote!(<#self_ty>), word.span()),
        TokenTree::Group(group) => {
            let mut replaced = Group::new(group.delimiter(), without_self(group.stream(), names));
            replaced.set_span(group.span());
            TokenTree::Group(replaced).into()
        }
        token => token.into(),
    };
    tokens.into_iter().flat_map(|token| -> TokenStream { replace(token) }).collect()
}

fn is_self(word: &Ident) -> bool {
    word == "Self"
}
