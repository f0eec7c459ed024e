//! Whether the forms that a signature is read by are ours: a `Vec` might be anybody's.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use crate::expand::Names;
use crate::expand::checks::form_in_place;
use crate::parse::{Source, StepDef};
use crate::signature::{Alternative, Kind, Many, Param, ParamForm, Taken, Tool};

/// One question for each form of a step, apart from those that are events, which are asked about as such, and from
/// the context, which depends on the workflow and is asked about where it is passed.
pub(super) fn of_step(def: &StepDef, source: &Source, names: &Names) -> Vec<TokenStream> {
    let mut forms = Forms { source, names, asked: Vec::new() };
    let signature = &def.signature;
    signature.params.iter().for_each(|param| forms.param(param));
    signature.tools.iter().for_each(|tool| forms.tool(tool));
    let returns = &signature.returns;
    let private = &names.private;
    for alternative in &returns.alternatives {
        if let Alternative::Many(many) = alternative {
            forms.many(many, &quote!(Vec));
        }
    }
    if let Some(written) = &returns.one_of {
        forms.is(
            written,
            &one_of(returns.alternatives.iter().map(|alternative| alternative.ty().to_token_stream()), names),
        );
    }
    if let Some((written, some)) = &returns.option {
        forms.is(written, &quote!(#private::Option<#some>));
    }
    if let Some((written, ok)) = &returns.result {
        forms.asked.push(quote!(#private::fallible::<#written, #ok>();));
    }
    forms.asked
}

struct Forms<'a> {
    source: &'a Source,
    names: &'a Names,
    asked: Vec<TokenStream>,
}

impl Forms<'_> {
    fn is(&mut self, written: &Type, ours: &TokenStream) {
        let private = &self.names.private;
        self.asked.push(quote!(#private::form::<#written, #ours>();));
    }

    /// The same of a type of that parameter.
    fn is_in(&mut self, param: &Param, written: &Type, ours: &TokenStream) {
        if has_answer(param) {
            self.asked.push(form_in_place(written, ours, &param.ty, self.source, self.names));
        } else {
            self.is(written, ours);
        }
    }

    fn param(&mut self, param: &Param) {
        let private = &self.names.private;
        if let Some(written) = &param.one_of {
            let of_what = |taken| if has_answer(param) { quote!(_) } else { whole(taken, self.names) };
            let ours = one_of(param.alternatives.iter().map(of_what), self.names);
            self.is_in(param, written, &ours);
        }
        let element = if has_answer(param) { quote!(_) } else { element(param, self.names) };
        let ours = match param.form {
            ParamForm::One => return,
            ParamForm::Gather => quote!(#private::Vec<#element>),
            ParamForm::GatherFailures => {
                quote!(#private::Vec<#private::Result<#element, #private::StepFailed>>)
            }
            ParamForm::Failed if param.alternatives.is_empty() => quote!(#private::StepFailed),
            ParamForm::Failed => quote!(#private::StepFailed<#element>),
        };
        self.is_in(param, &param.ty, &ours);
    }

    fn tool(&mut self, tool: &Tool) {
        let private = &self.names.private;
        match tool {
            Tool::Emitter(many) => self.many(many, &quote!(Emitter)),
            Tool::Asker { ty, .. } => self.is(ty, &quote!(#private::Asker<_, _>)),
            Tool::Inbox { ty, .. } => self.is(ty, &quote!(#private::Inbox<_>)),
        }
    }

    fn many(&mut self, many: &Many, form: &TokenStream) {
        let private = &self.names.private;
        let Many { ty, element, one_of: written, items } = many;
        if let Some(written) = written {
            self.is(written, &one_of(items.iter().map(|item| item.ty.to_token_stream()), self.names));
        }
        self.is(ty, &quote!(#private::#form<#element>));
    }
}

/// Whether there is an answer among what a parameter takes. It asks by itself whether it is about a prompt, and is not to
/// be heard twice.
pub(super) fn has_answer(param: &Param) -> bool {
    param.alternatives.iter().any(|taken| taken.event.kind == Kind::Response)
}

/// Our `OneOf` of these types.
pub(super) fn one_of(types: impl Iterator<Item = TokenStream>, names: &Names) -> TokenStream {
    let private = &names.private;
    quote!(#private::OneOf<#(#types),*>)
}

/// An alternative with its `&`.
pub(super) fn whole(taken: &Taken, names: &Names) -> TokenStream {
    let ty = names.event_ty(&taken.event);
    if taken.by_ref { quote!(&#ty) } else { quote!(#ty) }
}

/// What a gather or a `StepFailed` is about.
pub(super) fn element(param: &Param, names: &Names) -> TokenStream {
    match (&param.one_of, param.alternatives.first()) {
        (Some(_), _) if has_answer(param) => {
            one_of(param.alternatives.iter().map(|taken| whole(taken, names)), names)
        }
        (Some(one_of), _) => quote!(#one_of),
        (None, Some(taken)) => whole(taken, names),
        (None, None) => TokenStream::new(),
    }
}
