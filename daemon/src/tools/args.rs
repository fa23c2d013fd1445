//! Arguments as models really send them: numbers as strings, lists as text, and typing mistakes.

use std::fmt;

use ibd_cpapi::id::{AccountId, Conid, OrderId};
use rust_decimal::Decimal;
use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::MAX_ARGUMENTS;
use crate::refusal::Refusal;

/// Two names are taken for one another from this likeness on.
const LIKENESS: f64 = 0.8;

/// Reads a tool's arguments, or says which field is wrong and what was meant.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    // serde would also take a list for a struct, field by field.
    if !text.trim_start().starts_with('{') {
        return Err(explain("", "the arguments are not a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        explain(&path, &error.into_inner().to_string())
    })
}

/// What is said about arguments that are too long to be meant.
pub fn too_long(length: usize) -> Refusal {
    Refusal::new(
        "invalid_argument",
        format!("The arguments have {length} bytes; at most {MAX_ARGUMENTS} are read."),
        "Send only what the tool's schema asks for.",
    )
}

fn explain(path: &str, error: &str) -> Refusal {
    // serde_json appends where in the text it was; a model has no use for that.
    let what = error.split(" at line ").next().unwrap_or(error);
    if let Some(unknown) = between(what, "unknown field `", "`") {
        return unknown_field(unknown, what);
    }
    let field = match path {
        "." | "" => {
            between(what, "missing field `", "`").or(between(what, "duplicate field `", "`"))
        }
        _ => Some(path),
    };
    let next = "Correct this field and call the tool again.";
    match field {
        Some(field) => Refusal::argument(field, format!("{field}: {what}"), next),
        None => Refusal::new(
            "invalid_argument",
            what,
            "Send a JSON object that fits the tool's schema.",
        ),
    }
}

fn unknown_field(unknown: &str, what: &str) -> Refusal {
    let known: Vec<&str> = what.split('`').skip(3).step_by(2).filter(|k| *k != "confirm").collect();
    let meant = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&unknown.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let message = match meant {
        Some((_, meant)) => format!("There is no field `{unknown}`; did you mean `{meant}`?"),
        None if known.is_empty() => format!("There is no field `{unknown}`; this tool takes none."),
        None => format!("There is no field `{unknown}`. Fields: {}.", known.join(", ")),
    };
    Refusal::argument(
        unknown,
        message,
        "Nothing was done. Correct the field and call the tool again.",
    )
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

/// The original demanded `{"confirm": true}` where a tool had no arguments. Taken and ignored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Confirm;

impl<'de> Deserialize<'de> for Confirm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Text that may have been sent as a number, for instance the ticker 700. Trimmed, never empty.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(Scalar(text)) = Option::<Scalar>::deserialize(deserializer)? else { return Ok(None) };
    match text.trim() {
        "" => Err(D::Error::custom("is empty")),
        text if text.chars().any(char::is_control) => {
            Err(D::Error::custom("has control characters"))
        }
        text if text.chars().count() > 100 => {
            Err(D::Error::custom("is longer than 100 characters"))
        }
        text => Ok(Some(text.to_owned())),
    }
}

/// A whole number that may have been sent as a string.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let Some(Scalar(text)) = Option::<Scalar>::deserialize(deserializer)? else { return Ok(None) };
    let number = text.trim().parse::<usize>().ok().filter(|number| *number > 0);
    number
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("{text:?} is not a positive whole number")))
}

/// More digits than this survive no reader of JSON numbers unharmed, so they must come as text.
const DIGITS: usize = 15;

/// A decimal number that may have been sent as a string: plain digits, at most one point, a sign. No
/// exponents: "1e9" shares is nobody's order.
pub fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    let json = raw.get().trim();
    let (text, is_text) = match json.starts_with('"') {
        true => (serde_json::from_str::<String>(json).map_err(D::Error::custom)?, true),
        false => (json.to_owned(), false),
    };
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|b| *b == b'.').count() <= 1
        && digits.bytes().any(|b| b.is_ascii_digit());
    if !is_plain {
        return Err(D::Error::custom(format!("{text:?} is not a plain number such as 12.5")));
    }
    if !is_text && digits.bytes().filter(u8::is_ascii_digit).count() > DIGITS {
        return Err(D::Error::custom(format!(
            "a number of more than {DIGITS} digits must be sent as text"
        )));
    }
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("{text:?} has too many digits")))
}

/// Yes or no, that may have been sent as text.
pub fn yes_no<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    match raw.get().trim_matches('"').to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(Some(true)),
        "false" | "0" | "no" => Ok(Some(false)),
        _ => Err(D::Error::custom("is neither true nor false")),
    }
}

