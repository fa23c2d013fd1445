//! The rows of one section: some of them, some columns of them, a page or a file of them.

mod export;
mod select;

use std::io::BufRead;

use jiff::civil::Date;
use serde::Serialize;

use crate::cell::{Cell, cell};
use crate::statement::{Event, Reader, Row, StatementError};
use crate::value::{BadValue, Order};

pub use export::{Format, export};
use select::{Fields, Select};

/// Which rows and columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// The section: its path, the last part of that, or the name of its elements; in any case.
    pub section: String,
    /// Only this symbol, contract id or ISIN.
    pub symbol: Option<String>,
    /// Only this account.
    pub account: Option<String>,
    /// Only from this day on.
    pub from: Option<Date>,
    /// Only up to this day.
    pub to: Option<Date>,
    /// Only rows with this `type`, `transactionType`, `assetCategory` or `buySell`.
    pub kind: Option<String>,
    /// Only this level of detail.
    pub level: Option<String>,
    /// The attributes to show, in any case; none: all that hold something.
    pub columns: Vec<String>,
    /// Matching rows to pass over.
    pub skip: u64,
    /// Matching rows to show.
    pub limit: usize,
    /// How dates with slashes are to be read.
    pub order: Order,
}

/// Some rows of a section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Names of attributes.
    pub cols: Vec<String>,
    /// One for each row, as long as `cols`.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that match, shown or not.
    pub matched: u64,
    /// `skip` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// The other attributes that rows of this section have.
    pub more_columns: Vec<String>,
    /// Levels of detail of the rows that match; more than one must not be added up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
    /// What a reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// The statement could not be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It has none of that name.
    #[error("the statement has no section {name:?}; it has: {}", there.join(", "))]
    NoSection {
        /// The name.
        name: String,
        /// Names of those that it has.
        there: Vec<String>,
    },
    /// The section has no such column.
    #[error("the section has no column {name:?}; it has: {}", there.join(", "))]
    NoColumn {
        /// The name.
        name: String,
        /// Names of those that it has.
        there: Vec<String>,
    },
    /// Days were asked for, and rows have none.
    #[error("rows of {0} have no date; tick one in the query's template, for instance Report Date")]
    NoDate(String),
    /// A date could not be read.
    #[error(transparent)]
    Value(#[from] BadValue),
    /// The target could not be written.
    #[error("the rows cannot be written: {0}")]
    Write(std::io::Error),
}

/// Reads a page of a section.
pub fn page(source: impl BufRead, ask: &Ask) -> Result<Page, SectionError> {
    let mut pager = Pager { ask, rows: Vec::new(), levels: Vec::new(), matched: 0 };
    let fields = each(source, ask, |row, _| {
        pager.take(row);
        Ok(())
    })?;
    pager.finish(&fields)
}

/// Calls `take` with every row that matches, and says what the section is like.
fn each(
    source: impl BufRead,
    ask: &Ask,
    mut take: impl FnMut(&Row<'_>, &Fields) -> Result<(), SectionError>,
) -> Result<Fields, SectionError> {
    let mut reader = Reader::new(source);
    let mut select = Select::new(ask);
    loop {
        match reader.next()? {
            Event::Statement(statement) => select.begin(statement),
            Event::Section(path) => select.section(path),
            Event::Row(row) => {
                if select.matches(&row)? {
                    take(&row, &select.fields)?;
                }
            }
            Event::End => return select.finish(),
            Event::Query(_) | Event::StatementEnd => {}
        }
    }
}

struct Pager<'a> {
    ask: &'a Ask,
    /// With their names: rows of one section may differ.
    rows: Vec<Vec<(String, Cell)>>,
    levels: Vec<String>,
    matched: u64,
}

impl Pager<'_> {
    fn take(&mut self, row: &Row<'_>) {
        self.matched += 1;
        let level = row.level();
        if !level.is_empty() && !self.levels.iter().any(|known| **known == *level) {
            self.levels.push(level.into_owned());
        }
        if self.matched <= self.ask.skip || self.rows.len() >= self.ask.limit {
            return;
        }
        let wanted = |name: &str| {
            let columns = &self.ask.columns;
            columns.is_empty() || columns.iter().any(|column| column.eq_ignore_ascii_case(name))
        };
        let cells =
            row.attributes().filter(|attribute| wanted(attribute.name)).filter_map(|attribute| {
                let cell = cell(attribute.name, &attribute.value(), self.ask.order);
                (cell != Cell::Missing).then(|| (attribute.name.to_owned(), cell))
            });
        self.rows.push(cells.collect());
    }

    fn finish(self, fields: &Fields) -> Result<Page, SectionError> {
        let cols = self.columns(fields)?;
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| {
                let find = |name: &String| row.iter().find(|(other, _)| other == name);
                cols.iter()
                    .map(|name| find(name).map(|(_, cell)| cell.clone()).unwrap_or_default())
                    .collect()
            })
            .collect();
        let shown = self.ask.skip.saturating_add(rows.len() as u64);
        let mut notes = Vec::new();
        if fields.undated > 0 {
            notes.push(format!("{} rows have no date and are left out", fields.undated));
        }
        if self.levels.len() > 1 {
            notes.push("rows of several levels of detail show the same things: choose one before adding up".to_owned());
        }
        Ok(Page {
            more_columns: fields
                .names
                .iter()
                .filter(|name| !cols.contains(name))
                .cloned()
                .collect(),
            cols,
            next: (shown < self.matched).then_some(shown),
            rows,
            matched: self.matched,
            levels: self.levels,
            notes,
        })
    }

    /// The chosen columns, or those that hold something in a row shown.
    fn columns(&self, fields: &Fields) -> Result<Vec<String>, SectionError> {
        if !self.ask.columns.is_empty() {
            return fields.chosen(&self.ask.columns);
        }
        let is_used = |name: &&String| self.rows.iter().flatten().any(|(other, _)| other == *name);
        Ok(fields.names.iter().filter(is_used).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
