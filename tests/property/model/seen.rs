//! What the model says of a tick, and what has come up in a run.

use std::collections::{BTreeMap, BTreeSet};

use workflow_runtime::engine::{InvocationId, NoteKey, Part, Stall};
use workflow_runtime::graph::{EventId, Slot, StepId};
use workflow_runtime::{RequestId, StepError};

use super::At;
use crate::case::Value;

/// What one tick must do.
#[derive(Default)]
pub struct Expected {
    /// With what it returned: each event, and how often.
    pub finished: Option<(InvocationId, Vec<(EventId, u32)>)>,
    pub sent: Option<(InvocationId, EventId)>,
    /// For good, with the number of the attempt.
    pub failed: Vec<(InvocationId, u32, StepError)>,
    /// With the number of the attempt that failed, and when the next one is due.
    pub retrying: Option<(InvocationId, u32, StepError, u64)>,
    /// With when it closes.
    pub asked: Vec<(StepId, Value, Option<u64>)>,
    pub answered: Option<RequestId>,
    pub expired: Vec<RequestId>,
    /// How many questions are withdrawn that were asked in this very tick.
    pub withdrawn_at_once: usize,
    pub withdrawn: Vec<RequestId>,
    pub aborted: Vec<InvocationId>,
    /// Calls of running steps for which something has come.
    pub woken: Vec<(InvocationId, NoteKey)>,
    pub unpaired: Vec<(StepId, Vec<EventId>)>,
    /// Marks of what is started, in the order in which each step takes them.
    pub started: Vec<usize>,
    pub ending: Option<Expectation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    Completed(Value),
    /// What has failed, which for a question is its own number, and the step.
    Failed(InvocationId, StepId, StepError),
    Stalled(Stall),
    Cancelled,
    Suspended,
    /// The steps that were running, in source order.
    TimedOut(Vec<StepId>),
}

/// What came up in a run.
#[derive(Clone, Default)]
pub struct Seen {
    /// A `take` fired before its scope closed.
    pub taken_early: bool,
    /// Several events of one type arrived at one join in one branch.
    pub paired_by_arrival: bool,
    /// Several events or failures of one step arrived at one gather in one branch.
    pub gathered_by_arrival: bool,
    /// A failure cancelled what it left.
    pub torn: bool,
    /// .. while something else was alive in it, which could have failed first.
    pub torn_alive: bool,
    pub invoked: BTreeSet<StepId>,
    /// What arrived at a gather inside a fan-out.
    pub gathered: BTreeSet<(Slot, EventId)>,
    /// What arrived at a gather outside every fan-out that it gathers.
    pub outside: BTreeSet<Slot>,
    pub deepest: u32,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, usize>,
    pub(super) joins: BTreeMap<(At, Slot), usize>,
}

impl Seen {
    /// Whether the outcome may depend on the order in which steps finish, racing `Stop`s and failures aside.
    pub fn order_matters(&self) -> bool {
        self.taken_early || self.paired_by_arrival || self.gathered_by_arrival
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// Where delivered events are. At any moment every event is in one place.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) delivered: usize,
    /// In the input of an invocation.
    pub(super) taken: usize,
    /// Reported as unpaired, or as arriving where nothing gathers.
    pub(super) reported: usize,
    /// Come after their gather had fired.
    pub(super) late: usize,
    /// Gone with their scope.
    pub(super) cancelled: usize,
}

impl Ledger {
    /// Checks that every event that was ever delivered is somewhere, once.
    pub(super) fn balance(&self, parked: usize, gathered: usize) -> Result<(), String> {
        let Self { delivered, taken, reported, late, cancelled } = self;
        if *delivered == taken + reported + late + cancelled + parked + gathered {
            return Ok(());
        }
        Err(format!(
            "{delivered} events were delivered, but {taken} are taken, {parked} wait in joins, {gathered} in \
             gathers, {reported} are reported, {late} came late and {cancelled} are cancelled"
        ))
    }
}

pub(super) fn size(part: &Part<Value>) -> usize {
    part.events().count()
}
