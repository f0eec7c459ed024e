//! `#[event]`, `#[prompt]`, `#[data]`, and the derives.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Field, GenericParam, Generics, Meta, Path, Token, parse_quote};

use crate::args::{PromptArgs, parse_crate};
use crate::error::Errors;
use crate::expand::{runtime, saved};
use crate::types::{any_ident, compact, mentions, no_parameters};

/// `#[data]`: `Clone` and serde's derives, through us.
pub(crate) fn data(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let krate = runtime(parse_crate(args, &mut errors).as_ref());
    match read(item.clone(), errors) {
        Ok(input) => {
            let checks = is_ours(&input).then(|| data_checks(&input, &krate));
            let derived = derived(&input, &krate);
            quote!(#checks #derived)
        }
        Err(errors) => quote!(#errors #item),
    }
}

/// `#[event]`: `#[data]` and the marker.
pub(crate) fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let krate = runtime(parse_crate(args, &mut errors).as_ref());
    match read(item.clone(), errors) {
        Ok(input) => {
            let (derived, checks) = (derived(&input, &krate), field_checks(&input, is_ours(&input)));
            let marker = event_impl(&input, &krate, &checks);
            quote!(#marker #derived)
        }
        Err(errors) => quote!(#errors #item),
    }
}

/// `#[prompt(response = R)]`: `#[data]` and `Prompt`.
pub(crate) fn prompt(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut args = PromptArgs::parse(args, &mut errors);
    has_response(&mut args, &mut errors);
    let krate = runtime(args.krate.as_ref());
    let (errors, input) = match read(item.clone(), Errors::new()) {
        Ok(input) => (errors, input),
        Err(mistakes) => {
            errors.extend(mistakes);
            return quote!(#errors #item);
        }
    };
    let checks = field_checks(&input, is_ours(&input));
    let (derived, implementation) = (derived(&input, &krate), prompt_impl(&input, &args, &krate, checks));
    quote!(#errors #implementation #derived)
}

/// `#[derive(Event)]`, with `#[event(crate = path)]` where the runtime has another name.
pub(crate) fn derive_event(item: TokenStream) -> TokenStream {
    match read(item, Errors::new()) {
        Ok(input) => {
            let mut errors = Errors::new();
            let krate = runtime(parse_crate(options(&input, "event"), &mut errors).as_ref());
            let marker = event_impl(&input, &krate, &field_checks(&input, false));
            quote!(#errors #marker)
        }
        Err(errors) => errors.into_token_stream(),
    }
}

/// `#[derive(Prompt)]`, with `#[prompt(response = R)]`.
pub(crate) fn derive_prompt(item: TokenStream) -> TokenStream {
    match read(item, Errors::new()) {
        Ok(input) => {
            let mut errors = Errors::new();
            let mut args = PromptArgs::parse(options(&input, "prompt"), &mut errors);
            has_response(&mut args, &mut errors);
            let krate = runtime(args.krate.as_ref());
            let implementation = prompt_impl(&input, &args, &krate, field_checks(&input, false));
            quote!(#errors #implementation)
        }
        Err(errors) => errors.into_token_stream(),
    }
}

/// A prompt without a response type is completed, so that nothing else is reported about it.
fn has_response(args: &mut PromptArgs, errors: &mut Errors) {
    if args.response.is_none() {
        if errors.is_empty() {
            errors.at(
                Span::call_site(),
                "a prompt needs the type of its answer: `#[prompt(response = Decision)]`",
            );
        }
        args.response = Some(parse_quote!(()));
        args.validate = None;
    }
}

/// The item, if it is one that can be saved.
fn read(item: TokenStream, mut errors: Errors) -> Result<DeriveInput, Errors> {
    let parsed = errors.keep(syn::parse2::<DeriveInput>(item));
    if let Some(input) = &parsed {
        if let Data::Union(data) = &input.data {
            errors.on(data.union_token, "a union cannot be saved; use an `enum`");
        }
        for param in &input.generics.params {
            if let GenericParam::Lifetime(param) = param {
                errors.on(param, "this type is saved with the run, so it cannot borrow; let it own its data");
            }
        }
    }
    errors.finish()?;
    parsed.ok_or_else(Errors::new)
}

/// What the derive's own attribute says.
fn options(input: &DeriveInput, name: &str) -> TokenStream {
    input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident(name))
        .find_map(|attr| attr.meta.require_list().ok().map(|list| list.tokens.clone()))
        .unwrap_or_default()
}

/// The item with `Clone` and serde's derives, apart from those that it has.
fn derived(input: &DeriveInput, krate: &TokenStream) -> TokenStream {
    let has = existing_derives(&input.attrs);
    let missing = |name: &str| !has.iter().any(|known| known == name);
    let mut derives: Vec<TokenStream> = Vec::new();
    if missing("Clone") {
        derives.push(quote!(#krate::__private::Clone));
    }
    let mut serde = None;
    for name in ["Serialize", "Deserialize"] {
        if missing(name) {
            let name = Ident::new(name, Span::call_site());
            derives.push(quote!(#krate::__private::serde::#name));
            let path = quote!(#krate::__private::serde).to_string().replace(' ', "");
            serde = Some(quote!(#[serde(crate = #path)]));
        }
    }
    let serde = serde.filter(|_| !has_serde_option(&input.attrs, &["crate"]));
    let mut item = input.to_token_stream();
    if input.generics.params.is_empty() {
        item = no_parameters(&input.ident.to_string(), item);
    }
    quote!(#[derive(#(#derives),*)] #serde #item)
}

/// Whether it is we who have both of serde's traits derived, from the fields as they stand.
fn is_ours(input: &DeriveInput) -> bool {
    let has = existing_derives(&input.attrs);
    !has.iter().any(|known| known == "Serialize" || known == "Deserialize")
        && !has_serde_option(&input.attrs, &["from", "try_from", "into"])
}

/// Asks whether the fields can be saved. Serde's derives ask as well, several times each and in words of their own; this
/// stands before them, so that it is read first.
fn data_checks(input: &DeriveInput, krate: &TokenStream) -> Option<TokenStream> {
    let checks: TokenStream =
        fields(input).into_iter().filter(|field| is_saved(field, input)).map(saved_field).collect();
    (!checks.is_empty()).then(|| {
        quote! {
            const _: () = {
                #[allow(unused_imports)]
                use #krate::__private::{self, Otherwise as _};
                fn __fields() { #checks }
            };
        }
    })
}

/// Asks whether the fields can be shared between threads; and saved, where it is we who have that derived.
fn field_checks(input: &DeriveInput, save: bool) -> TokenStream {
    let checks = fields(input).into_iter().map(|field| {
        let ty = &field.ty;
        if save && is_saved(field, input) {
            let saved = saved_field(field);
            return quote!(#saved __private::Of::<#ty>::is_shareable::<#ty>(););
        }
        quote!(__private::Of::<#ty>::shareable::<#ty>();)
    });
    checks.collect()
}

/// A field of each type that the compiler does not leave out.
fn fields(input: &DeriveInput) -> Vec<&Field> {
    let mut fields: Vec<&Field> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    let mut known = HashSet::new();
    let has = |field: &Field, name| field.attrs.iter().any(|attr| attr.path().is_ident(name));
    fields.retain(|field| {
        !has(field, "cfg")
            && !has(field, "cfg_attr")
            && known.insert((has(field, "serde"), compact(&field.ty)))
    });
    fields
}

/// Whether serde's derives save the field as it stands, whatever the parameters of the type are.
fn is_saved(field: &Field, input: &DeriveInput) -> bool {
    let ty = &field.ty;
    !field.attrs.iter().any(|attr| attr.path().is_ident("serde"))
        && !mentions(ty, &input.generics)
        && !any_ident(quote!(#ty), &|word| word == "Self")
}

fn saved_field(field: &Field) -> TokenStream {
    saved(&field.ty, &quote!(__private))
}

/// What a workflow looks at before it asks anything about the type: a value that is none if something here is wrong.
fn is_defined(checks: &TokenStream, krate: &TokenStream) -> Option<TokenStream> {
    (!checks.is_empty()).then(|| {
        quote! {
            const DEFINED: #krate::__private::bool = {
                #[allow(unused_imports)]
                use #krate::__private::{self, Otherwise as _};
                let _ = || { #checks };
                true
            };
        }
    })
}

/// The last segments of the derives that the author wrote below our attribute.
fn existing_derives(attrs: &[Attribute]) -> Vec<String> {
    let derives = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let paths =
        derives.filter_map(|attr| attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
    paths.flatten().filter_map(|path| Some(path.segments.last()?.ident.to_string())).collect()
}

/// Whether the author wrote one of these options for serde.
fn has_serde_option(attrs: &[Attribute], options: &[&str]) -> bool {
    let serde = attrs.iter().filter(|attr| attr.path().is_ident("serde"));
    let metas = serde.filter_map(|attr| {
        let list = attr.meta.require_list().ok()?;
        Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()).ok()
    });
    metas.flatten().any(|meta| options.iter().any(|option| meta.path().is_ident(option)))
}

fn event_impl(input: &DeriveInput, krate: &TokenStream, checks: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let defined = is_defined(checks, krate);
    let generics = shareable(&input.generics, krate);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::__private::IsEvent for #name #ty_generics #where_clause {
            #defined
        }
    }
}

fn prompt_impl(
    input: &DeriveInput,
    args: &PromptArgs,
    krate: &TokenStream,
    mut checks: TokenStream,
) -> TokenStream {
    let private = quote!(#krate::__private);
    let name = &input.ident;
    let response = &args.response;
    if let Some(ty) = response {
        checks.extend(match mentions(ty, &input.generics) {
            true => quote!(__private::Of::<#ty>::shareable::<#ty>();),
            false => {
                let saved = saved(ty, &quote!(__private));
                quote!(#saved __private::Of::<#ty>::is_shareable::<#ty>();)
            }
        });
    }
    let defined = is_defined(&checks, krate);
    let mut generics = shareable(&input.generics, krate);
    for param in generics.type_params_mut() {
        param.bounds.push(parse_quote!(#private::Clone));
    }
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let validate = args.validate.as_ref().map(|path| {
        let answer = Ident::new("__answer", path.span());
        quote! {
            fn validate(&self, #answer: &Self::Response) -> #private::Result<(), #private::String> {
                #private::refusal(#path(self, #answer))
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Prompt for #name #ty_generics #where_clause {
            type Response = #response;
            #defined
            #validate
        }
    }
}

/// The parameters, each of a type that can be shared between threads.
fn shareable(generics: &Generics, krate: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    for param in generics.type_params_mut() {
        param.bounds.push(parse_quote!(#krate::__private::Send));
        param.bounds.push(parse_quote!(#krate::__private::Sync));
        param.bounds.push(parse_quote!('static));
    }
    generics
}
