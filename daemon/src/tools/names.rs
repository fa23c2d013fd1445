//! Arguments under other names: what means one thing is taken and said, what is not known is refused by tools
//! that write and named by tools that read, and nothing is dropped in silence. Pure.

use std::fmt;

use ibd_protocol::Effect;
use rust_decimal::Decimal;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// Two names are taken for one another from this likeness on.
const LIKENESS: f64 = 0.7;

/// Names that mean one thing, without regard to case and underscores: those of our own results, of IBKR's
/// endpoints, and of other programs of this field. A name may stand in two lines; it is taken where a tool has
/// an argument of one of them only.
const ALIKE: &[&[&str]] = &[
    &["action", "side"],
    &["orderType", "type"],
    &["secType", "type", "securityType", "assetClass"],
    &["price", "limitPrice", "lmtPrice"],
    &["stopPrice", "auxPrice", "triggerPrice"],
    &["quantity", "qty", "shares", "size", "totalQuantity"],
    &["cashQuantity", "cashQty"],
    &["accountId", "account", "acctId"],
    &["symbol", "ticker"],
    &["symbols", "tickers"],
    &["conid", "contractId"],
    &["conids", "contractIds"],
    &["expiry", "expiration", "expirationDate", "lastTradeDate", "lastTradeDateOrContractMonth"],
    &["strike", "strikePrice"],
    &["right", "optionType", "putCall"],
    &["exchange", "listingExchange", "primaryExchange"],
    &["tif", "timeInForce"],
    &["trailingAmount", "trailAmount", "trailingAmt"],
    &["trailingPercent", "trailPercent"],
    &["takeProfit", "takeProfitPrice"],
    &["stopLoss", "stopLossPrice"],
    &["queryId", "flexQueryId"],
    &["from", "fromDate", "startDate", "start"],
    &["to", "toDate", "endDate", "end"],
    &["limit", "maxResults", "top"],
    &["by", "groupBy"],
    &["sort", "sortBy"],
    &["seconds", "timeoutSeconds"],
];

/// Kinds of contracts, by which `type` is told from that of an order.
const SEC_TYPES: &[&str] =
    &["STK", "ETF", "OPT", "FUT", "FOP", "CASH", "FX", "BAG", "IND", "WAR", "BOND", "FUND", "CFD"];

