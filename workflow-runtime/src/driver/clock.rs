//! The time of a run, and waiting for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Host;
use crate::engine::{Tick, Time};
use crate::workflow::Workflow;

/// Wall-clock time that follows tokio's clock, so that a test which pauses tokio's pauses this one too.
pub(crate) struct Clock {
    started_at: Time,
    started: Instant,
}

impl Clock {
    /// A clock that shows no time before `last`, the time of the last tick. Where the wall clock was turned back, or
    /// is another machine's, a run that is resumed would else stand still until that time has come again.
    pub(crate) fn not_before(last: Time) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the driver owns the clock")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started_at: last.max(Time(millis(since_epoch))), started: Instant::now() }
    }

    pub(super) fn instant(&self, time: Time) -> Instant {
        let ahead = Duration::from_millis(time.0.saturating_sub(self.started_at.0));
        // A century is far enough for a moment that does not fit.
        let far = Duration::from_secs(100 * 365 * 86_400);
        self.started.checked_add(ahead).unwrap_or(self.started + far)
    }

    pub(crate) fn now(&self) -> Time {
        self.at(Instant::now())
    }

    /// The time of a moment.
    pub(super) fn at(&self, moment: Instant) -> Time {
        Time(self.started_at.0.saturating_add(millis(moment.saturating_duration_since(self.started))))
    }
}

/// The clock as it was looked at last.
pub(super) struct Now {
    time: Time,
    /// When it is another time. Most ticks come in the same millisecond as the one before, and a look at this is cheaper
    /// than to reckon.
    until: Instant,
}

impl Now {
    /// When the clock was started.
    pub(super) fn start_of(clock: &Clock) -> Self {
        Self { time: clock.started_at, until: clock.started + Duration::from_millis(1) }
    }

    /// Looks at the clock.
    #[inline]
    pub(super) fn look_at(&mut self, clock: &Clock) -> Time {
        self.time_at(Instant::now(), clock)
    }

    /// The time of a moment that has just been, or of the latest tick, if that came later.
    #[inline]
    pub(super) fn time_at(&mut self, moment: Instant, clock: &Clock) -> Time {
        if moment >= self.until {
            self.time = clock.at(moment);
            self.until = clock.instant(self.time.plus(1));
        }
        self.time
    }

    /// The time when it was looked at last.
    pub(super) fn time(&self) -> Time {
        self.time
    }
}

/// Why a run cannot go on that has to wait for a time.
const NO_TIMERS: &str =
    "its tokio runtime has no timers: call `enable_time` or `enable_all` on the runtime's builder";

/// Waits for the time at which something is due.
pub(super) struct Alarm<W: Workflow> {
    pub(super) host: Arc<Host<W>>,
    pub(super) armed: bool,
}

impl<W: Workflow> Alarm<W> {
    pub(super) async fn wait(mut self, due: Time, token: CancellationToken) {
        let due = self.host.clock.instant(due);
        // There is no other way to find out whether the runtime has timers.
        let tick = match catch_unwind(AssertUnwindSafe(|| tokio::time::sleep_until(due))) {
            Ok(due) => tokio::select! {
                biased;
                () = token.cancelled() => None,
                () = due => Some(Tick::Time),
            },
            Err(_) => Some(Tick::Cancelled { reason: NO_TIMERS.to_owned() }),
        };
        if let Some(tick) = tick {
            self.host.lock().timer = None;
            // Refused if the run has ended in between.
            let _ = self.host.tick(tick);
        }
        self.armed = false;
    }
}

/// An alarm that goes while it is armed was dropped by a runtime that shuts down.
impl<W: Workflow> Drop for Alarm<W> {
    fn drop(&mut self) {
        if self.armed {
            // In a store, it is there to be taken up by whoever comes next.
            self.host.leave_behind();
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
