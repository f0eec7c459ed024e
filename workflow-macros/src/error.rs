//! Collects mistakes, so that an author sees all of a phase at once.

use std::collections::HashSet;
use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Type;

use crate::types::event_name;

/// The mistakes of one phase, in the order in which they were found.
#[derive(Debug, Default)]
#[must_use = "mistakes that are not reported are lost; call `finish`"]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// The names of types of which is said that they are no events: the compiler is not asked about them.
    no_events: HashSet<String>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A mistake about these tokens, all of which are underlined.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// A mistake at one place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.found.push(syn::Error::new(span, message));
    }

    /// A type that is no event.
    pub(crate) fn no_event(&mut self, ty: &Type, message: impl Display) {
        self.no_events.insert(event_name(ty));
        self.on(ty, message);
    }

    /// Whether it is said of this type that it is no event.
    pub(crate) fn say_no_event(&self, ty: &Type) -> bool {
        self.no_events.contains(&event_name(ty))
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    pub(crate) fn extend(&mut self, errors: Self) {
        self.found.extend(errors.found);
        self.no_events.extend(errors.no_events);
    }

    /// The value, if there was no mistake in it; else its mistake is kept here.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Ends the phase.
    pub(crate) fn finish(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl ToTokens for Errors {
    /// One `compile_error!` for each mistake.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.found.iter().map(syn::Error::to_compile_error));
    }
}

/// The known word nearest to `word`, if one is so near that a slip of the fingers explains it.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &&str| distance(word, candidate) <= candidate.len().div_ceil(3);
    known.into_iter().filter(near).min_by_key(|candidate| distance(word, candidate))
}

/// Edit distance: insertions, deletions, replacements.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *cell;
            *cell = (diagonal + usize::from(from != to)).min(above + 1).min(left + 1);
            diagonal = above;
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("retry", "retry"), 0);
        assert_eq!(distance("retrys", "retry"), 1);
        assert_eq!(distance("timout", "timeout"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn nearest_needs_a_slip_not_a_guess() {
        let known = ["retry", "timeout", "workers"];
        assert_eq!(nearest("retrys", known), Some("retry"));
        assert_eq!(nearest("worker", known), Some("workers"));
        assert_eq!(nearest("parallelism", known), None);
    }
}
