//! Reading types as an author writes them.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, Generics, Ident, Lifetime, PathArguments, PathSegment, Type, TypePath, TypeReference,
    parse_quote,
};

use crate::error::Errors;

/// The type without the invisible groups and parentheses around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// The last segment of a path type: its name and its type arguments, whatever path leads there.
pub(crate) fn last_segment(ty: &Type) -> Option<(&Ident, Vec<&Type>)> {
    let Type::Path(TypePath { path, .. }) = bare(ty) else {
        return None;
    };
    let segment = path.segments.last()?;
    let args = match &segment.arguments {
        PathArguments::AngleBracketed(args) => args.args.iter().filter_map(type_argument).collect(),
        _ => Vec::new(),
    };
    Some((&segment.ident, args))
}

fn type_argument(arg: &GenericArgument) -> Option<&Type> {
    match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// What an event is called: last path segment and type arguments, whatever path leads there.
pub(crate) fn event_name(ty: &Type) -> String {
    match bare(ty) {
        Type::Path(TypePath { path, .. }) => path.segments.last().map(segment_name).unwrap_or_default(),
        Type::Tuple(tuple) => {
            let elems: Vec<_> = tuple.elems.iter().map(event_name).collect();
            match elems.as_slice() {
                [one] => format!("({one},)"),
                elems => format!("({})", elems.join(", ")),
            }
        }
        Type::Array(array) => format!("[{}; {}]", event_name(&array.elem), compact(&array.len)),
        Type::Slice(slice) => format!("[{}]", event_name(&slice.elem)),
        Type::Reference(TypeReference { lifetime, elem, .. }) => match lifetime {
            Some(lifetime) => format!("&{lifetime} {}", event_name(elem)),
            None => format!("&{}", event_name(elem)),
        },
        ty => compact(ty),
    }
}

fn segment_name(segment: &PathSegment) -> String {
    let name = unraw(&segment.ident);
    let PathArguments::AngleBracketed(args) = &segment.arguments else {
        return name;
    };
    let args: Vec<_> = args
        .args
        .iter()
        .map(|arg| match arg {
            GenericArgument::Type(ty) => event_name(ty),
            arg => compact(arg),
        })
        .collect();
    if args.is_empty() { name } else { format!("{name}<{}>", args.join(", ")) }
}

/// A name without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// The name of a type of the language, or of `String`, as far as spelling tells: nothing keeps an author from calling a
/// type of their own so.
pub(crate) fn plain(ty: &Type) -> Option<String> {
    const PLAIN: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "String", "u8",
        "u16", "u32", "u64", "u128", "usize",
    ];
    let Type::Path(TypePath { qself: None, path, .. }) = bare(ty) else { return None };
    let (first, last) = (path.segments.first()?, path.segments.last()?);
    let is_known =
        path.segments.len() == 1 || ["std", "core", "alloc"].iter().any(|root| first.ident == root);
    let name = PLAIN.iter().find(|name| last.ident == name)?;
    (is_known && last.arguments.is_none()).then(|| (*name).to_owned())
}

/// Tokens as text, with spaces only where a reader wants them.
pub(crate) fn compact(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let mut out = String::with_capacity(text.len());
    for piece in text.split(' ') {
        let tight = out.is_empty()
            || out.ends_with(['<', '(', '[', '&', ':', '!', '\''])
            || piece.starts_with(['>', ')', ']', ',', ':', ';', '<', '('])
            || piece == "."
            || out.ends_with('.');
        if !tight {
            out.push(' ');
        }
        out.push_str(piece);
    }
    out
}

/// Replaces `Self` by the type of the `impl` block, so that a type reads the same outside of it.
pub(crate) struct ReplaceSelf<'a>(pub(crate) &'a Type);

