//! Memory, allocations, and what is built.

use std::process::Command;

use workflow_benches::Size;
use workflow_benches::memory;
use workflow_benches::table::Table;

pub(crate) fn print(size: Size) {
    // With an allocator that counts, which would slow everything else down.
    let counts =
        Command::new(env!("CARGO_BIN_EXE_counts")).arg(size.pick("table", "table", "few")).status().unwrap();
    assert!(counts.success());

    let mut table = Table::new(&["what is built", "ours", "without us"]);
    let bytes = |program: &str| memory::show(std::fs::metadata(program).unwrap().len() as f64);
    table.row(&[
        "a program with one workflow (with tokio; without: tokio and a task)",
        &bytes(env!("CARGO_BIN_EXE_one_workflow")),
        &bytes(env!("CARGO_BIN_EXE_no_workflow")),
    ]);
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let tree = Command::new(cargo)
        .args(["tree", "--package", "workflow-runtime", "--edges", "normal", "--prefix", "none", "--offline"])
        .output();
    if let Ok(tree) = tree {
        let text = String::from_utf8_lossy(&tree.stdout).into_owned();
        let crates: std::collections::BTreeSet<&str> =
            text.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
        table.row(&["crates in the tree of workflow-runtime", &crates.len().to_string()]);
    }
    table.row(&["memory of this benchmark at its peak", &memory::show(memory::most_resident() as f64)]);
    table.print("Size");
}
