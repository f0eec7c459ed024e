//! Messages to a run from whoever does not own it.

use std::fmt;

use super::Json;
use crate::engine::Time;
use crate::handle::RunId;

/// The id of a message, unique in its store. Later ones of a run are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message that is to be put into an inbox.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The run.
    pub run: RunId,
    /// What kind of message it is: an answer, a signal, a cancellation. The store does not read it.
    pub kind: String,
    /// What tells it from others. The same key again is the same message, however often it is put.
    pub key: Option<String>,
    /// When it is put.
    pub at: Time,
    /// What it says.
    pub body: Json,
}

/// A message in an inbox.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The run.
    pub run: RunId,
    /// What kind of message it is.
    pub kind: String,
    /// What tells it from others.
    pub key: Option<String>,
    /// When it was put.
    pub at: Time,
    /// What it says.
    pub body: Json,
}

/// Where a message is that was put.
#[derive(Clone, Debug)]
pub enum Put {
    /// It is in the inbox.
    New {
        /// Its id.
        message: MessageId,
    },
    /// A message with the same key was put before; this one was not.
    Known {
        /// The id of that one.
        message: MessageId,
        /// What has become of it.
        verdict: Verdict,
    },
    /// The run has a record with the same key, so what the message says has happened; it was not put.
    Recorded {
        /// The position of the record.
        position: u64,
    },
}

/// What has become of a message.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The owner of the run has not decided about it yet.
    Pending,
    /// It has taken effect.
    Accepted,
    /// It has changed nothing.
    Refused {
        /// Why.
        reason: Json,
    },
}
