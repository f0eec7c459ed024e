//! `human_in_the_loop`, and `by_hand`, which says the same.

use std::path::Path;

use crate::process::{Ended, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_human_in_the_loop");
const BY_HAND: &str = env!("CARGO_BIN_EXE_by_hand");

fn answered(program: &str, input: &str) -> Ended {
    run::<&str>(Path::new("."), program, &[], input)
}

#[test]
fn a_number_is_taken() {
    let ended = answered(PROGRAM, "42\n");
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    assert_eq!(ended.out, "Enter a number: You entered 42.\n");
}

#[test]
fn what_is_not_a_number_is_asked_for_again() {
    let ended = answered(PROGRAM, "forty\n\n4 2\n 4.5 \r\n");
    assert_eq!(ended.code, Some(0));
    let again = "That is not a number. Enter a number: ";
    assert_eq!(ended.out, format!("Enter a number: {again}{again}{again}You entered 4.5.\n"));
}

#[test]
fn the_last_line_needs_no_end() {
    assert_eq!(answered(PROGRAM, "42").out, "Enter a number: You entered 42.\n");
}

#[test]
fn the_end_of_the_input_ends_it_cleanly() {
    for input in ["", "forty\n"] {
        let ended = answered(PROGRAM, input);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.err, "No number was entered: end of input.\n");
        assert!(ended.out.ends_with("Enter a number: \n"), "the message has a line of its own: {ended:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_130() {
    let mut running = crate::process::Running::start::<&str>(Path::new("."), PROGRAM, &[]);
    running.shows("Enter a number: ");
    running.interrupt();
    let ended = running.end_by_itself();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(ended.err, "No number was entered: interrupted.\n");
}

#[test]
fn without_the_macro_it_says_the_same() {
    for input in ["42\n", "forty\n\n7\n", "1e3"] {
        let (with, without) = (answered(PROGRAM, input), answered(BY_HAND, input));
        assert_eq!((with.code, with.out, with.err), (without.code, without.out, without.err));
    }
    let ended = answered(BY_HAND, "");
    assert_eq!(ended.code, Some(0));
    assert!(ended.err.contains("nothing was entered"), "{ended:?}");
}
