//! What most values of a type never have.

use crate::table::{Numbered, Table};

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

/// A table that mostly has no entry in all its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeldomTable<K: Numbered, V>(Seldom<Table<K, V>>);

impl<K: Numbered, V> SeldomTable<K, V> {
    pub(crate) const EMPTY: Self = Self(Seldom::NEVER);

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.get().map_or(0, Table::len)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.get().is_none_or(Table::is_empty)
    }

    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get()?.get(key)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut()?.get_mut(key)
    }

    /// Adds an entry, and gives back the one that had its key.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.make().insert(key, value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0.get_mut()?.remove(key)
    }

    /// The entries, by ascending key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.get().into_iter().flat_map(Table::iter)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.get_mut().into_iter().flat_map(Table::iter_mut)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Gives back the memory that is not needed for what is in it.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink(Table::is_empty);
        self.0.get_mut().into_iter().for_each(Table::shrink);
    }
}

impl<K: Numbered, V> FromIterator<(K, V)> for SeldomTable<K, V> {
    /// In any order; of several entries with one key the last counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let table = Some(Table::from_iter(entries));
        Self(table.filter(|table| !table.is_empty()).into())
    }
}
