//! Arguments as models really send them: numbers as strings, lists as text, and typing mistakes.

mod forms;

use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_protocol::{Effect, ErrorCode};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::MAX_ARGUMENTS;
use super::names::{self, Fields, Known};
use super::schema::{self, Contract};
use crate::refusal::Refusal;
use forms::{List, Scalar};

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

/// Words of a person or a model: more of them than of a name.
pub fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match given(deserializer)? {
        Some(text) if text.chars().any(char::is_control) => {
            Err(D::Error::custom("has control characters"))
        }
        Some(text) if text.chars().count() > WORDS => {
            Err(D::Error::custom(format!("is longer than {WORDS} characters")))
        }
        words => Ok(words),
    }
}

/// Text, or a number as it was written; an empty text is left out.
pub fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    let json = raw.get().trim();
    let text = match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(json).map_err(D::Error::custom)?,
        Some(b'{' | b'[') => return Err(D::Error::custom("is neither text nor a number")),
        _ => json.to_owned(),
    };
    match text.trim() {
        "" => Ok(None),
        text if text.chars().count() > 100 || text.chars().any(char::is_control) => {
            Err(D::Error::custom("is no plain text of 100 characters at most"))
        }
        text => Ok(Some(text.to_owned())),
    }
}

/// An object or a list that may have been sent as JSON in a string. What is wrong within it keeps its place.
pub fn nested<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    deserializer.deserialize_any(forms::Nested::<T>::new())
}

/// Characters of a message.
const WORDS: usize = 500;

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

#[cfg(test)]
mod tests;
