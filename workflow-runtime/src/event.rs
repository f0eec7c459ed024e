//! Events, prompts, and the forms that stand in step signatures.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of one question to a person, made when it is asked. Unique within its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A question to a person.
pub trait Prompt: Clone + Send + Sync + 'static {
    /// What an answer is made of.
    type Response: Send + Sync + 'static;
}

/// The prompt enum of a workflow that asks nothing. It has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NoPrompt {}
