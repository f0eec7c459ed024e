//! Values whose types nobody knows.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use workflow_graph::EventId;

use crate::engine::{Json, Payload};
use crate::event::RequestId;
use crate::workflow::Events;

/// An event as its number and undecoded JSON.
///
/// An engine of these does, tick by tick, what the engine of the workflow's own enum does, and its snapshots are the
/// same. Of a question, the time that it stays open, and what is the answer then, are read from the JSON form of
/// [`InputRequired`](crate::InputRequired); a workflow written by hand has to write its questions in this form to be
/// replayed.
///
/// # Examples
/// ```
/// use workflow_runtime::graph::EventId;
/// use workflow_runtime::journal::Raw;
/// use workflow_runtime::{Events, InputRequired};
/// use workflow_runtime::engine::{Json, Payload};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let ask = InputRequired::text("Publish?").expires_in(Duration::from_secs(2));
/// let json = serde_json::value::to_raw_value(&ask)?;
/// let raw = Raw { event: EventId(1), json: Json(json) };
/// assert_eq!(raw.expires_in(), Some(2_000));
/// assert_eq!(raw.encode()?.get(), r#"{"prompt":{"message":"Publish?"},"expires_in":2000}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Which event of the graph it is.
    pub event: EventId,
    /// Its value.
    pub json: Json,
}

/// The JSON form of [`InputRequired`](crate::InputRequired).
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    prompt: &'a RawValue,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default, borrow)]
    default: Option<&'a RawValue>,
}

impl<'a> Question<'a> {
    fn read(json: &'a RawValue) -> Option<Self> {
        // A list would be taken for the fields in their order.
        if json.get().starts_with('{') { serde_json::from_str(json.get()).ok() } else { None }
    }
}

/// The JSON form of [`HumanResponse`](crate::HumanResponse).
#[derive(Serialize)]
struct HumanResponse<'a> {
    request: RequestId,
    prompt: &'a RawValue,
    response: &'a RawValue,
}

/// The answer that a question carries for the case that nobody gives one.
pub(crate) fn default_answer<E: Events>(asked: &E, request: RequestId, event: EventId) -> Option<E> {
    let json = asked.encode().ok()?;
    let Question { prompt, default, .. } = Question::read(&json)?;
    let answer = HumanResponse { request, prompt, response: default? };
    E::decode(event, &to_raw_value(&answer).ok()?).ok()
}

/// The JSON form of [`Expired`](crate::Expired).
#[derive(Serialize)]
struct Expired<'a> {
    request: RequestId,
    prompt: &'a RawValue,
}

impl Raw {
    fn question(&self) -> Option<Question<'_>> {
        Question::read(&self.json.0)
    }
}

impl Payload for Raw {
    fn event(&self) -> EventId {
        self.event
    }

    fn expired(&self, request: RequestId, event: EventId) -> Option<Self> {
        let expired = Expired { request, prompt: self.question()?.prompt };
        let json = to_raw_value(&expired).ok()?;
        Some(Self { event, json: Json(json) })
    }

    fn unanswered(&self, request: RequestId, event: EventId) -> Option<Self> {
        default_answer(self, request, event)
    }

    fn expires_in(&self) -> Option<u64> {
        self.question()?.expires_in
    }
}

impl Events for Raw {
    fn encode(&self) -> Result<Box<RawValue>, serde_json::Error> {
        Ok(self.json.0.clone())
    }

    fn decode(event: EventId, json: &RawValue) -> Result<Self, serde_json::Error> {
        Ok(Self { event, json: Json(json.to_owned()) })
    }
}
