//! Answers from archived statements: amounts in each currency and in base, with what they rest on and
//! what they leave out.
//!
//! An answer rests on one query, so that the same thing is not counted from two templates. Rows of one
//! level of detail are added up and never two. Where statements overlap, a row is told by the strongest of
//! IBKR's ids that both have (`transactionID`, `ibExecID`, `tradeID`), or by what it means where they have none,
//! and the newest statement's counts. What the template lacks is said with the box to tick.

mod choose;
mod fields;
mod flows;
mod instrument;
mod nav;
mod performance;
mod positions;
mod rates;
mod read;
mod seen;
mod sorted;
mod sums;
mod template;
mod trades;

use std::io::{self, BufRead};

use serde::Serialize;

use crate::archive::Entry;
use crate::cell::Cell;
use crate::question::Question;
use crate::statement::StatementError;
use crate::summary::Period;

pub use template::Tick;

/// Rows of an answer's table, if the caller does not say.
pub const ROWS: usize = 200;

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question as it was understood.
    pub question: String,
    /// The query that it was answered from.
    pub query: Named,
    /// The accounts.
    pub accounts: Vec<String>,
    /// The days that were asked for, or that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// What was added up: section, level of detail, fields.
    pub source: String,
    /// Statements that were read: the newest was made then (US/Eastern, as a rule).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// How many statements were read.
    pub statements: usize,
    /// The answer.
    pub table: Table,
    /// Rows that the table would have if it were not cut.
    pub rows_in_all: u64,
    /// Over all rows, for each currency.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub totals: Table,
    /// Over all rows and currencies, in the base currency of each account.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub totals_in_base: Table,
    /// What amounts were multiplied by for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Rate>,
    /// Days asked for that no statement covers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_covered: Vec<String>,
    /// What to tick in the query's template for what is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tick: Vec<Tick>,
    /// What a reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A query's number and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// IBKR's number, unless it was imported from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
}

/// Names of columns, and rows as long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Names.
    pub cols: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
}

/// The rates that one currency was converted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// From.
    pub currency: String,
    /// To.
    pub base: String,
    /// The lowest.
    pub lowest: Cell,
    /// The highest.
    pub highest: Cell,
    /// `fxRateToBase` of each row, or `ConversionRates` of its day.
    pub source: &'static str,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// There are no statements of that query, account or period.
    #[error("no archived statement is about that: {0}")]
    NoStatement(String),
    /// There are, but none has the section.
    #[error("no statement of these days has what is needed; in the query's template, tick: {}; then run it again", template::list(.0))]
    NotTicked(Vec<Tick>),
    /// No row is of that instrument.
    #[error("no row of these statements is of {asked}; there are: {}", known.join(", "))]
    NoSymbol {
        /// What was asked for.
        asked: String,
        /// Some of what there is.
        known: Vec<String>,
    },
    /// A statement could not be read.
    #[error("{file}: {error}")]
    Statement {
        /// Its file.
        file: String,
        /// Why.
        error: StatementError,
    },
    /// A statement could not be opened.
    #[error("{file}: {error}")]
    Open {
        /// Its file.
        file: String,
        /// Why.
        error: io::Error,
    },
}

impl Table {
    fn new(cols: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { cols: cols.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of one column.
    pub fn column(&self, name: &str) -> Vec<&Cell> {
        let at = self.cols.iter().position(|col| col == name);
        self.rows.iter().filter_map(|row| row.get(at?)).collect()
    }
}

/// Answers a question from the statements of an archive, with at most `rows` rows in its table.
/// `open` gives a statement's XML; each is read once, and not all are.
pub fn answer<B: BufRead>(
    question: &Question,
    entries: &[Entry],
    (open, rows): (impl FnMut(&Entry) -> io::Result<B>, usize),
) -> Result<Answer, NoAnswer> {
    let mut open = open;
    let mut lacking: Option<NoAnswer> = None;
    for chosen in choose::choose(question, entries)? {
        match read::answer(question, &chosen, (&mut open, rows)) {
            Err(error @ NoAnswer::NotTicked(_)) => lacking = lacking.or(Some(error)),
            other => return other,
        }
    }
    Err(lacking.unwrap_or_else(|| NoAnswer::NotTicked(template::sections(question.about))))
}

#[cfg(test)]
mod tests;
