//! Arguments as models really send them: numbers as strings, lists as text, and typing mistakes.

use std::fmt;

use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_protocol::{Effect, ErrorCode};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::MAX_ARGUMENTS;
use super::names::{self, Fields, Known};
use super::schema::{self, Contract};
use crate::refusal::Refusal;

/// Whole numbers up to here survive being written as a float.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Arguments, and which other names were taken for theirs.
#[derive(Debug)]
pub struct Read<T> {
    /// The arguments.
    pub args: T,
    /// For the result's `warnings`.
    pub warnings: Vec<String>,
}

/// Reads a tool's arguments, or says which fields are wrong and what was meant.
pub fn read<T: DeserializeOwned + JsonSchema>(
    text: &str,
    effect: Effect,
) -> Result<Read<T>, Refusal> {
    // serde would also take a list for a struct, field by field.
    if !text.trim_start().starts_with('{') {
        return Err(explain("", "the arguments are not a JSON object"));
    }
    match serde_json::from_str(text) {
        Ok(args) => Ok(Read { args, warnings: Vec::new() }),
        Err(_) => read_closely(text, effect),
    }
}

/// The same of arguments that are not as the schema has them.
fn read_closely<T: DeserializeOwned + JsonSchema>(
    text: &str,
    effect: Effect,
) -> Result<Read<T>, Refusal> {
    let fields = Fields::read(text).map_err(|error| explain("", &error.to_string()))?;
    let schema = schema::value::<T>(Contract::Deserialize);
    let settled = names::settle(fields, &Known::of::<T>(&schema), effect);
    let (mut fields, mut wrong) = (settled.fields, settled.wrong);
    // One field after the other is taken out, so that all that is wrong is told at once.
    loop {
        let text = fields.text();
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let error = match serde_path_to_error::deserialize(&mut deserializer) {
            Ok(args) if wrong.is_empty() => {
                return Ok(Read { args, warnings: settled.warnings });
            }
            Ok(_) => break,
            Err(error) => error,
        };
        let path = error.path().to_string();
        let refusal = explain(&path, &error.into_inner().to_string());
        let field = refusal.field.clone().unwrap_or_default();
        let was_there =
            fields.remove(path.split(['.', '[']).next().unwrap_or(&path)) || fields.remove(&field);
        let is_known = wrong.iter().any(|known| known.field.as_ref() == Some(&field));
        if !is_known {
            wrong.push(refusal);
        }
        if !was_there {
            break;
        }
    }
    Err(Refusal::all(wrong))
}

/// What is said about arguments that are too long to be meant.
pub fn too_long(length: usize) -> Refusal {
    Refusal::new(
        ErrorCode::InvalidArgument,
        format!("The arguments have {length} bytes; at most {MAX_ARGUMENTS} are read."),
        "Send only what the tool's schema asks for.",
    )
}

fn explain(path: &str, error: &str) -> Refusal {
    // serde_json appends where in the text it was; a model has no use for that.
    let what = error.split(" at line ").next().unwrap_or(error);
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
            ErrorCode::InvalidArgument,
            what,
            "Send a JSON object that fits the tool's schema.",
        ),
    }
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

/// Text that may have been sent as a number, for instance the ticker 700. Trimmed; an empty one is left out.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(Scalar(text)) = Option::<Scalar>::deserialize(deserializer)? else { return Ok(None) };
    match text.trim() {
        "" => Ok(None),
        text if text.chars().any(char::is_control) => {
            Err(D::Error::custom("has control characters"))
        }
        text if text.chars().count() > 100 => {
            Err(D::Error::custom("is longer than 100 characters"))
        }
        text => Ok(Some(text.to_owned())),
    }
}

/// What was given; an empty text is left out.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let scalar = Option::<Scalar>::deserialize(deserializer)?;
    Ok(scalar.map(|Scalar(text)| text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// A whole number without the zeros after a point that some writers give it.
fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    }
}

/// A whole number that may have been sent as a string.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let Some(text) = given(deserializer)? else { return Ok(None) };
    let number = whole(&text).parse::<usize>().ok().filter(|number| *number > 0);
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
    let (text, is_text) = if json.starts_with('"') {
        (serde_json::from_str::<String>(json).map_err(D::Error::custom)?, true)
    } else {
        (json.to_owned(), false)
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
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
    match raw.get().trim_matches('"').trim().to_ascii_lowercase().as_str() {
        "" | "null" => Ok(None),
        "true" | "1" | "yes" => Ok(Some(true)),
        "false" | "0" | "no" => Ok(Some(false)),
        _ => Err(D::Error::custom("is neither true nor false")),
    }
}

