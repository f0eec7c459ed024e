//! The engine against its model, and against what can be seen without one.

use workflow_runtime::RequestId;
use workflow_runtime::engine::{
    Branch, Command, Counted, Ending, Invocation, InvocationId, InvocationState, NoteKey, Noted, Notice,
    ScopeId, Status, Time,
};
use workflow_runtime::graph::{EventId, PointId, StepId};

use super::{Held, Run, ensure};
use crate::case::{Value, emitters};
use crate::dice::mix;
use crate::model::{Came, Expectation, Expected, Question, WorkState};

/// What the commands of one tick come to.
#[derive(Default)]
struct Told {
    started: Vec<InvocationId>,
    aborted: Vec<InvocationId>,
    woken: Vec<(InvocationId, NoteKey)>,
    finished: Vec<(InvocationId, Vec<(EventId, u32)>)>,
    notices: Vec<Notice<Value>>,
    ending: Option<Expectation>,
}

impl Run<'_> {
    /// Compares everything after a tick.
    pub(super) fn is_as_expected(&mut self, resumes: bool) -> Held {
        self.scopes_are_as_expected()?;
        self.invocations_are_as_expected()?;
        self.questions_are_as_expected()?;
        self.notes_are_as_expected()?;
        self.commands_are_as_expected(resumes)?;
        let (state, model) = (self.engine.state(), &self.model);
        ensure!(*state.status() == model.status, "it is {:?} and not {:?}", state.status(), model.status);
        ensure!(state.ticks() == model.ticks, "{} ticks were taken, and not {}", state.ticks(), model.ticks);
        ensure!(state.now().0 == model.now, "it is {:?}, and not {}", state.now(), model.now);
        let (due, should) = (self.engine.next_due(), model.next_due().map(Time));
        ensure!(due == should, "it is due at {due:?}, and not at {should:?}");
        self.whatever_lives_lives_in_an_open_scope()?;
        self.whatever_can_run_runs()?;
        self.model.balance()
    }

    fn scopes_are_as_expected(&mut self) -> Held {
        let state = self.engine.state();
        let mut fresh: Vec<ScopeId> =
            state.scopes().map(|(id, _)| id).filter(|id| *id > self.newest_scope).collect();
        self.newest_scope = fresh.last().copied().unwrap_or(self.newest_scope);
        for position in 0..self.model.scopes.len() {
            let scope = &self.model.scopes[position];
            let parent = Branch { scope: self.id_of(scope.parent.scope)?, index: scope.parent.index };
            let is_it = |id: ScopeId| {
                let found = state.scopes().find(|(other, _)| *other == id);
                found.is_some_and(|(_, it)| it.point == Some(scope.point) && it.parent == Some(parent))
            };
            let found = match scope.id {
                Some(id) => is_it(id).then_some(id),
                None => fresh.iter().copied().find(|id| is_it(*id)),
            };
            let Some(found) = found else {
                return Err(format!("a scope of point {} in {parent:?} is gone too early", scope.point.0));
            };
            fresh.retain(|id| *id != found);
            self.model.scopes[position].id = Some(found);
            let depth = self.model.depth(self.model.scopes[position].number);
            ensure!(
                state.scopes().any(|(id, it)| id == found && it.depth == depth),
                "the depth of {found:?} is not {depth}"
            );
        }
        let (open, should) = (state.scopes().count() - 1, self.model.scopes.len());
        ensure!(open == should, "{open} scopes are open, and not {should}");
        Ok(())
    }

    fn id_of(&self, scope: usize) -> Held<ScopeId> {
        if scope == 0 {
            return Ok(ScopeId::ROOT);
        }
        let found = self.model.scopes.iter().find(|it| it.number == scope).and_then(|it| it.id);
        found.ok_or_else(|| "something lives in a scope that is closed".to_owned())
    }

    fn invocations_are_as_expected(&mut self) -> Held {
        let mut there = self.engine.state().invocations();
        for position in 0..self.model.work.len() {
            let work = &self.model.work[position];
            let name = &self.case.graph.steps[work.step.index()].name;
            let Some((id, it)) = there.next() else {
                return Err(format!("an invocation of `{name}` is missing"));
            };
            ensure!(work.id.is_none_or(|known| known == id), "{id} is there in place of {:?}", work.id);
            let branch = Branch { scope: self.id_of(work.at.scope)?, index: work.at.index };
            let state = match &it.state {
                InvocationState::Queued => WorkState::Queued,
                InvocationState::Running => WorkState::Running,
                InvocationState::Delayed(due) => WorkState::Delayed(due.0),
                InvocationState::Failed(error) => WorkState::Failed(error.clone()),
            };
            ensure!(
                (it.step, it.branch, &it.input, &state) == (work.step, branch, &work.input, &work.state),
                "invocation {id} is {it:?} and not of `{name}` in {branch:?}, {:?}, with {:?}",
                work.state,
                work.input
            );
            let first_failed_at = it.first_failed_at().map(|at| at.0);
            ensure!(
                (it.attempt, it.interruptions(), it.last_error().cloned(), first_failed_at)
                    == (work.attempt, work.interruptions, work.last_error.clone(), work.first_failed_at),
                "invocation {id} is {it:?} and not in attempt {}, interrupted {} times, after {:?}, failing since {:?}",
                work.attempt,
                work.interruptions,
                work.last_error,
                work.first_failed_at
            );
            self.model.work[position].id = Some(id);
        }
        match there.next() {
            Some((id, it)) => Err(format!("invocation {id} should not be there: {it:?}")),
            None => Ok(()),
        }
    }

    fn questions_are_as_expected(&mut self) -> Held {
        let mut there = self.engine.state().requests();
        for position in 0..self.model.questions.len() {
            let question = &self.model.questions[position];
            let Some((id, it)) = there.next() else { return Err("a question is missing".to_owned()) };
            let branch = Branch { scope: self.id_of(question.at.scope)?, index: question.at.index };
            ensure!(
                question.id.is_none_or(|known| known == id)
                    && (it.step, it.branch, it.prompt) == (question.step, branch, question.prompt)
                    && it.is_inside() == question.asker.is_some()
                    && (it.asked_at, it.expires_at) == (Time(question.asked), question.closes.map(Time)),
                "question {id} is {it:?} and not asked at {} until {:?}",
                question.asked,
                question.closes
            );
            self.model.questions[position].id = Some(id);
        }
        ensure!(there.next().is_none(), "a question is open that was not asked");
        Ok(())
    }

    /// What each call of each step has come to, and who waits for a signal before whom.
    fn notes_are_as_expected(&mut self) -> Held {
        let mut waits = Vec::new();
        for work in &self.model.work {
            let Some(id) = work.id else { continue };
            let notes = self.engine.state().invocation(id).into_iter().flat_map(|it| it.notes());
            let mut should: Vec<&(NoteKey, Came)> = work.notes.iter().collect();
            should.sort_by(|(one, _), (other, _)| one.cmp(other));
            let mut should = should.into_iter();
            for (key, noted) in notes {
                let caller = (work.mark, key.clone());
                let Some((known, came)) = should.next() else {
                    return Err(format!("{id} has noted {key:?}"));
                };
                let asked = |request: RequestId| {
                    let asks = |it: &Question| it.id == Some(request) && it.asker.as_ref() == Some(&caller);
                    self.model.questions.iter().any(asks)
                };
                let is_it = match (noted, came) {
                    (Noted::Memo(is), Came::Memo(should)) => is == should,
                    (Noted::Sleeping(is), Came::Sleeping(should)) => is.0 == *should,
                    (Noted::Asked(request), Came::Asked) => asked(*request),
                    (Noted::Expired(is), Came::Expired(should)) => is == should,
                    (Noted::Answered(is), Came::Answered(should))
                    | (Noted::Received(is), Came::Received(should)) => is == should,
                    (Noted::Waiting(_), Came::Waiting) | (Noted::Withdrawn, Came::Withdrawn) => true,
                    _ => false,
                };
                ensure!(key == known && is_it, "{key:?} of {id} is {noted:?}, and not {came:?} of {known:?}");
                if let Noted::Waiting(wait) = noted {
                    waits.push((*wait, caller));
                }
            }
            ensure!(should.next().is_none(), "{id} has forgotten what it called");
        }
        waits.sort();
        let (are, should) = (waits.len(), self.model.waits.len());
        ensure!(are == should, "{are} calls wait for signals, and not {should}");
        for ((id, caller), wait) in waits.into_iter().zip(&mut self.model.waits) {
            let place = wait.id.get_or_insert(id);
            ensure!(
                (*place, &wait.caller) == (id, &caller),
                "{caller:?} waits in place of {:?}",
                wait.caller
            );
        }
        Ok(())
    }

    fn commands_are_as_expected(&mut self, resumes: bool) -> Held {
        let told = self.told()?;
        let expected = &self.model.expected;
        for id in told.started.iter().chain(&told.aborted) {
            ensure!(!self.over.contains(id), "invocation {id} had finished");
        }
        let mark_of =
            |id: &InvocationId| self.model.work.iter().find(|it| it.id == Some(*id)).map(|it| it.mark);
        let marks: Vec<usize> = told.started.iter().filter_map(mark_of).collect();
        same("is started", marks.clone(), expected.started.clone())?;
        self.starts_are_in_order(&marks, resumes)?;
        same("is told to have finished", told.finished, expected.finished.clone().into_iter().collect())?;
        same("is aborted", told.aborted, expected.aborted.clone())?;
        same("is woken", told.woken, expected.woken.clone())?;
        ensure!(told.ending == expected.ending, "the end is {:?} and not {:?}", told.ending, expected.ending);
        let fallen = fallen_by_the_wayside(&told.notices);
        for (step, events) in &fallen {
            for event in events {
                self.deeds = self.deeds.wrapping_add(mix(u64::from(step.0), !u64::from(event.0)));
            }
        }
        same("is left over", fallen, expected.unpaired.clone())?;
        what_is_told_of_steps(&told.notices, expected)?;
        what_is_told_of_questions(&told.notices, expected)
    }

    /// Sorts the commands, and checks each by itself.
    fn told(&self) -> Held<Told> {
        let mut told = Told::default();
        for command in &self.out {
            ensure!(told.ending.is_none(), "{command:?} follows the end");
            if let Command::Finish(ending) = command {
                told.ending = Some(match ending {
                    Ending::Completed { output } => Expectation::Completed(*output),
                    Ending::Failed { invocation, step, error } => {
                        Expectation::Failed(*invocation, *step, error.clone())
                    }
                    Ending::Stalled(stall) => Expectation::Stalled(stall.clone()),
                    Ending::Cancelled { .. } => Expectation::Cancelled,
                    Ending::Suspended => Expectation::Suspended,
                    Ending::TimedOut { running } => {
                        let mut running = running.clone();
                        running.sort();
                        Expectation::TimedOut(running)
                    }
                });
                continue;
            }
            match command {
                Command::Run(invoke) => {
                    let id = invoke.invocation;
                    let work = self.model.work.iter().find(|it| it.id == Some(id));
                    let Some(work) = work else { return Err(format!("{invoke:?} is not there to be run")) };
                    let depth = self.model.depth(work.at.scope);
                    ensure!(
                        (invoke.step, &invoke.input, invoke.attempt, invoke.depth)
                            == (work.step, &work.input, work.attempt, depth),
                        "{invoke:?} is run in place of {:?} with {:?} at depth {depth}",
                        work.step,
                        work.input
                    );
                    ensure!(
                        (invoke.last_error(), invoke.first_failed_at())
                            == (work.last_error.as_ref(), work.first_failed_at.map(Time)),
                        "{invoke:?} is not told what failed before: {:?}",
                        work.last_error
                    );
                    told.started.push(id);
                }
                Command::Abort { invocation } => told.aborted.push(*invocation),
                Command::Publish(Notice::StepFinished { invocation, emitted, .. }) => {
                    told.finished.push((*invocation, self.counts(emitted)));
                }
                Command::Publish(notice) => told.notices.push(notice.clone()),
                Command::Wake { invocation, key } => told.woken.push((*invocation, key.clone())),
                Command::Finish(_) => {}
            }
        }
        Ok(told)
    }

    /// A step with few workers takes its queue in order. Any other starts its inputs as they were delivered, what is
    /// run again left aside.
    fn starts_are_in_order(&self, started: &[usize], resumes: bool) -> Held {
        if started.len() < 2 {
            return Ok(());
        }
        let work = |mark: &usize| self.model.work.iter().find(|it| it.mark == *mark);
        let of = |marks: &[usize], step: StepId, fresh: bool| -> Vec<usize> {
            let is_one = |mark: &&usize| {
                work(mark).is_some_and(|it| it.step == step && (!fresh || (it.attempt == 1 && !resumes)))
            };
            marks.iter().filter(is_one).copied().collect()
        };
        for (step, declared) in (0..).map(StepId).zip(self.case.graph.steps.iter()) {
            let unlimited = declared.options.workers.is_none();
            let (are, should) =
                (of(started, step, unlimited), of(&self.model.expected.started, step, unlimited));
            ensure!(are == should, "`{}` is started as {are:?} and not as {should:?}", declared.name);
        }
        Ok(())
    }

    /// Each event that a step is told to have returned, with how many of it.
    fn counts(&self, emitted: &Counted) -> Vec<(EventId, u32)> {
        let mut counts: Vec<(EventId, u32)> = match emitted {
            Counted::None => Vec::new(),
            Counted::One(event) => vec![(*event, 1)],
            Counted::Many(point, counts) => {
                let items = self.case.graph.points[point.index()].items.iter().copied();
                items.zip(counts.iter().copied()).filter(|(_, count)| *count > 0).collect()
            }
        };
        counts.sort();
        counts
    }

    /// What can be seen without the model: what lives has its scope, and a scope has what keeps it open.
    fn whatever_lives_lives_in_an_open_scope(&self) -> Held {
        let state = self.engine.state();
        let open: Vec<ScopeId> = state.scopes().map(|(id, _)| id).collect();
        let mut kept = vec![false; open.len()];
        let mut keep = |scope: ScopeId| match open.binary_search(&scope) {
            Ok(position) => {
                kept[position] = true;
                true
            }
            Err(_) => false,
        };
        for (id, it) in state.invocations() {
            ensure!(keep(it.branch.scope), "invocation {id} lives in a scope that is closed");
        }
        for (id, it) in state.requests() {
            ensure!(keep(it.branch.scope), "question {id} lives in a scope that is closed");
        }
        for (id, it) in state.scopes().filter(|(id, _)| *id != ScopeId::ROOT) {
            let Some(parent) = it.parent else { return Err(format!("{id:?} has no parent")) };
            ensure!(keep(parent.scope), "{id:?} lives in a scope that is closed");
        }
        for ((id, it), kept) in state.scopes().zip(kept).filter(|((id, _), _)| *id != ScopeId::ROOT) {
            let fills = |other: &Invocation<Value>| {
                Some(other.branch) == it.parent && self.may_fill(other.step, it.point)
            };
            ensure!(
                kept || state.invocations().any(|(_, other)| fills(other)),
                "{id:?} is open with nothing on the way"
            );
        }
        Ok(())
    }

    /// What can be seen without the model: no step has more workers than it may, none waits for a worker that is
    /// free, and a run that is not over waits for something that has a name.
    fn whatever_can_run_runs(&self) -> Held {
        let state = self.engine.state();
        let steps = &self.case.graph.steps;
        let (mut busy, mut queued) = (vec![0; steps.len()], vec![0; steps.len()]);
        for (_, it) in state.invocations() {
            busy[it.step.index()] += u32::from(it.state == InvocationState::Running);
            queued[it.step.index()] += u32::from(it.state == InvocationState::Queued);
        }
        let runs = *state.status() == Status::Running;
        for (step, (busy, queued)) in steps.iter().zip(busy.into_iter().zip(queued)) {
            let limit = step.options.workers.unwrap_or(u32::MAX);
            ensure!(busy <= limit, "{busy} of `{}` run where {limit} may", step.name);
            ensure!(
                !runs || queued == 0 || busy == limit,
                "`{}` waits, and nobody is busy with it",
                step.name
            );
            ensure!(runs || busy == 0, "`{}` runs in a run that has ended", step.name);
        }
        ensure!(
            !runs
                || state.invocations().next().is_some()
                || state.requests().next().is_some()
                || self.case.starts_steps_by_signals(),
            "it waits, and nobody knows for what"
        );
        Ok(())
    }

    fn may_fill(&self, step: StepId, point: Option<PointId>) -> bool {
        emitters(&self.case.graph.steps[step.index()]).any(|it| Some(it) == point)
    }
}

