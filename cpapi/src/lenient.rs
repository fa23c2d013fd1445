//! Reads what the broker means, whatever JSON type it used this time, field by field and row by row: one odd value
//! is a value that is not known, and never costs the rest.
//!
//! Every number goes from the text on the wire straight to its own type: none passes through a float. `null`, an
//! absent key, `""`, `"N/A"`, `"NA"`, `"-"` and `"null"` all mean: no value. So do a number that nothing real can be
//! (the largest double is IBKR's "not set"), `NaN`, and text where a number belongs.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A type that can be read from the broker's text.
pub trait FromBroker: Sized {
    /// Reads `text`, which is not one of the words for "no value".
    fn from_broker(text: &str) -> Option<Self>;
}

/// For `#[serde(default, deserialize_with = "lenient::opt")]`: what is missing, and what cannot be read, is not known.
pub fn opt<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| read(&raw).ok().flatten()))
}

/// For `#[serde(deserialize_with = "lenient::req")]`: a value without which a row says nothing.
pub fn req<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let value = read(&raw).map_err(D::Error::custom)?;
    value.ok_or_else(|| D::Error::custom("a required value is missing"))
}

/// For `#[serde(default, deserialize_with = "lenient::part")]`: the same of an object.
pub fn part<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// For `#[serde(default, deserialize_with = "lenient::millis")]`: milliseconds of the epoch.
pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let millis = opt::<D, u64>(deserializer)?.filter(|millis| *millis > 0);
    Ok(millis.and_then(|millis| Timestamp::from_millisecond(millis.try_into().ok()?).ok()))
}

/// For `#[serde(default, deserialize_with = "lenient::compact_time")]`: `YYMMDDHHmmss` in UTC.
pub fn compact_time<'de, D>(deserializer: D) -> Result<Option<Timestamp>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = opt::<D, String>(deserializer)?;
    Ok(text.and_then(|text| utc("%y%m%d%H%M%S", &text)))
}

/// A time that the broker writes without a zone and means in UTC.
pub fn utc(format: &str, text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(format, text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// For lists of plain values that come as numbers, strings or a mixture, or not at all.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = part::<D, Vec<Box<RawValue>>>(deserializer)?.unwrap_or_default();
    Ok(raw.iter().filter_map(|raw| read(raw).ok().flatten()).collect())
}

/// The same of lists whose places mean something, as of values by day: what cannot be read keeps its place.
pub fn places<'de, D, T>(deserializer: D) -> Result<Vec<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = part::<D, Vec<Box<RawValue>>>(deserializer)?.unwrap_or_default();
    Ok(raw.iter().map(|raw| read(raw).ok().flatten()).collect())
}

/// One raw JSON value as `T`, or missing.
pub fn read<T: FromBroker>(raw: &RawValue) -> Result<Option<T>, String> {
    let Some(text) = text(raw.get())? else { return Ok(None) };
    T::from_broker(&text).map(Some).ok_or_else(|| format!("{text:?} cannot be read here"))
}

/// The text of a JSON scalar, if it stands for a value.
fn text(json: &str) -> Result<Option<String>, String> {
    let text = match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(json).map_err(|e| e.to_string())?,
        Some(b'{' | b'[') => return Err("a plain value was expected".to_owned()),
        _ => json.to_owned(),
    };
    let text = text.trim();
    let is_nothing = matches!(text, "" | "null" | "N/A" | "NA" | "-" | "n/a");
    Ok((!is_nothing).then(|| text.to_owned()))
}

impl FromBroker for Decimal {
    /// Takes `1,234.50`, `1.2E7` and a leading `+`. What a sum of doubles leaves over (`1.3877787807814457E-17`) is
    /// nothing: nothing is counted in smaller parts than [`PLACES`].
    fn from_broker(text: &str) -> Option<Self> {
        if text.contains('\'') {
            return thirty_seconds(text);
        }
        let plain: String = text.chars().filter(|c| *c != ',').collect();
        let number =
            if plain.contains(['e', 'E']) { scientific(&plain)? } else { plain.parse().ok()? };
        Some(if number.scale() > PLACES { number.round_dp(PLACES) } else { number })
    }
}

