//! The graph of a workflow: what its steps accept and emit.
//!
//! The macros build a [`Graph`] from the signatures of an `impl` block and refuse it where
//! [`Graph::check`] finds something wrong; the runtime routes events by the same value. Both use this
//! crate, so what compiles is what runs. Workflow authors meet these types as
//! `workflow_runtime::graph`.
//!
//! - [`model`]: the graph as plain data, constructible in a `const`
//! - [`build`]: from step declarations to a graph with its routes filled in
//! - [`check`]: the rules, one function each
//! - [`levels`]: at which depth of fan-out each step runs
//! - [`draw`]: Mermaid, DOT and plain text
//! - [`fingerprint`]: one number for "the same steps and events"

pub mod build;
pub mod check;
pub mod draw;
pub mod fingerprint;
mod flow;
pub mod levels;
pub mod model;
#[cfg(test)]
mod sketch;

pub use check::{Place, Rule, Violation};
pub use model::*;
