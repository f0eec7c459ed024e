//! The macros of `workflow-runtime`, which re-exports them with their documentation. Depend on that crate.
//!
//! `#[workflow]` goes through four phases: parse, graph, validate, expand. Each gives a new type, so that
//! nothing unchecked is expanded; a phase reports all of its mistakes, and the next one begins only without any.

mod args;
mod data;
mod error;
mod expand;
mod fallback;
mod forgotten;
mod graph;
mod parse;
mod signature;
#[cfg(test)]
mod snapshots;
mod types;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::WorkflowArgs;
use crate::error::Errors;
use crate::graph::Graph;
use crate::parse::{Source, WorkflowDef};

/// Makes an `impl` block a workflow. See `workflow_runtime::workflow`.
#[proc_macro_attribute]
pub fn workflow(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    workflow_block(args.into(), item.into()).into()
}

/// Marks a method of a workflow as a step. See `workflow_runtime::step`.
#[proc_macro_attribute]
pub fn step(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    stray_step(args.into(), item.into()).into()
}

/// Makes a type an event. See `workflow_runtime::event`.
#[proc_macro_attribute]
pub fn event(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    data::event(args.into(), item.into()).into()
}

/// Makes a type a question to a person. See `workflow_runtime::prompt`.
#[proc_macro_attribute]
pub fn prompt(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    data::prompt(args.into(), item.into()).into()
}

/// Makes a type one that can be saved. See `workflow_runtime::data`.
#[proc_macro_attribute]
pub fn data(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    data::data(args.into(), item.into()).into()
}

/// The marker of `#[event]` alone, for a type with serde attributes of its own.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    data::derive_event(item.into()).into()
}

/// The trait of `#[prompt]` alone, for a type with serde attributes of its own.
#[proc_macro_derive(Prompt, attributes(prompt))]
pub fn derive_prompt(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    data::derive_prompt(item.into()).into()
}

/// Not public API: gets a workflow back from the compiler after its `#[cfg]`s have been decided.
#[doc(hidden)]
#[proc_macro_derive(__Resolved, attributes(__workflow, __item, __attr))]
pub fn resolved(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    resolved_block(item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn workflow_block(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    match parse::source(item, &mut errors) {
        Ok(source) if source.is_conditional() => source.conditional(&args, &private(&args)),
        Ok(source) => unconditional(&source, args, errors),
        Err(unreadable) => fallback::unreadable(&unreadable, &errors),
    }
}

fn resolved_block(item: TokenStream) -> syn::Result<TokenStream> {
    let (args, block) = parse::resolved(&syn::parse2(item)?)?;
    let mut errors = Errors::new();
    Ok(match parse::source(block, &mut errors) {
        Ok(source) => unconditional(&source, args, errors),
        Err(unreadable) => fallback::unreadable(&unreadable, &errors),
    })
}

fn unconditional(source: &Source, args: TokenStream, mut errors: Errors) -> TokenStream {
    let def = parse::workflow(source, args, &mut errors);
    match phases(source, &def, errors) {
        Ok(tokens) => tokens,
        Err(errors) => fallback::workflow(source, &def, &errors),
    }
}

fn phases(source: &Source, def: &WorkflowDef, parsed: Errors) -> Result<TokenStream, Errors> {
    parsed.finish()?;
    validate::fits(def, source)?;
    let graph = Graph::build(source, def)?; // names resolved, declaration order kept
    let checked = validate::check(graph)?; // every rule, every violation
    Ok(expand::workflow(&checked)) // no decisions left to make
}

/// Where `__private` is. Mistakes in the arguments are reported later.
fn private(args: &TokenStream) -> TokenStream {
    let args = WorkflowArgs::parse(args.clone(), &mut Errors::new());
    let krate = expand::runtime(args.krate.as_ref());
    quote!(#krate::__private)
}

/// `#[step]` where no `#[workflow]` took it away; or, with `__used`, the one that `#[workflow]` left.
fn stray_step(args: TokenStream, item: TokenStream) -> TokenStream {
    if args.to_string() == "__used" {
        return TokenStream::new();
    }
    let error = syn::Error::new(
        proc_macro2::Span::call_site(),
        "`#[step]` marks the methods of a workflow; put `#[workflow]` on the `impl` block around it",
    )
    .to_compile_error();
    quote!(#error #item)
}
