//! The usual ends of steps, by the engine's short ways.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::ticket::Attempt;
use super::{Afterwards, End, Happening, Host, Live};
use crate::engine::{Emitted, Ending, Invoke, Payload as _, Tick};
use crate::workflow::Workflow;

impl<W: Workflow> Host<W> {
    /// Applies that a step has finished that only emits, in a run without a store, at the time of the latest tick. Whether
    /// the attempt has become that of another step.
    #[inline]
    pub(super) fn has_emitted(
        &self,
        live: &mut Live<W>,
        attempt: &mut Attempt<W>,
        emitted: Emitted<W::Event>,
        afterwards: &mut Afterwards,
    ) -> bool {
        let emitted = match emitted {
            Emitted::One(event) => match self.relay(live, attempt, event, afterwards) {
                Ok(starts) => return starts,
                Err(event) => match self.complete(live, attempt, event, afterwards) {
                    Ok(()) => return false,
                    Err(event) => Emitted::One(event),
                },
            },
            emitted => emitted,
        };
        let (invocation, attempt_number) = attempt.which();
        attempt.leave(live, invocation);
        let finished = Tick::Finished { invocation, attempt: attempt_number, emitted };
        // The step may have been cancelled while it finished; it has no effect then.
        let _ = self.apply_at(live.now.time(), live, Happening::new(finished, None), afterwards);
        false
    }

    /// Does so by the engine's short way.
    ///
    /// # Errors
    /// It is not as simple as that: what was emitted comes back, and nothing has happened.
    #[inline]
    fn relay(
        &self,
        live: &mut Live<W>,
        attempt: &mut Attempt<W>,
        event: W::Event,
        afterwards: &mut Afterwards,
    ) -> Result<bool, W::Event> {
        // Who waits until all is quiet has to be told.
        if live.is_broken() || live.holds > 0 {
            return Err(event);
        }
        let Invoke { step, invocation: done, .. } = attempt.invoke;
        let kind = event.event();
        let Live { engine, stream, now, .. } = &mut *live;
        // Events are cloned and dropped, which is the author's code.
        let relayed = catch_unwind(AssertUnwindSafe(|| {
            let starts = engine.relay(&mut attempt.invoke, event, now.time())?;
            let next = starts.then_some(&attempt.invoke);
            stream.relayed(engine.state().ticks(), now.time(), (step, done), kind, next);
            Ok(starts)
        }));
        let starts = match relayed {
            Ok(starts) => starts?,
            Err(panic) => {
                live.give_up(&*panic, afterwards);
                false
            }
        };
        attempt.leave(live, done);
        // Where steps are ready, nothing rests, if they are not all stale.
        if !starts && (live.ready.is_empty() || live.some_are_stale) {
            self.look_whether_it_rests(live, afterwards);
        }
        Ok(starts)
    }

    /// Applies, by the engine's short way, that a step has ended the run.
    ///
    /// # Errors
    /// It is not as simple as that: what was emitted comes back, and nothing has happened.
    fn complete(
        &self,
        live: &mut Live<W>,
        attempt: &Attempt<W>,
        output: W::Event,
        afterwards: &mut Afterwards,
    ) -> Result<(), W::Event> {
        if live.is_broken() {
            return Err(output);
        }
        let Invoke { step, invocation, .. } = attempt.invoke;
        let Live { engine, stream, now, ready, .. } = &mut *live;
        // Events are dropped, which is the author's code.
        let completed = catch_unwind(AssertUnwindSafe(|| {
            if !engine.complete(attempt.which(), &output, now.time()) {
                return false;
            }
            stream.relayed(engine.state().ticks(), now.time(), (step, invocation), output.event(), None);
            // Others were cancelled before.
            ready.clear();
            true
        }));
        let completed = match completed {
            Ok(false) => return Err(output),
            Ok(true) => Some(Ending::Completed { output }),
            Err(panic) => {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(output)));
                live.give_up(&*panic, afterwards);
                None
            }
        };
        attempt.leave(live, invocation);
        live.arm(afterwards);
        match completed {
            Some(ending) if live.at_work == 0 => self.announce_ending(live, ending, afterwards),
            Some(ending) => live.end = End::Near(Box::new(ending)),
            None => {}
        }
        self.look_whether_it_rests(live, afterwards);
        Ok(())
    }
}
