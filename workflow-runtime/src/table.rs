//! A map for ids that only grow.

use std::collections::VecDeque;
use std::mem;

/// A map whose keys mostly come in ascending order, and mostly go in about that order.
///
/// It does what a sorted map does. One entry lies in place, because most runs have one thing of a kind. Several are in one
/// block of memory that fits what is in it: a run that waits holds few things, and there may be many such runs. Looking up
/// costs a constant time where the keys between the first and the one looked for are all there, and a binary search else;
/// adding at the end and removing, a constant time, spread over many calls. Adding in the middle costs the number of
/// entries.
#[derive(Clone, Debug)]
pub(crate) struct Table<K, V> {
    /// The only entry, as long as `many` is not there.
    one: Option<(K, V)>,
    /// All of them, since there were several.
    many: Option<Box<Many<K, V>>>,
}

/// Any number of entries.
#[derive(Clone, Debug)]
struct Many<K, V> {
    /// Sorted by key. What was removed from the middle leaves a hole; neither the first nor the last is one.
    entries: VecDeque<(K, Option<V>)>,
    len: usize,
}

/// A key that is a number.
pub(crate) trait Numbered: Copy + Ord {
    fn number(self) -> u64;
}

impl Numbered for u64 {
    fn number(self) -> u64 {
        self
    }
}

/// Holes are closed when there are more of them than entries, and at least so many.
const FEWEST_HOLES: usize = 16;

impl<K, V> Table<K, V> {
    pub(crate) const fn new() -> Self {
        Self { one: None, many: None }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.many {
            None => usize::from(self.one.is_some()),
            Some(many) => many.len,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries, by ascending key.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let one = self.one.iter().map(|(key, value)| (key, value));
        one.chain(self.many.iter().flat_map(|many| many.iter()))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let one = self.one.iter_mut().map(|(key, value)| (&*key, value));
        one.chain(self.many.iter_mut().flat_map(|many| many.iter_mut()))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Numbered, V> Table<K, V> {
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match &self.one {
            Some((one, value)) if one == key => Some(value),
            _ => self.many.as_ref()?.get(key),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.one {
            Some((one, value)) if one == key => Some(value),
            _ => self.many.as_mut()?.get_mut(key),
        }
    }

    #[inline]
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// All entries, in a block of memory that has room for so many more.
    fn many(&mut self, more: usize) -> &mut Many<K, V> {
        let one = &mut self.one;
        let many = self.many.get_or_insert_with(|| {
            let mut entries = VecDeque::with_capacity(1 + more);
            entries.extend(one.take().map(|(key, value)| (key, Some(value))));
            Box::new(Many { len: entries.len(), entries })
        });
        many.entries.reserve(more);
        many
    }

    /// Makes room for so many more at once.
    pub(crate) fn reserve(&mut self, more: usize) {
        if self.len() + more > 1 {
            self.many(more);
        }
    }

    /// Adds an entry, and gives back the one that had its key.
    #[inline]
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match &mut self.one {
            Some((one, before)) if *one == key => Some(mem::replace(before, value)),
            none @ None if self.many.is_none() => {
                *none = Some((key, value));
                None
            }
            _ => self.many(1).insert(key, value),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match &self.one {
            Some((one, _)) if one == key => self.one.take().map(|(_, value)| value),
            _ => self.many.as_mut()?.remove(key),
        }
    }

    /// Gives the entry of a key another one, which is higher than all others, and then its value; `None` where there is no
    /// such entry.
    #[inline]
    pub(crate) fn rename(&mut self, key: &K, higher: K) -> Option<&mut V> {
        match &mut self.one {
            Some((one, value)) if one == key => {
                *one = higher;
                Some(value)
            }
            _ => self.many.as_mut()?.rename(key, higher),
        }
    }

    /// Gives back the memory that is not needed for what is in it.
    pub(crate) fn shrink(&mut self) {
        match &mut self.many {
            Some(many) if many.len > 1 => many.shrink(),
            Some(many) => {
                self.one = many.entries.drain(..).find_map(|(key, value)| Some((key, value?)));
                self.many = None;
            }
            None => {}
        }
    }
}

impl<K, V> Many<K, V> {
    fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut().filter_map(|(key, value)| Some((&*key, value.as_mut()?)))
    }
}

impl<K: Numbered, V> Many<K, V> {
    /// Whether the first entry is the one of that key, as where those that are at work end in their order.
    #[inline]
    fn begins_with(&self, key: K) -> bool {
        self.entries.front().is_some_and(|(first, _)| *first == key)
    }

    /// Where the key stands, with or without a value.
    fn position(&self, key: K) -> Option<usize> {
        let first = self.entries.front()?.0.number();
        let last = self.entries.len() - 1;
        // Keys are different whole numbers, so the key stands there or before.
        let ahead = key.number().checked_sub(first)?;
        let at_most = usize::try_from(ahead).map_or(last, |ahead| ahead.min(last));
        match self.entries.get(at_most) {
            Some((found, _)) if *found == key => Some(at_most),
            Some((found, _)) if *found < key => None,
            _ => self.entries.binary_search_by(|(other, _)| other.cmp(&key)).ok(),
        }
    }

    #[inline]
    fn get(&self, key: &K) -> Option<&V> {
        if self.begins_with(*key) {
            return self.entries.front()?.1.as_ref();
        }
        self.entries.get(self.position(*key)?)?.1.as_ref()
    }

    #[inline]
    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.begins_with(*key) {
            return self.entries.front_mut()?.1.as_mut();
        }
        let position = self.position(*key)?;
        self.entries.get_mut(position)?.1.as_mut()
    }

    /// Adds an entry, and gives back the one that had its key.
    #[inline]
    fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.entries.back() {
            Some((last, _)) if *last >= key => self.insert_before_the_end(key, value),
            _ => {
                self.entries.push_back((key, Some(value)));
                self.len += 1;
                None
            }
        }
    }