/// A list of objects that may have been sent as a JSON list in a string; an empty one is left out.
pub fn rows<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    let json = if raw.get().trim_start().starts_with('"') {
        serde_json::from_str::<String>(raw.get()).map_err(D::Error::custom)?
    } else {
        raw.get().to_owned()
    };
    if json.trim().is_empty() {
        return Ok(None);
    }
    let rows: Vec<T> = serde_json::from_str(&json).map_err(D::Error::custom)?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

/// A list that may have been sent as a JSON list in a string, as `A,B`, or as a single value; an empty one is
/// left out.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let Some(List(texts)) = Option::<List>::deserialize(deserializer)? else { return Ok(None) };
    let texts: Vec<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
    match texts.as_slice() {
        [] => Ok(None),
        [only] if only.is_empty() => Ok(None),
        texts if texts.iter().any(String::is_empty) => Err(D::Error::custom("has an empty entry")),
        _ => Ok(Some(texts)),
    }
}

macro_rules! ids {
    ($($function:ident -> $id:ty;)*) => {$(
        /// An id that may have been sent as a number or as a string.
        pub fn $function<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$id>, D::Error> {
            let Some(text) = given(deserializer)? else { return Ok(None) };
            whole(&text).parse().map(Some).map_err(D::Error::custom)
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

/// A string or a number, as text. A float that is no whole number is refused: no id or symbol is one.
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

            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
                if number.fract() == 0.0 && number.abs() < WHOLE {
                    Ok(Scalar(format!("{number:.0}")))
                } else {
                    Err(E::invalid_type(serde::de::Unexpected::Float(number), &self))
                }
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

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "camelCase", default)]
    struct Args {
        #[serde(deserialize_with = "account")]
        #[schemars(with = "Option<String>")]
        account_id: Option<AccountId>,
        #[serde(deserialize_with = "text")]
        symbol: Option<String>,
        #[serde(deserialize_with = "texts")]
        symbols: Option<Vec<String>>,
        #[serde(deserialize_with = "conid")]
        #[schemars(with = "Option<u32>")]
        conid: Option<Conid>,
        #[serde(deserialize_with = "decimal")]
        #[schemars(with = "Option<f64>")]
        price: Option<Decimal>,
        #[serde(deserialize_with = "yes_no")]
        is_all: Option<bool>,
        #[serde(deserialize_with = "count")]
        limit: Option<usize>,
        #[schemars(skip)]
        #[allow(dead_code)]
        confirm: Confirm,
    }

    fn read<T: DeserializeOwned + JsonSchema>(text: &str) -> Result<T, Refusal> {
        super::read(text, Effect::Trades).map(|read| read.args)
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
        assert!(message.contains("Fields: accountId, symbol, symbols, conid, price"), "{message}");
    }

    #[test]
    fn a_wrong_value_names_its_field() {
        for (text, field, needle) in [
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
    fn all_that_is_wrong_is_told_at_once() {
        let refusal = read::<Args>(r#"{"symbol":{},"conid":"x","limit":0,"zzz":1,"price":"1e9"}"#)
            .unwrap_err();
        for field in ["symbol", "conid", "limit", "zzz", "price"] {
            assert!(refusal.message.contains(field), "{field}: {}", refusal.message);
        }
        assert_eq!(refusal.field.as_deref(), Some("zzz"), "the first of them");
    }

    #[test]
    fn what_is_empty_is_left_out_and_a_whole_float_is_a_whole_number() {
        let args: Args = read(
            r#"{"symbol":"","accountId":" ","conid":"","price":"","limit":"","isAll":"","symbols":""}"#,
        )
        .unwrap();
        assert!(args.symbol.is_none() && args.account_id.is_none() && args.conid.is_none());
        assert!(args.price.is_none() && args.limit.is_none() && args.symbols.is_none());
        assert!(args.is_all.is_none());
        let args: Args =
            read(r#"{"symbol":7.0,"conid":265598.0,"limit":"7.0","symbols":[]}"#).unwrap();
        assert_eq!((args.symbol.as_deref(), args.limit), (Some("7"), Some(7)));
        assert_eq!(args.conid.unwrap().get(), 265_598);
        assert!(args.symbols.is_none());
    }

    #[test]
    fn what_is_no_object_is_refused_in_words() {
        for text in ["[]", "7", "\"x\"", "{"] {
            assert_eq!(read::<Args>(text).unwrap_err().error, ErrorCode::InvalidArgument, "{text}");
        }
    }
}
