//! Sections with their rows, levels, fields and totals.

use rust_decimal::Decimal;

use super::{Count, Section, Total};
use crate::statement::{Columns, Row};
use crate::value::{self, Evidence};

/// Sections in which every row is something that happened, so that rows of one level add up, and the
/// amounts in them. Positions, balances and rates do not.
const FLOWS: &[(&str, &[&str])] = &[
    ("Trades", &["proceeds", "taxes", "ibCommission", "netCash", "fifoPnlRealized", "mtmPnl"]),
    ("TradeConfirms", &["proceeds", "commission", "tax", "netCash"]),
    ("CashTransactions", &["amount"]),
    ("CorporateActions", &["proceeds", "fifoPnlRealized"]),
    ("OptionEAE", &["realizedPnl"]),
    ("TransactionTaxes", &["taxAmount"]),
    ("SalesTaxes", &["salesTax"]),
    ("UnbundledCommissionDetails", &["totalCommission"]),
    ("DebitCardActivities", &["amount"]),
];

/// What a statement may have of each before the rest is only counted: memory is bounded.
const MOST_SECTIONS: usize = 500;
const MOST_FIELDS: usize = 2_000;
const MOST_TOTALS: usize = 5_000;

/// Read of every row of a flow, before its fields.
const KEYS: [&str; 4] = ["currency", "type", "ibCommissionCurrency", "commissionCurrency"];

#[derive(Debug, Default)]
pub(super) struct Sections {
    list: Vec<Growing>,
    /// Where the last row was: most rows follow one of the same section.
    last: usize,
    unlisted: u64,
    is_cut: bool,
}

#[derive(Debug)]
struct Growing {
    section: Section,
    /// The names of the attributes of the row before: one that is like it has no new fields.
    shape: Vec<Box<str>>,
    flow: Option<Flow>,
    unreadable: u64,
    overflown: bool,
}

#[derive(Debug)]
struct Flow {
    fields: &'static [&'static str],
    columns: Columns,
}

impl Sections {
    pub(super) fn begin(&mut self, path: &str) {
        self.find(path);
    }

    pub(super) fn take(&mut self, row: &Row<'_>, evidence: &mut Evidence) {
        if !evidence.is_settled() {
            observe(row, evidence);
        }
        match self.find(row.section) {
            Some(at) => self.is_cut |= self.list[at].take(row),
            None => self.unlisted += 1,
        }
    }

    fn find(&mut self, path: &str) -> Option<usize> {
        if self.list.get(self.last).is_some_and(|growing| growing.section.name == path) {
            return Some(self.last);
        }
        let known = self.list.iter().position(|growing| growing.section.name == path);
        if known.is_none() && self.list.len() < MOST_SECTIONS {
            self.list.push(Growing::new(path));
            self.last = self.list.len() - 1;
            return Some(self.last);
        }
        self.last = known?;
        known
    }

    pub(super) fn finish(self) -> (Vec<Section>, Vec<String>) {
        let mut notes = Vec::new();
        for growing in &self.list {
            let name = &growing.section.name;
            if growing.unreadable > 0 {
                let many = growing.unreadable;
                notes
                    .push(format!("{many} amounts in {name} are no numbers and not in its totals"));
            }
            if growing.overflown {
                notes.push(format!("some totals of {name} are too large and left out"));
            }
        }
        if self.unlisted > 0 {
            notes.push(format!(
                "{} rows are in sections beyond the first {MOST_SECTIONS}",
                self.unlisted
            ));
        }
        if self.is_cut {
            notes.push("there are more fields, levels or totals than are listed".to_owned());
        }
        (self.list.into_iter().map(Growing::finish).collect(), notes)
    }
}

/// Only what has slashes tells anything; prices of bonds have them too, but not two.
fn observe(row: &Row<'_>, evidence: &mut Evidence) {
    let is_of_time = |name: &str| name.contains("ate") || name.contains("ime") || name == "expiry";
    for attribute in row.attributes() {
        if is_of_time(attribute.name) && attribute.raw.contains('/') {
            evidence.observe(attribute.raw);
        }
    }
}

