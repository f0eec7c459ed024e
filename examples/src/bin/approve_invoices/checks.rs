//! What is checked about an invoice. Each check gives its doubts, in words for the person who decides.

use crate::invoice::{Currency, Invoice, Money};

/// The suppliers we know, some with a limit of their own, whatever the currency.
const SUPPLIERS: [(&str, Option<u64>); 6] = [
    ("Alder Paper", None),
    ("Birch Print", None),
    ("Cedar Catering", Some(250)),
    ("Dune Cleaning", None),
    ("Elm Lighting", None),
    ("Fjord Freight", Some(600)),
];

/// Bills of one amount so many days apart, or fewer, look like one bill.
const DAYS: i32 = 7;

/// Nobody is asked about less than this.
fn limit(currency: Currency) -> u64 {
    match currency {
        Currency::Chf | Currency::Eur => 1_000,
        Currency::Gbp => 900,
        Currency::Usd => 1_100,
    }
}

/// Do the sums add up, and is the amount within its limits?
pub(crate) fn amounts(invoice: &Invoice) -> Vec<String> {
    let Invoice { supplier, net, tax, gross, .. } = invoice;
    let mut doubts = Vec::new();
    let sum = Money { cents: net.cents + tax.cents, ..*gross };
    if sum != *gross {
        let (net, tax) = (net.grouped(), tax.grouped());
        doubts.push(format!("{net} and {tax} tax make {}, not {}", sum.grouped(), gross.grouped()));
    }
    match SUPPLIERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(supplier)) {
        None => doubts.push(format!("{supplier} is not one of our suppliers")),
        Some((known, own)) => {
            let general = limit(gross.currency);
            let whole = own.map_or(general, |own| own.min(general));
            let limit = Money { cents: whole * 100, ..*gross };
            if gross.cents > limit.cents {
                let whose = if whole < general { *known } else { gross.currency.code() };
                doubts.push(format!("more than {limit}, the limit for {whose}"));
            }
        }
    }
    doubts
}

/// Has it been billed before?
pub(crate) fn duplicates(invoice: &Invoice) -> Vec<String> {
    let doubts = invoice.alike.iter().filter_map(|earlier| {
        if earlier.number.eq_ignore_ascii_case(&invoice.number) {
            return Some(format!("line {} has the same number", earlier.line));
        }
        let days = invoice.date.since(earlier.date).map_or(i32::MAX, |span| span.get_days().abs());
        (days <= DAYS).then(|| {
            format!("line {} ({}) is about the same amount, {}", earlier.line, earlier.number, apart(days))
        })
    });
    doubts.collect()
}

fn apart(days: i32) -> String {
    match days {
        0 => "on the same day".to_owned(),
        1 => "one day apart".to_owned(),
        _ => format!("{days} days apart"),
    }
}
