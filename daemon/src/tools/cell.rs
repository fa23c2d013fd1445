//! Numbers and table cells as a model reads them.

use std::borrow::Cow;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use rust_decimal::{Decimal, RoundingStrategy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A float holds this many digits exactly; the reader of a JSON number may be one.
const DIGITS: u32 = 15;

/// A decimal, written as a JSON number of at most fifteen significant digits; never a float inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Num(pub Decimal);

impl Num {
    /// Rounded to so many decimal places, half away from zero, as money is.
    pub fn rounded(value: Decimal, places: u32) -> Self {
        Self(value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero))
    }
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = self.0.round_sf(DIGITS).unwrap_or(self.0).normalize();
        let raw = RawValue::from_string(number.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl JsonSchema for Num {
    fn schema_name() -> Cow<'static, str> {
        "Num".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// One cell of a table: text, a number, or nothing where there is no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Num(Num),
    /// No value.
    Missing,
}

impl JsonSchema for Cell {
    fn schema_name() -> Cow<'static, str> {
        "Cell".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "null"] })
    }
}

impl Cell {
    /// Text, or nothing.
    pub fn text(value: Option<impl Into<String>>) -> Self {
        value.map_or(Self::Missing, |text| Self::Text(text.into()))
    }

    /// A number rounded to so many places, or nothing.
    pub fn number(value: Option<Decimal>, places: u32) -> Self {
        value.map_or(Self::Missing, |number| Self::Num(Num::rounded(number, places)))
    }
}

/// A time to the second, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time(pub Timestamp);

impl Time {
    /// Now.
    pub fn now() -> Self {
        Self(Timestamp::now())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Downwards: nothing was so at a moment that has not come yet.
        let down = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
        serializer.collect_str(&self.0.round(down).unwrap_or(self.0))
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(text: &str) -> String {
        serde_json::to_string(&Num(text.parse().unwrap())).unwrap()
    }

    #[test]
    fn a_number_is_written_as_it_is() {
        assert_eq!(shown("271.50"), "271.5");
        assert_eq!(shown("0.1"), "0.1");
        assert_eq!(shown("-1200"), "-1200");
        assert_eq!(shown("123456789.12345678901"), "123456789.123457");
    }

    #[test]
    fn a_missing_value_is_null_and_never_zero() {
        let row =
            [Cell::text(Some("AAPL")), Cell::number(None, 2), Cell::number(Some(Decimal::ZERO), 2)];
        assert_eq!(serde_json::to_string(&row).unwrap(), r#"["AAPL",null,0]"#);
    }
}
