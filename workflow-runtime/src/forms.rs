//! What the generated code asks of types, in words for the author of a workflow.

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

use crate::error::{IntoStepError, StepError};

/// A value that can be saved with a run: it has serde's `Serialize` and `Deserialize`, borrowing nothing.
///
/// `#[data]`, `#[event]` and `#[prompt]` see to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved with a run",
    label = "this needs `Serialize` and `Deserialize`",
    note = "put `#[data]` on the type (`#[event]` and `#[prompt]` do the same and more), or implement serde's traits"
)]
pub trait Saved: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Saved for T {}

/// The same as [`Saved`], as a bound of associated types. It has no supertraits, because those would be reported
/// one by one, in serde's words.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved with a run",
    label = "this needs `Serialize` and `Deserialize`",
    note = "put `#[data]` on the type, or implement serde's traits"
)]
pub trait Stored {
    /// Serde's `serialize`.
    ///
    /// # Errors
    /// What the serializer reports.
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Serde's `deserialize`.
    ///
    /// # Errors
    /// What the deserializer reports.
    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>
    where
        Self: Sized;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Stored for T {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
    }
}

/// A value that can go from thread to thread, and be read from several. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared between threads",
    label = "the steps of a run, and those who watch it, are on several threads",
    note = "use `Arc` in place of `Rc`, and `Mutex` or an atomic in place of `Cell` and `RefCell`"
)]
pub trait Shareable {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Shareable for T {}

/// A workflow that its runs can share. Not public API.
#[diagnostic::on_unimplemented(
    message = "the workflow `{Self}` cannot be shared between threads",
    label = "all runs of a workflow share this value, and they are on several threads",
    note = "let its fields be `Arc` in place of `Rc`, and `Mutex` or an atomic in place of `Cell` and `RefCell`; what a \
            single run changes belongs in its state (`#[workflow(state = S)]`)"
)]
pub trait SharedByRuns {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> SharedByRuns for T {}

/// A value that others get a copy of. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`",
    label = "a run keeps this value, and gives copies of it away",
    note = "derive `Clone` (`#[data]` does)"
)]
pub trait Copied {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Copied for T {}

/// A state that a run can begin with. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Default`",
    label = "a run begins with the default of its state",
    note = "derive or implement `Default`"
)]
pub trait HasDefault {}

#[diagnostic::do_not_recommend]
impl<T: Default> HasDefault for T {}

/// An event that a step may take by value. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is taken by value, but it is not `Clone`",
    label = "a run keeps its events until their step has finished, so this step gets a clone",
    note = "take `&{Self}`, or derive `Clone` (`#[event]` and `#[data]` do)"
)]
pub trait TakenByValue {}

#[diagnostic::do_not_recommend]
impl<T: Clone> TakenByValue for T {}

/// A type of a signature, and the type that the macro takes it for. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `{Ours}`",
    label = "in the signature of a step, this name means `{Ours}`",
    note = "rename the other type, or import it under another name"
)]
pub trait Form<Ours> {
    /// From the type that the macro knows.
    fn from_ours(ours: Ours) -> Self;

    /// From the type that the macro knows, borrowed.
    fn from_ours_ref(ours: &Ours) -> &Self;

    /// Into the type that the macro knows.
    fn into_ours(self) -> Ours;
}

impl<T> Form<T> for T {
    fn from_ours(ours: T) -> T {
        ours
    }

    fn from_ours_ref(ours: &T) -> &T {
        ours
    }

    fn into_ours(self) -> T {
        self
    }
}

/// A `Result`, under whatever alias. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result<{O}, _>`",
    label = "in the signature of a step, this name means `std::result::Result`",
    note = "rename the other type, or import it under another name"
)]
pub trait Fallible<O> {
    /// The same, with the error that the run reports.
    fn into_step_result(self) -> Result<O, StepError>;
}

impl<O, E: IntoStepError> Fallible<O> for Result<O, E> {
    fn into_step_result(self) -> Result<O, StepError> {
        self.map_err(IntoStepError::into_step_error)
    }
}

/// Two spellings of one event. Not public API.
#[diagnostic::on_unimplemented(
    message = "`{Self}` and `{First}` are two types, but as events they have one name",
    label = "another type of this name is an event of this workflow",
    note = "snapshots and diagrams know an event by the last segment of its path: rename one of the two types"
)]
pub trait SameEvent<First> {
    /// From the spelling that came first.
    fn from_first(first: First) -> Self;

    /// From the spelling that came first, borrowed.
    fn from_first_ref(first: &First) -> &Self;

    /// Into the spelling that came first.
    fn into_first(self) -> First;
}

impl<T> SameEvent<T> for T {
    fn from_first(first: T) -> T {
        first
    }

    fn from_first_ref(first: &T) -> &T {
        first
    }

    fn into_first(self) -> T {
        self
    }
}
