//! `approval_with_deadline`.

use std::path::Path;

use crate::process::{Ended, Running, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_approval_with_deadline");

/// Longer than any test takes: in time, whatever the machine does.
const PATIENT: [&str; 2] = ["--patience", "600"];
/// So short that nobody answers.
const IMPATIENT: [&str; 2] = ["--patience", "0.05"];

fn answered(arguments: &[&str], input: &str) -> Ended {
    run(Path::new("."), PROGRAM, arguments, input)
}

#[test]
fn who_answers_in_time_decides() {
    let ended = answered(&PATIENT, "yes\n");
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    assert!(ended.out.starts_with("To the clerk: shall we spend 9900 cents?"), "{ended:?}");
    assert!(ended.out.ends_with("Approved by the clerk.\n"), "{ended:?}");
    assert!(answered(&PATIENT, "no").out.ends_with("Rejected by the clerk.\n"));
}

#[test]
fn an_answer_that_is_none_is_told_and_asked_for_again() {
    let ended = answered(&PATIENT, "perhaps\nyes\n");
    assert_eq!(ended.code, Some(0));
    assert!(ended.out.contains("please answer yes or no\nApproved by the clerk.\n"), "{ended:?}");
}

#[test]
fn a_question_that_nobody_answers_goes_from_desk_to_desk() {
    let ended = answered(&IMPATIENT, "");
    assert_eq!((ended.code, &*ended.err), (Some(1), "Nobody has decided.\n"));
    let asked: Vec<_> =
        ended.out.lines().filter_map(|line| line.strip_prefix("To the ")?.split(':').next()).collect();
    assert_eq!(asked, ["clerk", "manager", "director"]);
    assert_eq!(ended.out.matches("did not answer in time").count(), 3);
}

#[cfg(unix)]
#[test]
fn it_does_not_wait_for_somebody_at_the_terminal() {
    let running = Running::start(Path::new("."), PROGRAM, &IMPATIENT);
    assert_eq!(running.end_by_itself().code, Some(1));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_with_130_also_when_nobody_is_there() {
    let mut running = Running::start(Path::new("."), PROGRAM, &PATIENT);
    running.shows("To the clerk");
    running.interrupt();
    let typed = running.end_by_itself();

    let mut running = Running::start(Path::new("."), PROGRAM, &PATIENT);
    running.shows("To the clerk");
    running.hangs_up();
    running.interrupt();
    for ended in [typed, running.end()] {
        assert_eq!((ended.code, &*ended.err), (Some(130), "Nothing was decided: interrupted.\n"));
    }
}

#[test]
fn it_says_what_it_takes() {
    assert!(answered(&["--help"], "").out.contains("--patience"));
    for wrong in ["-1", "long", "1e99"] {
        let refused = answered(&[&format!("--patience={wrong}")], "");
        assert_eq!((refused.code, &*refused.out), (Some(2), ""), "{wrong}");
    }
}
