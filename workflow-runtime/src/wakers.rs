//! Who waits for something to change.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::seldom::Seldom;

/// The wakers of those who wait. Each of them has one place, which it gives back when it is dropped, so that waiting
/// that was given up leaves nothing behind.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    last: u64,
    waiting: Waiting,
}

/// Those who waited, to be woken.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// One of them, by its place. Mostly there is no other one, and it costs no allocation to wait.
    one: Option<(u64, Waker)>,
    others: Seldom<BTreeMap<u64, Waker>>,
}

/// The place of one who waits.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<u64>);

impl Place {
    /// Whether there may be something to give back.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        self.0.is_some()
    }
}

impl Wakers {
    /// Wakes `waker` next time.
    pub(crate) fn wait(&mut self, place: &mut Place, waker: &Waker) {
        let place = *place.0.get_or_insert_with(|| {
            self.last += 1;
            self.last
        });
        let Waiting { one, others } = &mut self.waiting;
        // Looked for first: who has the place for one may have left it since.
        if let Some(waiting) = others.get_mut().and_then(|others| others.get_mut(&place)) {
            return waiting.clone_from(waker);
        }
        match one {
            Some((taken, waiting)) if *taken == place => waiting.clone_from(waker),
            Some(_) => drop(others.make().insert(place, waker.clone())),
            None => *one = Some((place, waker.clone())),
        }
    }

    /// Gives a place back.
    pub(crate) fn leave(&mut self, place: &Place) {
        if let Some(place) = &place.0 {
            let Waiting { one, others } = &mut self.waiting;
            if one.take_if(|(taken, _)| taken == place).is_none() {
                others.get_mut().and_then(|others| others.remove(place));
            }
        }
    }

    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.one.is_none() && self.waiting.others.get().is_none_or(BTreeMap::is_empty)
    }

    /// Everybody who waits, to be woken.
    pub(crate) fn take(&mut self) -> Waiting {
        std::mem::take(&mut self.waiting)
    }
}

impl Iterator for Waiting {
    type Item = Waker;

    fn next(&mut self) -> Option<Waker> {
        let one = self.one.take().or_else(|| self.others.get_mut()?.pop_first());
        one.map(|(_, waker)| waker)
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
            wakers.wait(&mut other, Waker::noop());
        }
        wakers.leave(&one);
        // The place for one is free again, and the other one keeps its own.
        wakers.wait(&mut other, Waker::noop());
        assert_eq!(wakers.take().count(), 1);
        assert!(wakers.is_empty());
    }

    #[test]
    fn everybody_who_waits_is_woken_once() {
        let mut wakers = Wakers::default();
        let mut places: Vec<_> = (0..10).map(|_| Place::default()).collect();
        for _ in 0..3 {
            for place in &mut places {
                wakers.wait(place, Waker::noop());
                wakers.wait(place, Waker::noop());
            }
            assert_eq!(wakers.take().count(), 10);
            assert_eq!(wakers.take().count(), 0);
        }
    }
}
