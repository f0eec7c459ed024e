//! `ask_inside_a_step`.

use std::fs;

use tempfile::TempDir;

use crate::process::{Ended, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ask_inside_a_step");

fn trip(dir: &TempDir, input: &str) -> Ended {
    run(dir.path(), PROGRAM, &["trip.json"], input)
}

#[test]
fn it_asks_again_until_the_money_is_enough() {
    let dir = TempDir::new().unwrap();
    let ended = trip(&dir, "Rome\n10\n1\n1\nmuch\n500\n2\n3\n");
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    assert!(ended.out.contains("Please enter a number."), "{ended:?}");
    assert!(ended.out.ends_with("2 nights in Rome for 3: 192\n"), "{ended:?}");
    assert_eq!(ended.out.matches("Looking up").count(), 1);
    assert!(!dir.path().join("trip.json").exists());
}

#[test]
fn ended_after_any_answer_it_goes_on_and_neither_asks_nor_looks_up_again() {
    let dir = TempDir::new().unwrap();
    let mut all = String::new();
    for line in ["Rome\n", "500\n", "2\n"] {
        let ended = trip(&dir, line);
        assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
        assert!(ended.out.contains("Saved in trip.json"), "{ended:?}");
        all += &ended.out;
    }
    let ended = trip(&dir, "3\n");
    assert!(ended.out.ends_with("2 nights in Rome for 3: 192\n"), "{ended:?}");
    assert!(!ended.out.contains("nights?"), "that was answered: {ended:?}");
    all += &ended.out;
    assert_eq!(all.matches("Looking up").count(), 1, "{all}");
    assert_eq!(all.matches("Where to?").count(), 1, "{all}");
}

#[test]
fn a_file_that_is_no_saved_trip_is_an_error_and_stays() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("trip.json"), "{}").unwrap();
    let ended = trip(&dir, "");
    assert_eq!((ended.code, &*ended.out), (Some(1), ""));
    assert!(ended.err.starts_with("error: "), "{ended:?}");
    assert_eq!(fs::read_to_string(dir.path().join("trip.json")).unwrap(), "{}");
}
