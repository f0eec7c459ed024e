//! One of several types.

use crate::event::{Event, Expired, HumanResponse, InputRequired, Signal, Start, Stop};

/// One of up to eight types: where a step takes either of several events, or returns one of several.
///
/// Where all cases go to one step, an event `enum` of your own reads better. `OneOf` is for different
/// destinations, and for two events that come from different places.
///
/// [`OneOf::new`] picks the variant by the type of the value; a type that is not listed does not compile.
/// The variants are named by position, to match on. Unused positions are [`Never`], which has no values, so a
/// `match` lists only what the signature lists.
///
/// # Examples
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[event]
/// struct Paid(u32);
/// #[event]
/// struct Refused;
///
/// fn pay(cents: u32) -> OneOf<Paid, Refused> {
///     if cents > 0 { OneOf::new(Paid(cents)) } else { OneOf::new(Refused) }
/// }
///
/// match pay(7) {
///     OneOf::A(Paid(cents)) => assert_eq!(cents, 7),
///     OneOf::B(Refused) => unreachable!(),
/// }
///
/// // Borrowed: through `as_ref`, which keeps the unused positions empty.
/// let cents = match pay(0).as_ref() {
///     OneOf::A(Paid(cents)) => *cents,
///     OneOf::B(Refused) => 0,
/// };
/// assert_eq!(cents, 0);
/// ```
//
// That there is a default for the first is as with `Emitter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OneOf<A = Never, B = Never, C = Never, D = Never, E = Never, F = Never, G = Never, H = Never> {
    /// The first type.
    A(A),
    /// The second type.
    B(B),
    /// The third type.
    C(C),
    /// The fourth type.
    D(D),
    /// The fifth type.
    E(E),
    /// The sixth type.
    F(F),
    /// The seventh type.
    G(G),
    /// The eighth type.
    H(H),
}

/// A type without values, in the unused positions of [`OneOf`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Never {}

impl<A, B, C, D, E, F, G, H> OneOf<A, B, C, D, E, F, G, H> {
    /// The variant that holds a `T`.
    ///
    /// `At` is the position, and is inferred.
    pub fn new<T, At>(value: T) -> Self
    where
        Self: Lists<T, At>,
    {
        Self::list(value)
    }

    /// The same variant, borrowed.
    #[expect(clippy::type_complexity, reason = "it is as simple as eight positions allow")]
    pub fn as_ref(
        &self,
    ) -> OneOf<A::Ref<'_>, B::Ref<'_>, C::Ref<'_>, D::Ref<'_>, E::Ref<'_>, F::Ref<'_>, G::Ref<'_>, H::Ref<'_>>
    where
        A: Borrowed,
        B: Borrowed,
        C: Borrowed,
        D: Borrowed,
        E: Borrowed,
        F: Borrowed,
        G: Borrowed,
        H: Borrowed,
    {
        match self {
            Self::A(value) => OneOf::A(value.borrowed()),
            Self::B(value) => OneOf::B(value.borrowed()),
            Self::C(value) => OneOf::C(value.borrowed()),
            Self::D(value) => OneOf::D(value.borrowed()),
            Self::E(value) => OneOf::E(value.borrowed()),
            Self::F(value) => OneOf::F(value.borrowed()),
            Self::G(value) => OneOf::G(value.borrowed()),
            Self::H(value) => OneOf::H(value.borrowed()),
        }
    }
}

/// `T` is one of the listed types. How [`OneOf::new`] finds the variant; not implemented outside this crate.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not one of the types listed in `{Self}`",
    label = "the signature does not list this type",
    note = "add it to the `OneOf<..>` of the signature"
)]
pub trait Lists<T, At>: sealed::Sealed {
    #[doc(hidden)]
    fn list(value: T) -> Self;
}

/// A position in [`OneOf`], as a type.
#[doc(hidden)]
#[derive(Debug)]
pub struct At<const POSITION: u8>;

macro_rules! lists {
    ($($at:ident = $position:literal)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<A, B, C, D, E, F, G, H> Lists<$at, At<$position>> for OneOf<A, B, C, D, E, F, G, H> {
            fn list(value: $at) -> Self {
                Self::$at(value)
            }
        }
    )* };
}

lists!(A = 0 B = 1 C = 2 D = 3 E = 4 F = 5 G = 6 H = 7);

/// What stands in a [`OneOf`], borrowed: `&Self`, and [`Never`] for `Never`, so that borrowing leaves the
/// unused positions empty. Not implemented outside this crate.
#[diagnostic::on_unimplemented(
    message = "`OneOf::as_ref` borrows events, and `{Self}` is not one",
    label = "match this `OneOf` by value"
)]
pub trait Borrowed {
    /// The borrowed type.
    type Ref<'a>
    where
        Self: 'a;

    #[doc(hidden)]
    fn borrowed(&self) -> Self::Ref<'_>;
}

impl<T: Event> Borrowed for T {
    type Ref<'a> = &'a T;

    fn borrowed(&self) -> &T {
        self
    }
}

impl Borrowed for Never {
    type Ref<'a> = Never;

    fn borrowed(&self) -> Never {
        *self
    }
}

macro_rules! borrowed {
    ($($form:ident<$($param:ident),*>)*) => { $(
        impl<$($param),*> Borrowed for $form<$($param),*> {
            type Ref<'a> = &'a Self where Self: 'a;

            fn borrowed(&self) -> &Self {
                self
            }
        }
    )* };
}

borrowed!(Start<I> Stop<O> InputRequired<Q> HumanResponse<Q, R> Expired<Q> Signal<T>);

mod sealed {
    pub trait Sealed {}

    impl<A, B, C, D, E, F, G, H> Sealed for super::OneOf<A, B, C, D, E, F, G, H> {}
}
