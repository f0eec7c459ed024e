//! The in-memory driver, on paused time. Nothing here sleeps for real.

#![allow(unreachable_pub, reason = "what the tests share is `pub` for their modules")]
#![allow(missing_docs, reason = "names of tests say what they show")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a test fails")]

mod blocking;
mod ends;
mod failures;
mod flows;
mod handles;
mod panics;
mod parallel;
mod people;
mod regressions;
mod saved;
mod short_steps;
mod state;
mod streams;
mod tasks;
mod times;
mod traces;
mod waiting;
