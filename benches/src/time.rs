//! Time, and who takes how much of it.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// How long that takes in a task of the runtime. The thread that waits for it takes no part.
pub fn timed<F>(runtime: &Runtime, work: F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let task = runtime.spawn(async move {
        let began = now();
        work.await;
        began.elapsed()
    });
    runtime.block_on(task).unwrap()
}

/// What contenders that have taken turns have taken; one list each, by turn.
pub struct Times(Vec<Vec<Taken>>);

#[derive(Clone, Copy)]
struct Taken {
    time: f64,
    processor: f64,
}

/// Lets contenders take turns, after one that does not count. With `--ours`, the first one, which is ours, has all turns to
/// itself, and what is told of the others means nothing.
pub fn take_turns(turns: usize, contenders: &mut [&mut dyn FnMut() -> Duration]) -> Times {
    let alone = std::env::args().any(|arg| arg == "--ours");
    let mut times = vec![Vec::with_capacity(turns); contenders.len()];
    for turn in 0..=turns {
        for offset in 0..contenders.len() {
            // Nobody is always the first.
            let at = (turn + offset) % contenders.len();
            let runs = if alone { 0 } else { at };
            let before = processor();
            let time = contenders[runs]().as_secs_f64();
            let processor = processor() - before;
            if turn > 0 {
                times[at].push(Taken { time, processor });
            }
        }
    }
    Times(times)
}

/// How many seconds of processor time this process has taken so far, on whatever processor.
fn processor() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

impl Times {
    /// The median time of a contender, in seconds.
    #[must_use]
    pub fn of(&self, contender: usize) -> f64 {
        median(self.0[contender].iter().map(|taken| taken.time).collect())
    }

    /// The median processor time of a contender, in seconds.
    #[must_use]
    pub fn processor(&self, contender: usize) -> f64 {
        median(self.0[contender].iter().map(|taken| taken.processor).collect())
    }

    /// The median of the ratios of two contenders, turn by turn.
    #[must_use]
    pub fn ratio(&self, contender: usize, floor: usize) -> f64 {
        self.ratios(contender, floor, |taken| taken.time)
    }

    /// The same of the processor time: it does not depend on what else the machine does, nor on how many cores were used.
    #[must_use]
    pub fn processor_ratio(&self, contender: usize, floor: usize) -> f64 {
        self.ratios(contender, floor, |taken| taken.processor)
    }

    fn ratios(&self, contender: usize, floor: usize, of: impl Fn(&Taken) -> f64) -> f64 {
        median(self.0[contender].iter().zip(&self.0[floor]).map(|(one, other)| of(one) / of(other)).collect())
    }
}

#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Computes without waiting for anything, for as long as so many rounds take.
pub fn compute(rounds: u64) -> u64 {
    let mut number = rounds | 1;
    for _ in 0..rounds {
        number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17));
    }
    number
}

/// How many rounds of [`compute`] take that long, with nothing else on this machine: the fastest of some trials.
#[must_use]
pub fn rounds_for(time: Duration) -> u64 {
    const TRIAL: u64 = 1_000_000;
    let trial = || {
        let began = now();
        std::hint::black_box(compute(TRIAL));
        began.elapsed().as_secs_f64()
    };
    let fastest = (0..20).map(|_| trial()).fold(f64::INFINITY, f64::min);
    (TRIAL as f64 * time.as_secs_f64() / fastest) as u64
}

/// A time as people read it.
#[must_use]
pub fn show(seconds: f64) -> String {
    match seconds {
        it if it < 1e-6 => format!("{:.0} ns", it * 1e9),
        it if it < 1e-3 => format!("{:.2} µs", it * 1e6),
        it if it < 1.0 => format!("{:.2} ms", it * 1e3),
        it => format!("{it:.2} s"),
    }
}
