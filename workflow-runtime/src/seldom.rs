//! What most values of a type never have.

/// A part of a value that is mostly as it was made: then it takes the room of a pointer, and nothing to make, move or drop.
#[derive(Clone, Debug)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

impl<T> Seldom<T> {
    pub(crate) const NEVER: Self = Self(None);

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// The part alone.
    #[inline]
    pub(crate) fn into_inner(self) -> Option<T> {
        self.0.map(|part| *part)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Gives the part back, if there is nothing in it.
    pub(crate) fn shrink(&mut self, is_empty: impl FnOnce(&T) -> bool) {
        if self.get().is_some_and(is_empty) {
            self.0 = None;
        }
    }
}

impl<T: Default> Seldom<T> {
    /// The part, to be changed.
    pub(crate) fn make(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T> From<Option<T>> for Seldom<T> {
    fn from(part: Option<T>) -> Self {
        Self(part.map(Box::new))
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self::NEVER
    }
}

/// A part that is as it was made is equal to one that was never asked for.
impl<T: Default + PartialEq> PartialEq for Seldom<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self.get(), other.get()) {
            (None, None) => true,
            (Some(one), Some(other)) => one == other,
            (Some(part), None) | (None, Some(part)) => *part == T::default(),
        }
    }
}

impl<T: Default + Eq> Eq for Seldom<T> {}
