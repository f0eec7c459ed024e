//! Why a run has no output, and why it did not take what it was given.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use workflow_graph::{Graph, Param};

use super::id::RunId;
use crate::engine::{InvocationId, Stall};
use crate::error::StepError;
use crate::event::RequestId;
use crate::runner::NotStored;
use crate::workflow::AnswerError;

/// Not exactly one question of the type is open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run} has {open} open questions `{prompt}`, not one")]
#[non_exhaustive]
pub struct PendingError {
    /// The run.
    pub run: RunId,
    /// The prompt that was looked for.
    pub prompt: &'static str,
    /// How many are open.
    pub open: usize,
}

/// An answer was not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RespondError {
    /// The question was answered or withdrawn before, has expired, or was never asked.
    #[error(
        "question {request} of run {run} is not open: it was answered, withdrawn, expired, or never asked"
    )]
    NotOpen {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
    },
    /// The question is another run's.
    #[error("question {request} is of run {of}, and not of run {run}; ask `pending()` of the run itself")]
    OtherRun {
        /// The run that was to take the answer.
        run: RunId,
        /// The question.
        request: RequestId,
        /// The run that asks.
        of: RunId,
    },
    /// The run has ended. A run that can be resumed may take the answer then.
    #[error("question {request} cannot be answered: run {run} has ended, or was put down")]
    Ended {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
    },
    /// The answer is not one that the question takes. The question is still open.
    #[error("the answer to question {request} of run {run} was not taken")]
    Refused {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
        /// What is wrong with the answer.
        #[source]
        reason: AnswerError,
    },
    /// The answer could not be stored. Whether it was, only the store can say.
    #[error("the answer to question {request} of run {run} could not be stored")]
    NotStored {
        /// The run.
        run: RunId,
        /// The question.
        request: RequestId,
        /// Why not.
        #[source]
        why: NotStored,
    },
}

/// A signal was not taken: the run has ended.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The run has ended.
    #[error("the signal was not taken: run {run} has ended")]
    Ended {
        /// The run.
        run: RunId,
    },
    /// The signal could not be stored. Whether it was, only the store can say.
    #[error("the signal to run {run} could not be stored")]
    NotStored {
        /// The run.
        run: RunId,
        /// Why not.
        #[source]
        why: NotStored,
    },
    /// No step of the workflow takes a signal of that name.
    #[error("the signal was not taken: no step of run {run} takes `Signal<{signal}>`")]
    NoSuchSignal {
        /// The run.
        run: RunId,
        /// The name.
        signal: String,
    },
    /// The JSON is no such signal.
    #[error("the signal was not taken: this is no `{signal}` for run {run}")]
    WrongType {
        /// The run.
        run: RunId,
        /// The name of the signal.
        signal: String,
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
}