impl FromBroker for String {
    fn from_broker(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl FromBroker for bool {
    fn from_broker(text: &str) -> Option<Self> {
        match text {
            "true" | "1" | "True" => Some(true),
            "false" | "0" | "False" => Some(false),
            _ => None,
        }
    }
}

impl FromBroker for u64 {
    /// Whole numbers, also written as `5.0`.
    fn from_broker(text: &str) -> Option<Self> {
        let number = Decimal::from_broker(text)?;
        number.is_integer().then(|| u64::try_from(number.trunc()).ok()).flatten()
    }
}

impl FromBroker for u32 {
    fn from_broker(text: &str) -> Option<Self> {
        u64::from_broker(text)?.try_into().ok()
    }
}

/// For `#[serde(default, deserialize_with = "lenient::positive")]`: a rate or price that is none where it is not above
/// zero; -1 stands for "none".
pub fn positive<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker + From<Decimal>,
{
    let number = opt::<D, Decimal>(deserializer)?.filter(|number| *number > Decimal::ZERO);
    Ok(number.map(T::from))
}

/// Prices of US bonds and their futures, in 32nds: `112'16` is 112 16/32, and a third digit tells halves and
/// quarters of one (`112'165` is 112 16.5/32, `112'162` 16.25/32).
fn thirty_seconds(text: &str) -> Option<Decimal> {
    let (whole, part) = text.split_once('\'')?;
    let (count, quarter) = match part.len() {
        2 => (part, "0"),
        3 => part.split_at_checked(2)?,
        _ => return None,
    };
    let quarter = match quarter {
        "0" => Decimal::ZERO,
        "2" => Decimal::new(25, 2),
        "5" => Decimal::new(5, 1),
        "7" => Decimal::new(75, 2),
        _ => return None,
    };
    let count = count.parse::<u8>().ok().filter(|count| *count < 32)?;
    let above = (Decimal::from(count) + quarter) / Decimal::from(32);
    let whole: Decimal = whole.parse().ok()?;
    let price = if text.starts_with('-') { whole - above } else { whole + above };
    Some(price.normalize())
}

/// Decimals of the smallest thing that is counted: the units of a crypto currency have eight.
const PLACES: u32 = 12;

/// A number with an exponent. One with more decimals than a decimal can have is as good as nothing.
fn scientific(text: &str) -> Option<Decimal> {
    Decimal::from_scientific(text).ok().or_else(|| {
        let (digits, exponent) = text.split_once(['e', 'E'])?;
        let (_, exponent) = (digits.parse::<Decimal>().ok()?, exponent.parse::<i64>().ok()?);
        (exponent <= -i64::from(PLACES)).then_some(Decimal::ZERO)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "opt")]
        amount: Option<Decimal>,
        #[serde(default, deserialize_with = "list")]
        ids: Vec<u64>,
        #[serde(default, deserialize_with = "places")]
        days: Vec<Option<u64>>,
    }

    fn amount(json: &str) -> Result<Option<String>, serde_json::Error> {
        let row: Row = serde_json::from_str(&format!(r#"{{"amount":{json}}}"#))?;
        Ok(row.amount.map(|amount| amount.to_string()))
    }

    #[test]
    fn numbers_arrive_exactly_whatever_their_json_type() {
        for (json, expected) in [
            ("271.55000305", "271.55000305"),
            ("\"1,234.50\"", "1234.50"),
            ("\"-0.082\"", "-0.082"),
            ("1.25E3", "1250"),
            ("1.3877787807814457E-17", "0"),
            ("\"112'165\"", "112.515625"),
            ("\"112'16\"", "112.5"),
            ("\"-0'08\"", "-0.25"),
            ("-1.4210854715202004E-14", "0"),
            ("\"1E-400\"", "0"),
            ("0.00000012345678901234567", "0.000000123457"),
            ("0.1", "0.1"),
        ] {
            assert_eq!(amount(json).unwrap().as_deref(), Some(expected), "{json}");
        }
    }

    #[test]
    fn every_word_for_nothing_is_missing() {
        for json in ["null", "\"\"", "\"N/A\"", "\"-\"", "\"null\"", "\"NA\""] {
            assert_eq!(amount(json).unwrap(), None, "{json}");
        }
        let absent: Row = serde_json::from_str("{}").unwrap();
        assert_eq!(absent.amount, None);
    }

    #[test]
    fn what_is_no_number_is_not_known_and_not_zero() {
        let none = [
            "\"twelve\"",
            "{}",
            "[1]",
            "true",
            "\"NaN\"",
            "\"5%\"",
            "\"1'234\"",
            "\"1'99\"",
            "1.7976931348623157E308",
        ];
        for json in none {
            assert_eq!(amount(json).unwrap(), None, "{json}");
        }
    }

    #[test]
    fn ids_may_be_numbers_or_strings() {
        let row: Row = serde_json::from_str(r#"{"ids":[265598,"8314",{},null,5.0]}"#).unwrap();
        assert_eq!(row.ids, [265_598, 8314, 5]);
        let none: Row = serde_json::from_str(r#"{"ids":"none","days":"none"}"#).unwrap();
        assert!(none.ids.is_empty() && none.days.is_empty());
        let row: Row = serde_json::from_str(r#"{"days":[1,null,"odd",4]}"#).unwrap();
        assert_eq!(row.days, [Some(1), None, None, Some(4)]);
    }
}
