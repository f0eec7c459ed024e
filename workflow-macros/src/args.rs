//! The options of our attributes.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt as _};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, LitInt, LitStr, Path, Token, Type, UnOp};

use crate::error::{Errors, nearest};

/// One of our attributes, as far as its options go.
struct Attribute {
    name: &'static str,
    /// What to do with an option of this attribute that stands in another one.
    remedy: &'static str,
    /// Its options, each with what it is and how it is written.
    options: &'static [(&'static str, &'static str)],
}

impl Attribute {
    fn words(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.options.iter().map(|(word, _)| *word)
    }
}

const CRATE: (&str, &str) = ("crate", "is the path of the runtime: `crate = my_crate::workflow_runtime`");

const WORKFLOW: Attribute = Attribute {
    name: "workflow",
    remedy: "put it on the `impl` block",
    options: &[
        ("name", "is a text: `name = \"checkout\"`"),
        ("state", "is the name of a type: `state = Counts`"),
        ("progress", "is the name of a type: `progress = Percent`"),
        ("prompts", "is a name for the `enum` of all questions: `prompts = Questions`"),
        CRATE,
        ("register", "is the path of a function that builds the workflow: `register = build`"),
    ],
};

const STEP: Attribute = Attribute {
    name: "step",
    remedy: "put it on the step that it is about",
    options: &[
        ("workers", "is a whole number of at least 1: `workers = 4`"),
        ("timeout", "is a duration: `timeout = \"30s\"`"),
        ("retry", "is a policy: `retry = Retry::exponential(\"200ms\")`"),
        ("blocking", "takes no value; write the word alone"),
        ("catches", "lists steps: `catches(fetch)`"),
        ("max_recoveries", "is a whole number of at least 1: `max_recoveries = 3`"),
        ("take", "is a whole number of at least 1: `take = 2`"),
        ("cancel_rest", "is `true` or `false`: `cancel_rest = false`"),
        ("was", "is a text: `was = \"old_name\"`"),
        ("skip", "lists rules: `skip(reachability)`"),
    ],
};

const PROMPT: Attribute = Attribute {
    name: "prompt",
    remedy: "put it on the type of the question",
    options: &[
        ("response", "is the name of a type: `response = Decision`"),
        ("validate", "is the path of a function: `validate = is_complete`"),
        CRATE,
    ],
};

/// `#[event(..)]` and `#[data(..)]`, whose only option is one of the others, too.
const DATA: Attribute =
    Attribute { name: "event", remedy: "put it on the type of the event", options: &[CRATE] };

/// The words of `skip(..)`.
const SKIPS: &[&str] = &["reachability", "dead_end", "outside", "join"];

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
        each_option(tokens, &WORKFLOW, errors, |option, input| {
            match option.word {
                "name" => args.name = Some(option.value(input)?),
                "state" => args.state = Some((option.key.clone(), option.value(input)?)),
                "progress" => args.progress = Some(option.value(input)?),
                "prompts" => args.prompts = Some(option.value(input)?),
                "crate" => args.krate = Some(option.path(input)?),
                _ => args.register = Some(option.value(input)?),
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
        args.keys = each_option(tokens, &STEP, errors, |option, input| {
            match option.word {
                "workers" => args.workers = Some(Count::parse(option, input)?),
                "take" => args.take = Some(Count::parse(option, input)?),
                "max_recoveries" => args.max_recoveries = Some(Count::parse(option, input)?),
                "cancel_rest" => args.cancel_rest = Some(option.value(input)?),
                "was" => args.was = Some(option.value(input)?),
                "retry" => args.retry = Some(option.expr(input)?),
                "timeout" => args.timeout = Some(option.expr(input)?),
                "blocking" => {
                    option.alone(input)?;
                    args.blocking = true;
                }
                "catches" => args.catches = Some(option.list(input)?),
                _ => args.skip = option.list(input)?,
            }
            Ok(())
        });
        for word in &args.skip {
            if !SKIPS.contains(&word.to_string().as_str()) {
                unknown("rule", word, SKIPS.iter().copied(), errors);
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
    fn parse(option: &Given<'_>, input: ParseStream) -> syn::Result<Self> {
        let expr = option.expr(input)?;
        if !is_literal(&expr) {
            return Ok(Self::Expr(expr));
        }
        let Ok(number) = syn::parse2::<LitInt>(expr.to_token_stream()) else {
            return Err(option.mistake(expr));
        };
        let digits = number.base10_digits();
        let message = match (digits.parse::<u32>(), option.word) {
            (Ok(0), "workers") => {
                "`workers = 0`: a step that may not run never finishes; without the option nothing is limited"
                    .to_owned()
            }
            (Ok(0), "take") => "`take = 0`: a gather waits for at least one event".to_owned(),
            (Ok(0), word) => {
                format!("`{word} = 0`: a handler that may not run handles nothing; leave it out")
            }
            (Ok(count), _) => return Ok(Self::Number(count)),
            (Err(_), _) if digits.starts_with('-') => return Err(option.mistake(expr)),
            (Err(_), word) => {
                format!("`{word}` has room for numbers up to {}; write a smaller one", u32::MAX)
            }
        };
        Err(syn::Error::new_spanned(expr, message))
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
        each_option(tokens, &PROMPT, errors, |option, input| {
            match option.word {
                "response" => args.response = Some(option.value(input)?),
                "validate" => args.validate = Some(option.value(input)?),
                _ => args.krate = Some(option.path(input)?),
            }
            Ok(())
        });
        args
    }
}

/// `crate = path`, the one option of `#[event]` and `#[data]`.
pub(crate) fn parse_crate(tokens: TokenStream, errors: &mut Errors) -> Option<Path> {
    let mut krate = None;
    each_option(tokens, &DATA, errors, |option, input| {
        krate = Some(option.path(input)?);
        Ok(())
    });
    krate
}

/// An option that is given: its word, as it stands there, and what is expected of it.
struct Given<'a> {
    key: &'a Ident,
    word: &'static str,
    is: &'static str,
}

impl Given<'_> {
    /// What the option is, said of the tokens that are something else; of its word where nothing is there.
    fn mistake(&self, of: impl ToTokens) -> syn::Error {
        let of = of.to_token_stream();
        let of = if of.is_empty() { self.key.to_token_stream() } else { of };
        syn::Error::new_spanned(of, format!("`{}` {}", self.word, self.is))
    }

    /// Takes the `=`; what stands behind it is not taken.
    fn assigned(&self, input: ParseStream) -> syn::Result<TokenStream> {
        let whole = up_to_comma(&input.fork())?;
        let equals = input.parse::<Option<Token![=]>>()?;
        let value = up_to_comma(&input.fork())?;
        if equals.is_none() || value.is_empty() { Err(self.mistake(whole)) } else { Ok(value) }
    }

    /// `= value`
    fn value<T: Parse>(&self, input: ParseStream) -> syn::Result<T> {
        let value = self.assigned(input)?;
        input.parse().map_err(|_| self.mistake(value))
    }

    /// `= path`, which may begin with `crate`.
    fn path(&self, input: ParseStream) -> syn::Result<Path> {
        let value = self.assigned(input)?;
        input.call(Path::parse_mod_style).map_err(|_| self.mistake(value))
    }

    /// `= expression`. Where it is none, the place in it says more than what the option is.
    fn expr(&self, input: ParseStream) -> syn::Result<Expr> {
        let value = self.assigned(input)?;
        input.parse().map_err(|error| match value.into_iter().last() {
            // The end of the options is no place to point at.
            Some(last) if input.is_empty() && !matches!(last, TokenTree::Group(_)) => {
                syn::Error::new(last.span(), error)
            }
            _ => error,
        })
    }

    /// `(name, ..)`
    fn list(&self, input: ParseStream) -> syn::Result<Vec<Ident>> {
        let whole = up_to_comma(&input.fork())?;
        let names = match input.parse() {
            Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                Punctuated::<Ident, Token![,]>::parse_terminated.parse2(group.stream()).ok()
            }
            _ => None,
        };
        let names = names.filter(|names| !names.is_empty()).ok_or_else(|| self.mistake(whole))?;
        Ok(names.into_iter().collect())
    }

    /// The word, and nothing behind it.
    fn alone(&self, input: ParseStream) -> syn::Result<()> {
        let value = up_to_comma(&input.fork())?;
        if value.is_empty() { Ok(()) } else { Err(self.mistake(value)) }
    }
}

/// Whether it is a literal, perhaps with a sign: what is wrong with it can be said without the compiler.
fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_literal(&unary.expr),
        Expr::Group(group) => is_literal(&group.expr),
        Expr::Paren(paren) => is_literal(&paren.expr),
        _ => false,
    }
}