impl VisitMut for ReplaceSelf<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(TypePath { qself: None, path, .. }) = ty {
            if path.is_ident("Self") {
                *ty = self.0.clone();
                return;
            }
            if path.segments.first().is_some_and(|first| first.ident == "Self") {
                let self_ty = self.0;
                let rest = path.segments.iter().skip(1);
                *ty = parse_quote!(<#self_ty> #(::#rest)*);
            }
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

/// Says of each borrow how long it lasts, for where it cannot be left out.
pub(crate) struct AllStatic;

impl VisitMut for AllStatic {
    fn visit_type_reference_mut(&mut self, borrow: &mut TypeReference) {
        borrow.lifetime.get_or_insert_with(|| parse_quote!('static));
        visit_mut::visit_type_reference_mut(self, borrow);
    }
}

/// The types of which a type is made: what stands at the ends of its arguments. None where it is not made of others.
pub(crate) fn parts(ty: &Type) -> Vec<&Type> {
    fn ends<'a>(ty: &'a Type, found: &mut Vec<&'a Type>) {
        let inner = inner(ty);
        if inner.is_empty() && matches!(bare(ty), Type::Path(_)) && !is_unsized(ty) {
            found.push(ty);
        }
        inner.into_iter().for_each(|ty| ends(ty, found));
    }
    fn inner(ty: &Type) -> Vec<&Type> {
        match bare(ty) {
            Type::Tuple(tuple) => tuple.elems.iter().collect(),
            Type::Array(array) => vec![&*array.elem],
            ty => last_segment(ty).map(|(_, args)| args).unwrap_or_default(),
        }
    }
    // What has no size of its own is saved behind a pointer.
    fn is_unsized(ty: &Type) -> bool {
        last_segment(ty).is_some_and(|(name, _)| ["str", "Path", "OsStr", "CStr"].iter().any(|it| name == it))
    }
    let mut found = Vec::new();
    inner(ty).into_iter().for_each(|ty| ends(ty, &mut found));
    found
}

/// The borrows in a type that is saved: those that are reached through the collections and pointers that everybody
/// knows. What others make of a borrow is for them to say.
pub(crate) fn borrows(ty: &Type) -> Vec<&TypeReference> {
    const KNOWN: &[&str] = &[
        "Vec", "Option", "Box", "Result", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "VecDeque", "Arc",
        "Rc",
    ];
    match bare(ty) {
        Type::Reference(borrow) => vec![borrow],
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(borrows).collect(),
        Type::Array(array) => borrows(&array.elem),
        Type::Slice(slice) => borrows(&slice.elem),
        ty => match last_segment(ty) {
            Some((name, args)) if KNOWN.iter().any(|known| name == known) => {
                args.into_iter().flat_map(borrows).collect()
            }
            _ => Vec::new(),
        },
    }
}

/// Whether the type mentions a parameter of the `impl` block.
pub(crate) fn mentions(ty: &impl ToTokens, generics: &Generics) -> bool {
    let idents: Vec<&Ident> = generics
        .type_params()
        .map(|param| &param.ident)
        .chain(generics.const_params().map(|param| &param.ident))
        .collect();
    !idents.is_empty() && any_ident(ty.to_token_stream(), &|ident| idents.contains(&ident))
}

/// Whether an identifier among the tokens is the one looked for.
pub(crate) fn any_ident(tokens: TokenStream, is_it: &impl Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is_it(&ident),
        TokenTree::Group(group) => any_ident(group.stream(), is_it),
        _ => false,
    })
}

/// An item without parameters, with `<>` after `word` to say so.
///
/// Where the compiler finds no type of a name, it proposes to make the name a parameter of the item; but not where the
/// place for it is in an expansion. The name stands in other items of the expansion as well, where there is nothing to
/// propose: so what is said of it is the same everywhere, and what is the same is shown once.
pub(crate) fn no_parameters(word: &str, item: TokenStream) -> TokenStream {
    let mut tokens = item.into_iter().peekable();
    let mut out = TokenStream::new();
    for token in tokens.by_ref() {
        let is_it = matches!(&token, TokenTree::Ident(ident) if ident == word);
        out.extend([token]);
        if is_it {
            break;
        }
    }
    let has_some = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '<');
    if !has_some {
        out.extend(quote!(<>));
    }
    out.extend(tokens);
    out
}