fn fallen_by_the_wayside(notices: &[Notice<Value>]) -> Vec<(StepId, Vec<EventId>)> {
    let left = notices.iter().filter_map(|notice| match notice {
        Notice::Unpaired { step, events } => Some((*step, events.clone())),
        _ => None,
    });
    left.collect()
}

fn what_is_told_of_steps(notices: &[Notice<Value>], expected: &Expected) -> Held {
    let (mut sent, mut failed, mut retrying) = (None, Vec::new(), None);
    for notice in notices {
        match notice {
            Notice::StepSent { invocation, event, .. } => sent = Some((*invocation, *event)),
            Notice::StepFailed { invocation, attempt, error, .. } => {
                failed.push((*invocation, *attempt, error.clone()));
            }
            Notice::StepRetrying { invocation, attempt, error, due, .. } => {
                retrying = Some((*invocation, *attempt, error.clone(), due.0));
            }
            _ => {}
        }
    }
    ensure!(sent == expected.sent, "what is sent is {sent:?} and not {:?}", expected.sent);
    ensure!(failed == expected.failed, "what fails is {failed:?} and not {:?}", expected.failed);
    ensure!(
        retrying == expected.retrying,
        "what is tried again is {retrying:?} and not {:?}",
        expected.retrying
    );
    Ok(())
}

