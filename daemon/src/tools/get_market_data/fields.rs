//! What can be asked of a contract beside its quote.

use ibd_cpapi::snapshot::{Field, Row};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::table::COLS;
use crate::refusal::Refusal;
use crate::tools::cell::Num;

/// Fields of IBKR's by the names that they have here.
const MORE: &[(&str, Field)] = &[
    ("yearHigh", Field::YearHigh),
    ("yearLow", Field::YearLow),
    ("averageVolume", Field::AverageVolume),
    ("marketCap", Field::MarketCap),
    ("priceEarnings", Field::PriceEarnings),
    ("earningsPerShare", Field::EarningsPerShare),
    ("dividendYield", Field::DividendYield),
    ("exDividend", Field::ExDividend),
    ("underlyingIv", Field::UnderlyingVolatility),
    ("shortable", Field::Shortable),
    ("borrowFee", Field::BorrowFee),
    ("openInterest", Field::OpenInterest),
    ("futureOpenInterest", Field::FutureOpenInterest),
];
/// Fields that a quote has, and a table only where they are asked for.
const OWN: &[&str] = &[
    "name",
    "secType",
    "exchange",
    "bidSize",
    "askSize",
    "change",
    "open",
    "high",
    "low",
    "priorClose",
    "mark",
    "gamma",
    "theta",
    "vega",
    "updated",
];
/// Whose absence says something itself.
const ABSENT: &[&str] = &["lastIs", "priceUnit", "mark"];

/// The names that are asked for, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked(Vec<&'static str>);

impl Asked {
    pub(super) fn of(names: Option<&[String]>) -> Result<Self, Refusal> {
        let known = || MORE.iter().map(|(name, _)| *name).chain(own());
        let named = |name: &String| {
            known().find(|one| one.eq_ignore_ascii_case(name.trim())).ok_or_else(|| {
                Refusal::argument(
                    "fields",
                    format!("{name:?} is no field."),
                    format!("Use some of {}.", known().collect::<Vec<_>>().join(", ")),
                )
            })
        };
        names.unwrap_or_default().iter().map(named).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn names(&self) -> &[&'static str] {
        &self.0
    }

    /// What is asked for that a quote does not have.
    pub(super) fn more(&self) -> Vec<Field> {
        let asked = MORE.iter().filter(|(name, _)| self.0.contains(name));
        asked.map(|(_, field)| *field).collect()
    }

    /// Adds what is known of a contract to its quote; what is not known is absent.
    pub(super) fn add(&self, row: Option<&Row>, quote: &mut Map<String, Value>) {
        let asked = MORE.iter().filter(|(name, _)| self.0.contains(name));
        for (name, field) in asked {
            let value = match field {
                Field::ExDividend => row.and_then(|row| row.text(*field)).map(clean),
                field => row.and_then(|row| row.number(*field)).and_then(number),
            };
            match value {
                Some(value) => _ = quote.insert((*name).to_owned(), value),
                None => lacks(quote, name),
            }
        }
        let own = own().filter(|name| self.0.contains(name) && !ABSENT.contains(name));
        for name in own.filter(|name| !quote.contains_key(*name)).collect::<Vec<_>>() {
            lacks(quote, name);
        }
    }
}

/// All that a quote has.
fn own() -> impl Iterator<Item = &'static str> {
    COLS.iter().chain(OWN).copied()
}

/// Says that a field was asked for and is not known.
fn lacks(quote: &mut Map<String, Value>, name: &str) {
    let missing = quote.entry("missing").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(missing) = missing {
        missing.entry(name).or_insert_with(|| "IBKR gave no value of it".into());
    }
}

fn clean(text: &str) -> Value {
    Value::String(ibd_cpapi::failure::clean(text))
}

fn number(number: Decimal) -> Option<Value> {
    serde_json::to_value(Num(number)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_are_known_by_name_and_added_where_they_are_known() {
        let asked = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Asked::of(Some(&names))
        };
        assert_eq!(asked(&["yield"]).unwrap_err().field.as_deref(), Some("fields"));
        assert!(asked(&["open", "last"]).unwrap().more().is_empty());
        let row: Row = serde_json::from_str(
            r#"{"conid":1,"_updated":1,"7289":"2.1M","7288":"20261205","7290":"N/A"}"#,
        )
        .unwrap();
        let mut quote = Map::new();
        let asked = asked(&["MarketCap", "exDividend", "priceEarnings", "open"]).unwrap();
        assert_eq!(asked.more().len(), 3);
        asked.add(Some(&row), &mut quote);
        assert_eq!(
            serde_json::to_string(&quote).unwrap(),
            r#"{"marketCap":2100000,"missing":{"priceEarnings":"IBKR gave no value of it","open":"IBKR gave no value of it"},"exDividend":"20261205"}"#
        );
    }
}
