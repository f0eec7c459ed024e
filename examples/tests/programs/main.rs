//! The examples, run as a person runs them: as processes, with what is typed and what appears.

#![expect(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod approval_with_deadline;
mod approve_invoices;
mod ask_inside_a_step;
mod branches_and_loops;
mod durable_orders;
mod human_in_the_loop;
mod process;
mod retries_and_recovery;
mod stop_and_resume;
mod streaming;
