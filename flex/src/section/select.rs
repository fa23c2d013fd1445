//! Which rows match.

use jiff::civil::Date;

use super::{Ask, SectionError};
use crate::statement::{Columns, Picked, Row, Statement};
use crate::value;

/// What a row is dated by, the first that it has: as IBKR's own statements do.
pub(crate) const DATES: [&str; 7] =
    ["tradeDate", "reportDate", "dateTime", "date", "settleDate", "toDate", "valueDate"];
const OTHERS: [&str; 9] = [
    "symbol",
    "conid",
    "isin",
    "accountId",
    "acctAlias",
    "type",
    "transactionType",
    "assetCategory",
    "buySell",
];

/// What the section is like, whether rows match or not.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Names of attributes, in the order in which they first came.
    pub(super) names: Vec<String>,
    /// Rows left out because days were asked for and they have none.
    pub(super) undated: u64,
}

pub(super) struct Select<'a> {
    ask: &'a Ask,
    columns: Columns,
    account: String,
    pub(super) fields: Fields,
    /// The names of the attributes of the row before.
    shape: Vec<Box<str>>,
    /// Paths of all sections.
    there: Vec<String>,
    is_found: bool,
    dated: u64,
}

impl<'a> Select<'a> {
    pub(super) fn new(ask: &'a Ask) -> Self {
        Self {
            ask,
            columns: Columns::new(OTHERS.into_iter().chain(DATES)),
            account: String::new(),
            fields: Fields::default(),
            shape: Vec::new(),
            there: Vec::new(),
            is_found: false,
            dated: 0,
        }
    }

    pub(super) fn begin(&mut self, statement: &Statement) {
        self.account.clone_from(&statement.account);
    }

    pub(super) fn section(&mut self, path: &str) {
        const MOST: usize = 500;
        if self.there.len() < MOST && !self.there.iter().any(|known| known == path) {
            self.there.push(path.to_owned());
        }
        self.is_found |= is_in(path, &self.ask.section);
    }

    pub(super) fn matches(&mut self, row: &Row<'_>) -> Result<bool, SectionError> {
        let name = &self.ask.section;
        if !is_in(row.section, name) && !row.element.eq_ignore_ascii_case(name) {
            if row.section == row.element {
                self.section(row.section);
            }
            return Ok(false);
        }
        self.is_found = true;
        self.learn(row);
        let is_level =
            self.ask.level.as_deref().is_none_or(|level| row.level().eq_ignore_ascii_case(level));
        let picked = self.columns.pick(row);
        if !is_level || !is_chosen(self.ask, &picked, &self.account) {
            return Ok(false);
        }
        if self.ask.from.is_none() && self.ask.to.is_none() {
            return Ok(true);
        }
        match day(&picked, self.ask)? {
            Some(day) => {
                self.dated += 1;
                let is_late = self.ask.from.is_none_or(|from| day >= from);
                Ok(is_late && self.ask.to.is_none_or(|to| day <= to))
            }
            None => {
                self.fields.undated += 1;
                Ok(false)
            }
        }
    }

    /// Rows are alike: the names are looked up only when they change.
    fn learn(&mut self, row: &Row<'_>) {
        const MOST: usize = 2_000;
        let is_alike = self.shape.len() == row.attributes().len()
            && self.shape.iter().zip(row.attributes()).all(|(name, other)| **name == *other.name);
        if is_alike {
            return;
        }
        self.shape = row.attributes().take(MOST).map(|attribute| attribute.name.into()).collect();
        for attribute in row.attributes() {
            let names = &mut self.fields.names;
            if names.len() < MOST && !names.iter().any(|name| name == attribute.name) {
                names.push(attribute.name.to_owned());
            }
        }
    }

    pub(super) fn finish(self) -> Result<Fields, SectionError> {
        let name = self.ask.section.clone();
        if !self.is_found {
            return Err(SectionError::NoSection { name, there: self.there });
        }
        if self.fields.undated > 0 && self.dated == 0 {
            return Err(SectionError::NoDate(name));
        }
        Ok(self.fields)
    }
}

impl Fields {
    /// The columns asked for, as they are written in the file.
    pub(super) fn chosen(&self, asked: &[String]) -> Result<Vec<String>, SectionError> {
        let find = |name: &String| self.names.iter().find(|other| other.eq_ignore_ascii_case(name));
        // A section without rows has no columns, and says nothing of which it could have.
        if self.names.is_empty() {
            return Ok(asked.to_vec());
        }
        asked
            .iter()
            .map(|name| {
                find(name).cloned().ok_or_else(|| SectionError::NoColumn {
                    name: name.clone(),
                    there: self.names.clone(),
                })
            })
            .collect()
    }
}

/// Whether a path is of the section of that name, or inside it.
fn is_in(path: &str, name: &str) -> bool {
    let inside = path.split_once('/').is_some_and(|(first, _)| first.eq_ignore_ascii_case(name));
    inside || crate::summary::is_named(path, name)
}

fn is_chosen(ask: &Ask, picked: &Picked<'_>, account: &str) -> bool {
    let is = |column: usize, wanted: &str| {
        picked.get(column).is_some_and(|text| text.eq_ignore_ascii_case(wanted.trim()))
    };
    let any = |columns: std::ops::Range<usize>, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|wanted| columns.into_iter().any(|column| is(column, wanted)))
    };
    let is_account = ask.account.as_deref().is_none_or(|wanted| {
        is(3, wanted) || is(4, wanted) || account.eq_ignore_ascii_case(wanted.trim())
    });
    is_account && any(0..3, &ask.symbol) && any(5..9, &ask.kind)
}

fn day(picked: &Picked<'_>, ask: &Ask) -> Result<Option<Date>, SectionError> {
    for column in OTHERS.len()..OTHERS.len() + DATES.len() {
        let Some(text) = picked.get(column) else { continue };
        if let Some(day) = value::date(&text, ask.order)? {
            return Ok(Some(day));
        }
    }
    Ok(None)
}
