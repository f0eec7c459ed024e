//! Saving a run and going on from what was saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use workflow_runtime::engine::{Engine, InvocationId, Refused, Tick, Time, Verdict};
use workflow_runtime::graph::StepId;
use workflow_runtime::{Events as _, RunId, Snapshot, StepError};

use super::{Held, Run, ensure};
use crate::case::Value;
use crate::dice::Dice;
use crate::model::{Work, WorkState};

/// How a run is put down before it is taken up from its snapshot.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// Its process is gone.
    Lost,
    Suspended,
    Cancelled,
    /// A step fails whose failure nobody takes, and works the next time.
    Failed,
    /// It has ended by itself.
    Ended,
}

/// How it is taken up again.
#[derive(Clone, Copy)]
pub struct Return {
    /// What was sent is sent again at once, and not when its turn comes.
    pub at_once: bool,
    /// How far the clock of the process that takes it up is behind.
    pub behind: u64,
}

impl Run<'_> {
    /// Puts the run down, saves it, drops everything, and takes it up from the text that was saved.
    pub fn break_and_resume(&mut self, how: Break, again: Return, dice: &mut Dice) -> Held {
        self.put_down(how, dice)?;
        if self.model.work.iter().any(Work::waits) {
            self.model.seen.count("restores with waits open");
        }
        self.engine = self.saved_and_restored()?.0;
        self.copy = None;
        self.resume(again)
    }

    /// Puts the run down and takes it up in the same process.
    pub fn pause_and_resume(&mut self, how: Break, again: Return, dice: &mut Dice) -> Held {
        self.put_down(how, dice)?;
        self.resume(again)
    }

    /// From now on a copy of the run, saved and read back, goes along. Saved again, it is the same.
    pub fn copy(&mut self) -> Held {
        let (copy, json) = self.saved_and_restored()?;
        let again = saved(&copy)?;
        ensure!(again == json, "saved again, it is\n{again}\nand not\n{json}");
        self.copy = Some(copy);
        Ok(())
    }

    /// What the engine does, its copy does.
    pub(super) fn copy_goes_along(
        &mut self,
        at: u64,
        tick: &Tick<Value>,
        handled: &Result<(), Refused>,
    ) -> Held {
        let Some(copy) = &mut self.copy else { return Ok(()) };
        let mut out = Vec::new();
        let by_copy = copy.handle(Time(at), tick.clone(), &mut out);
        ensure!(by_copy == *handled, "the saved copy says {by_copy:?} and not {handled:?}");
        ensure!(out == self.out, "the saved copy does {out:?} and not {:?}", self.out);
        Ok(())
    }

    /// The run as another process would have it, and the text from which it has it.
    fn saved_and_restored(&self) -> Held<(Engine<Value>, String)> {
        let json = saved(&self.engine)?;
        let restored = Snapshot::from_json(&json)
            .and_then(|read| read.restore::<Value>(Arc::clone(&self.case.graph)))
            .map_err(|error| format!("what was saved cannot be restored: {error:?}\n{json}"))?
            .engine;
        let (before, after) = (self.engine.state(), restored.state());
        // What keeps a scope open is counted anew when a snapshot is read.
        for (was, is) in before.scopes().zip(after.scopes()) {
            ensure!(was == is, "saved and restored, or recounted, {was:?} is {is:?}");
        }
        ensure!(before.scopes().count() == after.scopes().count(), "a scope is lost in the snapshot\n{json}");
        ensure!(before.invocations().eq(after.invocations()), "invocations change in the snapshot\n{json}");
        ensure!(before.requests().eq(after.requests()), "questions change in the snapshot\n{json}");
        ensure!(restored.next_due() == self.engine.next_due(), "what is due changes in the snapshot\n{json}");
        self.recoveries_are_as_expected(&json)?;
        self.unread_is_as_expected(&json)?;
        Ok((restored, json))
    }

    /// How often each error handler has run on the way of what lives. The engine tells nobody, so it is read in what
    /// it saves.
    fn recoveries_are_as_expected(&self, json: &str) -> Held {
        if !self.case.graph.steps.iter().any(|it| it.options.catches.is_some()) {
            return Ok(());
        }
        #[derive(serde::Deserialize)]
        struct Lives {
            id: u64,
            #[serde(default)]
            recoveries: BTreeMap<String, u32>,
        }
        #[derive(serde::Deserialize)]
        struct Saved {
            #[serde(default)]
            invocations: Vec<Lives>,
            #[serde(default)]
            requests: Vec<Lives>,
        }
        let Saved { invocations, requests } =
            serde_json::from_str(json).map_err(|error| error.to_string())?;
        let (work, questions) = (&self.model.work, &self.model.questions);
        let work = invocations.iter().zip(work.iter().map(|it| (it.id.map(|id| id.0), &it.counts)));
        let questions = requests.iter().zip(questions.iter().map(|it| (it.id.map(|id| id.0), &it.counts)));
        for (Lives { id, recoveries }, (known, counts)) in work.chain(questions) {
            let name = |(handler, count): (&StepId, &u32)| {
                (self.case.graph.steps[handler.index()].name.to_string(), *count)
            };
            let should: BTreeMap<String, u32> = counts.iter().map(name).collect();
            ensure!(
                known == Some(*id) && *recoveries == should,
                "on the way of {id} error handlers have run {recoveries:?} times, and not {should:?}"
            );
        }
        Ok(())
    }

    /// The signals that no inbox has received, in order. The engine tells nobody of them either.
    fn unread_is_as_expected(&self, json: &str) -> Held {
        if !self.case.has_calls() {
            return Ok(());
        }
        #[derive(serde::Deserialize)]
        struct Saved {
            #[serde(default)]
            unread: Vec<(String, Box<RawValue>)>,
        }
        let Saved { unread } = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let read = unread
            .iter()
            .filter_map(|(name, value)| Value::decode(self.case.graph.event_named(name)?, value).ok());
        let read: Vec<Value> = read.collect();
        let mut should = self.model.unread.clone();
        should.sort_by_key(|it| it.event);
        ensure!(read == should, "unread is {read:?} and not {should:?}");
        Ok(())
    }

    fn put_down(&mut self, how: Break, dice: &mut Dice) -> Held {
        let work = &self.model.work;
        let running = (0..work.len()).filter(|it| work[*it].state == WorkState::Running);
        let fail = running.filter(|it| self.model.would_fail_the_run(*it));
        let fail: Vec<(InvocationId, u32)> =
            fail.filter_map(|it| Some((work[it].id?, work[it].attempt))).collect();
        match how {
            Break::Failed if !fail.is_empty() => {
                let ((invocation, attempt), error) = (dice.pick(&fail), StepError::new("try again"));
                self.tick(Tick::Failed { invocation, attempt, error, verdict: Verdict::Final })
            }
            Break::Cancelled => self.tick(Tick::Cancelled { reason: "for now".to_owned() }),
            Break::Suspended | Break::Failed => self.tick(Tick::Suspended),
            Break::Lost | Break::Ended => Ok(()),
        }
    }

    /// A new attempt sends again from its first event.
    fn resume(&mut self, Return { at_once, behind }: Return) -> Held {
        let sent = std::mem::take(&mut self.sent);
        self.called.clear();
        self.tick_at(self.clock.saturating_sub(behind), Tick::Resumed)?;
        for (invocation, counts) in sent.into_iter().filter(|_| at_once) {
            let Some(work) = self.model.work.iter().find(|it| it.id == Some(invocation)) else { continue };
            if work.state != WorkState::Running {
                continue;
            }
            let attempt = work.attempt;
            let sends = self.case.deed(work.step, &work.input).sends;
            for ((point, values), count) in sends.into_iter().zip(counts) {
                for (place, event) in (0..count).zip(values) {
                    self.tick(Tick::Sent { invocation, attempt, point, place, event })?;
                }
            }
        }
        Ok(())
    }
}

fn saved(engine: &Engine<Value>) -> Held<String> {
    let saved = Snapshot::take(&RunId::from("run"), engine, 1);
    saved.map(|it| it.to_json()).map_err(|error| format!("it cannot be saved: {error}"))
}
