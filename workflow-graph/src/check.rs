//! The rules, one function each.

use crate::{Graph, StepId};

/// Something in a graph that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Rule,
    /// Where.
    pub at: Place,
    /// What is wrong, then what to do.
    pub message: String,
    /// Where else two places disagree, each with a short text of its own.
    pub also: Vec<(Place, String)>,
}

/// A rule that graphs must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {}

/// A place in the declaration of a workflow, from which a macro finds the token to point at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The workflow as a whole.
    Workflow,
    /// A step, by its name.
    Step(StepId),
    /// An event that a parameter takes.
    Param {
        /// The step.
        step: StepId,
        /// Position in [`Step::params`](crate::Step::params).
        param: u16,
        /// Position in [`Param::events`](crate::Param::events).
        alternative: u16,
    },
    /// A capability.
    Tool {
        /// The step.
        step: StepId,
        /// Position in [`Step::tools`](crate::Step::tools).
        tool: u16,
    },
    /// An event that a step returns.
    Returned {
        /// The step.
        step: StepId,
        /// Position in [`Returns::alternatives`](crate::Returns::alternatives).
        alternative: u16,
        /// Position in [`Point::items`](crate::Point::items); 0 where the alternative is no `Vec`.
        item: u16,
    },
    /// The option `catches(..)`.
    Catches {
        /// The step.
        step: StepId,
        /// Position in the list; `None` is the option as a whole, or the `StepFailed` that stands without it.
        position: Option<u16>,
    },
    /// Another option of `#[step(..)]`.
    Option {
        /// The step.
        step: StepId,
        /// The name of the option.
        name: &'static str,
    },
}

impl Graph {
    /// Every rule, every violation, in source order.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        Vec::new()
    }
}
