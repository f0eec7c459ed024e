//! The steps that are ready, in the order in which they start.

use std::collections::VecDeque;

use crate::engine::Invoke;

/// A queue of which the first entry lies in place: where one step follows another, there is no other, and it takes no memory
/// of its own.
pub(super) struct Queue<E> {
    /// Stands before the others, if it is there.
    first: Option<Invoke<E>>,
    others: VecDeque<Invoke<E>>,
}

impl<E> Queue<E> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&Invoke<E>> {
        match (&self.first, place) {
            (Some(first), 0) => Some(first),
            (Some(_), place) => self.others.get(place - 1),
            (None, place) => self.others.get(place),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Invoke<E>> {
        self.first.iter().chain(&self.others)
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<Invoke<E>> {
        self.first.take().or_else(|| self.others.pop_front())
    }

    #[inline]
    pub(super) fn push_back(&mut self, invoke: Invoke<E>) {
        if self.is_empty() {
            self.first = Some(invoke);
        } else {
            self.others.push_back(invoke);
        }
    }

    pub(super) fn push_front(&mut self, invoke: Invoke<E>) {
        if let Some(second) = self.first.replace(invoke) {
            self.others.push_front(second);
        }
    }

    /// What stands at its end, to be added to.
    pub(super) fn end(&mut self) -> &mut VecDeque<Invoke<E>> {
        &mut self.others
    }

    /// Nothing is left in it, also where what goes panics.
    pub(super) fn clear(&mut self) {
        drop(std::mem::take(self));
    }

    /// Gives back memory that is not needed for what is in it.
    pub(super) fn shrink(&mut self) {
        self.others.shrink_to_fit();
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { first: None, others: VecDeque::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::InvocationId;

    #[test]
    fn it_does_what_a_ring_does() {
        let (mut queue, mut ring) = (Queue::<()>::default(), VecDeque::new());
        let mut dice = 1_u64;
        for id in 0..2_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let invoke = Invoke::at_work(InvocationId(id), 1);
            match dice >> 61 {
                0 | 1 => {
                    ring.push_back(invoke.clone());
                    queue.push_back(invoke);
                }
                2 => {
                    ring.push_front(invoke.clone());
                    queue.push_front(invoke);
                }
                3 => {
                    ring.extend([invoke.clone(), invoke.clone()]);
                    queue.end().extend([invoke.clone(), invoke]);
                }
                4 if id % 7 == 0 => {
                    ring.clear();
                    queue.clear();
                }
                _ => assert_eq!(queue.pop_front(), ring.pop_front()),
            }
            assert!(queue.iter().eq(&ring));
            assert_eq!((queue.len(), queue.is_empty()), (ring.len(), ring.is_empty()));
            assert_eq!(queue.get(id as usize % 4), ring.get(id as usize % 4));
        }
    }
}
