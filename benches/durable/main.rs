//! What durable runs cost, beside a bare SQLite that inserts a row and commits.
//!
//! `cargo bench -p workflow-benches --bench durable [-- --quick]`

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a benchmark fails")]

mod bare;
mod flat;
mod steps;
mod waiting;

use workflow_benches::Size;
use workflow_benches::others::Others;

fn main() {
    workflow_benches::end_with_a_panic();
    if waiting::child() {
        return;
    }
    let size = Size::of_args();
    let others = Others::watch();
    steps::print(size);
    flat::print(size);
    waiting::print(size);
    others.print();
}
