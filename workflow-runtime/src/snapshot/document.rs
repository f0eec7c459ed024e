//! A run as it is written.
//!
//! Steps and events stand in it by name; the names are those of the graph, where that is a constant. What has its usual
//! value is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workflow_graph::{Origin, Str};

use super::fingerprint::Fingerprint;
use crate::engine::{
    Budget, Failure, InvocationId, InvocationState, Json, NoteKey, NoteKind, ScopeId, Status, Time, WaitId,
};
use crate::error::StepError;
use crate::event::RequestId;
use crate::handle::RunId;

/// A run as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) format: u32,
    /// The number of the engine that it was taken from.
    #[serde(default = "first_engine", skip_serializing_if = "is_first_engine")]
    pub(super) engine: u32,
    pub(super) workflow: Str,
    /// Of the graph it was written under.
    pub(super) graph: Fingerprint,
    pub(super) run: RunId,
    pub(super) status: Status,
    pub(super) ticks: u64,
    pub(super) now: Time,
    pub(super) last_id: u64,
    pub(super) next_event: u64,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) invocations: Box<[SavedInvocation]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) requests: Box<[SavedRequest]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) scopes: Box<[SavedScope]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) budget: Option<Budget>,
    /// Signals that no inbox has taken yet; those of one kind in the order in which they came.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) unread: Box<[SavedEvent]>,
    /// Half-filled joins outside every fan-out.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) joins: Box<[SavedJoin]>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) queues: BTreeMap<Str, Box<[InvocationId]>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) ended: Box<[Str]>,
    /// What the steps share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<Box<RawValue>>,
}

/// Name and value.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedEvent(pub(super) Str, pub(super) Box<RawValue>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedPart {
    One(SavedEvent),
    All(Box<[SavedMember]>),
    Failed(Failure, Box<[SavedPart]>),
}

/// How often each error handler has run on the way.
pub(super) type SavedRecoveries = BTreeMap<Str, u32>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedMember {
    Event(SavedEvent),
    Failure(Failure),
}

/// Scope and index; left out where it is the run itself.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct SavedBranch(pub(super) ScopeId, pub(super) u32);

#[derive(Serialize, Deserialize)]
pub(super) struct SavedInvocation {
    pub(super) id: InvocationId,
    pub(super) step: Str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<SavedBranch>,
    pub(super) input: Box<[SavedPart]>,
    pub(super) state: InvocationState,
    pub(super) attempt: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) interruptions: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_error: Option<StepError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_failed_at: Option<Time>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) recoveries: SavedRecoveries,
    /// In the order of the step's parameters.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) emitters: Box<[SavedSender]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) notes: Box<[SavedNote]>,
}

/// What one call of a step has come to.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedNote {
    /// Kind, name and count are its key. They stand here one by one, because raw JSON cannot pass through a flattened
    /// structure.
    pub(super) kind: NoteKind,
    pub(super) name: Arc<str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) count: u32,
    pub(super) noted: SavedNoted,
}

impl SavedNote {
    pub(super) fn key(&self) -> NoteKey {
        NoteKey { kind: self.kind, name: Arc::clone(&self.name), count: self.count }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedNoted {
    Memo(Json),
    Sleeping(Time),
    Asked(RequestId),
    Answered(SavedEvent),
    Expired(RequestId),
    /// The name of the signal, too.
    Waiting(WaitId, Str),
    Received(SavedEvent),
    Withdrawn,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedSender {
    pub(super) scope: ScopeId,
    pub(super) sent: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedRequest {
    pub(super) id: RequestId,
    pub(super) step: Str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<SavedBranch>,
    pub(super) prompt: SavedEvent,
    pub(super) asked_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Time>,
    /// Nobody answered in time, and that has failed the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) expired: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) recoveries: SavedRecoveries,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedScope {
    pub(super) id: ScopeId,
    /// The step that fanned out, and where in it.
    pub(super) step: Str,
    pub(super) origin: Origin,
    pub(super) items: Box<[Str]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<SavedBranch>,
    pub(super) gathers: Box<[SavedGather]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) joins: Box<[SavedJoin]>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedGather {
    pub(super) step: Str,
    pub(super) param: u16,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) fired: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) recoveries: SavedRecoveries,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) arrived: Box<[SavedArrival]>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedArrival {
    pub(super) index: u32,
    pub(super) from: Str,
    pub(super) commit: u64,
    pub(super) member: SavedMember,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedJoin {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) index: u32,
    pub(super) step: Str,
    /// For each parameter what waits, first come first.
    pub(super) slots: Box<[Box<[SavedParked]>]>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedParked {
    pub(super) part: SavedPart,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) recoveries: SavedRecoveries,
}

pub(super) fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Snapshots that do not say are of the first engine.
fn first_engine() -> u32 {
    1
}

fn is_first_engine(n: &u32) -> bool {
    *n == first_engine()
}
