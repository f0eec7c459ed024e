//! `branches_and_loops`.

use std::path::Path;

use crate::process::{Ended, run};

fn from(arguments: &[&str]) -> Ended {
    run(Path::new("."), env!("CARGO_BIN_EXE_branches_and_loops"), arguments, "")
}

#[test]
fn the_run_goes_both_ways_and_comes_back_until_it_arrives() {
    assert_eq!(from(&[]).out, "27 arrives at 1 after 111 steps.\n");
    assert_eq!(from(&["6"]).out, "6 arrives at 1 after 8 steps.\n");
    let ended = from(&["1"]);
    assert_eq!((ended.code, &*ended.out), (Some(0), "1 arrives at 1 after 0 steps.\n"));
}

#[test]
fn a_number_that_leads_nowhere_is_refused() {
    for number in ["0", "-1", "many"] {
        let ended = from(&["--", number]);
        assert_eq!((ended.code, &*ended.out), (Some(2), ""));
        assert!(ended.err.contains("invalid value"), "{ended:?}");
    }
}
