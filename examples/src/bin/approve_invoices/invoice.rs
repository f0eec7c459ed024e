//! Invoices, and the file they come in.

use std::collections::HashMap;
use std::fmt;

use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::civil::Date;
use workflow_runtime::prelude::*;

/// The columns of the file, in any order.
pub(crate) const COLUMNS: [&str; 7] = ["supplier", "number", "date", "currency", "net", "tax", "gross"];

/// A row of the file that can be read.
#[event]
#[derive(Debug, PartialEq)]
pub(crate) struct Invoice {
    /// The line of the file on which the row begins. Questions are asked and answered under this number.
    pub(crate) line: u64,
    pub(crate) supplier: String,
    pub(crate) number: String,
    pub(crate) date: Date,
    pub(crate) net: Money,
    pub(crate) tax: Money,
    pub(crate) gross: Money,
    /// Invoices further up that might be the same one. They travel with the invoice, so that a check needs
    /// nothing but its event and a saved run needs nothing but itself.
    pub(crate) alike: Vec<Alike>,
}

/// An earlier invoice of the same supplier with the same number, or the same amount.
#[data]
#[derive(Debug, PartialEq)]
pub(crate) struct Alike {
    pub(crate) line: u64,
    pub(crate) number: String,
    pub(crate) date: Date,
}

/// A row of the file that cannot be read.
#[event]
#[derive(Debug, PartialEq)]
pub(crate) struct BrokenRow {
    pub(crate) line: u64,
    pub(crate) reasons: Vec<String>,
}

#[data]
#[derive(Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Currency {
    Chf,
    Eur,
    Gbp,
    Usd,
}

/// An amount, in hundredths.
#[data]
#[derive(Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Money {
    pub(crate) currency: Currency,
    pub(crate) cents: u64,
}

/// Reads a file of invoices. Rows that cannot be read stand between the others, in the order of the file.
///
/// A line is a row, so that a quote which is not closed spoils its own line and not the rest of the file.
pub(crate) fn rows(file: &[u8]) -> Result<Vec<OneOf<Invoice, BrokenRow>>, String> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut lines =
        (1..).zip(file.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty());
    let columns = Columns::of(lines.next().map_or(&[], |(_, header)| header))?;
    let mut earlier = Earlier::default();
    let read = |(line, row)| match columns.read(line, row) {
        Ok(mut invoice) => {
            invoice.alike = earlier.alike(&invoice);
            OneOf::new(invoice)
        }
        Err(reasons) => OneOf::new(BrokenRow { line, reasons }),
    };
    Ok(lines.map(read).collect())
}

/// Where in a row the columns stand.
struct Columns {
    width: usize,
    places: [usize; 7],
}

impl Columns {
    fn of(header: &[u8]) -> Result<Self, String> {
        let header = fields(header)?;
        let place = |column: &str| header.iter().position(|name| name.eq_ignore_ascii_case(column));
        let missing: Vec<_> = COLUMNS.into_iter().filter(|column| place(column).is_none()).collect();
        if !missing.is_empty() {
            let (columns, missing) = (COLUMNS.join(","), missing.join(","));
            return Err(format!("the first line has to name the columns {columns}; it lacks {missing}"));
        }
        Ok(Self { width: header.len(), places: COLUMNS.map(|column| place(column).unwrap_or_default()) })
    }

