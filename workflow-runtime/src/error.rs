//! The error of a step.
//!
//! Other errors stand beside what reports them: [`RunError`](crate::RunError) with the handle,
//! [`SnapshotError`](crate::SnapshotError) with snapshots.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::asker::AskError;
use crate::retry::{Final, Hint, RetryAfter};

/// Why a step failed: any error that converts into `Box<dyn Error + Send + Sync>`, with its sources.
///
/// A step may return any error type; this one is for steps that meet several, because `?` converts every
/// error into it. For that, like `anyhow::Error`, it does not implement [`Error`] itself:
/// [`StepError::source`] gives the error inside.
///
/// It is cheap to clone. Saved with a run it keeps its texts; the live source does not survive that.
///
/// # Examples
/// ```
/// use workflow_runtime::StepError;
///
/// fn parse(text: &str) -> Result<u32, StepError> {
///     if text.is_empty() {
///         return Err(StepError::new("nothing to parse"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("").unwrap_err().to_string(), "nothing to parse");
/// assert!(parse("x").unwrap_err().source().is_some());
/// ```
#[derive(Clone)]
pub struct StepError {
    inner: Arc<Inner>,
}

struct Inner {
    saved: SavedError,
    /// What the error says about trying again. It is heard once, when the step fails, and not saved.
    hint: Option<Hint>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedError {
    kind: StepErrorKind,
    message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
}

/// How a step came to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepErrorKind {
    /// The step returned an error.
    Returned,
    /// The step panicked.
    Panicked,
    /// The step was given or gave something that its graph does not allow, which is possible only where
    /// [`Workflow`](crate::Workflow) was implemented by hand.
    Misrouted,
    /// The attempt took longer than the step's `timeout`.
    TimedOut,
    /// Nobody answered a question of the step in time, and no step takes that.
    Expired,
    /// The step used its context in a way that cannot work: two memos of one name, or a value that does not serialise.
    Misused,
    /// The step was interrupted so often that it is not started again: the process died, or was stopped,
    /// each time that it ran.
    Interrupted,
}

impl StepError {
    /// An error that is nothing but a message.
    pub fn new(message: impl fmt::Display) -> Self {
        Self::of_kind(StepErrorKind::Returned, message)
    }

    pub(crate) fn of_kind(kind: StepErrorKind, message: impl fmt::Display) -> Self {
        Self::from_parts(SavedError { kind, message: message.to_string(), causes: Vec::new() }, None)
    }

    fn from_parts(saved: SavedError, source: Option<Box<dyn Error + Send + Sync>>) -> Self {
        Self { inner: Arc::new(Inner { saved, hint: None, source }) }
    }

    fn from_box(error: Box<dyn Error + Send + Sync>) -> Self {
        let error = match error.downcast::<Final>() {
            Ok(last) => return Self::hinted(last.into_inner()),
            Err(error) => error,
        };
        let error = match error.downcast::<RetryAfter>() {
            Ok(later) => return Self::hinted(later.into_inner()),
            Err(error) => error,
        };
        match error.downcast::<Carried>() {
            Ok(carried) => carried.0,
            Err(error) => {
                let kind = match error.downcast_ref() {
                    Some(AskError::Expired { .. }) => StepErrorKind::Expired,
                    Some(AskError::Misrouted { .. }) => StepErrorKind::Misrouted,
                    _ => StepErrorKind::Returned,
                };
                let causes = std::iter::successors(error.source(), |&cause| cause.source())
                    .map(ToString::to_string)
                    .collect();
                let saved = SavedError { kind, message: error.to_string(), causes };
                Self::from_parts(saved, Some(error))
            }
        }
    }

    fn hinted((error, hint): (Self, Hint)) -> Self {
        match Arc::try_unwrap(error.inner) {
            Ok(inner) => Self { inner: Arc::new(Inner { hint: Some(hint), ..inner }) },
            // Somebody holds a clone. The texts are what matters then.
            Err(shared) => Self {
                inner: Arc::new(Inner { saved: shared.saved.clone(), hint: Some(hint), source: None }),
            },
        }
    }

    pub(crate) fn hint(&self) -> Option<Hint> {
        self.inner.hint
    }

    /// How the step came to fail.
    #[must_use]
    pub fn kind(&self) -> StepErrorKind {
        self.inner.saved.kind
    }

    /// The message of the error itself, without its causes.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.inner.saved.message
    }

    /// The messages of the error's sources, nearest first.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.inner.saved.causes
    }

    /// The error that the step returned, while the run has not left the process.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl StepError {
    /// The error as a link of an error chain: what [`RunError`](crate::RunError) gives as its source.
    #[must_use]
    pub fn as_error(&self) -> &(dyn Error + 'static) {
        &*self.inner
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.saved.message)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SavedError { kind, message, causes } = &self.saved;
        let mut debug = f.debug_struct("StepError");
        debug.field("kind", kind).field("message", message);
        if !causes.is_empty() {
            debug.field("causes", causes);
        }
        debug.finish()
    }
}

impl Error for Inner {
    /// The sources of the returned error: the error itself has this one's message already.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().and_then(|error| error.source())
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// Two errors are equal if they read the same.
impl PartialEq for StepError {
    fn eq(&self, other: &Self) -> bool {
        self.inner.saved == other.inner.saved
    }
}

impl Eq for StepError {}

impl Serialize for StepError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StepError {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SavedError::deserialize(deserializer).map(|saved| Self::from_parts(saved, None))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for StepError {
    fn from(error: E) -> Self {
        Self::from_box(Box::new(error))
    }
}

impl From<StepError> for Box<dyn Error + Send + Sync> {
    fn from(error: StepError) -> Self {
        Box::new(Carried(error))
    }
}

/// A `StepError` on its way through `Box<dyn Error>`: how [`IntoStepError`] meets it.
struct Carried(StepError);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Error for Carried {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// What a step may return as its error: whatever converts into `Box<dyn Error + Send + Sync>`, which is
/// every std error, `String`, `&'static str`, [`StepError`], `anyhow::Error`. Sealed.
#[diagnostic::on_unimplemented(
    message = "a step cannot fail with `{Self}`",
    label = "this does not convert into `Box<dyn std::error::Error + Send + Sync>`",
    note = "implement `std::error::Error` for it, or return `StepError` or `String`"
)]
pub trait IntoStepError: sealed::Sealed {
    /// The error as a [`StepError`].
    fn into_step_error(self) -> StepError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> IntoStepError for E {
    fn into_step_error(self) -> StepError {
        StepError::from_box(self.into())
    }
}

mod sealed {
    use std::error::Error;

    pub trait Sealed {}

    #[diagnostic::do_not_recommend]
    impl<E: Into<Box<dyn Error + Send + Sync>>> Sealed for E {}
}
