//! What steps call while they run, and what they find.

use std::rc::Rc;

use workflow_runtime::engine::{InvocationId, NoteKey, Noted, Tick};

use super::{Held, Run, ensure};
use crate::case::{Call, Try, Value, memo};
use crate::dice::Dice;
use crate::model::{Came, Work, WorkState};

/// What the calls of a running step let it do.
pub(super) enum NextCall {
    /// It makes one for the first time.
    Is(Tick<Value>),
    /// It goes on when something has come.
    Waits,
    /// It has made all.
    None,
}

impl Run<'_> {
    /// What a running step finds of its calls decides what it does next. An attempt that fails makes so many at most,
    /// and does not wait for what the last of them comes to.
    pub(super) fn next_call(&self, position: usize, most: usize) -> NextCall {
        let Work { id, attempt, .. } = self.model.work[position];
        let Some((invocation, calls)) = id.and_then(|id| Some((id, self.calls.get(&id)?))) else {
            return NextCall::None;
        };
        for (place, call) in (1..=most).zip(calls.iter()) {
            match self.noted(invocation, &call.key) {
                None => {
                    let (key, note) = (call.key.clone(), call.note(attempt));
                    return NextCall::Is(Tick::Noted { invocation, attempt, key, note });
                }
                Some(noted) if noted.is_wait() && call.waits && place < most => return NextCall::Waits,
                Some(_) => {}
            }
        }
        let waits =
            |call: &Call| !call.leaves && self.noted(invocation, &call.key).is_some_and(Noted::is_wait);
        if most > calls.len() && calls.iter().any(waits) { NextCall::Waits } else { NextCall::None }
    }

    /// Whether a running step can do nothing but wait.
    pub(super) fn is_stuck(&self, position: usize) -> bool {
        let mut dice = Dice::new(0);
        self.case.has_calls() && matches!(self.turn_of(position, &mut dice), Ok(super::Turn::Waits))
    }

    /// Whether an attempt has made the calls that the ones before it made.
    pub(super) fn has_begun(&self, position: usize) -> bool {
        self.model.work[position].id.is_some_and(|id| self.called.contains_key(&id))
    }

    /// A step goes over its calls up to where it is, or was before it was run again, and sees what has come. What it
    /// has once seen is still there.
    pub(super) fn call_again(&mut self, position: usize) -> Held {
        let Work { id, step, ref input, attempt, at, .. } = self.model.work[position];
        let Some(invocation) = id.filter(|_| self.case.has_calls()) else { return Ok(()) };
        let (depth, mended) = (self.model.depth(at.scope), self.mended.contains(&invocation.0));
        let most = self.case.attempt(&Try { step, input, depth, attempt, mended }).calls;
        let calls = self.calls.entry(invocation).or_insert_with(|| self.case.calls(step, input).into());
        let calls = Rc::clone(calls);
        self.called.entry(invocation).or_default();
        for (place, call) in (0..most).zip(calls.iter()) {
            let Some(noted) = self.noted(invocation, &call.key).cloned() else { break };
            let called = self.called.entry(invocation).or_default();
            let again = place >= *called;
            *called = (*called).max(place + 1);
            let name = (invocation, call.key.clone());
            match self.found.get(&name) {
                Some(seen) => {
                    ensure!(
                        *seen == noted,
                        "{:?} of {invocation} came to {seen:?} once, now to {noted:?}",
                        call.key
                    );
                    if again {
                        self.model.seen.count(found_again(&noted, attempt));
                    }
                }
                None if !noted.is_wait() => _ = self.found.insert(name, noted.clone()),
                None => {}
            }
            if noted.is_wait() && call.waits {
                break;
            }
        }
        Ok(())
    }

    fn calls_of(&self, invocation: InvocationId) -> &[Call] {
        self.calls.get(&invocation).map_or(&[][..], |calls| calls)
    }

    /// What a call has come to.
    fn noted(&self, invocation: InvocationId, key: &NoteKey) -> Option<&Noted<Value>> {
        let found = self.engine.state().invocation(invocation)?;
        found.notes().find(|(it, _)| *it == key).map(|(_, noted)| noted)
    }

    /// Calls that steps may give up now: they have made them, and have not seen what came.
    pub(super) fn to_give_up(&self) -> Vec<Tick<Value>> {
        let mut all = Vec::new();
        for work in self.model.work.iter().filter(|it| it.state == WorkState::Running) {
            let Some(invocation) = work.id else { continue };
            let called = self.called.get(&invocation).copied().unwrap_or(0);
            for call in self.calls_of(invocation).iter().take(called) {
                let unseen = !self.found.contains_key(&(invocation, call.key.clone()));
                let can = |came: &Came| !matches!(came, Came::Memo(_) | Came::Sleeping(_));
                if call.may_end && unseen && work.came(&call.key).is_some_and(can) {
                    all.push(Tick::Withdrawn { invocation, attempt: work.attempt, key: call.key.clone() });
                }
            }
        }
        all
    }

    /// Memos that attempts could still note which are over.
    pub(super) fn late_memos(&self) -> Vec<Tick<Value>> {
        let mut all = Vec::new();
        for work in self.model.work.iter().filter(|it| it.attempt > 1) {
            let Some(invocation) = work.id else { continue };
            let attempt = work.attempt - 1;
            for call in self.calls_of(invocation) {
                if call.is_memo() && work.came(&call.key).is_none() {
                    let note = call.note(attempt);
                    all.push(Tick::Noted { invocation, attempt, key: call.key.clone(), note });
                }
            }
        }
        all
    }
}

fn found_again(noted: &Noted<Value>, attempt: u32) -> &'static str {
    match noted {
        Noted::Memo(value) if *value != memo(attempt) => "memos of earlier attempts found again",
        Noted::Memo(_) => "memos found again",
        Noted::Answered(_) => "answers found again",
        Noted::Received(_) => "signals found again",
        Noted::Expired(_) | Noted::Withdrawn => "ends of waits found again",
        _ => "sleeps found again",
    }
}
