//! What travels between the steps of a random graph.

use serde_json::value::RawValue;
use workflow_runtime::engine::{Failure, Input, Part, Payload};
use workflow_runtime::graph::EventId;
use workflow_runtime::{Events, RequestId, StepErrorKind};

use crate::dice::mix;

/// A hash of all that led to it: two equal outputs mean that every gather on the way had the same order, and every
/// join the same partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    pub event: EventId,
    /// How many more steps may choose freely before they head for the end, so that runs are bounded.
    pub(super) fuel: u8,
    pub(super) history: u64,
    /// How long it stays open, if it is a question that closes.
    pub(super) limit: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit {
    pub(super) after: u64,
    /// The event that it becomes when it closes, if some step takes that.
    pub(super) becomes: Option<EventId>,
    /// The person means to answer, or does not care.
    pub(super) unanswered: bool,
}

impl Value {
    /// Whether nobody will answer this question in time.
    pub fn stays_unanswered(&self) -> bool {
        self.limit.is_some_and(|limit| limit.unanswered)
    }

    /// What it becomes when it closes, if some step takes that.
    pub fn closed(&self, request: RequestId) -> Option<Self> {
        self.expired(request, self.limit?.becomes?)
    }

    fn add_to(&self, (fuel, history): &mut (u8, u64)) {
        *fuel = self.fuel.min(*fuel);
        *history = mix(mix(*history, u64::from(self.event.0)), self.history);
    }
}

impl Payload for Value {
    fn event(&self) -> EventId {
        self.event
    }

    fn expired(&self, _: RequestId, event: EventId) -> Option<Self> {
        Some(Self { event, history: mix(self.history, 0xe), limit: None, ..*self })
    }

    fn expires_in(&self) -> Option<u64> {
        Some(self.limit?.after)
    }
}

impl Events for Value {
    fn encode(&self) -> Result<Box<RawValue>, serde_json::Error> {
        match self.limit {
            None => serde_json::value::to_raw_value(&(self.fuel, self.history)),
            Some(Limit { after, becomes, unanswered }) => {
                serde_json::value::to_raw_value(&(self.fuel, self.history, (after, becomes, unanswered)))
            }
        }
    }

    fn decode(event: EventId, json: &RawValue) -> Result<Self, serde_json::Error> {
        if let Ok((fuel, history)) = serde_json::from_str(json.get()) {
            return Ok(Self { event, fuel, history, limit: None });
        }
        let (fuel, history, (after, becomes, unanswered)) = serde_json::from_str(json.get())?;
        Ok(Self { event, fuel, history, limit: Some(Limit { after, becomes, unanswered }) })
    }
}

/// What has led to an input, as one number.
pub fn history(input: &Input<Value>) -> u64 {
    summary(input).1
}

/// The least fuel and the joint history of an input.
pub(super) fn summary(input: &Input<Value>) -> (u8, u64) {
    let mut all = (u8::MAX, 7);
    add(input, &mut all);
    // A gather of nothing has no history that could have used up its fuel.
    (if all.0 == u8::MAX { 1 } else { all.0.saturating_sub(1) }, all.1)
}

fn add(input: &Input<Value>, all: &mut (u8, u64)) {
    match input {
        Input::One(value) => value.add_to(all),
        Input::Parts(parts) => {
            for part in parts {
                match part {
                    Part::One(value) => value.add_to(all),
                    Part::All(members) => {
                        for member in members {
                            match member {
                                Ok(value) => value.add_to(all),
                                Err(failure) => add_failure(failure, all),
                            }
                        }
                        all.1 = mix(all.1, members.len() as u64);
                    }
                    Part::Failed(failure, input) => {
                        add(input, all);
                        add_failure(failure, all);
                    }
                }
            }
        }
    }
}

/// What does not depend on the order in which ids were given.
fn add_failure(failure: &Failure, all: &mut (u8, u64)) {
    let text = match failure.error.kind() {
        StepErrorKind::Returned => failure.error.message(),
        _ => "",
    };
    all.1 = failure.step.bytes().chain(text.bytes()).fold(all.1, |hash, byte| mix(hash, u64::from(byte)));
}
