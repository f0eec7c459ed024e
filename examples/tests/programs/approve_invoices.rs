//! `approve_invoices`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::process::{Ended, Running, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_approve_invoices");

const INVOICES: &str = include_str!("../../data/invoices.csv");
const ANSWERS: &str = include_str!("../../data/answers.txt");
const REPORT_CSV: &str = include_str!("approve_invoices_report.csv");
const REPORT_TEXT: &str = include_str!("approve_invoices_report.txt");

const HEADER: &str = "supplier,number,date,currency,net,tax,gross";
/// Line 2 is asked about, line 3 is not.
pub(crate) const ONE_QUESTION: &str = "\
supplier,number,date,currency,net,tax,gross
Alder Paper,A-1,2026-01-05,EUR,2000.00,380.00,2380.00
Alder Paper,A-2,2026-01-05,EUR,20.00,3.80,23.80
";

/// A directory with the invoices and the answers of the repository.
fn shipped() -> TempDir {
    let dir = with_invoices(INVOICES);
    fs::write(dir.path().join("answers.txt"), ANSWERS).unwrap();
    dir
}

fn with_invoices(invoices: impl AsRef<[u8]>) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("invoices.csv"), invoices).unwrap();
    dir
}

fn approve(dir: &TempDir, more: &[&str], input: &str) -> Ended {
    run(dir.path(), PROGRAM, &[&["invoices.csv"], more].concat(), input)
}

fn resume(dir: &TempDir, input: &str) -> Ended {
    run(dir.path(), PROGRAM, &["--resume", "approve_invoices.saved.json"], input)
}

/// The answers that the repository ships, as they are typed.
fn typed() -> Vec<&'static str> {
    ANSWERS.lines().filter(|line| !line.starts_with('#')).collect()
}

#[track_caller]
fn assert_reported(dir: &Path, ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs::read_to_string(dir.join("invoice_report.csv")).unwrap(), REPORT_CSV);
    assert_eq!(fs::read_to_string(dir.join("invoice_report.txt")).unwrap(), REPORT_TEXT);
    assert!(ended.out.starts_with(REPORT_TEXT), "the summary is also shown: {}", ended.out);
}

#[track_caller]
fn assert_error(ended: &Ended, said: &str) {
    assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{ended:?}");
    assert!(ended.err.starts_with("error: "), "{ended:?}");
    assert!(ended.err.contains(said), "{said} is missing in {ended:?}");
}