fn what_is_told_of_questions(notices: &[Notice<Value>], expected: &Expected) -> Held {
    let (mut answered, mut expired, mut withdrawn) = (Vec::new(), Vec::new(), Vec::new());
    let (mut asked, mut new): (Vec<_>, Vec<RequestId>) = Default::default();
    for notice in notices {
        match notice {
            Notice::InputRequired { request, step, prompt, expires_at, .. } => {
                new.push(*request);
                asked.push((*step, *prompt, expires_at.map(|at| at.0)));
            }
            Notice::InputReceived { request } => answered.push(*request),
            Notice::InputExpired { request } => expired.push(*request),
            Notice::InputWithdrawn { request } => withdrawn.push(*request),
            _ => {}
        }
    }
    same("is told to be answered", answered, expected.answered.into_iter().collect())?;
    ensure!(expired == expected.expired, "what expires is {expired:?} and not {:?}", expected.expired);
    same("is asked", asked, expected.asked.clone())?;
    let (known, at_once): (Vec<_>, Vec<_>) =
        withdrawn.into_iter().partition(|id| expected.withdrawn.contains(id));
    same("is withdrawn", known, expected.withdrawn.clone())?;
    ensure!(
        at_once.len() == expected.withdrawn_at_once && at_once.iter().all(|id| new.contains(id)),
        "withdrawn without reason: {at_once:?}"
    );
    Ok(())
}

fn same<T: Ord + std::fmt::Debug>(what: &str, mut are: Vec<T>, mut should: Vec<T>) -> Held {
    are.sort();
    should.sort();
    ensure!(are == should, "what {what} is {are:?} and not {should:?}");
    Ok(())
}
