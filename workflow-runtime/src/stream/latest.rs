//! The latest of many values.

use std::ops::Range;

use super::EVENTS_KEPT;

/// The latest values that were added, at most [`EVENTS_KEPT`] of them. One that finds no room takes that of the oldest.
pub(super) struct Latest<T> {
    /// The oldest stands at `oldest`, and what goes on at the front is later than what is at the back.
    values: Vec<T>,
    /// Not 0 only where there is no room left.
    oldest: usize,
}

/// Room for what a short run tells. One that waits gives back what it does not need of it.
const FIRST_ROOM: usize = 8;

impl<T> Latest<T> {
    pub(super) const fn new() -> Self {
        Self { values: Vec::new(), oldest: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Adds a value, for which there is room.
    //
    // What is made by who calls this is written to where it is to stay only where both become one function.
    #[inline(always)]
    pub(super) fn push(&mut self, value: T) {
        if self.values.len() == self.values.capacity() {
            self.grow();
        }
        self.values.push(value);
    }

    #[cold]
    fn grow(&mut self) {
        if self.values.capacity() == 0 {
            self.values.reserve_exact(FIRST_ROOM);
        } else {
            self.values.reserve(1);
        }
    }

    /// Where no room is left: the oldest value, in whose place the next one has to be put.
    #[inline]
    pub(super) fn make_room(&mut self) -> Option<&mut T> {
        if self.values.len() < EVENTS_KEPT {
            return None;
        }
        let oldest = self.oldest;
        self.oldest = (oldest + 1) % EVENTS_KEPT;
        self.values.get_mut(oldest)
    }

    /// The values, from the oldest on, that stand there in their order. Positions past the end are none.
    pub(super) fn range(&self, positions: Range<usize>) -> impl Iterator<Item = &T> {
        let older = self.values.get(self.oldest..).unwrap_or_default();
        let later = self.values.get(..self.oldest).unwrap_or_default();
        older.iter().chain(later).skip(positions.start).take(positions.end.saturating_sub(positions.start))
    }

    /// Forgets all but so many, of which the oldest is one.
    pub(super) fn truncate(&mut self, len: usize) {
        self.values.rotate_left(self.oldest);
        self.oldest = 0;
        self.values.truncate(len);
    }

    /// Gives back the memory that is not needed for what is in it.
    pub(super) fn shrink(&mut self) {
        self.values.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    impl<T> Latest<T> {
        fn add(&mut self, value: T) -> Option<T> {
            match self.make_room() {
                Some(oldest) => Some(std::mem::replace(oldest, value)),
                None => {
                    self.push(value);
                    None
                }
            }
        }
    }

    #[test]
    fn the_oldest_makes_room_for_the_latest() {
        let (mut latest, mut all) = (Latest::new(), VecDeque::new());
        for value in 0..3 * EVENTS_KEPT + 7 {
            all.push_back(value);
            let oldest = if all.len() > EVENTS_KEPT { all.pop_front() } else { None };
            assert_eq!(latest.add(value), oldest);
            assert_eq!(latest.len(), all.len());
        }
        assert!(latest.range(0..usize::MAX).eq(&all));
        assert!(latest.range(3..EVENTS_KEPT - 1).eq(all.range(3..EVENTS_KEPT - 1)));
        assert!(latest.range(1_020..1_022).eq(all.range(1_020..1_022)));
        assert_eq!(latest.range(EVENTS_KEPT..usize::MAX).next(), None);
    }

    #[test]
    fn it_goes_on_after_the_latest_were_forgotten() {
        let mut latest = Latest::new();
        for value in 0..EVENTS_KEPT + 10 {
            latest.add(value);
        }
        latest.truncate(2);
        assert_eq!(latest.add(7), None);
        assert!(latest.range(0..9).eq(&[10, 11, 7]));
    }

    #[test]
    fn few_values_take_little_memory() {
        let mut latest = Latest::new();
        assert_eq!(latest.values.capacity(), 0);
        (0..3).for_each(|value| latest.push(value));
        latest.shrink();
        assert_eq!(latest.values.capacity(), 3);
        (3..100).for_each(|value| latest.push(value));
        latest.shrink();
        assert_eq!(latest.values.capacity(), 100);
    }
}
