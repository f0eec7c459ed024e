//! The engine on random graphs, with steps that finish in random orders.
//!
//! A naive [model](model) of the engine goes along with every run and predicts each tick. Everything follows from
//! seeds; a failure names its own, and `PROPERTY_SEED=n` runs that one alone. `PROPERTY_TIMES=n` runs n times as many.

#![allow(unreachable_pub, reason = "what the tests share is `pub` for their modules")]
#![allow(missing_docs, reason = "names of tests say what they show")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a test fails")]

#[path = "../engine/graphs.rs"]
mod graphs;

mod case;
mod dice;
mod draft;
mod drive;
mod model;
mod run;
mod seeds;

mod cost;
mod orders;
mod refused;
mod troubles;
mod waits;
