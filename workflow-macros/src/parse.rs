//! An `impl` block, read into a [`WorkflowDef`].
//!
//! Items are kept as the tokens that they were written in: a body, or anything that is no step, is never
//! parsed. So whatever an editor sends while it is half typed comes back unchanged.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{TokenStreamExt as _, quote};
use syn::buffer::Cursor;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, GenericParam, Generics, Lit, LitStr, Meta, Path, Token, Type, Visibility,
    WhereClause, token,
};

use crate::args::{StepArgs, WorkflowArgs};
use crate::error::Errors;
use crate::signature::Signature;
use crate::types::{any_ident, bare, last_segment, no_parameters, unraw};

/// The word of the attribute that marks a step.
pub(crate) const STEP: &str = "step";

/// What the steps of an `impl` block say.
pub(crate) struct WorkflowDef {
    pub(crate) args: WorkflowArgs,
    /// The author's documentation.
    pub(crate) docs: String,
    pub(crate) steps: Vec<StepDef>,
}

/// One step.
pub(crate) struct StepDef {
    pub(crate) docs: String,
    pub(crate) args: StepArgs,
    pub(crate) signature: Signature,
}

/// The `impl` block as it was written, apart from our attributes.
pub(crate) struct Source {
    /// Attributes of the block.
    attrs: TokenStream,
    /// From `impl` up to the braces.
    head: TokenStream,
    braces: token::Brace,
    items: Vec<Item>,
    pub(crate) generics: Generics,
    pub(crate) self_ty: Type,
    /// The last segment of the type.
    pub(crate) name: Ident,
    /// The path of our attribute on the first step, to be used once more.
    pub(crate) step_path: Option<Path>,
}

/// One item of the block.
pub(crate) struct Item {
    /// All attributes but ours.
    attrs: Vec<TokenStream>,
    /// Everything after the attributes.
    tokens: TokenStream,
    /// What makes it a step.
    step: Option<StepAttribute>,
}

struct StepAttribute {
    path: Path,
    args: TokenStream,
    /// `None` where the signature does not parse; that has been reported.
    signature: Option<syn::Signature>,
}

impl Source {
    /// The block without our attributes.
    pub(crate) fn stripped(&self) -> TokenStream {
        let mut body = TokenStream::new();
        for item in &self.items {
            body.append_all(&item.attrs);
            body.extend(item.tokens.clone());
        }
        let mut tokens = self.attrs.clone();
        let generic = !self.generics.params.is_empty();
        tokens.extend(if generic { self.head.clone() } else { no_parameters("impl", self.head.clone()) });
        self.braces.surround(&mut tokens, |tokens| tokens.extend(body));
        tokens
    }

    /// The signatures of the methods that are no steps.
    pub(crate) fn other_methods(&self) -> impl Iterator<Item = syn::Signature> {
        let others = self.items.iter().filter(|item| item.step.is_none());
        others.filter_map(|item| function.parse2(item.tokens.clone()).ok())
    }

    /// Whether some step is there only under a condition.
    pub(crate) fn is_conditional(&self) -> bool {
        self.items.iter().any(|item| item.attrs.iter().any(|attr| item.is_conditional(attr)))
    }

