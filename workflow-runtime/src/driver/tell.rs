//! What those who look are told: news while the run goes on, and how it has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Afterwards, End, Host, Live, event_name, panic_message, step_name};
use crate::engine::{Ending, Payload as _};
use crate::error::StepErrorKind;
use crate::handle::{RunError, Stalled};
use crate::workflow::Workflow;

impl<W: Workflow> Host<W> {
    /// Announces the end of the run, once nothing is at work any more.
    pub(super) fn announce_if_over(&self, live: &mut Live<W>, afterwards: &mut Afterwards) {
        if live.holds > 0 && live.is_quiet() {
            // Nobody waits who has not asked for it.
            self.quiet.get().into_iter().for_each(|quiet| quiet.notify_waiters());
        }
        if live.at_work > 0 || live.is_over() {
            return;
        }
        if live.ledger.is_some() {
            return self.announce_what_is_stored(live, afterwards);
        }
        if matches!(live.end, End::NotYet) && !live.is_broken() {
            return;
        }
        match (live.broken.get().cloned(), std::mem::replace(&mut live.end, End::NotYet)) {
            (Some(message), _) => self.announce(live, Err(self.broken(message)), afterwards),
            (None, End::Near(ending)) => self.announce_ending(live, *ending, afterwards),
            (None, End::NotYet | End::Announced(_)) => {}
        }
    }

    fn broken(&self, message: String) -> RunError {
        RunError::Broken { run: self.id().clone(), message }
    }

    /// Announces that the run has ended so. Nothing is at work any more.
    pub(super) fn announce_ending(
        &self,
        live: &mut Live<W>,
        ending: Ending<W::Event>,
        afterwards: &mut Afterwards,
    ) {
        // The output is the author's.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.outcome(ending)));
        let outcome = outcome.unwrap_or_else(|panic| Err(self.broken(panic_message(&*panic).to_owned())));
        self.announce(live, outcome, afterwards);
    }

    fn announce(
        &self,
        live: &mut Live<W>,
        outcome: Result<W::Output, RunError>,
        afterwards: &mut Afterwards,
    ) {
        live.stream.begin(live.engine.state().ticks(), live.now.time());
        live.stream.end();
        live.end = End::Announced(outcome.map_err(Box::new));
        live.tell_readers(afterwards);
        afterwards.wake(live.waiting.take());
    }

    /// What the run came to, for one more who asks; `None` as long as that was not announced.
    pub(super) fn outcome_again(&self, live: &mut Live<W>) -> Option<Result<W::Output, RunError>> {
        let output = match &live.end {
            End::Announced(Ok(output)) => output,
            End::Announced(Err(error)) => return Some(Err(RunError::clone(error))),
            End::NotYet | End::Near(_) => return None,
        };
        // That is the author's code.
        let cloned = catch_unwind(AssertUnwindSafe(|| output.clone()));
        Some(cloned.map_err(|panic| {
            let error = self.broken(panic_message(&*panic).to_owned());
            // Nobody else is told something else from now on.
            let before = std::mem::replace(&mut live.end, End::Announced(Err(Box::new(error.clone()))));
            let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
            error
        }))
    }

    pub(super) fn outcome(&self, ending: Ending<W::Event>) -> Result<W::Output, RunError> {
        let run = || self.id().clone();
        Err(match ending {
            Ending::Completed { output } => match W::output(output) {
                Ok(output) => return Ok(output),
                Err(event) => {
                    let reason = format!("`{}` carries no output", event_name::<W>(event.event()));
                    RunError::Misrouted { run: run(), reason }
                }
            },
            Ending::Failed { invocation, step, error } => {
                // A question that expires can fail a run beside its handler, which would want what the step was given.
                let handler = W::GRAPH.handler_of(step).filter(|_| error.kind() != StepErrorKind::Expired);
                let spent_handler = handler.map(|handler| step_name::<W>(handler).to_owned());
                let step = step_name::<W>(step).to_owned();
                RunError::Failed { run: run(), step, invocation, error, spent_handler }
            }
            Ending::TimedOut { running } => {
                let running = running.into_iter().map(|step| step_name::<W>(step).to_owned()).collect();
                RunError::TimedOut { run: run(), running }
            }
            Ending::Stalled(stall) => RunError::Stalled(Stalled::new(run(), W::GRAPH, &stall)),
            Ending::Cancelled { reason } => RunError::Cancelled { run: run(), reason },
            Ending::Suspended => RunError::Suspended { run: run() },
        })
    }
}
