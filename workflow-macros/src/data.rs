//! `#[event]`, `#[prompt]`, `#[data]`, and the derives.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Generics, Meta, Path, Token, parse_quote};

use crate::args::{PromptArgs, parse_crate};
use crate::error::Errors;
use crate::expand::{located, runtime, saved};
use crate::types::{any_ident, borrows, compact, mentions, no_parameters};

/// `#[data]`: `Clone` and serde's derives, through us.
pub(crate) fn data(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let krate = runtime(parse_crate(args, &mut errors).as_ref());
    let Some(input) = read(item.clone(), &mut errors) else { return quote!(#errors #item) };
    if below_is_another(&input) {
        return quote!(#errors #item);
    }
    if refuse_borrows(&input, &mut errors) {
        let derived = stubs(&input, &krate);
        return quote!(#errors #derived);
    }
    let checks = is_ours(&input).then(|| data_checks(&input, &krate));
    let derived = derived(&input, &krate);
    quote!(#errors #checks #derived)
}

/// `#[event]`: `#[data]` and the marker.
pub(crate) fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let krate = runtime(parse_crate(args, &mut errors).as_ref());
    let Some(input) = read(item.clone(), &mut errors) else { return quote!(#errors #item) };
    if refuse_borrows(&input, &mut errors) {
        let (derived, marker) = (stubs(&input, &krate), event_impl(&input, &krate, &TokenStream::new()));
        return quote!(#errors #marker #derived);
    }
    let marker = event_impl(&input, &krate, &field_checks(&input, is_ours(&input)));
    let derived = if below_is_another(&input) { item } else { derived(&input, &krate) };
    quote!(#errors #marker #derived)
}

/// `#[prompt(response = R)]`: `#[data]` and `Prompt`.
pub(crate) fn prompt(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let mut args = PromptArgs::parse(args, &mut errors);
    has_response(&mut args, &mut errors);
    let krate = runtime(args.krate.as_ref());
    let Some(input) = read(item.clone(), &mut errors) else { return quote!(#errors #item) };
    if refuse_borrows(&input, &mut errors) {
        let (derived, implementation) =
            (stubs(&input, &krate), prompt_impl(&input, &args, &krate, TokenStream::new()));
        return quote!(#errors #implementation #derived);
    }
    let implementation = prompt_impl(&input, &args, &krate, field_checks(&input, is_ours(&input)));
    let derived = if below_is_another(&input) { item } else { derived(&input, &krate) };
    quote!(#errors #implementation #derived)
}

/// `#[derive(Event)]`, with `#[event(crate = path)]` where the runtime has another name.
pub(crate) fn derive_event(item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let Some(input) = read(item, &mut errors) else { return errors.into_token_stream() };
    let krate = runtime(parse_crate(options(&input, "event"), &mut errors).as_ref());
    let marker = event_impl(&input, &krate, &field_checks(&input, false));
    quote!(#errors #marker)
}

/// `#[derive(Prompt)]`, with `#[prompt(response = R)]`.
pub(crate) fn derive_prompt(item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let Some(input) = read(item, &mut errors) else { return errors.into_token_stream() };
    let mut options_of = Errors::new();
    let mut args = PromptArgs::parse(options(&input, "prompt"), &mut options_of);
    has_response(&mut args, &mut options_of);
    let krate = runtime(args.krate.as_ref());
    let implementation = prompt_impl(&input, &args, &krate, field_checks(&input, false));
    quote!(#errors #options_of #implementation)
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
fn read(item: TokenStream, errors: &mut Errors) -> Option<DeriveInput> {
    let parsed = syn::parse2::<DeriveInput>(item).map_err(|error| {
        if error.to_string().starts_with("expected one of: `struct`") {
            let message = "what is saved with a run is a `struct` or an `enum`; put this attribute on one";
            return syn::Error::new(error.span(), message);
        }
        error
    });
    let input = errors.keep(parsed)?;
    if let Data::Union(data) = &input.data {
        errors.on(data.union_token, "a union cannot be saved; use an `enum`");
        return None;
    }
    Some(input)
}

const BORROWS: &str = "this type is saved with the run, so it cannot borrow; let it own its data";

/// Whether something in the item borrows, which is reported then.
fn refuse_borrows(input: &DeriveInput, errors: &mut Errors) -> bool {
    let before = errors.count();
    input.generics.lifetimes().for_each(|param| errors.on(param, BORROWS));
    if errors.count() == before && is_ours(input) {
        let saved = all_fields(input).filter(|field| !has(&field.attrs, "serde"));
        saved.flat_map(|field| borrows(&field.ty)).for_each(|borrow| errors.on(borrow, BORROWS));
    }
    errors.count() > before
}

/// Whether another of our attributes below has the same derived. Others have words like ours; ours says one of these
/// things, and below its derive it is an option of that.
fn below_is_another(input: &DeriveInput) -> bool {
    let derived = existing_derives(&input.attrs);
    let is_option = |of: &str| derived.iter().any(|name| name == of);
    input.attrs.iter().any(|attr| {
        let Some(word) = attr.path().segments.last().map(|segment| segment.ident.to_string()) else {
            return false;
        };
        let says = |option: &str| match &attr.meta {
            Meta::List(list) => any_ident(list.tokens.clone(), &|word| word == option),
            Meta::Path(_) | Meta::NameValue(_) => false,
        };
        let is_plain = matches!(attr.meta, Meta::Path(_)) || says("crate");
        match word.as_str() {
            "data" => is_plain,
            "event" => is_plain && !is_option("Event"),
            "prompt" => says("response") && !is_option("Prompt"),
            _ => false,
        }
    })
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

/// The item with implementations that do nothing: what is wrong with it has been reported, and is not to be reported
/// again wherever it is used.
fn stubs(input: &DeriveInput, krate: &TokenStream) -> TokenStream {
    let private = quote!(#krate::__private);
    let derives = existing_derives(&input.attrs);
    let missing = |name: &str| !derives.iter().any(|known| known == name);
    let (name, generics) = (&input.ident, &input.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let clone = missing("Clone").then(|| {
        quote! {
            impl #impl_generics #private::Clone for #name #ty_generics #where_clause {
                fn clone(&self) -> Self { #private::refused() }
            }
        }
    });
    let serialize = missing("Serialize").then(|| {
        quote! {
            impl #impl_generics #private::Serialize for #name #ty_generics #where_clause {
                fn serialize<__S: #private::Serializer>(&self, _: __S) -> #private::Result<__S::Ok, __S::Error> {
                    #private::refused()
                }
            }
        }
    });
    let mut with_input = generics.clone();
    with_input.params.insert(0, parse_quote!('__de));
    let (impl_generics, _, _) = with_input.split_for_impl();
    let deserialize = missing("Deserialize").then(|| {
        quote! {
            impl #impl_generics #private::Deserialize<'__de> for #name #ty_generics #where_clause {
                fn deserialize<__D: #private::serde::Deserializer<'__de>>(_: __D) -> #private::Result<Self, __D::Error> {
                    #private::refused()
                }
            }
        }
    });
    // Without a derive of serde's, nobody is left to read the options for it.
    let serde = missing("Serialize") && missing("Deserialize");
    let item = if serde { without_options(input.clone()) } else { input.clone() };
    quote!(#item #clone #serialize #deserialize)
}

fn without_options(mut input: DeriveInput) -> DeriveInput {
    let strip = |attrs: &mut Vec<Attribute>| attrs.retain(|attr| !attr.path().is_ident("serde"));
    strip(&mut input.attrs);
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| strip(&mut field.attrs)),
        Data::Enum(data) => data.variants.iter_mut().for_each(|variant| {
            strip(&mut variant.attrs);
            variant.fields.iter_mut().for_each(|field| strip(&mut field.attrs));
        }),
        Data::Union(_) => {}
    }
    input
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
    let mut known = HashSet::new();
    let is_there = |field: &&Field| !has(&field.attrs, "cfg") && !has(&field.attrs, "cfg_attr");
    let mut is_new = |field: &&Field| known.insert((has(&field.attrs, "serde"), compact(&field.ty)));
    all_fields(input).filter(|field| is_there(field) && is_new(field)).collect()
}

fn all_fields(input: &DeriveInput) -> impl Iterator<Item = &Field> {
    let groups: Vec<&Fields> = match &input.data {
        Data::Struct(data) => vec![&data.fields],
        Data::Enum(data) => data.variants.iter().map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    groups.into_iter().flatten()
}

fn has(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident(name))
}

/// Whether serde's derives save the field as it stands, whatever the parameters of the type are.
fn is_saved(field: &Field, input: &DeriveInput) -> bool {
    let ty = &field.ty;
    !has(&field.attrs, "serde")
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
        // The calls stand where the path stands: that is where the compiler puts the caret under a function that takes or
        // gives something else.
        let span = path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
        let in_place = |tokens| {
            let mut group = Group::new(Delimiter::Parenthesis, tokens);
            group.set_span(span);
            group
        };
        let answer = Ident::new("__answer", span);
        let asked = in_place(quote!(self, #answer));
        let (refusal, verdict) = (located(quote!(#private::refusal), span), in_place(quote!(#path #asked)));
        quote! {
            fn validate(&self, #answer: &Self::Response) -> #private::Result<(), #private::String> {
                #refusal #verdict
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

/// The parameters, each of a type that can be shared between threads. A lifetime among them has been reported.
fn shareable(generics: &Generics, krate: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    generics.lifetimes_mut().for_each(|param| param.bounds.push(parse_quote!('static)));
    for param in generics.type_params_mut() {
        param.bounds.push(parse_quote!(#krate::__private::Send));
        param.bounds.push(parse_quote!(#krate::__private::Sync));
        param.bounds.push(parse_quote!('static));
    }
    generics
}
