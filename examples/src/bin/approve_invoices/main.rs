//! Approves a file of invoices: checks them all at once, decides what is beyond doubt, and asks a person about
//! the rest. It can be stopped at any moment and taken up again.
//!
//! ```text
//! cargo run --bin approve_invoices -- examples/data/invoices.csv
//! cargo run --bin approve_invoices -- examples/data/invoices.csv --answers examples/data/answers.txt
//! ```
//!
//! The workflow is in `flow.rs`; here is the command line, and how a run is saved.

mod answer;
mod checks;
mod desk;
mod flow;
mod invoice;
mod report;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use workflow_examples::{CtrlC, INTERRUPTED, chain};
use workflow_runtime::SnapshotError;
use workflow_runtime::prelude::*;

use crate::desk::{Desk, Left};
use crate::flow::ApproveInvoices;
use crate::report::Report;

const REPORT_CSV: &str = "invoice_report.csv";
const REPORT_TEXT: &str = "invoice_report.txt";

/// Checks a file of invoices, approves what is beyond doubt, and asks a person about the rest.
#[derive(Parser)]
#[command(after_help = "\
INVOICES: a CSV file with the columns supplier,number,date,currency,net,tax,gross in any order, one invoice
per line. Rows that cannot be read are reported with their line, and do not stop the others.

Questions carry the line of their invoice as a number, and are answered in any order:
  17 yes              approve the invoice of line 17; words behind `yes` are kept as a note
  5 no wrong amount   reject the invoice of line 5; a rejection has a reason
  yes                 without a number: the first open question
  (an empty line)     show the open questions again
With --answers FILE, such lines with numbers come from FILE; empty lines and lines that begin with # do not
count. What FILE does not answer is asked as usual.

Ctrl-C, and the end of the input while a question is open, save the run and print the command that takes it
up again. Checks that were finished do not run again, and what was answered is not asked again.

Exit codes: 0 the report is written, 1 an error, 2 a wrong command line, 130 stopped and saved.")]
struct Args {
    /// The invoices
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    invoices: Option<PathBuf>,
    /// Take up the run that was saved in FILE
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Where the run is saved when it is stopped [default: approve_invoices.saved.json, or the file that was
    /// resumed]
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Answers to questions, as lines
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// The directory in which the report is written, as invoice_report.csv and invoice_report.txt
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Let each check take so many milliseconds, to have something to watch or to interrupt
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pace: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match approve(&Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn approve(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let answers = args.answers.as_deref().map_or(Ok(BTreeMap::new()), answer::read)?;
    // Before anybody has answered anything is the time to find out that nothing can be written.
    fs::create_dir_all(&args.out).map_err(|error| format!("{}: {error}", args.out.display()))?;
    let ctrl_c = CtrlC::listen();

    let flow = Arc::new(ApproveInvoices { pace: Duration::from_millis(args.pace), ..Default::default() });
    let run = match (&args.resume, &args.invoices) {
        (Some(saved), _) => resume(&flow, saved)?,
        (None, Some(invoices)) => {
            refuse_to_replace(&args.save_to())?;
            Arc::clone(&flow).run(invoices.clone())
        }
        (None, None) => return Err("there are no invoices".into()),
    };

    let mut desk = Desk::new(&run, answers, ctrl_c);
    let left = desk.serve().await?;
    if !matches!(left, Left::Done) {
        match run.suspend().await {
            Ok(snapshot) => {
                args.save(&snapshot)?;
                let checks = flow.checks_run.load(Ordering::Relaxed);
                if io::stderr().is_terminal() {
                    eprintln!();
                }
                let why = if matches!(left, Left::Interrupted) { "Interrupted" } else { "No more answers" };
                eprintln!("{why}. {checks} checks run here, {} questions open. Go on with:", desk.open());
                eprintln!("  {}", args.resume_command());
                return Ok(ExitCode::from(INTERRUPTED));
            }
            // It was faster; then there is a report.
            Err(SnapshotError::Completed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if args.resume.is_none() {
        // A resumed run does not ask again what was answered before.
        desk.unused().for_each(|line| eprintln!("There was an answer to {line}, which was not asked about."));
    }
    let report = (&run).await.map_err(|error| match error {
        RunError::Failed { error, .. } => error.to_string(),
        other => chain(&other),
    })?;
    eprintln!("{} checks run here.", flow.checks_run.load(Ordering::Relaxed));
    args.publish(&report)?;
    Ok(ExitCode::SUCCESS)
}

fn resume(flow: &Arc<ApproveInvoices>, saved: &Path) -> Result<Run<ApproveInvoices>, String> {
    let about = |problem: String| format!("{}: {problem}", saved.display());
    let json = fs::read_to_string(saved).map_err(|error| about(error.to_string()))?;
    let snapshot = Snapshot::from_json(&json).map_err(|error| about(chain(&error)))?;
    Arc::clone(flow).resume(snapshot).map_err(|error| about(chain(&error)))
}

/// A run that was saved holds somebody's answers. A new run does not take its place.
fn refuse_to_replace(file: &Path) -> Result<(), String> {
    if !file.exists() {
        return Ok(());
    }
    let file = file.display();
    Err(format!(
        "{file} exists, and may hold a saved run; take it up with --resume, remove it, or choose another --save"
    ))
}

impl Args {
    fn save_to(&self) -> PathBuf {
        let given = self.save.as_ref().or(self.resume.as_ref());
        given.cloned().unwrap_or_else(|| PathBuf::from("approve_invoices.saved.json"))
    }

    fn save(&self, snapshot: &Snapshot) -> Result<(), String> {
        let file = self.save_to();
        // First beside it: a disk that is full does not destroy what was saved before.
        let mut beside = file.clone().into_os_string();
        beside.push(".part");
        fs::write(&beside, snapshot.to_json())
            .and_then(|()| fs::rename(&beside, &file))
            .map_err(|error| format!("the run could not be saved in {}: {error}", file.display()))
    }

    /// The command line that takes the run up from where it was saved, ready to be pasted.
    fn resume_command(&self) -> String {
        let program = std::env::args().next().unwrap_or_else(|| "approve_invoices".to_owned());
        let mut words = vec![program, "--resume".to_owned(), self.save_to().display().to_string()];
        if self.out != Path::new(".") {
            words.extend(["--out".to_owned(), self.out.display().to_string()]);
        }
        if let Some(answers) = &self.answers {
            words.extend(["--answers".to_owned(), answers.display().to_string()]);
        }
        if self.pace > 0 {
            words.extend(["--pace".to_owned(), self.pace.to_string()]);
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// Shows the report before it is written: a person's answers are in it.
    fn publish(&self, report: &Report) -> Result<(), Box<dyn Error>> {
        let text = report.to_string();
        let mut out = io::stdout().lock();
        write!(out, "{text}")?;
        let (csv_file, text_file) = (self.out.join(REPORT_CSV), self.out.join(REPORT_TEXT));
        for (file, content) in [(&csv_file, report.to_csv()?), (&text_file, text.into_bytes())] {
            fs::write(file, content).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        writeln!(out, "\nThe report is in {} and {}.", csv_file.display(), text_file.display())?;
        if let Some(saved) = &self.resume {
            // The run is over; taken up once more, it would ask again.
            fs::remove_file(saved).map_err(|error| format!("{}: {error}", saved.display()))?;
        }
        Ok(())
    }
}

/// The word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
