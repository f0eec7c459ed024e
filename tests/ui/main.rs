//! What compiles, and what an author reads where something does not: a folder per rule, a file per case.
//!
//! Payload types are the case's own, so that the output does not depend on the standard library's sources. To
//! accept new output, run with `TRYBUILD=overwrite`, and then read it as an author would.

use std::path::PathBuf;

/// One `TestCases` for all of them, because they share one build.
#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    for folder in folders() {
        cases.compile_fail(format!("{}/*.rs", folder.display()));
    }
}

/// The folders of cases that do not compile, in the order of their names. Cargo runs tests in the folder of their
/// crate.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("ui").into_iter().flatten();
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|path| path.is_dir() && !path.ends_with("pass"));
    folders.sort();
    assert!(!folders.is_empty(), "there are cases");
    folders
}
