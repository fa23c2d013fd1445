//! What is shown of an attribute: a number, an ISO date or a clean text.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::exact;
use crate::value::{self, Order};

/// One value of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Nothing is there.
    #[default]
    Missing,
    /// A number, exactly.
    Number(Decimal),
    /// A text, or a date or time as ISO 8601.
    Text(String),
}

/// `null`, a number, or a string.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => serializer.serialize_none(),
            Self::Number(number) => exact::one(number, serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::Missing } else { Self::Text(text.to_owned()) }
    }
}

impl From<Option<Decimal>> for Cell {
    fn from(number: Option<Decimal>) -> Self {
        number.map_or(Self::Missing, Self::Number)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Number(count.into())
    }
}

/// The value of the attribute of that name. Ids and symbols are no numbers, whatever they look like:
/// `7203` is a share in Tokyo.
pub fn cell(name: &str, text: &str, order: Order) -> Cell {
    match whole_cell(name, text, order) {
        Cell::Text(text) => Cell::Text(clean(&text)),
        other => other,
    }
}

/// As [`cell`], with the text as it is, however long and odd: for files.
pub(crate) fn whole_cell(name: &str, text: &str, order: Order) -> Cell {
    if text.is_empty() {
        return Cell::Missing;
    }
    if is_of_time(name) {
        let moment = value::moment(text, order).ok().flatten();
        return Cell::Text(moment.map_or_else(|| text.to_owned(), |moment| moment.to_string()));
    }
    if looks_like_number(text) && !is_name(name) {
        value::number(text).ok().flatten().map_or_else(|| Cell::Text(text.to_owned()), Cell::Number)
    } else {
        Cell::Text(text.to_owned())
    }
}

pub(crate) fn is_of_time(name: &str) -> bool {
    name.contains("Date")
        || name.contains("date")
        || name.starts_with("when")
        || name.ends_with("Time")
        || name == "expiry"
}

fn looks_like_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !is_padded
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'E' | b'e' | b'-'))
}

/// `notes` is not among them: codes of a trade, but an amount in a summary of equity.
fn is_name(name: &str) -> bool {
    const ENDS: [&str; 15] = [
        "id",
        "cusip",
        "isin",
        "figi",
        "sedol",
        "symbol",
        "alias",
        "model",
        "code",
        "description",
        "name",
        "reference",
        "number",
        "link",
        "issuer",
    ];
    let name = name.to_ascii_lowercase();
    name == "account" || ENDS.iter().any(|end| name.ends_with(end))
}

/// Without what could hide or reverse text, and not endless: names and descriptions are other
/// people's.
pub(crate) fn clean(text: &str) -> String {
    const MOST: usize = 500;
    ibd_text::plain(text).chars().take(MOST).collect()
}

#[cfg(test)]
mod tests;
