//! The search for one instrument among the rows of statements.

use std::collections::BTreeSet;

use super::NoAnswer;
use super::fields::{Field, Item};
use crate::cell::clean;

/// Symbols that are kept to tell what there is, and that are told.
const MOST: usize = 5_000;
const SHOWN: usize = 12;

/// What was found of the instrument that is asked for.
#[derive(Debug, Default)]
pub(super) struct Sought {
    is_found: bool,
    /// Rows of options on it that were not asked for.
    options: u64,
    /// What there is.
    symbols: BTreeSet<String>,
    /// Some row of any section is of it: then it is known, and nothing of what is asked about happened to it.
    is_known: bool,
    /// Symbols of companies whose name begins so.
    companies: BTreeSet<String>,
}

/// Whether a row is of the instrument that is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Match {
    Yes,
    /// It is an option on it.
    Option,
    No,
}

impl Sought {
    /// Whether a row is of it, or with `options` of an option on it.
    pub(super) fn is_it(&mut self, item: &Item<'_>, wanted: &str, options: bool) -> bool {
        let is_it = match instrument(item, wanted) {
            Match::Yes => true,
            Match::Option => {
                self.options += u64::from(!options);
                options
            }
            Match::No => {
                self.keep(item);
                false
            }
        };
        self.is_found |= is_it;
        is_it
    }

    /// Hears a row of whatever section.
    pub(super) fn hear(&mut self, item: &Item<'_>, wanted: &str) {
        self.is_known |= instrument(item, wanted) != Match::No;
        let is_name = wanted.trim().chars().count() >= 3;
        if let (true, Some(symbol)) = (is_name, item.text(Field::Symbol))
            && is_called(item, &plain(wanted))
            && self.companies.len() < SHOWN
        {
            self.companies.insert(clean(&symbol));
        }
    }

    /// The one symbol of the company that is meant, where no row has its name.
    pub(super) fn company(&self) -> Option<&String> {
        let only = self.companies.first().filter(|_| self.companies.len() == 1);
        only.filter(|_| !self.is_found)
    }

    fn keep(&mut self, item: &Item<'_>) {
        let Some(symbol) = item.text(Field::Symbol) else { return };
        if self.symbols.len() < MOST && !self.symbols.contains(&*symbol) {
            self.symbols.insert(clean(&symbol));
        }
    }

    /// An instrument that no row is of is none that nothing happened to.
    pub(super) fn found(&self, asked: &str) -> Result<(), NoAnswer> {
        if self.is_found || self.is_known || self.options > 0 || self.symbols.is_empty() {
            return Ok(());
        }
        let first = plain(asked).chars().next();
        let (near, far): (Vec<&String>, Vec<&String>) =
            self.symbols.iter().partition(|one| plain(one).chars().next() == first);
        let known = near.into_iter().chain(far).take(SHOWN).cloned().collect();
        Err(NoAnswer::NoSymbol { asked: asked.to_owned(), known })
    }

    /// What is to be said of rows that were not asked for.
    pub(super) fn left_out(&self) -> Option<String> {
        let text = || {
            format!(
                "{} rows are of options on it and are left out: ask with options true for both",
                self.options
            )
        };
        (self.options > 0).then(text)
    }
}

/// Without what brokers and people write differently: `BRK B`, `BRK.B`, `brk-b`.
fn plain(text: &str) -> String {
    let plain = text.trim().to_uppercase();
    let mut parts = plain.split([' ', '.', '-', '/']).filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + " " + part)
}

fn instrument(item: &Item<'_>, wanted: &str) -> Match {
    let wanted = plain(wanted);
    let is = |field: Field| item.text(field).is_some_and(|text| plain(&text) == wanted);
    if [Field::Symbol, Field::Conid, Field::Isin].into_iter().any(is) {
        return Match::Yes;
    }
    if is(Field::Underlying) {
        return Match::Option;
    }
    // A company, by how its name begins.
    let is_name = wanted.len() >= 4 && wanted.chars().any(char::is_alphabetic);
    if is_name && is_called(item, &wanted) { Match::Yes } else { Match::No }
}

/// Whether it is a share of a company whose name begins so.
fn is_called(item: &Item<'_>, wanted: &str) -> bool {
    let is_stock = item.text(Field::AssetCategory).is_some_and(|text| text == "STK");
    is_stock
        && item.text(Field::Description).is_some_and(|text| {
            let name = plain(&text);
            name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
}
