//! Processes that are killed, and what becomes of their runs.
//!
//! A child process hosts runs of several workflows in one SQLite file, and answers their questions. It is killed again
//! and again, by the test or by itself, until a last one may work to the end. Beside the store, processes write a log,
//! line by line: which runs they claimed, what their steps did outside, what they saw, and what was acknowledged to them.
//! [`check`] says what must hold then.
//!
//! The seed of each test is fixed, and printed where something does not hold. With `WORKFLOW_CRASH_SEED` it is another
//! one, and `WORKFLOW_CRASH_KILLS` says how often to kill in the tests that do so at random.

mod check;
mod child;
mod flows;
mod killed;
mod log;
mod parent;
mod versions;
