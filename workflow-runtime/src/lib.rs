//! Event-driven workflows.
pub mod context;
pub mod engine;
pub mod error;
pub mod event;
pub mod workflow;

pub use context::Context;
pub use error::{StepError, StepErrorKind};
pub use event::NoPrompt;
pub use workflow_graph as graph;
