//! A record as it is written.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workflow_graph::{PointId, model::Str};

use crate::engine::{InvocationId, Json, NoteKey, Time, Verdict};
use crate::error::StepError;
use crate::event::RequestId;

/// A record as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) tick: SavedTick,
    /// The highest id that was given, after the tick.
    pub(super) last_id: u64,
    /// What the steps share, where the tick has changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<Box<RawValue>>,
}

/// Name and value. In a program, the name is the graph's own, so nothing is copied.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedEvent(pub(super) Str, pub(super) Box<RawValue>);

/// As [`Tick`](crate::engine::Tick).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedTick {
    Started {
        engine: u32,
        /// The fingerprint of the graph, so that a journal can be read from its beginning without its run.
        graph: String,
        input: SavedEvent,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Time>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<u64>,
    },
    Finished {
        invocation: InvocationId,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: u32,
        #[serde(default, skip_serializing_if = "SavedEmitted::is_none")]
        emitted: SavedEmitted,
    },
    Failed {
        invocation: InvocationId,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: u32,
        error: StepError,
        verdict: Verdict,
    },
    Sent {
        invocation: InvocationId,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: u32,
        point: PointId,
        place: u32,
        event: SavedEvent,
    },
    Noted {
        invocation: InvocationId,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: u32,
        key: NoteKey,
        note: SavedNote,
    },
    Withdrawn {
        invocation: InvocationId,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: u32,
        key: NoteKey,
    },
    Answered {
        request: RequestId,
        response: SavedEvent,
    },
    Signal {
        event: SavedEvent,
    },
    Time,
    Cancelled {
        reason: String,
    },
    Suspended,
    Resumed {
        engine: u32,
    },
}

/// As [`Emitted`](crate::engine::Emitted).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedEmitted {
    #[default]
    None,
    One(SavedEvent),
    /// The number of the point is that of the graph under which the record was written.
    Many(PointId, Vec<SavedEvent>),
}

impl SavedEmitted {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// As [`Note`](crate::engine::Note).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedNote {
    Memo(Json),
    Sleep(u64),
    Ask(SavedEvent),
    Receive(Str),
}

fn first() -> u32 {
    1
}

fn is_first(attempt: &u32) -> bool {
    *attempt == first()
}
