//! What steps call of their tools before they finish or fail.
//!
//! The calls follow from what led to the invocation, as everything that a step does, so every attempt makes the same
//! ones in the same order.

use std::collections::BTreeMap;

use serde_json::value::to_raw_value;
use workflow_runtime::engine::{Input, Json, Note, NoteKey, NoteKind};
use workflow_runtime::graph::{EventId, StepId, Tool};

use super::fate::history_at;
use super::{Case, Value};
use crate::dice::{Dice, mix};

/// One call of a step.
pub struct Call {
    pub key: NoteKey,
    what: What,
    /// The step goes on only when something has come for it.
    pub waits: bool,
    /// The step may finish although nothing has come for it.
    pub leaves: bool,
    /// The step may give it up.
    pub may_end: bool,
}

#[derive(Clone, Copy)]
enum What {
    Memo,
    Sleep(u64),
    Ask(Value),
    Receive(EventId),
}

impl Call {
    /// What that attempt notes.
    pub fn note(&self, attempt: u32) -> Note<Value> {
        match self.what {
            What::Memo => Note::Memo(memo(attempt)),
            What::Sleep(after) => Note::Sleep(after),
            What::Ask(prompt) => Note::Ask(prompt),
            What::Receive(event) => Note::Receive(event),
        }
    }

    pub fn is_memo(&self) -> bool {
        matches!(self.what, What::Memo)
    }
}

/// What a memo is where that attempt computes it.
pub fn memo(attempt: u32) -> Json {
    Json(to_raw_value(&attempt).expect("a number is JSON"))
}

impl Case {
    /// The same graph with steps that use their tools.
    pub fn with_calls(self) -> Self {
        Self { has_calls: true, ..self }
    }

    pub fn has_calls(&self) -> bool {
        self.has_calls
    }

    /// What a step calls, in order.
    pub fn calls(&self, step: StepId, input: &Input<Value>) -> Vec<Call> {
        if !self.has_calls {
            return Vec::new();
        }
        let history = mix(history_at(self.seed, step, input), 0xca11);
        let mut dice = Dice::new(history);
        let mut kinds = vec![NoteKind::Memo, NoteKind::Sleep];
        let (mut prompts, mut signals) = (Vec::new(), Vec::new());
        for tool in self.graph.steps[step.index()].tools.iter() {
            match tool {
                Tool::Asker(prompt) => prompts.push(*prompt),
                Tool::Inbox(signal) => signals.push(*signal),
                Tool::Emitter(_) => continue,
            }
        }
        kinds.extend(prompts.iter().flat_map(|_| [NoteKind::Ask; 2]));
        kinds.extend(signals.iter().flat_map(|_| [NoteKind::Receive; 3]));
        let mut counts: BTreeMap<(NoteKind, String), u32> = BTreeMap::new();
        let calls = (0..dice.pick(&[0, 1, 1, 2, 2, 3, 4, 5])).map(|_| {
            let kind = dice.pick(&kinds);
            let (what, name) = match kind {
                NoteKind::Ask => {
                    // Often the same question again.
                    let (event, which) = (dice.pick(&prompts), dice.below(2));
                    (
                        What::Ask(self.question(event, mix(history, which as u64))),
                        format!("{which} of {}", event.0),
                    )
                }
                NoteKind::Receive => {
                    let event = dice.pick(&signals);
                    (What::Receive(event), self.graph.events[event.index()].name.to_string())
                }
                NoteKind::Sleep => {
                    let after = dice.pick(&[5, 60]);
                    (What::Sleep(after), after.to_string())
                }
                _ => (What::Memo, "memo".to_owned()),
            };
            let next = counts.entry((kind, name.clone())).or_default();
            let count = *next;
            *next += 1;
            Call {
                key: NoteKey { kind, name: name.into(), count },
                what,
                waits: dice.percent(60),
                leaves: dice.percent(30),
                may_end: dice.percent(50),
            }
        });
        calls.collect()
    }

    /// What a step asks itself becomes nothing else when nobody answers.
    fn question(&self, event: EventId, history: u64) -> Value {
        let limit = self.troubles.and_then(|troubles| troubles.limit(history, None));
        Value { event, history, limit, ..self.input() }
    }
}
