//! Runs in a store, with a real SQLite file under them.
//!
//! The store has threads of its own, so time is not paused here. Nothing sleeps: everything waits for what it wants to
//! see, with a limit.

#![allow(unreachable_pub, reason = "what the tests share is `pub` for their modules")]
#![allow(missing_docs, reason = "names of tests say what they show")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a test fails")]

mod between;
mod flows;

mod crash;
mod faults;
mod runs;
mod waits;