    /// Reads a row, or says everything that is wrong with it.
    fn read(&self, line: u64, row: &[u8]) -> Result<Invoice, Vec<String>> {
        let row = fields(row).map_err(|problem| vec![problem])?;
        let mut reasons = Vec::new();
        if row.len() > self.width {
            reasons.push(format!("the row has {} fields, the first line {}", row.len(), self.width));
        }
        let fields = self.places.map(|place| row.get(place).map_or("", String::as_str));
        let missing = COLUMNS.iter().zip(fields).filter(|(_, field)| field.is_empty());
        reasons.extend(missing.map(|(column, _)| format!("{column} is missing")));
        // What is missing is not also called malformed.
        let mut note = |field: &str, problem: String| {
            if !field.is_empty() {
                reasons.push(problem);
            }
        };

        let [supplier, number, date, currency, ..] = fields;
        let date = parse_date(date).map_err(|problem| note(date, problem));
        let currency = Currency::parse(currency).map_err(|problem| note(currency, problem));
        let [.., net, tax, gross] = fields;
        let [net, tax, gross] = [("net", net), ("tax", tax), ("gross", gross)].map(|(column, field)| {
            parse_cents(field).map_err(|problem| note(field, format!("{column} {problem}")))
        });

        match (date, currency, net, tax, gross) {
            (Ok(date), Ok(currency), Ok(net), Ok(tax), Ok(gross)) if reasons.is_empty() => {
                let (supplier, number, alike) = (supplier.to_owned(), number.to_owned(), Vec::new());
                let [net, tax, gross] = [net, tax, gross].map(|cents| Money { currency, cents });
                Ok(Invoice { line, supplier, number, date, net, tax, gross, alike })
            }
            _ => Err(reasons),
        }
    }
}

/// The fields of one line, fit to be shown in a terminal.
fn fields(line: &[u8]) -> Result<Vec<String>, String> {
    let line = std::str::from_utf8(line).map_err(|_| "the row is not UTF-8 text")?;
    let line = line.trim_end_matches('\r');
    if line.contains('\r') {
        return Err("there is a carriage return inside the line".to_owned());
    }
    if line.matches('"').count() % 2 == 1 {
        return Err("a quote is not closed".to_owned());
    }
    let mut reader = ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(line.as_bytes());
    let mut record = StringRecord::new();
    reader.read_record(&mut record).map_err(|error| error.to_string())?;
    Ok(record.iter().map(|field| field.replace(char::is_control, " ")).collect())
}

fn parse_date(text: &str) -> Result<Date, String> {
    Date::strptime("%Y-%m-%d", text).map_err(|_| format!("date `{text}` is not a day, like 2026-01-31"))
}

/// An amount without a sign, with two decimals or none. There is no floating point on the way.
fn parse_cents(text: &str) -> Result<u64, String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, hundredths) = text.split_once('.').unwrap_or((text, "00"));
    if !digits(whole) || !digits(hundredths) || hundredths.len() != 2 {
        return Err(format!("`{text}` is not an amount, like 1234.50"));
    }
    // So few digits that a file of invoices can be added up.
    match format!("{whole}{hundredths}").parse() {
        Ok(cents) if cents < 100_000_000_000 => Ok(cents),
        _ => Err(format!("`{text}` is too large")),
    }
}

impl Currency {
    const ALL: [Self; 4] = [Self::Chf, Self::Eur, Self::Gbp, Self::Usd];

    fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|currency| currency.code() == text);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::code).join(", ");
            format!("currency `{text}` is not one of {known}")
        })
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Chf => "CHF",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Usd => "USD",
        }
    }
}

impl Money {
    /// `1234.50`, for files.
    pub(crate) fn plain(self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }

    /// `1,234.50`, for people.
    pub(crate) fn grouped(self) -> String {
        let plain = self.plain();
        let whole = plain.len() - 3;
        let mut grouped = String::new();
        for (at, digit) in plain.char_indices() {
            if at > 0 && at < whole && (whole - at) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// `EUR 1,234.50`
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.code(), self.grouped())
    }
}

/// `Alder Paper A-1001, EUR 1,234.50`
impl fmt::Display for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.supplier, self.number, self.gross)
    }
}

/// The invoices read so far, by what makes another one look like them.
#[derive(Default)]
struct Earlier {
    by_number: HashMap<(String, String), Alike>,
    by_amount: HashMap<(String, Money), Alike>,
}

impl Earlier {
    /// What the invoice looks like; from now on, others may look like it.
    fn alike(&mut self, invoice: &Invoice) -> Vec<Alike> {
        let Invoice { line, supplier, number, date, gross, .. } = invoice;
        let itself = Alike { line: *line, number: number.clone(), date: *date };
        let supplier = supplier.to_lowercase();
        let same_number = self.by_number.insert((supplier.clone(), number.to_lowercase()), itself.clone());
        let same_amount = self.by_amount.insert((supplier, *gross), itself);
        let mut alike: Vec<_> = same_number.into_iter().chain(same_amount).collect();
        alike.dedup();
        alike
    }
}
