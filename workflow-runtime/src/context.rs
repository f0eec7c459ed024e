//! What a step is told about its run, and how it speaks while it works.

use std::marker::PhantomData;

use crate::workflow::Workflow;

/// The run, as one step sees it.
pub struct Context<W: Workflow> {
    workflow: PhantomData<fn() -> W>,
}
