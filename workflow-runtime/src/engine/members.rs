//! What keeps a scope open.

use super::state::{InvocationId, ScopeId};
use crate::event::RequestId;
use crate::table::Table;

/// Something that keeps a scope open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    Invocation(InvocationId),
    Request(RequestId),
    Scope(ScopeId),
    /// An invocation that may still send into the scope. It lives elsewhere: where the scope was opened.
    Filler(InvocationId),
}

/// What keeps a scope open. In one scope, no two members have the same number.
#[derive(Clone, Debug)]
pub(crate) enum Members {
    /// Without memory of their own: where one thing follows another, there is one, and two while the next is counted in
    /// already.
    Few([Option<Member>; 2]),
    Many(Table<u64, Kind>),
}

/// What a [`Member`] is, without its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invocation,
    Request,
    Scope,
    Filler,
}

impl Member {
    fn new(kind: Kind, number: u64) -> Self {
        match kind {
            Kind::Invocation => Self::Invocation(InvocationId(number)),
            Kind::Request => Self::Request(RequestId(number)),
            Kind::Scope => Self::Scope(ScopeId(number)),
            Kind::Filler => Self::Filler(InvocationId(number)),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Invocation(_) => Kind::Invocation,
            Self::Request(_) => Kind::Request,
            Self::Scope(_) => Kind::Scope,
            Self::Filler(_) => Kind::Filler,
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Invocation(id) | Self::Filler(id) => id.0,
            Self::Request(id) => id.0,
            Self::Scope(id) => id.0,
        }
    }
}

impl Members {
    pub(crate) const NONE: Self = Self::Few([None; 2]);

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.iter().all(Option::is_none),
            Self::Many(many) => many.is_empty(),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.iter().flatten().count(),
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        if let Self::Few(few) = self {
            if few.iter().flatten().count() + more <= few.len() {
                return;
            }
            *self = Self::Many(few.iter().flatten().copied().collect());
        }
        if let Self::Many(many) = self {
            many.reserve(more);
        }
    }

    /// `false` if it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, member: Member) -> bool {
        match self {
            Self::Few(few) => {
                if few.iter().flatten().any(|other| other.number() == member.number()) {
                    return false;
                }
                match few.iter_mut().find(|place| place.is_none()) {
                    Some(place) => *place = Some(member),
                    None => *self = Self::Many(few.iter().flatten().copied().chain([member]).collect()),
                }
                true
            }
            Self::Many(many) => many.insert(member.number(), member.kind()).is_none(),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, member: Member) {
        match self {
            Self::Few(few) => {
                for place in few {
                    place.take_if(|other| other.number() == member.number());
                }
            }
            Self::Many(many) => {
                many.remove(&member.number());
            }
        }
    }

    /// One goes, and another of the same kind with a higher number comes.
    #[inline]
    pub(crate) fn replace(&mut self, member: Member, higher: Member) {
        match self {
            Self::Few(few) => {
                let place = few.iter_mut().flatten().find(|other| other.number() == member.number());
                if let Some(place) = place {
                    *place = higher;
                }
            }
            Self::Many(many) => _ = many.rename(&member.number(), higher.number()),
        }
    }

    /// All of them, kind by kind.
    pub(crate) fn sorted(&self) -> Vec<Member> {
        let mut members: Vec<Member> = match self {
            Self::Few(few) => few.iter().flatten().copied().collect(),
            Self::Many(many) => many.iter().map(|(number, kind)| Member::new(*kind, *number)).collect(),
        };
        members.sort_unstable();
        members
    }

    pub(super) fn shrink(&mut self) {
        let members = self.len();
        match self {
            Self::Many(_) if members <= 2 => *self = self.sorted().into_iter().collect(),
            Self::Many(many) => many.shrink(),
            Self::Few(_) => {}
        }
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.sorted() == other.sorted()
    }
}

impl Eq for Members {}

impl FromIterator<Member> for Members {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        let members: Vec<Member> = members.into_iter().collect();
        match *members {
            [] => Self::NONE,
            [one] => Self::Few([Some(one), None]),
            [one, other] if one.number() != other.number() => Self::Few([Some(one), Some(other)]),
            _ => Self::Many(members.into_iter().collect()),
        }
    }
}

impl FromIterator<Member> for Table<u64, Kind> {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        members.into_iter().map(|member| (member.number(), member.kind())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{InvocationId, Member, Members, RequestId, ScopeId};

    fn member(number: u64) -> Member {
        match number % 4 {
            0 => Member::Invocation(InvocationId(number)),
            1 => Member::Request(RequestId(number)),
            2 => Member::Scope(ScopeId(number)),
            _ => Member::Filler(InvocationId(number)),
        }
    }

    #[test]
    fn few_members_and_many_are_a_set() {
        for most in 1..6_u64 {
            let (mut members, mut set, mut seed) = (Members::NONE, BTreeSet::new(), most);
            let mut dice = |n: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) % n
            };
            let mut last = 0;
            for _ in 0..2_000 {
                let known = set.iter().nth(dice(most) as usize).copied().unwrap_or(member(last + 1));
                match dice(6) {
                    0 | 1 if set.len() < most as usize => {
                        last += 1 + dice(3);
                        assert_eq!(members.insert(member(last)), set.insert(member(last)));
                    }
                    2 => assert_eq!(set.contains(&known), !members.clone().insert(known)),
                    3 => {
                        // Of the same kind.
                        last = (last / 4 + 1) * 4 + known.number() % 4;
                        members.replace(known, member(last));
                        if set.remove(&known) {
                            set.insert(member(last));
                        }
                    }
                    4 => members.shrink(),
                    _ => {
                        members.remove(known);
                        set.remove(&known);
                    }
                }
                assert!(members.sorted().iter().eq(&set), "{members:?} is not {set:?}");
                assert_eq!((members.len(), members.is_empty()), (set.len(), set.is_empty()));
                assert_eq!(members, set.iter().copied().collect());
                let mut roomy = Members::NONE;
                roomy.reserve(10);
                set.iter().for_each(|member| assert!(roomy.insert(*member)));
                assert_eq!(members, roomy);
            }
        }
    }

    #[test]
    fn a_third_member_takes_memory_and_gives_it_back() {
        let mut members: Members = [5, 1].map(member).into_iter().collect();
        assert!(members.insert(member(3)));
        assert!(matches!(members, Members::Many(_)));
        members.remove(member(1));
        members.shrink();
        assert!(matches!(members, Members::Few(_)));
        assert_eq!(members.sorted(), [5, 3].map(member));
    }
}
