//! What is in a statement, in a few lines: whose, of which days, made when, which sections with how
//! many rows, and what those of them add up to that can be added up.

mod sections;
mod told;
mod who;

use std::io::BufRead;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::statement::{Event, Reader, Statement, StatementError};
use crate::value::{Evidence, Order};
use sections::Sections;
use who::Who;

/// A statement, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The query's name, as IBKR gave it.
    pub query_name: String,
    /// `AF` (activity) or `TCF` (trade confirmations).
    #[serde(rename = "type")]
    pub kind: String,
    /// The days covered, over all accounts. Missing, if the dates cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// When IBKR made it, as ISO 8601 without a zone: US/Eastern, unless the template says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// Whose. In the order of the file.
    pub accounts: Vec<Account>,
    /// How its dates with slashes are to be read.
    #[serde(skip_serializing_if = "is_unknown")]
    pub date_order: Order,
    /// In the order of the file; also the empty ones.
    pub sections: Vec<Section>,
    /// What a reader should know before relying on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Days, from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// One account of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its number, or alias if the template says so.
    pub account: String,
    /// The days covered.
    pub period: Option<Period>,
    /// Statements: more than one, if the template breaks out by day.
    pub statements: u64,
}

/// One section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// As in [`Row::section`](crate::statement::Row::section).
    pub name: String,
    /// Rows of all levels.
    pub rows: u64,
    /// Rows of each level of detail, if there is any. Levels show the same things more or less
    /// closely: never add one to another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Count>,
    /// Names of attributes, in the order in which they first came.
    #[serde(skip)]
    pub fields: Vec<String>,
    /// Sums of what can be summed; each is told once, at the closest level that has it.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "told::once")]
    pub totals: Vec<Total>,
}

/// How many rows there are of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of what.
    pub name: String,
    /// How many.
    pub rows: u64,
}

/// A sum over rows of one section, one level, one currency, and, for cash, one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The level of detail.
    pub level: String,
    /// The attribute `type`, for instance `Dividends`.
    pub kind: String,
    /// Of the amounts; empty if the template leaves it out.
    pub currency: String,
    /// The attribute that was summed.
    pub field: String,
    /// The sum.
    pub sum: Decimal,
}

fn is_unknown(order: &Order) -> bool {
    *order == Order::Unknown
}

/// Reads a whole statement and sums it up.
pub fn of(source: impl BufRead) -> Result<Summary, StatementError> {
    let mut reader = Reader::new(source);
    let mut summarizer = Summarizer::default();
    loop {
        let event = reader.next()?;
        summarizer.take(&event);
        if matches!(event, Event::End) {
            break;
        }
    }
    let (promised, counted) = reader.counted();
    Ok(summarizer.finish(promised.filter(|promised| *promised != counted)))
}

/// A summary in the making, for those who read for other reasons as well.
#[derive(Debug, Default)]
pub struct Summarizer {
    name: String,
    kind: String,
    who: Who,
    evidence: Evidence,
    sections: Sections,
    statements: u64,
    /// The one that rows belong to now.
    statement: Statement,
}

impl Summarizer {
    /// Takes the next event into account.
    pub fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Query(query) => {
                self.name.clone_from(&query.name);
                self.kind.clone_from(&query.kind);
            }
            Event::Statement(statement) => {
                self.statements += 1;
                self.evidence.frame(&statement.from, &statement.to, &statement.generated);
                self.who.take(statement);
                self.statement.clone_from(statement);
            }
            Event::Section(path) => self.sections.begin(path),
            Event::Row(row) => {
                if let Some(account) = row.get("accountId") {
                    self.who.take_row(&self.statement, &account);
                }
                self.sections.take(row, &mut self.evidence);
            }
            Event::StatementEnd | Event::End => {}
        }
    }

    /// All was read. `promised`: how many statements the file says it has, if that is not true.
    pub fn finish(self, promised: Option<u64>) -> Summary {
        let order = self.evidence.order();
        let mut notes = Vec::new();
        if self.evidence.is_ambiguous() {
            notes.push(
                "its dates may be day/month or month/day, and nothing in it tells which; set the \
                 template's date format to yyyy-MM-dd"
                    .to_owned(),
            );
        }
        if let Some(promised) = promised {
            let there = self.statements;
            notes.push(format!("it says that it has {promised} statements, and has {there}"));
        }
        if self.statements == 0 {
            notes.push("it is empty: IBKR has nothing for this query and period".to_owned());
        }
        let (accounts, period, generated) = self.who.finish(order);
        let (sections, more) = self.sections.finish();
        notes.extend(more);
        Summary {
            query_name: self.name,
            kind: self.kind,
            period,
            generated: generated.map(|moment| moment.to_string()),
            accounts,
            date_order: order,
            sections,
            notes,
        }
    }
}

impl Summary {
    /// The section of that name: in any case, and also by the last part of its path.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| is_named(&section.name, name))
    }
}

/// Whether `name` means the section of that path.
pub(crate) fn is_named(path: &str, name: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or(path);
    path.eq_ignore_ascii_case(name) || last.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests;