    /// The helper that has the compiler decide the conditions; see [`resolved`].
    // expands to:
    // #[derive(__Resolved)] #[__workflow({ args } { impl .. })]
    // enum __CheckoutSteps { #[cfg(..)] #[__item(..)] Item0, .. }
    pub(crate) fn conditional(&self, args: &TokenStream, private: &TokenStream) -> TokenStream {
        let name = quote::format_ident!("__{}Steps", unraw(&self.name));
        let (attrs, head) = (&self.attrs, &self.head);
        let variants = self.items.iter().enumerate().map(|(index, item)| {
            let (conditions, rest): (Vec<_>, Vec<_>) =
                item.attrs.iter().partition(|attr| item.is_conditional(attr));
            let conditions = conditions.into_iter().map(shielded);
            let step = item.step.as_ref().map(|step| {
                let (path, args) = (&step.path, &step.args);
                quote!(#[#path(#args)])
            });
            let tokens = &item.tokens;
            let variant = quote::format_ident!("Item{index}");
            quote!(#(#conditions)* #[__item(#step #(#rest)* #tokens)] #variant)
        });
        let braces = Group::new(Delimiter::Brace, TokenStream::new());
        quote! {
            #[doc(hidden)]
            #[allow(dead_code)]
            #[derive(#private::__Resolved)]
            #[__workflow({ #args } { #attrs #head #braces })]
            enum #name { #(#variants),* }
        }
    }
}

impl Item {
    /// Whether this attribute decides about a step.
    fn is_conditional(&self, attr: &TokenStream) -> bool {
        match attribute(attr).map(|attr| (attr.path().is_ident("cfg"), attr.path().is_ident("cfg_attr"))) {
            Some((true, _)) => self.step.is_some(),
            Some((_, true)) => self.step.is_some() || any_ident(attr.clone(), &|ident| ident == STEP),
            _ => false,
        }
    }
}

/// The derive's input, with every condition decided, as the arguments and the block that it was made from.
pub(crate) fn resolved(input: &syn::DeriveInput) -> syn::Result<(TokenStream, TokenStream)> {
    let lost = || syn::Error::new_spanned(&input.ident, "this derive is for `#[workflow]` alone");
    let helper = |attrs: &[Attribute], name: &str| {
        attrs
            .iter()
            .find(|attr| attr.path().is_ident(name))
            .and_then(|attr| Some(attr.meta.require_list().ok()?.tokens.clone()))
    };
    let syn::Data::Enum(data) = &input.data else { return Err(lost()) };
    let mut whole = helper(&input.attrs, "__workflow").ok_or_else(lost)?.into_iter();
    let (Some(TokenTree::Group(args)), Some(TokenTree::Group(block))) = (whole.next(), whole.next()) else {
        return Err(lost());
    };
    let mut body = TokenStream::new();
    for variant in &data.variants {
        for attr in variant.attrs.iter().filter(|attr| attr.path().is_ident("__attr")) {
            let tokens = &attr.meta.require_list()?.tokens;
            body.extend(quote!(#[#tokens]));
        }
        body.extend(helper(&variant.attrs, "__item"));
    }
    let mut block: Vec<TokenTree> = block.stream().into_iter().collect();
    if let Some(TokenTree::Group(braces)) = block.last_mut() {
        let mut filled = Group::new(Delimiter::Brace, body);
        filled.set_span(braces.span());
        *braces = filled;
    }
    Ok((args.stream(), block.into_iter().collect()))
}

/// `#[cfg_attr(p, a, b)]` as `#[cfg_attr(p, __attr(a), __attr(b))]`: on the helper, `a` and `b` must not act.
fn shielded(attr: &TokenStream) -> TokenStream {
    let parsed = attribute(attr)
        .filter(|attr| attr.path().is_ident("cfg_attr"))
        .and_then(|attr| attr.parse_args_with(Punctuated::<Raw, Token![,]>::parse_terminated).ok());
    let Some(parts) = parsed else { return attr.clone() };
    let mut parts = parts.iter().map(|raw| &raw.0);
    let condition = parts.next();
    quote!(#[cfg_attr(#condition, #(__attr(#parts)),*)])
}

/// Tokens up to the next comma.
struct Raw(TokenStream);

impl Parse for Raw {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut tokens = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            tokens.append(input.parse::<TokenTree>()?);
        }
        Ok(Self(tokens))
    }
}

/// Why an `impl` block cannot be read at all, and its tokens without `#[step]`.
pub(crate) struct Unreadable {
    pub(crate) error: syn::Error,
    pub(crate) tokens: TokenStream,
}

/// Splits the block into its items. Mistakes in single steps go to `errors`.
pub(crate) fn source(tokens: TokenStream, errors: &mut Errors) -> Result<Source, Unreadable> {
    let read = |input: ParseStream| block(input, errors);
    read.parse2(tokens.clone()).map_err(|error| Unreadable { error, tokens: without_step(tokens) })
}

/// Reads what the steps of the block say. What cannot be read goes to `errors`, the rest is there.
pub(crate) fn workflow(source: &Source, args: TokenStream, errors: &mut Errors) -> WorkflowDef {
    let args = WorkflowArgs::parse(args, errors);
    let mut steps = Vec::new();
    for item in &source.items {
        let Some(step) = &item.step else { continue };
        let step_args = StepArgs::parse(step.args.clone(), errors);
        let Some(signature) = &step.signature else { continue };
        let signature = Signature::read(signature, &source.self_ty, errors);
        steps.push(StepDef { docs: docs(&item.attrs), args: step_args, signature });
    }
    WorkflowDef { args, docs: docs(std::slice::from_ref(&source.attrs)), steps }
}

fn block(input: ParseStream, errors: &mut Errors) -> syn::Result<Source> {
    let attrs = tokens_of(input, |input| input.call(Attribute::parse_outer).map(drop))?.1;
    let ((generics, self_ty), head) = tokens_of(input, |input| head(input, errors))?;
    let name = match last_segment(&self_ty) {
        Some((name, _)) => name.clone(),
        None => {
            return Err(syn::Error::new_spanned(
                &self_ty,
                "a workflow is a type with a name: `impl Checkout { .. }`",
            ));
        }
    };
    let content;
    let braces = syn::braced!(content in input);
    let mut items = Vec::new();
    while !content.is_empty() {
        items.push(item(&content, errors)?);
    }
    let step_path = items.iter().find_map(|item| item.step.as_ref()).map(|step| step.path.clone());
    Ok(Source { attrs, head, braces, items, generics, self_ty, name, step_path })
}

fn head(input: ParseStream, errors: &mut Errors) -> syn::Result<(Generics, Type)> {
    if let Some(token) = input.parse::<Option<Token![unsafe]>>()? {
        errors.on(token, "`#[workflow]` goes on a plain `impl` block; remove `unsafe`");
    }
    if !input.peek(Token![impl]) {
        return Err(
            input.error("`#[workflow]` goes on the `impl` block with the steps: `impl Checkout { .. }`")
        );
    }
    input.parse::<Token![impl]>()?;
    let mut generics: Generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
    let mut self_ty: Type = input.parse()?;
    if let Some(token) = input.parse::<Option<Token![for]>>()? {
        errors.on(
            token,
            "`#[workflow]` goes on an inherent `impl` block; the trait `Workflow` is implemented by it",
        );
        self_ty = input.parse()?;
    }
    generics.where_clause = input.parse::<Option<WhereClause>>()?;
    for param in &generics.params {
        if let GenericParam::Lifetime(param) = param {
            errors.on(param, "a workflow cannot borrow: its runs outlive the function that starts them; let it own its data, or share it in an `Arc`");
        }
    }
    Ok((generics, bare(&self_ty).clone()))
}

fn item(input: ParseStream, errors: &mut Errors) -> syn::Result<Item> {
    let mut attrs = Vec::new();
    let mut ours: Option<(Path, TokenStream)> = None;
    while input.peek(Token![#]) && input.peek2(token::Bracket) {
        let raw: TokenStream = [input.parse::<TokenTree>()?, input.parse()?].into_iter().collect();
        let step =
            attribute(&raw).filter(|attr| attr.path().segments.last().is_some_and(|last| last.ident == STEP));
        match (step, &ours) {
            (None, _) => attrs.push(raw),
            (Some(attr), Some((first, _))) => {
                errors.on(attr.path(), "`#[step]` is given twice; put all options into one");
                errors.on(first, "`#[step]` is first given here");
            }
            (Some(attr), None) => {
                let args = match &attr.meta {
                    Meta::List(list) => list.tokens.clone(),
                    Meta::Path(_) => TokenStream::new(),
                    Meta::NameValue(pair) => {
                        errors.on(pair, "options stand in parentheses: `#[step(workers = 4)]`");
                        TokenStream::new()
                    }
                };
                ours = Some((attr.path().clone(), args));
            }
        }
    }
    let ahead = input.fork();
    let function = tokens_of(&ahead, function);
    let (signature, tokens) = match function {
        Ok((signature, tokens)) => {
            syn::parse::discouraged::Speculative::advance_to(input, &ahead);
            (Some(signature), tokens)
        }
        Err(error) => {
            if let Some((path, _)) = &ours {
                let is_function = starts_as_function(input);
                errors.push(if is_function {
                    error
                } else {
                    syn::Error::new_spanned(path, "`#[step]` goes on a method")
                });
            }
            (None, rest_of_item(input)?)
        }
    };
    let step = ours.map(|(path, args)| StepAttribute { path, args, signature });
    Ok(Item { attrs, tokens, step })
}

/// A method whose signature parses. Its body is skipped.
fn function(input: ParseStream) -> syn::Result<syn::Signature> {
    input.parse::<Visibility>()?;
    let signature: syn::Signature = input.parse()?;
    if !input.peek(token::Brace) {
        return Err(input.error("a step needs a body: `{ .. }`"));
    }
    input.parse::<TokenTree>()?;
    Ok(signature)
}

fn starts_as_function(input: ParseStream) -> bool {
    let ahead = input.fork();
    if ahead.parse::<Visibility>().is_err() {
        return false;
    }
    let qualifiers = ["const", "async", "unsafe", "extern", "safe", "default"];
    while let Ok(word) = Ident::parse_any(&ahead) {
        if word == "fn" {
            return true;
        }
        if !qualifiers.iter().any(|qualifier| word == qualifier) {
            return false;
        }
        if word == "extern" && ahead.peek(LitStr) && ahead.parse::<LitStr>().is_err() {
            return false;
        }
    }
    false
}

/// The tokens of an item that is no readable method: up to `;` or a body, or to what begins the next item.
fn rest_of_item(input: ParseStream) -> syn::Result<TokenStream> {
    let has_value = !starts_as_function(input) && {
        let ahead = input.fork();
        ahead.parse::<Visibility>().is_ok() && (ahead.peek(Token![const]) || ahead.peek(Token![type]))
    };
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        if !tokens.is_empty() && input.peek(Token![#]) && input.peek2(token::Bracket) {
            break;
        }
        let token: TokenTree = input.parse()?;
        let last = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !has_value,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        tokens.append(token);
        if last {
            break;
        }
    }
    Ok(tokens)
}

/// Removes every `#[step ..]` in the braces of a block that cannot be read.
fn without_step(tokens: TokenStream) -> TokenStream {
    let strip = |body: TokenStream| {
        let mut out = TokenStream::new();
        let mut rest = body.into_iter().peekable();
        while let Some(token) = rest.next() {
            let hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
            if hash && rest.peek().is_some_and(is_step_bracket) {
                rest.next();
            } else {
                out.append(token);
            }
        }
        out
    };
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let mut stripped = Group::new(Delimiter::Brace, strip(group.stream()));
                stripped.set_span(group.span());
                TokenTree::Group(stripped)
            }
            token => token,
        })
        .collect()
}

fn is_step_bracket(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let mut path = group.stream().into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    group.delimiter() == Delimiter::Bracket
        && path.by_ref().last().is_some_and(|last| matches!(last, TokenTree::Ident(word) if word == STEP))
}

/// What `parse` reads, and the tokens that it read.
fn tokens_of<T>(
    input: ParseStream,
    parse: impl FnOnce(ParseStream) -> syn::Result<T>,
) -> syn::Result<(T, TokenStream)> {
    let begin = input.cursor();
    let parsed = parse(input)?;
    Ok((parsed, between(begin, input.cursor())))
}

fn between(mut begin: Cursor, end: Cursor) -> TokenStream {
    let mut tokens = TokenStream::new();
    while begin != end {
        let Some((token, next)) = begin.token_tree() else { break };
        tokens.append(token);
        begin = next;
    }
    tokens
}

fn attribute(tokens: &TokenStream) -> Option<Attribute> {
    Attribute::parse_outer.parse2(tokens.clone()).ok()?.pop()
}

/// The text of the doc comments among these attributes.
fn docs(attrs: &[TokenStream]) -> String {
    let mut lines = Vec::new();
    for attr in
        attrs.iter().flat_map(|tokens| Attribute::parse_outer.parse2(tokens.clone()).unwrap_or_default())
    {
        if !attr.path().is_ident("doc") {
            continue;
        }
        if let Meta::NameValue(pair) = &attr.meta {
            if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value {
                let text = text.value();
                lines.push(text.strip_prefix(' ').unwrap_or(&text).to_owned());
            }
        }
    }
    lines.join("\n").trim().to_owned()
}