fn checks_run(ended: &Ended) -> u32 {
    let (before, _) = ended.err.split_once(" checks run here").unwrap();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// The numbers of the questions that were shown, in their order.
fn asked(ended: &Ended) -> Vec<u64> {
    let shown = ended.err.lines().filter(|line| line.starts_with('[') && line.contains(" of 2026-"));
    let mut numbers: Vec<_> =
        shown.map(|line| line[1..].split_once(']').unwrap().0.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

const QUESTIONS: [u64; 10] = [6, 10, 11, 15, 24, 33, 38, 42, 53, 58];
const CHECKS: u32 = 2 * 53;

#[test]
fn scripted_answers_give_the_stored_report() {
    let dir = shipped();
    let ended = approve(&dir, &["--answers", "answers.txt"], "");
    assert_reported(dir.path(), &ended);
    assert_eq!(checks_run(&ended), CHECKS);
    assert!(asked(&ended).is_empty());
}

#[test]
fn piped_answers_are_taken_in_any_order() {
    let dir = shipped();
    let mut answers = typed();
    answers.reverse();
    let ended = approve(&dir, &[], &answers.join("\n"));
    assert_reported(dir.path(), &ended);
    assert_eq!(asked(&ended), QUESTIONS);
}

#[test]
fn answers_without_a_number_are_about_the_first_open_question() {
    let dir = shipped();
    let mut answers: Vec<_> = typed().iter().map(|line| line.split_once(' ').unwrap().1).collect();
    // One is taken out of the row.
    answers.remove(3);
    let ended = approve(&dir, &[], &format!("{}\n{}", typed()[3], answers.join("\n")));
    assert_reported(dir.path(), &ended);
}

#[test]
fn a_person_answers_in_any_order_and_sees_what_is_open() {
    let dir = shipped();
    let mut running = Running::start(dir.path(), PROGRAM, &["invoices.csv"]);
    running.tells("checked 53 of 53");
    running.tells("Open: 6, 10, 11, 15, 24, 33, 38, 42, 53, 58.");
    running.types("58 yes\n");
    running.tells("Open: 6, 10, 11, 15, 24, 33, 38, 42, 53.");
    running.types("24 no billed twice\n");
    running.tells("Open: 6, 10, 11, 15, 33, 38, 42, 53.");
    for line in typed().iter().filter(|line| !line.starts_with("58") && !line.starts_with("24")) {
        running.types(&format!("{line}\n"));
    }
    assert_reported(dir.path(), &running.end());
}

#[test]
fn an_answer_that_is_wrong_is_explained_and_changes_nothing() {
    let dir = with_invoices(ONE_QUESTION);
    let input = "2 perhaps\n7 yes\n2 no\nno \n\n2\n2: yes it is the yearly one\n";
    let ended = approve(&dir, &[], input);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for said in [
        "`2 perhaps` is neither `NUMBER yes` nor `NUMBER no REASON`",
        "There is no open question 7.",
        "[2] a rejection needs a reason",
        "[2] Alder Paper A-1, EUR 2,380.00 approved",
    ] {
        assert!(ended.err.contains(said), "{said} is missing in {ended:?}");
    }
    assert_eq!(asked(&ended), [2, 2], "an empty line shows what is open");
    assert!(ended.out.contains("it is the yearly one"));
}

#[test]
fn the_end_of_the_input_saves_the_run_and_what_was_answered_is_not_asked_again() {
    let dir = shipped();
    let answers = typed();
    let stopped = approve(&dir, &[], &answers[..4].join("\n"));
    assert_eq!((stopped.code, &*stopped.out), (Some(130), ""), "{stopped:?}");
    assert_eq!((asked(&stopped), checks_run(&stopped)), (QUESTIONS.to_vec(), CHECKS));
    assert!(!dir.path().join("invoice_report.csv").exists());

    // The run has everything it needs.
    fs::remove_file(dir.path().join("invoices.csv")).unwrap();
    let stopped = resume(&dir, answers[4]);
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    assert_eq!((asked(&stopped), checks_run(&stopped)), (QUESTIONS[4..].to_vec(), 0));

    let ended = resume(&dir, &answers[5..].join("\n"));
    assert_reported(dir.path(), &ended);
    assert_eq!((asked(&ended), checks_run(&ended)), (QUESTIONS[5..].to_vec(), 0));
    assert!(!dir.path().join("approve_invoices.saved.json").exists(), "it is over");
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_the_run_and_prints_the_command_that_resumes_it() {
    let dir = shipped();
    let out = "the report's place";
    let mut running =
        Running::start(dir.path(), PROGRAM, &["invoices.csv", "--save", "a run.json", "--out", out]);
    running.tells("Open: ");
    running.interrupt();
    let stopped = running.end_by_itself();
    assert_eq!((stopped.code, &*stopped.out), (Some(130), ""), "{stopped:?}");
    assert!(stopped.err.contains("Interrupted. 106 checks run here, 10 questions open."), "{stopped:?}");

    let command = stopped.err.lines().last().unwrap();
    let ended = run(dir.path(), "sh", &["-c", command], &typed().join("\n"));
    assert_reported(&dir.path().join(out), &ended);
    assert_eq!((asked(&ended), checks_run(&ended)), (QUESTIONS.to_vec(), 0));
}

#[cfg(unix)]
#[test]
fn ctrl_c_between_checks_repeats_none_that_was_finished() {
    let dir = shipped();
    let args = ["invoices.csv", "--answers", "answers.txt", "--pace", "50"];
    let mut running = Running::start(dir.path(), PROGRAM, &args);
    running.tells("checked 6 of 53");
    running.interrupt();
    let stopped = running.end_by_itself();
    assert_eq!(stopped.code, Some(130), "{stopped:?}");

    let command = stopped.err.lines().last().unwrap();
    assert!(command.ends_with("--answers answers.txt --pace 50"), "{command}");
    let ended = run(dir.path(), "sh", &["-c", command], "");
    assert_reported(dir.path(), &ended);
    let (first, second) = (checks_run(&stopped), checks_run(&ended));
    assert!(first + second >= CHECKS, "{first} and {second}");
    // How far the others were is not known; six invoices had both their checks.
    assert!((1..=CHECKS - 2 * 6).contains(&second), "{first} and {second}");
}

#[test]
fn a_run_that_was_saved_is_not_replaced_by_a_new_one() {
    let dir = with_invoices(ONE_QUESTION);
    assert_eq!(approve(&dir, &[], "").code, Some(130));
    assert_error(&approve(&dir, &[], "yes\n"), "--resume");
    assert_eq!(approve(&dir, &["--save", "other.json"], "yes\n").code, Some(0));
    assert_eq!(resume(&dir, "yes\n").code, Some(0));
}

#[test]
fn broken_rows_are_reported_by_line_and_stop_nobody() {
    let rows = [
        "Alder Paper,A-1,2026-01-05,EUR,20.00,3.80,23.80",
        "Alder Paper,A-2,2026-01-05,EUR,20.00,3.80",
        "",
        ",,2026-13-01,BTC,1.5,x,-1",
        "Alder \"Paper,A-3,2026-01-05,EUR,20.00,3.80,23.80",
        "Alder Paper,A-4,2026-01-05,EUR,99999999999.00,0,99999999999.00",
        "Alder Paper,A-5,2026-01-05,EUR,1,000.00,0,1,000.00",
        "\"Alder Paper\" , A-6 ,2026-01-05,EUR,20,3.80,23.80,",
        "Alder Paper,A-7,2026-01-05,EUR,2.00,0.38,2.38",
        "Alder Paper,A-7,2026-01-05,EUR,2.00,0.38,2.38\rAlder Paper,A-7,2026-01-05,EUR,2.00,0.38,2.38",
    ];
    let mut file = format!("{HEADER}\r\n{}\r\n", rows.join("\r\n")).into_bytes();
    file.extend(b"Alder \xff,A-8,2026-01-05,EUR,2.00,0.38,2.38");
    let dir = with_invoices(file);
    let ended = approve(&dir, &[], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let broken = [
        "  line   3  gross is missing\n",
        "  line   5  supplier is missing; number is missing; date `2026-13-01` is not a day, like 2026-01-31; \
         currency `BTC` is not one of CHF, EUR, GBP, USD; net `1.5` is not an amount, like 1234.50; \
         tax `x` is not an amount, like 1234.50; gross `-1` is not an amount, like 1234.50\n",
        "  line   6  a quote is not closed\n",
        "  line   7  net `99999999999.00` is too large; gross `99999999999.00` is too large\n",
        "  line   8  the row has 9 fields, the first line 7\n",
        "  line   9  the row has 8 fields, the first line 7\n",
        "  line  11  there is a carriage return inside the line\n",
        "  line  12  the row is not UTF-8 text\n",
    ];
    assert!(ended.out.contains("10 rows: 2 invoices, 8 unreadable"), "{}", ended.out);
    assert!(ended.out.contains(&format!("\nUnreadable\n{}", broken.concat())), "{}", ended.out);
    assert!(ended.err.contains(&broken.concat()), "they are told at once, too: {}", ended.err);
    let csv = fs::read_to_string(dir.path().join("invoice_report.csv")).unwrap();
    assert_eq!(csv.lines().filter(|line| line.contains(",unreadable,")).count(), 8);
}

#[test]
fn a_wrong_sum_a_duplicate_and_a_limit_are_asked_about() {
    let rows = [
        "Alder Paper,A-1,2026-01-05,EUR,999.99,0.01,1000.00",
        "Alder Paper,A-2,2026-01-05,EUR,999.99,0.02,1000.01",
        "alder paper,a-1,2026-03-05,EUR,7.00,0.00,7.00",
        "Alder Paper,A-4,2026-01-12,EUR,1000.00,0.00,1000.00",
        "Alder Paper,A-5,2026-01-20,EUR,1000.00,0.00,1000.00",
        "Elm Lighting,A-5,2026-01-20,GBP,8.00,0.00,9.00",
        "Nobody,1,2026-01-20,GBP,8.00,0.00,8.00",
    ];
    let dir = with_invoices(format!("{HEADER}\n{}\n", rows.join("\n")));
    let ended = approve(&dir, &[], &"yes\n".repeat(rows.len()));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let expected = "
Decided by a person
  line   3  approved  Alder Paper A-2, EUR 1,000.01
            more than EUR 1,000.00, the limit for EUR
  line   4  approved  alder paper a-1, EUR 7.00
            line 2 has the same number
  line   5  approved  Alder Paper A-4, EUR 1,000.00
            line 2 (A-1) is about the same amount, 7 days apart
  line   7  approved  Elm Lighting A-5, GBP 9.00
            8.00 and 0.00 tax make 8.00, not 9.00
  line   8  approved  Nobody 1, GBP 8.00
            Nobody is not one of our suppliers
";
    assert!(ended.out.contains(expected), "{}", ended.out);
}

#[test]
fn a_file_that_is_missing_or_has_other_columns_is_an_error() {
    assert_error(&approve(&TempDir::new().unwrap(), &[], ""), "invoices.csv: No such file");
    assert_error(
        &approve(&with_invoices(""), &[], ""),
        "it lacks supplier,number,date,currency,net,tax,gross",
    );
    assert_error(
        &approve(&with_invoices("supplier,number,date,net,tax,gross"), &[], ""),
        "it lacks currency",
    );
}

#[test]
fn a_file_without_invoices_has_an_empty_report() {
    let ended = approve(&with_invoices(HEADER), &[], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("0 rows: 0 invoices, 0 unreadable\n"), "{ended:?}");
}

#[test]
fn columns_come_in_any_order() {
    let dir = with_invoices(
        "\u{feff}Gross,TAX,net,note,currency,date,number,supplier\n9,1,8,hello,USD,2026-01-05,7,Alder Paper\n",
    );
    let ended = approve(&dir, &[], "");
    assert!(ended.out.contains("USD  approved     1             9.00"), "{ended:?}");
}

#[test]
fn answers_that_make_no_sense_are_an_error_before_anything_runs() {
    let cases = [
        ("2 yes\n\n# fine\n3 perhaps\n", "answers.txt, line 4: `3 perhaps` is neither"),
        ("yes\n", "answers.txt, line 1: `yes` lacks the number of the question"),
        ("2 yes\n2 no twice\n", "answers.txt, line 2: question 2 is answered twice"),
    ];
    for (answers, said) in cases {
        let dir = with_invoices(ONE_QUESTION);
        fs::write(dir.path().join("answers.txt"), answers).unwrap();
        let ended = approve(&dir, &["--answers", "answers.txt"], "");
        assert_error(&ended, said);
        assert!(!ended.err.contains("to check"), "{ended:?}");
    }
    assert_error(
        &approve(&with_invoices(ONE_QUESTION), &["--answers", "none.txt"], ""),
        "none.txt: No such file",
    );
}

#[test]
fn what_the_answers_leave_open_is_asked() {
    let dir = with_invoices(ONE_QUESTION);
    fs::write(dir.path().join("answers.txt"), "2 no\n3 yes\n").unwrap();
    let ended = approve(&dir, &["--answers", "answers.txt"], "yes\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("[2] a rejection needs a reason"), "{ended:?}");
    assert_eq!(asked(&ended), [2]);
    assert!(ended.err.contains("There was an answer to 3, which was not asked about."), "{ended:?}");
}

#[test]
fn a_saved_file_that_cannot_be_resumed_is_an_error() {
    let dir = TempDir::new().unwrap();
    assert_error(&resume(&dir, ""), "approve_invoices.saved.json: No such file");
    fs::write(dir.path().join("approve_invoices.saved.json"), "no").unwrap();
    assert_error(&resume(&dir, ""), "not a snapshot");
    assert!(dir.path().join("approve_invoices.saved.json").exists());
}

#[test]
fn the_command_line_is_explained() {
    let dir = TempDir::new().unwrap();
    for wrong in [&[][..], &["a.csv", "--resume", "b.json"], &["--nonsense"]] {
        assert_eq!(run(dir.path(), PROGRAM, wrong, "").code, Some(2));
    }
    let help = run(dir.path(), PROGRAM, &["--help"], "");
    for said in ["--answers", "--save", "--resume", "--out", "17 yes", "Exit codes"] {
        assert!(help.out.contains(said), "{said} is missing in {}", help.out);
    }
}
