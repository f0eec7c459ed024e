//! The journal of a run: what happened in it, and how it is replayed.
//!
//! A journal holds the results of the author's code and of people, and when they came; never commands or code. One
//! record is one [`Tick`](crate::engine::Tick), so replaying a journal is a loop over the pure
//! [engine](crate::engine), and what comes out is the run as it was.
//!
//! To look at what happened in a stored run, there is [`inspect`]. The rest is for those who write a driver, or a tool
//! that reads a store.
//!
//! # A record
//! ```json
//! {"tick":{"finished":{"invocation":3,"emitted":{"one":["Priced",{"total":450}]}}},"last_id":4,"state":{"sold":1}}
//! ```
//! Events stand in it by name, with the JSON of the author's value. What has its usual value is left out. `last_id` is
//! the engine's counter of ids after the tick: a replay that arrives at another number is not the run that was recorded,
//! and is refused ([`ReplayError::Diverged`]). `state` is what the steps share, where the tick has changed that.
//! Position, time and key of a record stand beside it in the [store](crate::store::Record).
//!
//! # Replay
//! A journal is replayed in the [raw form](Raw): no value is decoded, so none of the author's types are needed, nor do
//! they have to fit any more. Every record is replayed under the graph that it was written under; a store keeps each
//! graph once, under its [fingerprint]. Where a run was taken up by a changed workflow, the record of its
//! [`Tick::Resumed`](crate::engine::Tick::Resumed) says under which graph it goes on. What comes out of [`load`] is a
//! [`Snapshot`](crate::Snapshot), and whether that fits the workflow as it is now is found out when it is restored.
//!
//! A tick is written down in two moves: its [`body`] before the engine takes it, so that a value that does not
//! serialise changes nothing, and the [`record`] after it. A tick that is refused is not recorded; where something was
//! due by then and has happened, a `Tick::Time` is recorded in its place.

mod document;
mod inspect;
mod raw;
mod record;
mod replay;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use workflow_graph::Graph;
use workflow_graph::build::LinkError;

use crate::store::Json;

pub use inspect::{
    AttemptReport, AttemptResult, EventReport, InspectError, MemberReport, PartReport, RunReport, StepReport,
    inspect,
};
pub use raw::Raw;
pub(crate) use raw::default_answer;
pub use record::{Entry, Limits, RecordError, TickBody, Unsaved, body, read, record};
pub use replay::{ReplayError, Replayed, fingerprints, load};

/// What tells graphs apart that go on differently at some tick: their
/// [`replay_fingerprint`](Graph::replay_fingerprint), as stores write it.
#[must_use]
pub fn fingerprint(graph: &Graph) -> String {
    format!("{:016x}", graph.replay_fingerprint())
}

/// A graph, as stores keep it.
#[must_use]
pub fn graph_json(graph: &Graph) -> Json {
    record::written(graph)
}

/// The graph that a store kept under a fingerprint.
///
/// # Errors
/// It cannot be read, or it is another graph.
pub fn read_graph(fingerprint: &str, json: &Json) -> Result<Graph, GraphError> {
    let read = serde_json::from_str::<Graph>(json.get());
    let mut graph = read.map_err(|source| GraphError::Unreadable { source: Arc::new(source) })?;
    graph.relink().map_err(|source| GraphError::Unlinked { source })?;
    let found = self::fingerprint(&graph);
    if found != fingerprint {
        return Err(GraphError::Other { expected: fingerprint.to_owned(), found });
    }
    Ok(graph)
}

/// Why a stored graph cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// It is not a graph.
    #[error("the stored graph cannot be read")]
    Unreadable {
        /// What reading it reported.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A number in it leads nowhere.
    #[error("the stored graph does not hang together")]
    Unlinked {
        /// Which.
        #[source]
        source: LinkError,
    },
    /// It is another graph than it was stored as.
    #[error("the graph that is stored as {expected} is {found}")]
    Other {
        /// The fingerprint under which it is stored.
        expected: String,
        /// The fingerprint that it has.
        found: String,
    },
}
