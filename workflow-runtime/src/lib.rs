//! Event-driven workflows whose wiring is checked at compile time, that can be stopped, saved and resumed.
//!
//! A workflow is an `impl` block. Each [`#[step]`](macro@step) is an ordinary method: it takes one or more events
//! and returns the next one. The signatures *are* the graph. [`#[workflow]`](macro@workflow) reads them, refuses a
//! graph that cannot work, and emits an event enum and a routing table; this crate runs the table.
//!
//! # A whole program
//! ```
//! use workflow_runtime::prelude::*;
//!
//! #[data]
//! struct Order {
//!     item: String,
//!     count: u32,
//! }
//!
//! #[event]
//! struct Priced {
//!     order: Order,
//!     total: u32,
//! }
//!
//! #[prompt(response = Decision)]
//! struct Approve {
//!     total: u32,
//! }
//!
//! #[data]
//! enum Decision {
//!     Approve,
//!     Reject { reason: String },
//! }
//!
//! struct Checkout {
//!     price: u32,
//! }
//!
//! #[workflow]
//! impl Checkout {
//!     #[step]
//!     async fn price(&self, Start(order): Start<Order>) -> Priced {
//!         let total = self.price * order.count;
//!         Priced { order, total }
//!     }
//!
//!     /// Small orders go through; large ones need a person.
//!     #[step]
//!     fn triage(&self, ev: Priced) -> OneOf<Stop<String>, InputRequired<Approve>> {
//!         if ev.total < 100 {
//!             OneOf::new(Stop(format!("{} {} on their way", ev.order.count, ev.order.item)))
//!         } else {
//!             OneOf::new(InputRequired::new(Approve { total: ev.total }))
//!         }
//!     }
//!
//!     #[step]
//!     fn decide(&self, answer: HumanResponse<Approve>) -> Stop<String> {
//!         Stop(match answer.response {
//!             Decision::Approve => format!("{} approved", answer.prompt.total),
//!             Decision::Reject { reason } => reason,
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let run = Checkout { price: 30 }.run(Order { item: "lamps".to_owned(), count: 5 });
//! let mut events = run.events();
//! while let Some(event) = events.next().await {
//!     if let Some(ask) = event?.ask::<Approve>() {
//!         // Days may pass here: the run can be saved as JSON, and go on in another process.
//!         let saved: String = run.suspend().await?.to_json();
//!         let run = Checkout { price: 30 }.resume(Snapshot::from_json(&saved)?)?;
//!         run.respond(&ask, Decision::Approve).await?;
//!         assert_eq!(run.await?, "150 approved");
//!         return Ok(());
//!     }
//! }
//! # unreachable!()
//! # }
//! ```
//!
//! # Where to read on
//! - [`workflow`](macro@workflow) and [`step`](macro@step): what signatures say, and the options
//! - [`WorkflowExt`]: starting and resuming runs; [`Run`]: the handle
//! - [`Asker`], [`Inbox`], [`Context::sleep`] and [`Context::memo`]: waiting and remembering inside a step
//! - [`RunEvents`] and [`RunEvent`]: what observers see
//! - [`Trace`]: which way one run went, drawn over the graph
//! - [`Snapshot`]: saved runs, and what happens to them when the code changes
//! - [`Runner`]: the host of many runs, and of runs that outlive their process; [`store`]: where those are kept, and
//!   [`journal`]: what has happened in them
//! - [`Workflow`]: the trait behind the macro, for those who write it by hand
//! - [`engine`]: the pure engine, for those who write a driver
//! - [`graph`]: the graph as a value, its rules and its drawings
//!
//! # What is promised
//! - **A step is a transaction.** What it emits takes effect when it has finished. If it fails, is cancelled or the
//!   process dies, it is as if it had not run, and it runs again from its input when the run is resumed. A step
//!   that has finished never runs again.
//! - **A wait is kept.** A step that waits inside is not run again while its run is in memory. When it is, because the run
//!   was resumed or the step failed afterwards, each question, signal, sleep and memo of it is what it was before.
//! - **Order.** The outcome of a run does not depend on the order in which parallel steps finish, except where
//!   steps race: for a `take`, for the first of several `Stop`s, or with several events of one type for one join.
//! - **Nothing hangs silently.** A run in which nothing can happen any more fails at once, and says what is missing.
//! - **Cost.** Neither the time of a step nor the size of a snapshot grows with what has happened before.
//!
//! # Features
//! - `schemars`: [`Workflow::schemas`] lists the JSON schemas of inputs, questions and answers whose types derive
//!   `schemars::JsonSchema`.
//! - `testing`: what tests of other crates need: the contract of [`Store`] as a set of tests.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod asker;
mod calls;
mod common;
mod context;
mod driver;
mod emitter;
pub mod engine;
mod error;
mod event;
mod forms;
mod handle;
mod inbox;
pub mod journal;
mod macros;
mod one_of;
mod registry;
mod retry;
mod room;
mod runner;
mod seldom;
mod snapshot;
pub mod store;
mod stream;
mod table;
mod trace;
mod wakers;
mod workflow;

pub use asker::{AskError, Asker, Asking};
pub use context::{Context, Sleeping};
pub use emitter::Emitter;
pub use engine::{InvocationId, Status, Time};
pub use error::{IntoStepError, StepError, StepErrorKind};
pub use event::{
    Event, Expired, HumanResponse, InputRequired, NoPrompt, Prompt, RequestId, Signal, Start, StepFailed,
    Stop, Text,
};
pub use forms::{Saved, Stored};
pub use handle::{
    Ask, Delivery, Pending, PendingError, Question, RespondError, Run, RunError, RunFuture, RunId,
    RunOptions, SendError, Stalled, WaitingJoin, WorkflowExt,
};
pub use inbox::{Inbox, Receiving};
pub use macros::{Event, Prompt, data, event, prompt, step, workflow};
pub use one_of::{Never, OneOf};
#[doc(hidden)]
pub use registry::__register;
pub use registry::{DuplicateWorkflow, Location, Registration, Registry};
pub use retry::{Final, Retry, RetryAfter, duration};
pub use room::Room;
pub use runner::{LoadError, NotStored, Runner, RunnerBuilder, RunnerError};
pub use snapshot::{FORMAT, Misfit, MisfitReason, Restored, ResumeError, Snapshot, SnapshotError};
pub use store::{Store, StoreError};
pub use stream::{EVENTS_KEPT, EventCounts, RunEvent, RunEventKind, RunEvents, StreamError};
pub use trace::Trace;
pub use workflow::{
    AnswerError, AskedBy, Asks, BlockingStep, Events, Schema, SentTo, Shared, Signals, StepCall, StepPolicy,
    StepResult, Workflow,
};
pub use workflow_graph as graph;
pub use workflow_graph::Graph;

/// What a program with workflows needs.
pub mod prelude {
    pub use crate::{
        Ask, AskError, Asker, Asks, Context, Emitter, Event, Expired, Graph, HumanResponse, Inbox,
        InputRequired, OneOf, Prompt, Retry, Run, RunError, RunEvent, RunEventKind, RunId, Signal, Snapshot,
        Start, StepError, StepFailed, Stop, Text, Workflow, WorkflowExt, data, event, prompt, step, workflow,
    };
}

/// The programs in the README compile and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
