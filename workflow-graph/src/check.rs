//! The rules that a graph must keep, one function each.
//!
//! [`Graph::check`] is their table of contents. Every rule reports every violation, but only where it
//! starts: what follows from a mistake that is already reported is not reported again. Wherever rules
//! follow events through the graph, any one input is enough to run a join.

mod ends;
mod fan_out;
mod forms;
mod joins;
mod names;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use crate::flow::Flow;
use crate::levels::Levels;
use crate::{EventId, Graph, StepId};

/// Something in a graph that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Rule,
    /// Where.
    pub at: Place,
    /// What is wrong, then what to do.
    pub message: String,
    /// Where else, if two places disagree, each with a short text of its own.
    pub also: Vec<(Place, String)>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A rule that graphs must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Every number leads somewhere, and the derived parts follow from the declared ones. Only a graph from
    /// elsewhere can break this rule; the others are not looked at then. See [`Graph::relink`].
    Linked,
    /// No two steps and no two events have the same name, because saved runs know them by name.
    Names,
    /// A step takes events in a form that means something: at least one, none twice, at most eight
    /// alternatives, nothing that only a step can emit; and its options fit what it takes.
    Form,
    /// A workflow has exactly one input type: some step takes `Start`, and all agree on its type.
    OneStart,
    /// A workflow has exactly one output type: some step returns `Stop`, and all agree on its type.
    OneStop,
    /// What a step emits, some step accepts. A question emits its answer.
    EmittedIsAccepted,
    /// What a step accepts, some step emits. An answer needs its question.
    AcceptedIsEmitted,
    /// A signal goes to the steps that take it, or to the inboxes that wait for it, not to both.
    SignalTaker,
    /// Every step can be reached from `Start`, a signal or an error handler.
    Reachable,
    /// From every step an end is within reach: a step that returns `Stop`, `()` or `Option<..>`.
    ReachesEnd,
    /// From `Start`, or from a signal, a `Stop` is within reach.
    StopInReach,
    /// What is gathered arrives inside a fan-out, and nowhere outside one.
    GatherInFanOut,
    /// The inputs of a join can meet: in one branch, in one run, before the join itself has run.
    JoinCanFire,
    /// An error handler names steps that no other handler catches, and at most one handler names none.
    Handlers,
}

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

impl Place {
    /// The step that the place belongs to, if any.
    #[must_use]
    pub const fn step(self) -> Option<StepId> {
        match self {
            Self::Workflow => None,
            Self::Step(step)
            | Self::Param { step, .. }
            | Self::Tool { step, .. }
            | Self::Returned { step, .. }
            | Self::Catches { step, .. }
            | Self::Option { step, .. } => Some(step),
        }
    }

    /// Source order: step by step, within a step as the places are declared above.
    fn in_source(&self, other: &Self) -> Ordering {
        (self.step(), self).cmp(&(other.step(), other))
    }
}

impl Graph {
    /// Every violation of every [`Rule`], in source order.
    ///
    /// # Examples
    /// ```
    /// use workflow_graph::build::Builder;
    ///
    /// let messages: Vec<String> = Builder::new("Empty").build().check().iter().map(ToString::to_string).collect();
    /// assert_eq!(messages, [
    ///     "no step takes `Start`; let the first step take `Start<Input>`",
    ///     "no step returns `Stop`; let the last step return `Stop<Output>`",
    /// ]);
    /// ```
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        forms::the_graph_is_linked(self, &mut found);
        if !found.is_empty() {
            return found;
        }

        let flow = Flow::of(self);
        let levels = Levels::of_flow(&flow);
        names::every_name_is_used_once(&flow, &mut found);
        forms::steps_take_what_can_be_taken(&flow, &mut found);
        forms::steps_emit_what_can_be_emitted(&flow, &mut found);
        forms::options_fit_the_step(&flow, &mut found);
        forms::handlers_catch_what_they_can(&flow, &mut found);
        forms::a_signal_has_one_kind_of_taker(&flow, &mut found);
        ends::one_start(&flow, &mut found);
        ends::one_stop(&flow, &mut found);
        names::every_emitted_event_is_accepted(&flow, &mut found);
        names::every_accepted_event_is_emitted(&flow, &mut found);
        ends::every_step_is_reachable(&flow, &mut found);
        ends::every_step_reaches_an_end(&flow, &mut found);
        ends::a_stop_is_within_reach(&flow, &mut found);
        fan_out::gathers_are_inside_a_fan_out(&flow, &levels, &mut found);
        joins::every_join_can_fire(&flow, &levels, &mut found);

        found.sort_by(|a, b| a.at.in_source(&b.at));
        found
    }
}

fn violation(rule: Rule, at: Place, message: impl Into<String>) -> Violation {
    Violation { rule, at, message: message.into(), also: Vec::new() }
}

impl Violation {
    fn also(mut self, at: Place, message: impl Into<String>) -> Self {
        self.also.push((at, message.into()));
        self
    }
}

impl Flow<'_> {
    /// The name of an event, in backticks.
    fn event(&self, id: EventId) -> String {
        format!("`{}`", self.graph.event(id).map_or("?", |event| &event.name))
    }

    /// The name of a step, in backticks.
    fn step(&self, id: StepId) -> String {
        format!("`{}`", self.graph.step(id).map_or("?", |step| &step.name))
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
