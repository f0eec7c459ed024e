//! The options of our attributes.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, LitInt, LitStr, Path, Token, Type, parenthesized};

use crate::error::{Errors, nearest};

/// The words of `#[workflow(..)]`.
pub(crate) const WORKFLOW_OPTIONS: &[&str] = &["name", "state", "progress", "prompts", "crate", "register"];

/// The words of `#[step(..)]`.
pub(crate) const STEP_OPTIONS: &[&str] = &[
    "workers",
    "timeout",
    "retry",
    "blocking",
    "catches",
    "max_recoveries",
    "take",
    "cancel_rest",
    "was",
    "skip",
];

/// The words of `skip(..)`.
pub(crate) const SKIPS: &[&str] = &["reachability", "dead_end", "outside", "join"];

/// The words of `#[prompt(..)]`.
pub(crate) const PROMPT_OPTIONS: &[&str] = &["response", "validate", "crate"];

/// The words of `#[event(..)]` and `#[data(..)]`.
pub(crate) const DATA_OPTIONS: &[&str] = &["crate"];

/// What stands in `#[workflow(..)]`.
#[derive(Clone, Default)]
pub(crate) struct WorkflowArgs {
    pub(crate) name: Option<LitStr>,
    /// The word `state`, for a mistake about the option, and the type.
    pub(crate) state: Option<(Ident, Type)>,
    pub(crate) progress: Option<Type>,
    pub(crate) prompts: Option<Ident>,
    pub(crate) krate: Option<Path>,
    pub(crate) register: Option<Path>,
}

impl WorkflowArgs {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        each_option(tokens, WORKFLOW_OPTIONS, errors, |key, input| {
            match key.to_string().as_str() {
                "name" => args.name = Some(value(input)?),
                "state" => args.state = Some((key.clone(), type_value(key, input)?)),
                "progress" => args.progress = Some(type_value(key, input)?),
                "prompts" => args.prompts = Some(value(input)?),
                "crate" => args.krate = Some(path_value(input)?),
                _ => args.register = Some(value(input)?),
            }
            Ok(())
        });
        args
    }
}

/// What stands in `#[step(..)]`.
#[derive(Default)]
pub(crate) struct StepArgs {
    pub(crate) workers: Option<Count>,
    pub(crate) take: Option<Count>,
    pub(crate) cancel_rest: Option<LitBool>,
    pub(crate) was: Option<LitStr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) retry: Option<Expr>,
    pub(crate) timeout: Option<Expr>,
    pub(crate) blocking: bool,
    pub(crate) catches: Option<Vec<Ident>>,
    pub(crate) max_recoveries: Option<Count>,
    /// The words of the options that are there, for mistakes about the options themselves.
    pub(crate) keys: Vec<Ident>,
}

impl StepArgs {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut zeros = Errors::new();
        args.keys = each_option(tokens, STEP_OPTIONS, errors, |key, input| {
            match key.to_string().as_str() {
                "workers" => args.workers = Some(Count::parse(key, input, &mut zeros)?),
                "take" => args.take = Some(Count::parse(key, input, &mut zeros)?),
                "max_recoveries" => {
                    args.max_recoveries = Some(Count::parse(key, input, &mut zeros)?);
                }
                "cancel_rest" => args.cancel_rest = Some(value(input)?),
                "was" => args.was = Some(value(input)?),
                "retry" => args.retry = Some(value(input)?),
                "timeout" => args.timeout = Some(value(input)?),
                "blocking" => args.blocking = true,
                "catches" => args.catches = Some(list(input)?),
                _ => args.skip = list(input)?,
            }
            Ok(())
        });
        errors.extend(zeros);
        for word in &args.skip {
            if !SKIPS.contains(&word.to_string().as_str()) {
                unknown("rule", word, SKIPS, errors);
            }
        }
        args
    }

    /// The word of that option, where it is given.
    pub(crate) fn key(&self, name: &str) -> Option<&Ident> {
        self.keys.iter().find(|key| *key == name)
    }

    pub(crate) fn skips(&self, rule: &str) -> bool {
        self.skip.iter().any(|word| word == rule)
    }
}

/// A count that is at least one.
#[derive(Clone)]
pub(crate) enum Count {
    /// Written as a number.
    Number(u32),
    /// A constant expression, whose value the compiler checks.
    Expr(Expr),
}