impl Growing {
    fn new(path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or(path);
        let flow = FLOWS.iter().find(|(name, _)| *name == last).map(|(_, fields)| Flow {
            fields,
            columns: Columns::new(KEYS.iter().chain(*fields).copied()),
        });
        Self {
            section: Section { name: path.to_owned(), ..Section::default() },
            shape: Vec::new(),
            flow,
            unreadable: 0,
            overflown: false,
        }
    }

    /// Whether something had to be left out.
    fn take(&mut self, row: &Row<'_>) -> bool {
        self.section.rows += 1;
        let mut is_cut = self.add_fields(row);
        let level = row.level();
        if !level.is_empty() {
            is_cut |= count(&mut self.section.levels, &level);
        }
        is_cut | self.add_totals(row, &level)
    }

    fn add_fields(&mut self, row: &Row<'_>) -> bool {
        let is_alike = self.shape.len() == row.attributes().len()
            && self.shape.iter().zip(row.attributes()).all(|(name, other)| **name == *other.name);
        if is_alike {
            return false;
        }
        self.shape = row.attributes().take(MOST_FIELDS).map(|other| other.name.into()).collect();
        for attribute in row.attributes() {
            let fields = &mut self.section.fields;
            if fields.len() >= MOST_FIELDS {
                return true;
            }
            if !fields.iter().any(|name| name == attribute.name) {
                fields.push(attribute.name.to_owned());
            }
        }
        false
    }

    fn add_totals(&mut self, row: &Row<'_>, level: &str) -> bool {
        let Some(flow) = &mut self.flow else { return false };
        let picked = flow.columns.pick(row);
        let text = |column| picked.get(column).unwrap_or_default();
        let (currency, kind) = (text(0), text(1));
        let mut is_cut = false;
        for (number, field) in flow.fields.iter().enumerate() {
            let Some(amount) = picked.get(KEYS.len() + number) else { continue };
            let own = match *field {
                "ibCommission" => text(2),
                "commission" => text(3),
                _ => "".into(),
            };
            let currency = if own.is_empty() { &currency } else { &own };
            let key = Key { level, kind: &kind, currency, field };
            match value::number(&amount) {
                Ok(Some(amount)) => match key.add(&mut self.section.totals, amount) {
                    Added::Fine => {}
                    Added::Full => is_cut = true,
                    Added::Overflow => self.overflown = true,
                },
                Ok(None) => {}
                Err(_) => self.unreadable += 1,
            }
        }
        is_cut
    }

    fn finish(mut self) -> Section {
        self.section.totals.retain(|total| !total.sum.is_zero());
        self.section.totals.sort_by(|a, b| {
            let key =
                |total: &Total| (total.level.clone(), total.kind.clone(), total.currency.clone());
            key(a).cmp(&key(b))
        });
        self.section
    }
}

struct Key<'a> {
    level: &'a str,
    kind: &'a str,
    currency: &'a str,
    field: &'a str,
}

enum Added {
    Fine,
    Full,
    Overflow,
}

impl Key<'_> {
    fn add(&self, totals: &mut Vec<Total>, amount: Decimal) -> Added {
        let is_it = |total: &Total| {
            total.field == self.field
                && total.currency == self.currency
                && total.level == self.level
                && total.kind == self.kind
        };
        let Some(total) = totals.iter_mut().find(|total| is_it(total)) else {
            if totals.len() >= MOST_TOTALS {
                return Added::Full;
            }
            totals.push(Total {
                level: self.level.to_owned(),
                kind: self.kind.to_owned(),
                currency: self.currency.to_owned(),
                field: self.field.to_owned(),
                sum: amount,
            });
            return Added::Fine;
        };
        match total.sum.checked_add(amount) {
            Some(sum) => total.sum = sum,
            None => return Added::Overflow,
        }
        Added::Fine
    }
}

fn count(counts: &mut Vec<Count>, name: &str) -> bool {
    const MOST: usize = 100;
    if let Some(count) = counts.iter_mut().find(|count| count.name == name) {
        count.rows += 1;
        return false;
    }
    if counts.len() >= MOST {
        return true;
    }
    counts.push(Count { name: name.to_owned(), rows: 1 });
    false
}
