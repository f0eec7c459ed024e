//! One mention of an event, and lists of them.

use proc_macro2::Ident;
use syn::spanned::Spanned as _;
use syn::{Type, parse_quote_spanned};

use super::{CAPABILITIES, Event, Kind, OURS, Payload, Reader};
use crate::error::Errors;
use crate::types::{bare, event_name, last_segment, owned};

/// The most alternatives that `OneOf` has room for.
const MOST_ALTERNATIVES: usize = 8;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Taken,
    Returned,
}

/// The event behind a capability, of which the author writes the payload only.
pub(super) fn ours(kind: Kind, form: &str, written: &Type, payload: Payload) -> Event {
    let (private, form) = (Ident::new(OURS, written.span()), Ident::new(form, written.span()));
    let ty = match &payload {
        Payload::Written(payload) => parse_quote_spanned!(written.span()=> #private::#form<#payload>),
        Payload::Unit | Payload::Text => parse_quote_spanned!(written.span()=> #private::#form),
    };
    Event { kind, ty, payload }
}

impl Reader<'_> {
    /// Reads a form, or an author's event.
    pub(super) fn event(&mut self, ty: &Type) -> Option<Event> {
        let (kind, payload) = match last_segment(ty) {
            None => (Kind::Event, Payload::Written(Box::new(ty.clone()))),
            Some((name, args)) => {
                let first = args.first().map(|arg| Payload::Written(Box::new(bare(arg).clone())));
                match name.to_string().as_str() {
                    "Start" => (Kind::Start, first.unwrap_or(Payload::Unit)),
                    "Stop" => (Kind::Stop, first.unwrap_or(Payload::Unit)),
                    "InputRequired" => (Kind::Prompt, first.unwrap_or(Payload::Text)),
                    "HumanResponse" => (Kind::Response, first.unwrap_or(Payload::Text)),
                    "Expired" => (Kind::Expired, first.unwrap_or(Payload::Text)),
                    "Signal" => match first {
                        Some(payload) => (Kind::Signal, payload),
                        None => {
                            self.errors.on(ty, "`Signal` needs the event that is sent: `Signal<T>`");
                            return None;
                        }
                    },
                    word if CAPABILITIES.contains(&word) => {
                        self.errors
                            .on(ty, format!("`{name}` is a capability: take it as a parameter of its own"));
                        return None;
                    }
                    "Context" => {
                        self.errors.on(ty, "the context is no event; take `ctx: &Context<Self>`");
                        return None;
                    }
                    "StepFailed" => {
                        self.errors.on(ty, "`StepFailed` stands alone as a parameter, or in a gather of `Vec<Result<T, StepFailed>>`");
                        return None;
                    }
                    _ => (Kind::Event, Payload::Written(Box::new(ty.clone()))),
                }
            }
        };
        self.owned_payload(&payload).then(|| Event { kind, ty: ty.clone(), payload })
    }

    pub(super) fn owned_payload(&mut self, payload: &Payload) -> bool {
        let mut errors = Errors::new();
        if let Payload::Written(ty) = payload {
            owned(ty, &mut errors);
        }
        let fine = errors.is_empty();
        self.errors.extend(errors);
        fine
    }

    /// Refuses what can be no event at all, each with its remedy.
    pub(super) fn right_kind_of_type(&mut self, ty: &Type, place: Place) -> Option<()> {
        let message = match ty {
            Type::Path(_) => return Some(()),
            Type::Tuple(tuple) if tuple.elems.is_empty() && place == Place::Taken => {
                "`()` is not an event; a step that runs at the start of a run takes `Start`"
            }
            Type::Tuple(_) => match place {
                Place::Taken => {
                    "a step cannot take a tuple; take several parameters to wait for all of them, or `OneOf<..>` for either"
                }
                Place::Returned => {
                    "a step cannot return a tuple; list the alternatives in `OneOf<..>`, or return one event and let two steps take it"
                }
            },
            Type::ImplTrait(_) => {
                "the graph is read from the signature, so every event has a name; write the type, or `OneOf<..>`"
            }
            Type::TraitObject(_) => {
                "an event is a type that can be saved, which `dyn Trait` cannot; write the type, or `OneOf<..>`"
            }
            Type::Reference(_) => match place {
                Place::Taken => "a step takes `T` or `&T`",
                Place::Returned => "a step cannot return a borrow: its event outlives it; return the value",
            },
            Type::Slice(_) | Type::Array(_) => match place {
                Place::Taken => "a step gathers events in a `Vec<T>`",
                Place::Returned => "a step fans out by returning a `Vec<T>`",
            },
            Type::FnPtr(_) => {
                "a function cannot be saved with the run, so it is no event; let an event say what to do"
            }
            Type::Ptr(_) => {
                "a pointer cannot be saved with the run, so it is no event; let the event own its data"
            }
            Type::Never(_) => {
                "a step that never returns ends no run; return `Stop`, or `()` where its branch ends"
            }
            Type::Infer(_) => {
                "the graph is read from the signature, so every type has to be written; replace `_` by the type"
            }
            Type::Macro(_) => {
                "the graph is read from the signature, and a macro hides the type; write the type"
            }
            _ => "this type cannot be an event; write the name of a type that has `#[event]`",
        };
        self.errors.on(ty, message);
        None
    }

    pub(super) fn right_number(&mut self, one_of: &Type, number: usize) -> Option<()> {
        if number == 0 {
            self.errors.on(one_of, "`OneOf` needs its alternatives: `OneOf<A, B>`");
            return None;
        }
        if number > MOST_ALTERNATIVES {
            self.errors.on(one_of, format!("`OneOf` has room for {MOST_ALTERNATIVES} alternatives, and this lists {number}; use an `enum` event for those that go the same way"));
            return None;
        }
        Some(())
    }

    /// The same type twice would make two places of one event; both are reported.
    pub(super) fn all_different<'t>(&mut self, types: impl Iterator<Item = &'t Type>, what: &str) {
        let mut seen: Vec<(String, &Type)> = Vec::new();
        for ty in types {
            let name = event_name(ty);
            match seen.iter().find(|(known, _)| *known == name) {
                None => seen.push((name, ty)),
                Some((_, first)) => {
                    self.errors.on(
                        ty,
                        format!(
                            "`{name}` is listed twice, so nobody could tell which {what} is meant; remove one, or rename one if they are two types"
                        ),
                    );
                    self.errors.on(*first, format!("`{name}` is first listed here"));
                }
            }
        }
    }
}
