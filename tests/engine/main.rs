//! The engine by itself: no runtime, no clock, no types of an author. Each scenario is a straight line of
//! ticks; after every one of them the state is saved and read back, and the copy must go on as the original does.

#![allow(unreachable_pub, reason = "what the tests share is `pub` for their modules")]
#![allow(missing_docs, reason = "names of tests say what they show")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a test fails")]

mod graphs;
mod journals;
mod scenario;

mod emitters;
mod ends;
mod failures;
mod fan_out;
mod joins;
mod limits;
mod people;
mod refusals;
mod replays;
mod signals;
mod snapshots;
mod times;
mod waiting;