/// An object's fields in the order in which they came, each as it was written.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Reads an object.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// As JSON.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes a field out; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(field, _)| field != name);
        self.0.len() < before
    }

    /// Adds to a list of texts, which comes first if it is new: it is to be read first.
    pub fn append(&mut self, name: &str, texts: &[String]) {
        let at = self.0.iter().position(|(field, _)| field == name);
        let mut all: Vec<String> =
            at.and_then(|at| serde_json::from_str(self.0[at].1.get()).ok()).unwrap_or_default();
        all.extend_from_slice(texts);
        let Ok(raw) = serde_json::value::to_raw_value(&all) else { return };
        match at {
            Some(at) => self.0[at].1 = raw,
            None => self.0.insert(0, (name.to_owned(), raw)),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(field, _)| field == name)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A result with more warnings.
pub fn warned(result: String, warnings: &[String]) -> String {
    if warnings.is_empty() {
        return result;
    }
    let Ok(mut fields) = Fields::read(&result) else { return result };
    fields.append("warnings", warnings);
    fields.text()
}

/// What a tool takes.
#[derive(Debug, Clone, Default)]
pub struct Known {
    names: Vec<String>,
    /// The names within the objects of a list.
    within: Vec<(String, Vec<String>)>,
}

impl Known {
    /// Of a type and its schema.
    pub fn of<T: DeserializeOwned>(schema: &Value) -> Self {
        let mut names = Vec::new();
        // It fails by design, once it has heard the names.
        let _ = T::deserialize(Listener(&mut names));
        let lists = schema["properties"].as_object().into_iter().flatten();
        let within = lists.filter_map(|(name, list)| {
            let inner = list["items"]["properties"].as_object()?;
            Some((name.clone(), inner.keys().cloned().collect()))
        });
        Self { within: within.collect(), names }
    }
}

/// Hears the names of a struct's fields.
struct Listener<'a>(&'a mut Vec<String>);

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields.iter().map(|field| (*field).to_owned()));
        Err(serde::de::Error::custom("heard"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// What has come of settling the names.
#[derive(Debug, Default)]
pub struct Settled {
    /// Under the tool's own names.
    pub fields: Fields,
    /// Which other names were taken, and what a tool that reads leaves out of account.
    pub warnings: Vec<String>,
    /// What cannot be taken.
    pub wrong: Vec<Refusal>,
}

/// Puts fields under a tool's own names.
pub fn settle(fields: Fields, known: &Known, effect: Effect) -> Settled {
    let mut settled = names(fields, &known.names, "", effect);
    for (list, within) in &known.within {
        let Some(at) = settled.fields.position(list) else { continue };
        let raw = settled.fields.0[at].1.get();
        let unquoted = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
        // What is no list of objects is refused where it is read.
        let Ok(items) = serde_json::from_str::<Vec<Fields>>(&unquoted) else { continue };
        let mut inner = Vec::new();
        for item in items {
            let one = names(item, within, &format!("{list}."), effect);
            inner.push(one.fields);
            settled.warnings.extend(one.warnings);
            settled.wrong.extend(one.wrong);
        }
        if let Ok(raw) = serde_json::value::to_raw_value(&inner) {
            settled.fields.0[at].1 = raw;
        }
    }
    settled.warnings.dedup();
    settled
}

fn names(fields: Fields, known: &[String], path: &str, effect: Effect) -> Settled {
    let mut settled = Settled::default();
    let (own, others): (Vec<_>, Vec<_>) =
        fields.0.into_iter().partition(|(name, _)| known.contains(name));
    settled.fields = Fields(own);
    for (name, value) in others {
        match meant(&name, value.get(), known) {
            Some(own) => take(&mut settled, &name, value, own, path),
            None if effect.is_for_readers() => {
                settled.warnings.push(format!(
                    "{} It was left out of account.",
                    unknown(&format!("{path}{name}"), &name, known)
                ));
            }
            None => {
                let message = unknown(&format!("{path}{name}"), &name, known);
                settled.wrong.push(Refusal::argument(
                    &format!("{path}{name}"),
                    message,
                    "Nothing was done. Correct the field and call the tool again.",
                ));
            }
        }
    }
    settled
}

/// Takes a field under another name, unless the two contradict.
fn take(settled: &mut Settled, name: &str, value: Box<RawValue>, own: &str, path: &str) {
    let Some(at) = settled.fields.position(own) else {
        settled.fields.0.push((own.to_owned(), value));
        settled.warnings.push(format!("`{path}{name}` was taken as `{path}{own}`."));
        return;
    };
    let has = &settled.fields.0[at].1;
    if !is_same(has.get(), value.get()) {
        settled.wrong.push(Refusal::argument(
            &format!("{path}{own}"),
            format!(
                "`{path}{own}` is {} and `{path}{name}`, which means the same, is {}.",
                shown(has.get()),
                shown(value.get())
            ),
            format!("Nothing was done. Give {own} alone."),
        ));
    }
}

/// What is shown of a value.
fn shown(json: &str) -> String {
    json.chars().take(40).collect()
}

/// Whether two values say one thing: text without regard to case, numbers however they are written.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |json: &str| json.trim().trim_matches('"').trim().to_lowercase();
    let (one, other) = (plain(one), plain(other));
    let number = |text: &str| text.parse::<Decimal>().ok();
    one == other || number(&one).is_some_and(|one| number(&other) == Some(one))
}

/// The own name of what is meant, if there is exactly one. `type` is an order's or a contract's: its value tells.
fn meant<'a>(name: &str, value: &str, known: &'a [String]) -> Option<&'a str> {
    let bare = squashed(name);
    let spelled = known.iter().find(|own| squashed(own) == bare);
    if let Some(own) = spelled {
        return Some(own);
    }
    let alike = ALIKE.iter().filter(|line| line.iter().any(|one| squashed(one) == bare)).copied();
    let alike: Vec<&str> = alike.flatten().copied().collect();
    let own: Vec<&String> = known.iter().filter(|own| alike.contains(&own.as_str())).collect();
    match own.as_slice() {
        [only] => Some(only),
        [_, _] => {
            let word = value.trim().trim_matches('"').to_ascii_uppercase();
            let meant = if SEC_TYPES.contains(&word.as_str()) { "secType" } else { "orderType" };
            own.into_iter().find(|own| *own == meant).map(String::as_str)
        }
        _ => None,
    }
}

fn squashed(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// There is no such field, and what may have been meant.
fn unknown(path: &str, name: &str, known: &[String]) -> String {
    let mut known: Vec<&str> =
        known.iter().map(String::as_str).filter(|own| *own != "confirm").collect();
    // Another spelling of one is no other one.
    known.dedup_by_key(|own| squashed(own));
    let likeness =
        |own: &str| strsim::normalized_damerau_levenshtein(&squashed(name), &squashed(own));
    let nearest = known
        .iter()
        .map(|own| (likeness(own), own))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, own)) => format!("There is no field `{path}`; did you mean `{own}`?"),
        None if known.is_empty() => format!("There is no field `{path}`; this tool takes none."),
        None => format!("There is no field `{path}`. Fields: {}.", known.join(", ")),
    }
}

#[cfg(test)]
#[path = "names/tests.rs"]
mod tests;