/// Why a run has no output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunError {
    /// A step failed, and nothing took the failure. [`StepError`] says why and is this error's source.
    Failed {
        /// The run.
        run: RunId,
        /// The step.
        step: String,
        /// Which invocation of it.
        invocation: InvocationId,
        /// Why.
        error: StepError,
        /// The error handler that takes such failures, where it has run as often as its `max_recoveries` allows on the way
        /// that led here.
        #[serde(skip_serializing_if = "Option::is_none")]
        spent_handler: Option<String>,
    },
    /// Nothing could happen any more, and no step had stopped the run.
    Stalled(Stalled),
    /// The run took longer than it may.
    TimedOut {
        /// The run.
        run: RunId,
        /// The steps that were running, in the order in which they were started.
        running: Vec<String>,
    },
    /// Somebody cancelled the run.
    Cancelled {
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// The run was put down, to be resumed from its snapshot.
    Suspended {
        /// The run.
        run: RunId,
    },
    /// The author's `Clone` or `Drop` of an event, or of the output, panicked. The run cannot go on, or its output cannot be
    /// had; an earlier snapshot can still be resumed.
    Broken {
        /// The run.
        run: RunId,
        /// The message of the panic.
        message: String,
    },
    /// What happened could not be stored, so it has not happened. The run goes on from what is stored wherever it is
    /// taken up next. [`NotStored`] says why, and is this error's source.
    NotStored {
        /// The run.
        run: RunId,
        /// Why not.
        why: NotStored,
    },
    /// The workflow does not do what its graph says, which is possible only where
    /// [`Workflow`](crate::Workflow) was implemented by hand.
    Misrouted {
        /// The run.
        run: RunId,
        /// What does not fit.
        reason: String,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { run, step, spent_handler, .. } => {
                write!(f, "step `{step}` of run {run} failed")?;
                match spent_handler {
                    Some(handler) => write!(
                        f,
                        "; its error handler `{handler}` had run as often as its `max_recoveries` allows"
                    ),
                    None => Ok(()),
                }
            }
            Self::Stalled(stalled) => stalled.fmt(f),
            Self::TimedOut { run, running } if running.is_empty() => write!(f, "run {run} took too long"),
            Self::TimedOut { run, running } => {
                write!(f, "run {run} took too long; {} still ran", quoted(running))
            }
            Self::Cancelled { run, reason } => write!(f, "run {run} was cancelled: {reason}"),
            Self::Suspended { run } => write!(f, "run {run} was suspended"),
            Self::Broken { run, message } => {
                write!(
                    f,
                    "run {run} is broken, because an event panicked while it was cloned or dropped: {message}"
                )
            }
            Self::NotStored { run, .. } => write!(f, "run {run} stands where it was stored last"),
            Self::Misrouted { run, reason } => {
                write!(f, "run {run} does not follow the graph of its workflow: {reason}")
            }
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error.as_error()),
            Self::NotStored { why, .. } => Some(why),
            _ => None,
        }
    }
}

/// Nothing could happen any more, and no step had stopped the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stalled {
    /// The run.
    pub run: RunId,
    /// The joins that wait for something which cannot come.
    pub waiting: Vec<WaitingJoin>,
    /// The steps that ended a branch by emitting nothing.
    pub ended: Vec<String>,
}

/// A join of which a part has not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WaitingJoin {
    /// The step that joins.
    pub step: String,
    /// What has arrived.
    pub arrived: Vec<String>,
    /// What is missing.
    pub missing: Vec<String>,
}

impl Stalled {
    pub(crate) fn new(run: RunId, graph: &Graph, stall: &Stall) -> Self {
        let step_name = |id| graph.step(id).map_or_else(String::new, |step| step.name.to_string());
        let waiting = stall.waiting.iter().map(|join| {
            let params = graph.step(join.step).map_or(&[][..], |step| &step.params);
            let name = |param: &u16| params.get(usize::from(*param)).map(|param| param_name(graph, param));
            WaitingJoin {
                step: step_name(join.step),
                arrived: join.arrived.iter().filter_map(name).collect(),
                missing: join.missing.iter().filter_map(name).collect(),
            }
        });
        Self { run, waiting: waiting.collect(), ended: stall.ended.iter().copied().map(step_name).collect() }
    }
}

/// What a parameter takes, for a message: `A`, or `A or B`.
fn param_name(graph: &Graph, param: &Param) -> String {
    let names = param.events.iter().filter_map(|id| graph.event(*id)).map(|event| &*event.name);
    names.collect::<Vec<_>>().join(" or ")
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} stalled: nothing can happen any more and no step has stopped it", self.run)?;
        for join in &self.waiting {
            let (arrived, missing) = (quoted(&join.arrived), quoted(&join.missing));
            write!(f, "; step `{}` has {arrived} and waits for {missing}", join.step)?;
        }
        if self.waiting.is_empty() && !self.ended.is_empty() {
            write!(f, "; its branches ended in {}", quoted(&self.ended))?;
        }
        Ok(())
    }
}

impl Error for Stalled {}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
