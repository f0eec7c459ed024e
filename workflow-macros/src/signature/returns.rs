//! What a step returns: one event, one of several, or many.

use syn::visit_mut::VisitMut as _;
use syn::{ReturnType, Type};

use super::event::Place;
use super::{Alternative, Event, Kind, Many, Reader, Returns, is_unit};
use crate::types::{ReplaceSelf, bare, last_segment};

impl Reader<'_> {
    pub(super) fn returns(&mut self, output: &ReturnType) -> Returns {
        let mut returns = Returns::default();
        let ReturnType::Type(_, ty) = output else { return returns };
        let mut ty = bare(ty).clone();
        ReplaceSelf(self.self_ty).visit_type_mut(&mut ty);
        returns.ty = Some(ty.clone());
        if let Some(("Result", ok)) = wrapper(&ty) {
            let Some(ok) = ok else {
                self.errors.on(&ty, "`Result` needs what the step returns when it works: `Result<T, E>`");
                return returns;
            };
            returns.result = Some((ty, ok.clone()));
            ty = ok;
        }
        if is_unit(&ty) {
            return returns;
        }
        if let Some(("Option", some)) = wrapper(&ty) {
            let Some(some) = some else {
                self.errors.on(&ty, "`Option` needs what the step may return: `Option<T>`");
                return returns;
            };
            if is_unit(&some) {
                self.errors.on(&ty, "`Option<()>` emits nothing either way; return `()`");
                return returns;
            }
            returns.option = Some((ty, some.clone()));
            ty = some;
        }
        match last_segment(&ty) {
            Some((name, args)) if name == "OneOf" => {
                if self.right_number(&ty, args.len()).is_some() {
                    returns.alternatives =
                        args.iter().filter_map(|arg| self.alternative(bare(arg))).collect();
                    self.all_different(returns.alternatives.iter().map(Alternative::ty), "alternative");
                }
                returns.one_of = Some(ty);
            }
            _ => returns.alternatives.extend(self.alternative(&ty)),
        }
        returns
    }

    fn alternative(&mut self, ty: &Type) -> Option<Alternative> {
        match wrapper(ty) {
            Some(("Vec", Some(element))) => {
                let before = self.errors.count();
                let (one_of, items) = self.items(&element);
                let many = Box::new(Many { ty: ty.clone(), element, one_of, items });
                (self.errors.count() == before).then_some(Alternative::Many(many))
            }
            Some(("Vec", None)) => {
                self.errors.on(ty, "`Vec` needs the event that it fans out: `Vec<T>`");
                None
            }
            Some(("Option", _)) => {
                self.errors.on(ty, "`Option` stands outside: `Option<OneOf<..>>` may emit nothing");
                None
            }
            Some(("Result", _)) => {
                self.errors.on(
                    ty,
                    "`Result` stands outside everything else: `Result<Option<T>, E>`, `Result<OneOf<..>, E>`",
                );
                None
            }
            Some(("OneOf", _)) => {
                self.errors.on(ty, "a `OneOf` in a `OneOf` says no more than one list; list its alternatives in the outer one");
                None
            }
            _ if is_unit(ty) => {
                self.errors.on(
                    ty,
                    "`()` is not an alternative; a step that may emit nothing returns `Option<OneOf<..>>`",
                );
                None
            }
            _ => self.returned(ty).map(Box::new).map(Alternative::One),
        }
    }

    /// The elements of a fan-out: one event, or a `OneOf`.
    pub(super) fn items(&mut self, element: &Type) -> (Option<Type>, Vec<Event>) {
        let element = bare(element);
        match wrapper(element) {
            Some(("OneOf", _)) => {
                let args = last_segment(element).map(|(_, args)| args).unwrap_or_default();
                if self.right_number(element, args.len()).is_none() {
                    return (None, Vec::new());
                }
                let items: Vec<Event> = args.iter().filter_map(|arg| self.item(bare(arg))).collect();
                self.all_different(items.iter().map(|item| &item.ty), "alternative");
                (Some(element.clone()), items)
            }
            _ => (None, self.item(element).into_iter().collect()),
        }
    }

    fn item(&mut self, ty: &Type) -> Option<Event> {
        let message = match wrapper(ty) {
            Some(("Option", _)) => {
                "an element of a fan-out is an event; leave out what is not there, and return a shorter list"
            }
            Some(("Result", _)) => {
                "an element of a fan-out is an event; for the whole list, return `Result<Vec<T>, E>`; for single elements, let the step that takes them fail"
            }
            Some(("Stop", _)) => {
                "one `Stop` ends the run, so a list of them makes no sense; return `OneOf<Vec<T>, Stop<O>>` to fan out or stop"
            }
            Some(("Vec", _)) => {
                "a fan-out opens one scope; return a flat `Vec<T>`, or fan out again in the step that takes the element"
            }
            _ if is_unit(ty) => "an element of a fan-out is an event, and `()` is none",
            _ => return self.returned(ty),
        };
        self.errors.on(ty, message);
        None
    }

    /// One event that a step emits.
    fn returned(&mut self, ty: &Type) -> Option<Event> {
        self.right_kind_of_type(ty, Place::Returned)?;
        let event = self.event(ty)?;
        let message = match event.kind {
            Kind::Event | Kind::Prompt | Kind::Stop => return Some(event),
            Kind::Start => {
                "`Start` begins a run, so no step can return it; return an event that the step to go to also takes"
            }
            Kind::Response => {
                "an answer comes from a person, so no step can return it; ask with `InputRequired<Q>`"
            }
            Kind::Expired => {
                "a question expires by itself, so no step can return it; ask with `InputRequired<Q>`"
            }
            Kind::Signal => "a signal comes from outside, so no step can return it; return the event itself",
        };
        self.errors.on(ty, message);
        None
    }
}

/// One of the words that stand around events, and its first argument.
fn wrapper(ty: &Type) -> Option<(&'static str, Option<Type>)> {
    let (name, args) = last_segment(ty)?;
    let known = ["Result", "Option", "Vec", "OneOf", "Stop"];
    let word = known.into_iter().find(|word| name == word)?;
    Some((word, args.first().map(|arg| bare(arg).clone())))
}
