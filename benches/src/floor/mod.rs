//! What the machine allows: the workloads by hand, without anything that could be seen, saved or stopped.
//!
//! - **spawn**: a control loop, a task per step, and what the step makes comes back over an unbounded channel;
//! - **inline**: one task per run, in which boxed futures of steps are polled in place, and parked only when pending.

pub mod inline;
pub mod question;
pub mod spawn;
pub mod works;

use std::collections::VecDeque;
use std::future::Future;

/// A workload by hand.
pub trait Work: Send + 'static {
    type Event: Send + 'static;
    type Output: Send + 'static;

    /// Calls the step that takes this event.
    fn step(event: Self::Event) -> impl Future<Output = Self::Event> + Send + 'static;

    /// What becomes of what a step has made: events for further steps, or the end.
    fn route(&mut self, event: Self::Event, ready: &mut VecDeque<Self::Event>) -> Option<Self::Output>;
}