/// A list of objects that may have been sent as a JSON list in a string.
pub fn rows<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    let json = match raw.get().trim_start().starts_with('"') {
        true => serde_json::from_str::<String>(raw.get()).map_err(D::Error::custom)?,
        false => raw.get().to_owned(),
    };
    serde_json::from_str(&json).map(Some).map_err(D::Error::custom)
}

/// A list that may have been sent as a JSON list in a string, as `A,B`, or as a single value.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let Some(List(texts)) = Option::<List>::deserialize(deserializer)? else { return Ok(None) };
    let texts: Vec<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
    match texts.iter().any(String::is_empty) || texts.is_empty() {
        true => Err(D::Error::custom("is empty, or has an empty entry")),
        false => Ok(Some(texts)),
    }
}

macro_rules! ids {
    ($($function:ident -> $id:ty;)*) => {$(
        /// An id that may have been sent as a number or as a string.
        pub fn $function<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$id>, D::Error> {
            let Some(Scalar(text)) = Option::<Scalar>::deserialize(deserializer)? else {
                return Ok(None);
            };
            text.trim().parse().map(Some).map_err(D::Error::custom)
        }
    )*};
}

ids! {
    account -> AccountId;
    conid -> Conid;
    order_id -> OrderId;
}

/// Conids in any of the forms of a list.
pub fn conids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Conid>>, D::Error> {
    let Some(texts) = texts(deserializer)? else { return Ok(None) };
    let conids = texts.iter().map(|text| text.parse().map_err(D::Error::custom));
    conids.collect::<Result<_, _>>().map(Some)
}

/// A string or a number, as text. A float is refused: no id or symbol is one.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a whole number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

struct List(Vec<String>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = List;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<List, E> {
                if text.trim_start().starts_with('[') {
                    return serde_json::from_str(text).map_err(E::custom);
                }
                Ok(List(text.split(',').map(str::to_owned).collect()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<List, E> {
                Ok(List(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List, A::Error> {
                let mut texts = Vec::new();
                while let Some(Scalar(text)) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(List(texts))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase", default)]
    struct Args {
        #[serde(deserialize_with = "account")]
        account_id: Option<AccountId>,
        #[serde(deserialize_with = "text")]
        symbol: Option<String>,
        #[serde(deserialize_with = "texts")]
        symbols: Option<Vec<String>>,
        #[serde(deserialize_with = "conid")]
        conid: Option<Conid>,
        #[serde(deserialize_with = "count")]
        limit: Option<usize>,
        #[allow(dead_code)]
        confirm: Confirm,
    }

    fn refused(text: &str) -> (String, String) {
        let refusal = read::<Args>(text).unwrap_err();
        (refusal.field.unwrap_or_default(), refusal.message)
    }

    #[test]
    fn what_models_send_is_understood() {
        let args: Args = read(
            r#"{"symbol":700,"symbols":"[\"A\",\"B\"]","conid":"265598","limit":"5","confirm":true}"#,
        )
        .unwrap();
        assert_eq!(args.symbol.as_deref(), Some("700"));
        assert_eq!(args.symbols.unwrap(), ["A", "B"]);
        assert_eq!((args.conid.unwrap().get(), args.limit), (265_598, Some(5)));
        let args: Args = read(r#"{"symbols":"AAPL, MSFT","accountId":null}"#).unwrap();
        assert_eq!(args.symbols.unwrap(), ["AAPL", "MSFT"]);
        assert_eq!(args.account_id, None);
    }

    #[test]
    fn a_mistyped_field_is_recognised() {
        let (field, message) = refused(r#"{"acountId":"U1"}"#);
        assert_eq!(field, "acountId");
        assert_eq!(message, "There is no field `acountId`; did you mean `accountId`?");
        let (_, message) = refused(r#"{"zzz":1}"#);
        assert!(message.contains("Fields: accountId, symbol, symbols, conid, limit"), "{message}");
    }

    #[test]
    fn a_wrong_value_names_its_field() {
        for (text, field, needle) in [
            (r#"{"symbol":""}"#, "symbol", "is empty"),
            (r#"{"symbol":{"a":1}}"#, "symbol", "text or a whole number"),
            (r#"{"conid":265598.7}"#, "conid", "text or a whole number"),
            (r#"{"conid":"1e9"}"#, "conid", "not a conid"),
            (r#"{"conid":-5}"#, "conid", "not a conid"),
            (r#"{"accountId":"U1\u0007"}"#, "accountId", "not an account id"),
            (r#"{"limit":0}"#, "limit", "positive whole number"),
            (r#"{"symbols":["A",""]}"#, "symbols", "empty entry"),
        ] {
            let (found, message) = refused(text);
            assert_eq!(found, field, "{text}: {message}");
            assert!(message.contains(needle), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused_in_words() {
        for text in ["[]", "7", "\"x\"", "{"] {
            assert_eq!(read::<Args>(text).unwrap_err().error, "invalid_argument", "{text}");
        }
    }
}