impl Count {
    fn parse(key: &Ident, input: ParseStream, zeros: &mut Errors) -> syn::Result<Self> {
        let expr: Expr = value(input)?;
        let Ok(number) = syn::parse2::<LitInt>(expr.to_token_stream()) else {
            return Ok(Self::Expr(expr));
        };
        let count = number.base10_parse::<u32>()?;
        if count == 0 {
            let remedy = match key.to_string().as_str() {
                "workers" => "a step that may not run never finishes; without the option nothing is limited",
                "take" => "a gather waits for at least one event",
                _ => "a handler that may not run handles nothing; leave it out",
            };
            zeros.on(&number, format!("`{key} = 0`: {remedy}"));
        }
        Ok(Self::Number(count))
    }

    /// The number, or a stand-in while only the compiler knows it.
    pub(crate) fn number(&self) -> u32 {
        match self {
            Self::Number(number) => *number,
            Self::Expr(_) => 1,
        }
    }
}

/// What stands in `#[prompt(..)]`.
#[derive(Default)]
pub(crate) struct PromptArgs {
    pub(crate) response: Option<Type>,
    pub(crate) validate: Option<Path>,
    pub(crate) krate: Option<Path>,
}

impl PromptArgs {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        each_option(tokens, PROMPT_OPTIONS, errors, |key, input| {
            match key.to_string().as_str() {
                "response" => args.response = Some(type_value(key, input)?),
                "validate" => args.validate = Some(value(input)?),
                _ => args.krate = Some(path_value(input)?),
            }
            Ok(())
        });
        args
    }
}

/// `crate = path`, the one option of `#[event]` and `#[data]`.
pub(crate) fn parse_crate(tokens: TokenStream, errors: &mut Errors) -> Option<Path> {
    let mut krate = None;
    each_option(tokens, DATA_OPTIONS, errors, |_, input| {
        krate = Some(path_value(input)?);
        Ok(())
    });
    krate
}

/// Reads `key = value, key(..), key` and calls `read` after each key that is known and new.
///
/// A mistake in one option leaves the others to be read. Returns the keys that were read.
fn each_option(
    tokens: TokenStream,
    known: &[&str],
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) -> Vec<Ident> {
    let mut keys: Vec<Ident> = Vec::new();
    let parsed = (|input: ParseStream| {
        while !input.is_empty() {
            match Ident::parse_any(input) {
                Err(_) => errors.at(input.span(), format!("expected an option: {}", words(known))),
                Ok(key) if !known.iter().any(|word| key == word) => {
                    unknown("option", &key, known, errors);
                }
                Ok(key) => {
                    if let Some(first) = keys.iter().find(|first| **first == key) {
                        errors.at(key.span(), format!("option `{key}` is given twice; keep one"));
                        errors.at(first.span(), format!("`{key}` is first given here"));
                    } else {
                        match read(&key, input) {
                            Err(error) if input.is_empty() => errors.at(key.span(), error),
                            Err(error) => errors.push(error),
                            Ok(()) if !input.is_empty() && !input.peek(Token![,]) => {
                                errors.at(input.span(), format!("expected `,` after option `{key}`"));
                            }
                            Ok(()) => {}
                        }
                        keys.push(key);
                    }
                }
            }
            to_next_option(input)?;
        }
        Ok(())
    })
    .parse2(tokens);
    errors.keep(parsed);
    keys
}

fn to_next_option(input: ParseStream) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>().map(drop)
}

fn unknown(what: &str, word: &Ident, known: &[&str], errors: &mut Errors) {
    let remedy = match nearest(&word.to_string(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", words(known)),
    };
    errors.at(word.span(), format!("unknown {what} `{word}`; {remedy}"));
}

fn words(known: &[&str]) -> String {
    let quoted: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn value<T: syn::parse::Parse>(input: ParseStream) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn type_value(key: &Ident, input: ParseStream) -> syn::Result<Type> {
    input.parse::<Token![=]>()?;
    let is_type = |error: syn::Error| {
        syn::Error::new(error.span(), format!("`{key}` is the name of a type: `{key} = Counts`"))
    };
    input.parse().map_err(is_type)
}

fn path_value(input: ParseStream) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    input.call(Path::parse_mod_style)
}

fn list(input: ParseStream) -> syn::Result<Vec<Ident>> {
    let content;
    parenthesized!(content in input);
    let words = Punctuated::<Ident, Token![,]>::parse_terminated(&content)?;
    if words.is_empty() {
        return Err(syn::Error::new(content.span(), "expected at least one name"));
    }
    Ok(words.into_iter().collect())
}
