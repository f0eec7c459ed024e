//! What else the machine does, as Linux sees it.

use std::time::Instant;

use crate::time::now;

/// Ticks of a second in `/proc`, on every machine that Linux runs on today.
const TICKS: f64 = 100.0;

/// Watches, from now on, how much processor time others take.
pub struct Others {
    since: Instant,
    others: Option<f64>,
}

impl Others {
    #[must_use]
    pub fn watch() -> Self {
        Self { since: now(), others: others() }
    }

    /// Says how much it was, because it is in all that was measured.
    pub fn print(&self) {
        if let (Some(before), Some(after)) = (self.others, others()) {
            let busy = (after - before).max(0.0) / self.since.elapsed().as_secs_f64();
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            println!("\nMeanwhile others kept {busy:.2} of {processors} processors busy.");
        }
    }
}

/// Processor time, in seconds, that was not taken by this process and its children that have ended.
fn others() -> Option<f64> {
    let ticks = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    let all = std::fs::read_to_string("/proc/stat").ok()?;
    let mut all = all.lines().next()?.split_whitespace().skip(1);
    // User, nice, system; not idle and waiting for disks; interrupts, and what the machine below has taken.
    let busy: f64 = all.by_ref().take(3).filter_map(|text| ticks(Some(text))).sum();
    let rest: f64 = all.skip(2).take(3).filter_map(|text| ticks(Some(text))).sum();
    let own = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may contain anything, and the fields 3 to 13.
    let own: f64 = own
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|text| ticks(Some(text)))
        .sum();
    Some((busy + rest - own) / TICKS)
}
