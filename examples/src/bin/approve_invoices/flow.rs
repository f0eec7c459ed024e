//! The workflow.
//!
//! ```text
//!                            ┌─ check_amounts ───┐
//! Start ── read ─┬─ Invoice ─┼───────────────────┼─ triage ─┬──────────────────────┬─ Decided ─┬─ report ── Stop
//!                │           └─ find_duplicates ─┘          └─ a person ─ decide ──┘           │
//!                └─ BrokenRow ─────────────────────────────────────────────────────────────────┘
//! ```

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use workflow_runtime::prelude::*;

use crate::checks;
use crate::invoice::{self, BrokenRow, Invoice};
use crate::report::{Entry, Report};

/// What stands in the file, told as soon as it is read.
#[data]
pub(crate) struct FileRead {
    pub(crate) invoices: usize,
    pub(crate) broken: Vec<BrokenRow>,
}

#[event]
pub(crate) struct AmountsChecked {
    doubts: Vec<String>,
}

#[event]
pub(crate) struct DuplicatesChecked {
    doubts: Vec<String>,
}

/// Shall this invoice be paid?
#[prompt(response = Decision, validate = a_rejection_has_a_reason)]
pub(crate) struct Approve {
    pub(crate) invoice: Invoice,
    pub(crate) doubts: Vec<String>,
}

#[data]
#[derive(Debug, PartialEq)]
pub(crate) enum Decision {
    Approve { note: String },
    Reject { reason: String },
}

fn a_rejection_has_a_reason(_: &Approve, decision: &Decision) -> Result<(), &'static str> {
    match decision {
        Decision::Reject { reason } if reason.trim().is_empty() => {
            Err("a rejection needs a reason: no REASON")
        }
        _ => Ok(()),
    }
}

#[event]
pub(crate) struct Decided {
    pub(crate) invoice: Invoice,
    /// Why a person was asked; nobody was, where there is none.
    pub(crate) doubts: Vec<String>,
    pub(crate) decision: Decision,
}

/// Checks a file of invoices, approves what is beyond doubt, and asks a person about the rest.
#[derive(Default)]
pub(crate) struct ApproveInvoices {
    /// How long a check takes.
    pub(crate) pace: Duration,
    /// How many checks this process has run, over all runs.
    pub(crate) checks_run: AtomicUsize,
}

#[workflow(progress = FileRead)]
impl ApproveInvoices {
    /// Every row goes its own way from here; a broken one straight to the report.
    #[step]
    async fn read(
        &self,
        Start(file): Start<PathBuf>,
        ctx: &Context<Self>,
    ) -> Result<Vec<OneOf<Invoice, BrokenRow>>, String> {
        let about = |problem: String| format!("{}: {problem}", file.display());
        let bytes = tokio::fs::read(&file).await.map_err(|error| about(error.to_string()))?;
        let rows = invoice::rows(&bytes).map_err(about)?;
        ctx.publish(FileRead::of(&rows));
        Ok(rows)
    }

    /// Do the sums add up, and is the amount within its limits?
    #[step]
    async fn check_amounts(&self, invoice: &Invoice) -> AmountsChecked {
        self.take_a_while().await;
        AmountsChecked { doubts: checks::amounts(invoice) }
    }

    /// Has it been billed before?
    #[step(workers = 8)]
    async fn find_duplicates(&self, invoice: &Invoice) -> DuplicatesChecked {
        self.take_a_while().await;
        DuplicatesChecked { doubts: checks::duplicates(invoice) }
    }

    /// Brings an invoice and its own two checks together.
    #[step]
    fn triage(
        &self,
        invoice: Invoice,
        amounts: AmountsChecked,
        duplicates: DuplicatesChecked,
    ) -> OneOf<Decided, InputRequired<Approve>> {
        let doubts = [amounts.doubts, duplicates.doubts].concat();
        if doubts.is_empty() {
            let decision = Decision::Approve { note: String::new() };
            OneOf::new(Decided { invoice, doubts, decision })
        } else {
            OneOf::new(InputRequired::new(Approve { invoice, doubts }))
        }
    }

    #[step]
    fn decide(&self, answer: HumanResponse<Approve>) -> Decided {
        let Approve { invoice, doubts } = answer.prompt;
        Decided { invoice, doubts, decision: answer.response }
    }

    /// Gathers the rows, in the order of the file.
    #[step]
    fn report(&self, rows: Vec<OneOf<Decided, BrokenRow>>) -> Stop<Report> {
        let entry = |row| match row {
            OneOf::A(decided) => Entry::Decided(decided),
            OneOf::B(broken) => Entry::Broken(broken),
        };
        Stop(Report { entries: rows.into_iter().map(entry).collect() })
    }
}

impl ApproveInvoices {
    async fn take_a_while(&self) {
        tokio::time::sleep(self.pace).await;
        self.checks_run.fetch_add(1, Ordering::Relaxed);
    }
}

impl FileRead {
    fn of(rows: &[OneOf<Invoice, BrokenRow>]) -> Self {
        let broken: Vec<_> = rows
            .iter()
            .filter_map(|row| match row.as_ref() {
                OneOf::A(_) => None,
                OneOf::B(broken) => Some(broken.clone()),
            })
            .collect();
        Self { invoices: rows.len() - broken.len(), broken }
    }
}
