//! Event-driven workflows whose wiring is checked at compile time.

mod context;
mod driver;
pub mod engine;
mod error;
mod event;
mod forms;
mod handle;
mod one_of;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

mod snapshot;
mod stream;
mod workflow;

pub use context::Context;
pub use engine::{InvocationId, Status, Time};
pub use error::{IntoStepError, StepError, StepErrorKind};
pub use event::{NoPrompt, Prompt, RequestId};
pub use handle::{
    Ask, Pending, PendingError, Question, RespondError, Run, RunError, RunFuture, RunId, Stalled, WaitingJoin,
    WorkflowExt,
};
pub use snapshot::{FORMAT, Misfit, MisfitReason, Restored, ResumeError, Snapshot, SnapshotError};
pub use stream::{EVENTS_KEPT, RunEvent, RunEventKind, RunEvents, StreamError};
pub use workflow::{AnswerError, Asks, Events, Schema, StepCall, StepFuture, StepResult, Workflow};
pub use workflow_graph as graph;
pub use workflow_graph::Graph;

/// What a program with workflows needs.
pub mod prelude {
    pub use crate::{
        Ask, Asks, Context, Graph, Prompt, Run, RunError, RunEvent, RunEventKind, RunId, Snapshot, StepError, Workflow,
        WorkflowExt,
    };
}
