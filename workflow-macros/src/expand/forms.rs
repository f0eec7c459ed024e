//! Whether the forms that a signature is read by are ours: a `Vec` might be anybody's.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use crate::expand::Names;
use crate::parse::StepDef;
use crate::signature::{Alternative, Many, Param, ParamForm, Taken, Tool};

/// One question for each form of a step, apart from those that are events, which are asked about as such, and from
/// the context, which depends on the workflow and is asked about where it is passed.
pub(super) fn of_step(def: &StepDef, names: &Names) -> Vec<TokenStream> {
    let mut forms = Forms { names, asked: Vec::new() };
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
    names: &'a Names,
    asked: Vec<TokenStream>,
}

impl Forms<'_> {
    fn is(&mut self, written: &Type, ours: &TokenStream) {
        let private = &self.names.private;
        self.asked.push(quote!(#private::form::<#written, #ours>();));
    }

    fn param(&mut self, param: &Param) {
        let private = &self.names.private;
        if let Some(written) = &param.one_of {
            self.is(written, &one_of(param.alternatives.iter().map(whole), self.names));
        }
        let element = element(param);
        let ours = match param.form {
            ParamForm::One => return,
            ParamForm::Gather => quote!(#private::Vec<#element>),
            ParamForm::GatherFailures => {
                quote!(#private::Vec<#private::Result<#element, #private::StepFailed>>)
            }
            ParamForm::Failed if param.alternatives.is_empty() => quote!(#private::StepFailed),
            ParamForm::Failed => quote!(#private::StepFailed<#element>),
        };
        self.is(&param.ty, &ours);
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

/// Our `OneOf` of these types.
pub(super) fn one_of(types: impl Iterator<Item = TokenStream>, names: &Names) -> TokenStream {
    let private = &names.private;
    quote!(#private::OneOf<#(#types),*>)
}

/// An alternative with its `&`.
pub(super) fn whole(taken: &Taken) -> TokenStream {
    let ty = &taken.event.ty;
    if taken.by_ref { quote!(&#ty) } else { quote!(#ty) }
}

/// What a gather or a `StepFailed` is about, as written.
pub(super) fn element(param: &Param) -> TokenStream {
    match (&param.one_of, param.alternatives.first()) {
        (Some(one_of), _) => quote!(#one_of),
        (None, Some(taken)) => whole(taken),
        (None, None) => TokenStream::new(),
    }
}
