//! Errors: of steps, of runs, of answers.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The error of a step: anything that converts into `Box<dyn Error + Send + Sync>`, with its sources.
///
/// Like `anyhow::Error` it does not implement [`Error`] itself, so that `?` converts every error into it.
#[derive(Clone)]
pub struct StepError {
    inner: Arc<Inner>,
}

struct Inner {
    message: String,
    causes: Vec<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}
