//! `retries_and_recovery`.

use std::path::Path;

use crate::process::{Ended, run};

fn called(arguments: &[&str]) -> Ended {
    run(Path::new("."), env!("CARGO_BIN_EXE_retries_and_recovery"), arguments, "")
}

#[test]
fn a_short_outage_is_waited_out() {
    let ended = called(&[]);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    let lines = [
        "fetch, attempt 1: closed for lunch; again in 20 ms",
        "fetch, attempt 2: closed for lunch; again in 40 ms",
        "3 units are 330 cents, by the rate of the service.",
    ];
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn after_a_long_outage_another_step_takes_over() {
    let ended = called(&["--outage", "9"]);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    let lines: Vec<_> = ended.out.lines().skip(2).collect();
    let last = [
        "fetch, attempt 3: closed for lunch; again in 80 ms",
        "fetch, attempt 4: closed for lunch; giving up",
        "3 units are 324 cents, by the rate of yesterday.",
    ];
    assert_eq!(lines, last);
}

#[test]
fn without_an_outage_nothing_is_said_about_it() {
    assert_eq!(called(&["--outage", "0"]).out, "3 units are 330 cents, by the rate of the service.\n");
}

#[test]
fn it_says_what_it_takes() {
    assert!(called(&["--help"]).out.contains("--outage"));
    let refused = called(&["--outage", "some"]);
    assert_eq!((refused.code, &*refused.out), (Some(2), ""));
}
