//! Speed against the floors: the same work by hand, in turns with ours. [`floor`](workflow_benches::floor) says how.
//!
//! `cargo bench -p workflow-benches --bench floors [-- [--quick] [ROW ..]]`, where a row is named by the beginning of a
//! function of this program, such as `chain`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "that is how a benchmark fails")]

mod building;
mod cores;
mod people;
mod size;
mod speed;
mod streams;

use std::sync::Arc;

use tokio::runtime::Runtime;
use workflow_benches::others::Others;
use workflow_benches::table::{Table, at_most};
use workflow_benches::time::{Times, show};
use workflow_benches::{Size, progress, two_threads};

fn main() {
    workflow_benches::end_with_a_panic();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wants = |row: &str| wanted.is_empty() || wanted.iter().any(|wanted| row.starts_with(wanted.as_str()));
    let others = Others::watch();
    let mut bench = Bench {
        size: Size::of_args(),
        runtime: Arc::new(two_threads()),
        against_floors: Table::new(&[
            "workload",
            "ours",
            "spawn",
            "inline",
            "ours / spawn",
            "of processor time",
            "inline / spawn",
            "target",
            "",
        ]),
        others: Table::new(&["workload", "ours", "floor", "ratio", "of processor time", "target", ""]),
    };
    let rows: [(&str, Row); 10] = [
        ("chain", speed::chain),
        ("short", speed::short),
        ("fan_out", speed::fan_out),
        ("question", people::question),
        ("stream", streams::stream),
        ("snapshot", people::snapshot),
        ("cores", cores::ideal),
        ("answer", cores::answer),
        ("paused", people::paused),
        ("building", building::building),
    ];
    for (name, row) in rows {
        if wants(name) {
            progress(name);
            row(&mut bench);
        }
    }
    bench.against_floors.print("Against the floors");
    bench.others.print("Against something else");
    if wants("size") {
        progress("size");
        size::print(bench.size);
    }
    others.print();
}

/// Measures, and adds what it measured to the tables.
type Row = fn(&mut Bench);

struct Bench {
    size: Size,
    runtime: Arc<Runtime>,
    against_floors: Table,
    others: Table,
}

impl Bench {
    /// Ours, spawn and inline, which have taken turns; the times are for so many pieces of work.
    fn row(&mut self, name: &str, times: &Times, pieces: u64, target: Option<f64>) {
        let each = |contender| show(times.of(contender) / pieces as f64);
        let (ratio, inline) = (times.ratio(0, 1), times.ratio(2, 1));
        self.against_floors.row(&[
            name,
            &each(0),
            &each(1),
            &each(2),
            &format!("{ratio:.2}"),
            &format!("{:.2}", times.processor_ratio(0, 1)),
            &format!("{inline:.2}"),
            &target.map_or_else(String::new, |target| format!("at most {target}")),
            target.map_or("", |target| at_most(ratio, target)),
        ]);
    }
}