    fn insert_before_the_end(&mut self, key: K, value: V) -> Option<V> {
        let before = match self.entries.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(position) => self.entries.get_mut(position).and_then(|(_, entry)| entry.replace(value)),
            Err(position) => {
                self.entries.insert(position, (key, Some(value)));
                None
            }
        };
        self.len += usize::from(before.is_none());
        before
    }

    #[inline]
    fn remove(&mut self, key: &K) -> Option<V> {
        if self.begins_with(*key) {
            // The first is no hole.
            let (_, first) = self.entries.pop_front()?;
            self.len -= 1;
            while self.entries.front().is_some_and(|(_, value)| value.is_none()) {
                self.entries.pop_front();
            }
            return first;
        }
        let position = self.position(*key)?;
        let removed = self.entries.get_mut(position)?.1.take()?;
        self.len -= 1;
        while self.entries.back().is_some_and(|(_, value)| value.is_none()) {
            self.entries.pop_back();
        }
        let holes = self.entries.len() - self.len;
        if holes > self.len.max(FEWEST_HOLES) {
            self.entries.retain(|(_, value)| value.is_some());
        }
        Some(removed)
    }

    /// Gives the entry of a key another one, which is higher than all others, and then its value; `None` where there is no
    /// such entry.
    #[inline]
    fn rename(&mut self, key: &K, higher: K) -> Option<&mut V> {
        if self.len != 1 {
            self.bring_to_the_end(key, higher)?;
        }
        let (last, value) = self.entries.back_mut()?;
        if *last == *key {
            *last = higher;
        }
        value.as_mut().filter(|_| *last == higher)
    }

    /// Moves an entry to the end, under another key, unless it is there already.
    fn bring_to_the_end(&mut self, key: &K, higher: K) -> Option<()> {
        if self.position(*key)? + 1 != self.entries.len() {
            let value = self.remove(key)?;
            self.insert(higher, value);
        }
        Some(())
    }

    /// Gives back the memory that is not needed for what is in it.
    fn shrink(&mut self) {
        self.entries.retain(|(_, value)| value.is_some());
        self.entries.shrink_to_fit();
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Numbered, V> From<(K, V)> for Table<K, V> {
    fn from((key, value): (K, V)) -> Self {
        let mut table = Self::new();
        table.insert(key, value);
        table
    }
}

impl<K: Numbered, V> FromIterator<(K, V)> for Table<K, V> {
    /// In any order; of several entries with one key the last counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<(K, V)> = entries.into_iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        let mut table = Self::new();
        for (key, value) in entries {
            table.insert(key, value);
        }
        table
    }
}

impl<K: Numbered, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Numbered, V: Eq> Eq for Table<K, V> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Table;

    /// A generator of numbers, the same ones each time.
    fn dice(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *seed >> 33
    }

    fn places<V>(table: &Table<u64, V>) -> usize {
        table.many.as_ref().map_or(0, |many| many.entries.len())
    }

    #[test]
    fn it_does_what_a_sorted_map_does() {
        for seed in 0..200 {
            let mut dice = {
                let mut state = seed;
                move |n: u64| dice(&mut state) % n
            };
            let (mut table, mut map) = (Table::new(), BTreeMap::new());
            let mut next = 0;
            for _ in 0..400 {
                // Every second one has few entries, as most runs do.
                if seed % 2 == 0 && map.len() > 2 {
                    let (key, value) = map.pop_first().unwrap();
                    assert_eq!(table.remove(&key), Some(value));
                }
                match dice(10) {
                    0..4 => {
                        next += 1 + dice(3);
                        assert_eq!(table.insert(next, next), map.insert(next, next));
                    }
                    4 => {
                        let key = dice(next + 2);
                        assert_eq!(table.insert(key, 7), map.insert(key, 7));
                    }
                    5 => {
                        let key = dice(next + 2);
                        assert_eq!(table.get_mut(&key), map.get_mut(&key));
                    }
                    6 if dice(2) == 0 => table.reserve(dice(3) as usize),
                    6 => table.shrink(),
                    7 if !map.is_empty() => {
                        let key = *map.keys().nth(dice(map.len() as u64) as usize).unwrap();
                        next += 1;
                        let value = map.remove(&key);
                        assert_eq!(table.rename(&key, next).copied(), value);
                        map.extend(value.map(|value| (next, value)));
                        assert_eq!(table.rename(&(next + 9), next + 10), None);
                    }
                    _ => {
                        let key = dice(next + 2);
                        assert_eq!(table.remove(&key), map.remove(&key));
                    }
                }
                assert!(table.iter().eq(map.iter()), "{table:?} is not {map:?}");
                assert!(table.iter().rev().eq(map.iter().rev()));
                assert_eq!((table.len(), table.is_empty()), (map.len(), map.is_empty()));
            }
        }
    }

    #[test]
    fn holes_are_closed() {
        let mut table = Table::new();
        for key in 0..10_000 {
            table.insert(key, ());
        }
        for key in 1..9_999 {
            table.remove(&key);
        }
        assert!(places(&table) < 40, "{}", places(&table));
        assert!(table.keys().eq(&[0, 9_999]));
    }

    #[test]
    fn one_entry_lies_in_place_and_again_when_it_is_left() {
        let mut table = Table::from((1, ()));
        assert!(table.many.is_none());
        table.insert(2, ());
        assert_eq!((table.one, places(&table)), (None, 2));
        table.remove(&1);
        table.shrink();
        assert_eq!((table.one, places(&table)), (Some((2, ())), 0));
        table.remove(&2);
        assert!(table.is_empty());
    }
}
