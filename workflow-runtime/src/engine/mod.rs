//! The engine.
mod payload;
pub use payload::{Emitted, Input, Part, Payload};
