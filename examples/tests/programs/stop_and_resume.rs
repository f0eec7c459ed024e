//! `stop_and_resume`.

use std::fs;

use tempfile::TempDir;

use crate::process::{Ended, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stop_and_resume");

fn ask(dir: &TempDir) -> Ended {
    run(dir.path(), PROGRAM, &["ask", "saved.json"], "")
}

fn answer(dir: &TempDir, text: &str) -> Ended {
    run(dir.path(), PROGRAM, &["answer", "saved.json", text], "")
}

/// It ended with an error that says all of this, in one line, and nothing else.
#[track_caller]
fn assert_error(ended: &Ended, said: &[&str]) {
    assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{ended:?}");
    assert!(ended.err.starts_with("error: ") && ended.err.trim_end().lines().count() == 1, "{ended:?}");
    for said in said {
        assert!(ended.err.contains(said), "{said} is missing in {ended:?}");
    }
}

#[test]
fn a_run_is_answered_in_another_process_and_nothing_runs_twice() {
    let dir = TempDir::new().unwrap();
    let asked = ask(&dir);
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert!(
        asked.out.starts_with("Reserving a table for 2 ..\nUnder which name shall table 42 be reserved?\n")
    );
    assert!(asked.out.contains("saved.json"), "{asked:?}");

    let answered = answer(&dir, "Ada");
    assert_eq!((answered.code, &*answered.err), (Some(0), ""));
    assert_eq!(answered.out, "Table 42 is reserved for Ada.\n", "the table is not reserved again");
}

#[test]
fn what_is_saved_is_json() {
    let dir = TempDir::new().unwrap();
    ask(&dir);
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("saved.json")).unwrap()).unwrap();
    assert_eq!(json["workflow"], "Restaurant");
}

#[test]
fn an_answer_that_is_refused_changes_nothing() {
    let dir = TempDir::new().unwrap();
    ask(&dir);
    assert_error(&answer(&dir, "  "), &["a name has at least one letter"]);
    assert_eq!(answer(&dir, "Ada").out, "Table 42 is reserved for Ada.\n");
}

/// A file is a copy of a run. Whoever takes it up again gets a run that knows nothing of the first one.
#[test]
fn the_same_file_can_be_answered_again() {
    let dir = TempDir::new().unwrap();
    ask(&dir);
    assert_eq!(answer(&dir, "Ada").out, "Table 42 is reserved for Ada.\n");
    assert_eq!(answer(&dir, "Grace").out, "Table 42 is reserved for Grace.\n");
}

#[test]
fn a_file_that_is_missing_is_an_error() {
    assert_error(&answer(&TempDir::new().unwrap(), "Ada"), &["saved.json", "No such file"]);
}

#[test]
fn a_file_that_is_no_snapshot_is_an_error() {
    let dir = TempDir::new().unwrap();
    for content in ["", "Ada", "{", "[]", "{\"format\": 1}"] {
        fs::write(dir.path().join("saved.json"), content).unwrap();
        assert_error(&answer(&dir, "Ada"), &["saved.json", "not a snapshot"]);
    }
}

#[test]
fn a_snapshot_that_was_cut_off_is_an_error() {
    let dir = TempDir::new().unwrap();
    ask(&dir);
    let file = dir.path().join("saved.json");
    let json = fs::read_to_string(&file).unwrap();
    fs::write(&file, &json[..json.len() / 2]).unwrap();
    assert_error(&answer(&dir, "Ada"), &["saved.json", "EOF"]);
}

#[test]
fn a_snapshot_of_another_workflow_is_an_error() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("invoices.csv"), crate::approve_invoices::ONE_QUESTION).unwrap();
    let args = ["invoices.csv", "--save", "saved.json"];
    let saved = run(dir.path(), env!("CARGO_BIN_EXE_approve_invoices"), &args, "");
    assert_eq!(saved.code, Some(130), "{saved:?}");
    assert_error(&answer(&dir, "Ada"), &["`ApproveInvoices`, not of `Restaurant`"]);
}

#[test]
fn a_snapshot_of_a_newer_format_is_an_error() {
    let dir = TempDir::new().unwrap();
    ask(&dir);
    let file = dir.path().join("saved.json");
    let json = fs::read_to_string(&file).unwrap();
    let newer = json.replacen("\"format\": 1", "\"format\": 1000", 1);
    assert_ne!(json, newer);
    fs::write(&file, newer).unwrap();
    assert_error(&answer(&dir, "Ada"), &["format 1000"]);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let dir = TempDir::new().unwrap();
    let ended = run(dir.path(), PROGRAM, &["ask", "nowhere/saved.json"], "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("nowhere/saved.json"), "{ended:?}");
}
