//! Who waits for something to change.

use std::collections::BTreeMap;
use std::task::Waker;

/// The wakers of those who wait. Each of them has one place, which it gives back when it is dropped, so that waiting
/// that was given up leaves nothing behind.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    last: u64,
    waiting: BTreeMap<u64, Waker>,
}

/// The place of one who waits.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<u64>);

impl Wakers {
    /// Wakes `waker` next time.
    pub(crate) fn wait(&mut self, place: &mut Place, waker: &Waker) {
        let place = *place.0.get_or_insert_with(|| {
            self.last += 1;
            self.last
        });
        match self.waiting.get_mut(&place) {
            Some(waiting) => waiting.clone_from(waker),
            None => drop(self.waiting.insert(place, waker.clone())),
        }
    }

    /// Gives a place back.
    pub(crate) fn leave(&mut self, place: &Place) {
        if let Some(place) = &place.0 {
            self.waiting.remove(place);
        }
    }

    /// Everybody who waits, to be woken.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_that_was_given_up_leaves_nothing_behind() {
        let mut wakers = Wakers::default();
        let (mut one, mut other) = (Place::default(), Place::default());
        for _ in 0..100 {
            wakers.wait(&mut one, Waker::noop());
        }
        wakers.wait(&mut other, Waker::noop());
        assert_eq!(wakers.waiting.len(), 2);
        wakers.leave(&one);
        assert_eq!(wakers.take().count(), 1);
        assert!(wakers.waiting.is_empty());
    }
}
