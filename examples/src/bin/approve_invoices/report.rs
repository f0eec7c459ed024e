//! What comes out: a CSV file with a row for each row of the input, and a summary for people.

use std::collections::BTreeMap;
use std::fmt;

use workflow_runtime::prelude::*;

use crate::flow::{Decided, Decision};
use crate::invoice::{BrokenRow, Currency, Invoice, Money};

/// The output of the workflow: every row of the file, in its order.
#[data]
pub(crate) struct Report {
    pub(crate) entries: Vec<Entry>,
}

#[data]
pub(crate) enum Entry {
    Decided(Decided),
    Broken(BrokenRow),
}

impl Report {
    pub(crate) fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record([
            "line",
            "status",
            "decided_by",
            "supplier",
            "number",
            "date",
            "currency",
            "net",
            "tax",
            "gross",
            "remarks",
        ])?;
        for entry in &self.entries {
            match entry {
                Entry::Decided(decided) => {
                    let Invoice { line, supplier, number, date, net, tax, gross, .. } = &decided.invoice;
                    csv.write_record([
                        line.to_string().as_str(),
                        decided.status(),
                        if decided.by_a_person() { "person" } else { "rules" },
                        supplier,
                        number,
                        &date.to_string(),
                        gross.currency.code(),
                        &net.plain(),
                        &tax.plain(),
                        &gross.plain(),
                        &decided.remarks().join("; "),
                    ])?;
                }
                Entry::Broken(BrokenRow { line, reasons }) => {
                    let (line, reasons) = (line.to_string(), reasons.join("; "));
                    csv.write_record([&line, "unreadable", "", "", "", "", "", "", "", "", &reasons])?;
                }
            }
        }
        csv.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }

    fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Decided(decided) => Some(decided),
            Entry::Broken(_) => None,
        })
    }

    fn broken(&self) -> impl Iterator<Item = &BrokenRow> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Decided(_) => None,
            Entry::Broken(broken) => Some(broken),
        })
    }
}

impl Decided {
    fn status(&self) -> &'static str {
        match self.decision {
            Decision::Approve { .. } => "approved",
            Decision::Reject { .. } => "rejected",
        }
    }

    fn by_a_person(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// Why a person was asked, and what the person said.
    fn remarks(&self) -> Vec<&str> {
        let (Decision::Approve { note: said } | Decision::Reject { reason: said }) = &self.decision;
        self.doubts.iter().chain([said]).map(String::as_str).filter(|remark| !remark.is_empty()).collect()
    }
}

/// The summary.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (invoices, broken) = (self.decided().count(), self.broken().count());
        writeln!(f, "{} rows: {invoices} invoices, {broken} unreadable", self.entries.len())?;

        let mut sums: BTreeMap<(Currency, &str), (usize, u64)> = BTreeMap::new();
        for decided in self.decided() {
            let (count, cents) = sums.entry((decided.invoice.gross.currency, decided.status())).or_default();
            *count += 1;
            *cents += decided.invoice.gross.cents;
        }
        writeln!(f, "\nSums")?;
        if sums.is_empty() {
            writeln!(f, "  none")?;
        }
        for ((currency, status), (count, cents)) in sums {
            let sum = Money { currency, cents };
            writeln!(f, "  {}  {status}  {count:>4}  {:>15}", currency.code(), sum.grouped())?;
        }

        let by_a_person: Vec<_> = self.decided().filter(|decided| decided.by_a_person()).collect();
        writeln!(f, "\nDecided by a person")?;
        if by_a_person.is_empty() {
            writeln!(f, "  none")?;
        }
        for decided in by_a_person {
            writeln!(f, "  line {:>3}  {}  {}", decided.invoice.line, decided.status(), decided.invoice)?;
            for remark in decided.remarks() {
                writeln!(f, "            {remark}")?;
            }
        }

        writeln!(f, "\nUnreadable")?;
        if broken == 0 {
            writeln!(f, "  none")?;
        }
        self.broken().try_for_each(|broken| writeln!(f, "  {broken}"))
    }
}

/// `line   7  net is missing`
impl fmt::Display for BrokenRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {:>3}  {}", self.line, self.reasons.join("; "))
    }
}
