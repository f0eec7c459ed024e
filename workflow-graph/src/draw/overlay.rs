//! What can be written over a drawing.

use crate::{EventId, StepId};

/// Something to show over the drawing of a graph: which way one run went, say.
///
/// The drawing asks for a [`Mark`] of everything that it shows, and stays the same otherwise.
///
/// # Examples
/// ```
/// use workflow_graph::draw::{Element, Mark, Overlay, Tone};
/// use workflow_graph::{EventId, Graph, StepId};
///
/// struct Reached(StepId);
///
/// impl Overlay for Reached {
///     fn mark(&self, element: Element) -> Mark {
///         let here = element == Element::Step(self.0);
///         Mark { note: if here { "you are here" } else { "" }.to_owned(), tone: Tone::Plain }
///     }
/// }
///
/// fn draw(graph: &Graph) -> String {
///     graph.to_mermaid_with(&Reached(StepId(0)))
/// }
/// ```
pub trait Overlay {
    /// The mark of one element.
    fn mark(&self, element: Element) -> Mark;

    /// A line above the drawing; none if it is empty.
    fn caption(&self) -> String {
        String::new()
    }
}

/// Something that a drawing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// A step.
    Step(StepId),
    /// The input, an output, a signal, or the person that a question goes to.
    Event(EventId),
    /// What a step emits: every arrow to a step, an output or a person that it goes to.
    Emitted {
        /// The step.
        step: StepId,
        /// What it emits.
        event: EventId,
        /// How.
        way: Way,
    },
    /// A step emits nothing. Only text shows it.
    Nothing(StepId),
    /// What comes from outside, to every step that takes it: the input, a signal, an answer, an expiry.
    Delivered(EventId),
    /// The failure of this step, to its error handler.
    Failure(StepId),
    /// What a step asks or takes while it runs.
    Inside {
        /// The step.
        step: StepId,
        /// The question or the signal.
        event: EventId,
    },
}

/// How a step emits an event. A drawing tells no more apart than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// It returns one.
    One,
    /// It returns a fan-out of them.
    Each,
    /// It sends them while it runs.
    Sent,
}

/// What stands over one element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Written behind the label; nothing if it is empty.
    pub note: String,
    /// How it looks.
    pub tone: Tone,
}

/// How an element looks. Text shows notes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tone {
    /// As it does without a mark.
    #[default]
    Plain,
    /// It steps back: grey, and nodes are dashed.
    Faint,
    /// It stands out: red.
    Alert,
}

/// No marks.
pub(super) struct Unmarked;

impl Overlay for Unmarked {
    fn mark(&self, _: Element) -> Mark {
        Mark::default()
    }
}