/// Reads `key = value, key(..), key` and calls `read` after each key that is known and new.
///
/// A mistake in one option leaves the others to be read. Returns the keys that were read.
fn each_option(
    tokens: TokenStream,
    attribute: &Attribute,
    errors: &mut Errors,
    mut read: impl FnMut(&Given<'_>, ParseStream) -> syn::Result<()>,
) -> Vec<Ident> {
    let mut keys: Vec<Ident> = Vec::new();
    let before = errors.count();
    let parsed = (|input: ParseStream| {
        while !input.is_empty() {
            match Ident::parse_any(input) {
                Err(_) => {
                    errors.at(input.span(), format!("expected an option: {}", words(attribute.words())))
                }
                Ok(key) => match attribute.options.iter().find(|(word, _)| key == word) {
                    None => unknown_option(&key, attribute, errors),
                    Some((word, is)) => match keys.iter().find(|first| **first == key) {
                        Some(first) => {
                            errors.at(key.span(), format!("option `{key}` is given twice; keep one"));
                            errors.at(first.span(), format!("`{key}` is first given here"));
                        }
                        None => {
                            let read = read(&Given { key: &key, word, is }, input);
                            if errors.keep(read).is_some() && !input.is_empty() && !input.peek(Token![,]) {
                                errors.at(input.span(), format!("expected `,` after option `{key}`"));
                            }
                            keys.push(key);
                        }
                    },
                },
            }
            up_to_comma(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    })
    .parse2(tokens);
    // What is left over within a value that has been refused.
    if errors.count() == before {
        errors.keep(parsed);
    }
    keys
}

fn up_to_comma(input: ParseStream) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.append(input.parse::<TokenTree>()?);
    }
    Ok(tokens)
}

/// An option of another attribute is there for a reason, and is not a slip of the fingers.
fn unknown_option(key: &Ident, attribute: &Attribute, errors: &mut Errors) {
    let has_it = |other: &&Attribute| other.options.iter().any(|(word, _)| key == word);
    let Some(other) = [&WORKFLOW, &STEP, &PROMPT].into_iter().find(has_it) else {
        return unknown("option", key, attribute.words(), errors);
    };
    let remedy = if attribute.name == STEP.name && key == "name" {
        "a step is called what its method is called"
    } else {
        other.remedy
    };
    errors.at(key.span(), format!("`{key}` is an option of `#[{}]`; {remedy}", other.name));
}

fn unknown<'a>(what: &str, word: &Ident, known: impl Iterator<Item = &'a str> + Clone, errors: &mut Errors) {
    let remedy = match nearest(&word.to_string(), known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", words(known)),
    };
    errors.at(word.span(), format!("unknown {what} `{word}`; {remedy}"));
}

fn words<'a>(known: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = known.map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
