//! Reads what the broker means, whatever JSON type it used this time.
//!
//! Every number goes from the text on the wire straight to its own type: none passes through a
//! float. `null`, an absent key, `""`, `"N/A"`, `"NA"`, `"-"` and `"null"` all mean: no value.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A type that can be read from the broker's text.
pub trait FromBroker: Sized {
    /// Reads `text`, which is not one of the words for "no value".
    fn from_broker(text: &str) -> Option<Self>;
}

/// For `#[serde(default, deserialize_with = "lenient::opt")]`: missing stays missing, and what
/// cannot be read is an error, not a guess.
pub fn opt<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    match raw {
        Some(raw) => read(&raw).map_err(D::Error::custom),
        None => Ok(None),
    }
}

/// For `#[serde(deserialize_with = "lenient::req")]`: a value that must be there.
pub fn req<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    opt(deserializer)?.ok_or_else(|| D::Error::custom("a required value is missing"))
}

/// For `#[serde(default, deserialize_with = "lenient::loose")]`: what cannot be read is missing. Only
/// for what a row can do without, where one odd value must not cost the whole list.
pub fn loose<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| read(&raw).ok().flatten()))
}

/// For `#[serde(default, deserialize_with = "lenient::millis")]`: milliseconds of the epoch.
pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let millis = loose::<D, u64>(deserializer)?.filter(|millis| *millis > 0);
    Ok(millis.and_then(|millis| Timestamp::from_millisecond(millis.try_into().ok()?).ok()))
}

/// For `#[serde(default, deserialize_with = "lenient::compact_time")]`: `YYMMDDHHmmss` in UTC.
pub fn compact_time<'de, D>(deserializer: D) -> Result<Option<Timestamp>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = loose::<D, String>(deserializer)?;
    Ok(text.and_then(|text| utc("%y%m%d%H%M%S", &text)))
}

/// A time that the broker writes without a zone and means in UTC.
pub fn utc(format: &str, text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(format, text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// For lists of ids that come as numbers, strings or a mixture.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromBroker,
{
    let raw = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?.unwrap_or_default();
    raw.iter()
        .filter_map(|raw| read(raw).transpose())
        .collect::<Result<_, _>>()
        .map_err(D::Error::custom)
}

/// For `#[serde(default, deserialize_with = "lenient::or_default")]`: `null` is as if it were absent.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
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
    /// Takes `1,234.50`, `1.2E7` and a leading `+`.
    fn from_broker(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|c| *c != ',').collect();
        match plain.contains(['e', 'E']) {
            true => Decimal::from_scientific(&plain).ok(),
            false => plain.parse().ok(),
        }
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
    fn what_is_no_number_is_an_error_and_not_zero() {
        assert!(amount("\"twelve\"").is_err());
        assert!(amount("{}").is_err());
    }

    #[test]
    fn ids_may_be_numbers_or_strings() {
        let row: Row = serde_json::from_str(r#"{"ids":[265598,"8314",5.0]}"#).unwrap();
        assert_eq!(row.ids, [265_598, 8314, 5]);
    }
}
