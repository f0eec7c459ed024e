//! Event-driven workflows whose wiring is checked at compile time.

mod context;
mod driver;
pub mod engine;
mod error;
mod event;
mod forms;
mod handle;
mod one_of;
mod registry;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

mod snapshot;
mod stream;
mod workflow;

pub use context::Context;
pub use engine::{InvocationId, Status, Time};
pub use error::{IntoStepError, StepError, StepErrorKind};
pub use event::{
    Event, Expired, HumanResponse, InputRequired, NoPrompt, Prompt, RequestId, Signal, Start, Stop, Text,
};
pub use forms::{Saved, Stored};
pub use handle::{
    Ask, Pending, PendingError, Question, RespondError, Run, RunError, RunFuture, RunId, Stalled, WaitingJoin,
    WorkflowExt,
};
pub use one_of::{Never, OneOf};
#[doc(hidden)]
pub use registry::__register;
pub use registry::{DuplicateWorkflow, Location, Registration, Registry};
pub use snapshot::{FORMAT, Misfit, MisfitReason, Restored, ResumeError, Snapshot, SnapshotError};
pub use stream::{EVENTS_KEPT, RunEvent, RunEventKind, RunEvents, StreamError};
pub use workflow::{AnswerError, Asks, Events, Schema, StepCall, StepFuture, StepResult, Workflow};
pub use workflow_graph as graph;
pub use workflow_graph::Graph;
mod macros;
pub use macros::{Event, Prompt, data, event, prompt, step, workflow};

/// What a program with workflows needs.
pub mod prelude {
    pub use crate::{
        Ask, Asks, Context, Event, Graph, HumanResponse, InputRequired, OneOf, Prompt, Run, RunError, RunEvent,
        RunEventKind, RunId, Snapshot, Start, StepError, Stop, Text, Workflow, WorkflowExt, data, event, prompt, step,
        workflow,
    };
}