/// Refuses what cannot stand anywhere in a type that is saved with a run: borrows, `_`, `impl Trait`.
pub(crate) fn owned(ty: &Type, errors: &mut Errors) {
    for borrow in borrows(ty).into_iter().filter(|borrow| borrow.lifetime.is_some()) {
        errors.on(borrow, BORROWED);
    }
    let mut check = Owned { errors };
    check.visit_type_mut(&mut ty.clone());
}

const BORROWED: &str = "an event cannot borrow: it is saved with the run; let it own its data";

struct Owned<'a> {
    errors: &'a mut Errors,
}

impl VisitMut for Owned<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(TypeReference { lifetime: None, .. }) => self.errors.on(ty, BORROWED),
            Type::Infer(_) => self.errors.on(
                ty,
                "the graph is read from the signature, so every type has to be written; replace `_` by the type",
            ),
            Type::ImplTrait(_) => self.errors.on(
                ty,
                "the graph is read from the signature, so every type has a name; replace `impl Trait` by the type",
            ),
            ty => visit_mut::visit_type_mut(self, ty),
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            self.errors.on(
                &*lifetime,
                format!(
                    "an event cannot borrow for `{lifetime}`: it is saved with the run; let it own its data"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{compact, event_name, mentions, parts, plain};
    use syn::parse_quote;

    #[test]
    fn an_event_is_its_last_segment_and_arguments() {
        let name = |ty: syn::Type| event_name(&ty);
        assert_eq!(name(parse_quote!(crate::a::Done)), "Done");
        assert_eq!(name(parse_quote!(Batch<crate::a::Row, 4>)), "Batch<Row, 4>");
        assert_eq!(name(parse_quote!((a::A, &'static str))), "(A, &'static str)");
        assert_eq!(name(parse_quote!([a::A; N + 1])), "[A; N + 1]");
        assert_eq!(name(parse_quote!(<L as Llm>::Message)), "Message");
        assert_eq!(name(parse_quote!(r#type)), "type");
        assert_eq!(name(parse_quote!(())), "()");
        assert_eq!(name(parse_quote!(Pick<dyn Fn(u8) -> b::B>)), "Pick<dyn Fn(u8) -> b::B>");
    }

    #[test]
    fn plain_types_are_known_by_their_whole_path() {
        let plain = |ty: syn::Type| plain(&ty);
        assert_eq!(plain(parse_quote!(u32)).as_deref(), Some("u32"));
        assert_eq!(plain(parse_quote!(::std::string::String)).as_deref(), Some("String"));
        assert_eq!(plain(parse_quote!(events::String)), None);
        assert_eq!(plain(parse_quote!(Order)), None);
        assert_eq!(plain(parse_quote!(Vec<u32>)), None);
    }

    #[test]
    fn parts_are_at_the_ends_of_the_arguments() {
        let parts = |ty: syn::Type| parts(&ty).into_iter().map(compact).collect::<Vec<_>>().join(" ");
        assert_eq!(parts(parse_quote!(a::Row)), "");
        assert_eq!(parts(parse_quote!(Vec<Cow<'static, str>>)), "");
        assert_eq!(parts(parse_quote!(HashMap<String, Vec<(a::Row, [Cell; 3])>>)), "String a::Row Cell");
    }

    #[test]
    fn parameters_are_found_anywhere_in_a_type() {
        let generics: syn::ItemImpl = parse_quote!(
            impl<L, const N: usize> A<L, N> {}
        );
        let mentions = |ty: syn::Type| mentions(&ty, &generics.generics);
        assert!(mentions(parse_quote!(Wrapper<[L; 3]>)));
        assert!(mentions(parse_quote!(Wrapper<N>)));
        assert!(!mentions(parse_quote!(Wrapper<M>)));
    }
}
