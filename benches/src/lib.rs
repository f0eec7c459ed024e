//! What the runtime costs, measured beside what the machine allows.
//!
//! `README.md` beside this crate says how to run it and how to read what it prints. Run as a test
//! (`cargo test --all-targets`), it only shows that each workload works.
//!
//! Contenders take turns, and what is compared are the ratios of single turns: whatever else the machine does meets all
//! of them.

#![allow(missing_docs, reason = "the benchmarks are its only users")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a benchmark fails")]

pub mod floor;
pub mod flows;
pub mod memory;
pub mod others;
pub mod table;
pub mod time;

/// How much work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Full,
    /// With `--quick`.
    Quick,
    /// Just enough to see that it works.
    Test,
}

impl Size {
    /// As the command line says. Cargo gives `--bench` to what it runs as a benchmark, and nothing to what it runs as a
    /// test.
    #[must_use]
    pub fn of_args() -> Self {
        let said = |option: &str| std::env::args().any(|arg| arg == option);
        match () {
            () if said("--test") || !said("--bench") => Self::Test,
            () if said("--quick") => Self::Quick,
            () => Self::Full,
        }
    }

    pub fn pick<T>(self, full: T, quick: T, test: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
            Self::Test => test,
        }
    }
}

/// Says what is measured now, beside the tables.
pub fn progress(what: &str) {
    eprintln!("measuring: {what}");
}

/// Ends the process with the first panic, wherever it is. What others of its tasks wait for would else never come.
pub fn end_with_a_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::exit(1);
    }));
}

/// The machine that all workloads are measured on: two threads, as the targets say.
#[must_use]
pub fn two_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
