//! Quotes: `/iserver/marketdata/snapshot`, with its numbered fields decoded.

use std::fmt;

use compact_str::CompactString;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::endpoint::{Endpoint, Path};
use crate::id::Conid;
use crate::lenient::{self, FromBroker};
use crate::rows::Rows;

/// Conids that one request may name; the request line stays far below the gateway's 4096 bytes.
pub const MAX_CONIDS: usize = 100;

/// A field of a snapshot, by IBKR's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Field {
    /// Last price; a letter in front says what kind.
    Last = 31,
    /// Symbol.
    Symbol = 55,
    /// Day's high.
    High = 70,
    /// Day's low.
    Low = 71,
    /// Change since the prior close.
    Change = 82,
    /// The same in percent.
    ChangePercent = 83,
    /// Bid.
    Bid = 84,
    /// Ask size. (Not 88, as some tables have it.)
    AskSize = 85,
    /// Ask.
    Ask = 86,
    /// Bid size.
    BidSize = 88,
    /// What kind of data this is, in letters.
    Availability = 6509,
    /// Average volume of a day, over 90 days.
    AverageVolume = 7282,
    /// Implied volatility of the options on it, in percent.
    UnderlyingVolatility = 7283,
    /// Dividend yield, in percent.
    DividendYield = 7287,
    /// The next ex-dividend date, as IBKR writes it.
    ExDividend = 7288,
    /// Market capitalisation.
    MarketCap = 7289,
    /// Price by earnings.
    PriceEarnings = 7290,
    /// Earnings a share.
    EarningsPerShare = 7291,
    /// The highest price of 52 weeks.
    YearHigh = 7293,
    /// The lowest price of 52 weeks.
    YearLow = 7294,
    /// Delta of an option.
    Delta = 7308,
    /// Gamma.
    Gamma = 7309,
    /// Theta, a day.
    Theta = 7310,
    /// Vega, for one point of volatility.
    Vega = 7311,
    /// Implied volatility of this strike, in percent.
    ImpliedVolatility = 7633,
    /// Opening price.
    Open = 7295,
    /// Mark price.
    Mark = 7635,
    /// Shares that can be borrowed to sell.
    Shortable = 7636,
    /// What borrowing them costs a year, in percent.
    BorrowFee = 7637,
    /// Open interest of an option.
    OpenInterest = 7638,
    /// Open interest of a future.
    FutureOpenInterest = 7697,
    /// Prior close.
    PriorClose = 7741,
    /// Volume in full.
    Volume = 7762,
}

impl Field {
    /// IBKR's number.
    pub fn number(self) -> u16 {
        self as u16
    }
}

/// Quotes of some contracts. The first request in a session for a contract only opens its stream.
#[derive(Debug, Clone)]
pub struct GetSnapshot {
    /// At most [`MAX_CONIDS`].
    pub conids: Vec<Conid>,
    /// At most 50.
    pub fields: &'static [Field],
}

/// One contract's values, as far as they have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The contract.
    pub conid: Conid,
    /// When the values were last updated.
    pub updated: Option<Timestamp>,
    /// By number, each once.
    values: Vec<(u16, CompactString)>,
}

/// What kind of data the broker gives for a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// As it happens.
    Realtime,
    /// 15 to 20 minutes late.
    Delayed,
    /// The last values before the close.
    Frozen,
    /// The last delayed values before the close.
    FrozenDelayed,
    /// No subscription for this market.
    NotSubscribed,
    /// The market-data API acknowledgement is not signed in Client Portal.
    NotAcknowledged,
}

/// Which prices a contract can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signs {
    /// Only prices above zero.
    #[default]
    Positive,
    /// Zero and less, too: spreads, some futures.
    Any,
}

/// What the letter in front of a last price means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastKind {
    /// A trade of today.
    Trade,
    /// `C`: the prior close; no trade today.
    PriorClose,
    /// `H`: trading is halted.
    Halted,
}

impl Row {
    /// Takes what a later row says; of what it is silent about nothing changes.
    pub fn merge(&mut self, later: &Self) {
        self.updated = self.updated.max(later.updated);
        for (number, text) in &later.values {
            match self.place(*number) {
                // Thousands of these come in a second: the room that is there is used again.
                Ok(at) => self.values[at].1.clone_from(text),
                Err(at) => self.values.insert(at, (*number, text.clone())),
            }
        }
    }

    fn place(&self, number: u16) -> Result<usize, usize> {
        self.values.binary_search_by_key(&number, |(number, _)| *number)
    }

    /// Whether a later row says anything else than this one.
    pub fn is_changed_by(&self, later: &Self) -> bool {
        let is_known = |(number, text): &(u16, CompactString)| {
            self.place(*number).is_ok_and(|at| self.values[at].1 == *text)
        };
        !later.values.iter().all(is_known)
    }

    /// Whether anything but the contract's number has come.
    pub fn has_data(&self) -> bool {
        self.updated.is_some()
    }

    /// Whether the broker knows nothing of this contract: a symbol of `-` beside no last price.
    pub fn is_unknown(&self) -> bool {
        self.raw(Field::Symbol) == Some("-") && self.number(Field::Last).is_none()
    }

    /// A field as a number; missing stays missing. Takes `1,200`, `25.1%`, `24.1M` and a `C` or `H`.
    pub fn number(&self, field: Field) -> Option<Decimal> {
        let text = self.text(field)?;
        let text = text.strip_prefix(['C', 'H']).unwrap_or(text);
        let text = text.strip_suffix('%').unwrap_or(text);
        let (text, scale) = match text.strip_suffix(['K', 'M', 'B']) {
            Some(rest) => (rest, scale(text.as_bytes().last().copied())),
            None => (text, Decimal::ONE),
        };
        Decimal::from_broker(text).and_then(|number| number.checked_mul(scale))
    }

    /// A field as text; the words for "nothing" are nothing.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.raw(field).filter(|text| !matches!(*text, "" | "-" | "N/A" | "NA"))
    }

    /// The best bid at which something is wanted.
    pub fn bid(&self, signs: Signs) -> Option<Decimal> {
        self.quoted(Field::Bid, Field::BidSize, signs)
    }

    /// The best ask at which something is offered.
    pub fn ask(&self, signs: Signs) -> Option<Decimal> {
        self.quoted(Field::Ask, Field::AskSize, signs)
    }

    /// A price that somebody stands behind. The broker writes -1 or 0 where there is none, and a size of
    /// zero beside what is over; a size that has not come yet says nothing.
    fn quoted(&self, price: Field, size: Field, signs: Signs) -> Option<Decimal> {
        let (price, size) = (self.number(price)?, self.number(size));
        let is_empty = size.is_some_and(|size| size <= Decimal::ZERO);
        let is_real = price > Decimal::ZERO
            || signs == Signs::Any && size.is_some_and(|size| size > Decimal::ZERO);
        Some(price).filter(|_| is_real && !is_empty)
    }

    /// The last trade of today, else the mark. Yesterday's close is neither, also where the mark only
    /// repeats it.
    pub fn traded(&self, signs: Signs) -> Option<Decimal> {
        let is_closed = self.last_kind() == Some(LastKind::PriorClose);
        let close = [Field::Last, Field::PriorClose].map(|field| self.number(field));
        let last = self.number(Field::Last).filter(|_| !is_closed);
        let mark =
            self.number(Field::Mark).filter(|mark| !is_closed || !close.contains(&Some(*mark)));
        // No size stands beside it, so -1 can only be taken for "none".
        let is_price = |price: &Decimal| {
            *price > Decimal::ZERO || signs == Signs::Any && *price != Decimal::NEGATIVE_ONE
        };
        last.filter(is_price).or(mark.filter(is_price))
    }

    /// What kind of last price it is.
    pub fn last_kind(&self) -> Option<LastKind> {
        match self.text(Field::Last)?.as_bytes().first() {
            Some(b'C') => Some(LastKind::PriorClose),
            Some(b'H') => Some(LastKind::Halted),
            _ => Some(LastKind::Trade),
        }
    }

    /// What kind of data this is; `None`: the broker does not say.
    pub fn availability(&self) -> Option<Availability> {
        match self.text(Field::Availability)?.as_bytes().first()? {
            b'R' => Some(Availability::Realtime),
            b'D' => Some(Availability::Delayed),
            b'Z' => Some(Availability::Frozen),
            b'Y' => Some(Availability::FrozenDelayed),
            b'N' => Some(Availability::NotSubscribed),
            b'O' => Some(Availability::NotAcknowledged),
            _ => None,
        }
    }

    fn raw(&self, field: Field) -> Option<&str> {
        let at = self.place(field.number()).ok()?;
        Some(self.values[at].1.trim())
    }
}

fn scale(suffix: Option<u8>) -> Decimal {
    match suffix {
        Some(b'K') => Decimal::ONE_THOUSAND,
        Some(b'M') => Decimal::from(1_000_000),
        _ => Decimal::from(1_000_000_000),
    }
}

impl<'de> Deserialize<'de> for Row {
    /// Numbered keys are values; the few others are the envelope.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Numbered)
    }
}

/// Reads a row in one pass.
struct Numbered;

/// What a key of a row names.
enum Key {
    Conid,
    Updated,
    Field(u16),
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "conid" => Key::Conid,
                    "_updated" => Key::Updated,
                    number => number.parse().map_or(Key::Other, Key::Field),
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

impl<'de> Visitor<'de> for Numbered {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of numbered values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let (mut conid, mut updated, mut values) = (None, None, Vec::new());
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Conid => {
                    conid =
                        lenient::read(map.next_value::<&RawValue>()?).map_err(A::Error::custom)?;
                }
                Key::Updated => {
                    updated = lenient::read(map.next_value::<&RawValue>()?).ok().flatten();
                }
                Key::Field(number) => {
                    values.push((number, plain(map.next_value::<&RawValue>()?.get())));
                }
                Key::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        // Of what is said twice the later one counts.
        values.reverse();
        values.sort_by_key(|(number, _)| *number);
        values.dedup_by_key(|(number, _)| *number);
        let time = |millis: u64| Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok();
        Ok(Row {
            conid: conid.ok_or_else(|| A::Error::missing_field("conid"))?,
            updated: updated.and_then(time),
            values,
        })
    }
}

/// A JSON scalar's text; what is no scalar is kept as it stands and will not be a number.
fn plain(json: &str) -> CompactString {
    let quoted = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted {
        Some(text) if !text.contains('\\') => text.into(),
        Some(_) => serde_json::from_str::<String>(json).map_or_else(|_| json.into(), Into::into),
        None => json.into(),
    }
}

impl Endpoint for GetSnapshot {
    type Reply = Rows<Row>;
    const NAME: &'static str = "iserver/marketdata/snapshot";

    fn path(&self) -> Path {
        let conids: Vec<String> = self.conids.iter().map(Conid::to_string).collect();
        let fields: Vec<String> = self.fields.iter().map(|f| f.number().to_string()).collect();
        Path::new("/iserver/marketdata/snapshot")
            .query("conids", conids.join(","))
            .query("fields", fields.join(","))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    fn row(conid: u32) -> Row {
        let rows: Rows<Row> = fixtures::reply("snapshot");
        rows.into_iter().find(|row| row.conid.get() == conid).unwrap()
    }

    #[test]
    fn a_quote_is_decoded() {
        let apple = row(265_598);
        assert_eq!(apple.number(Field::Last).unwrap().to_string(), "271.55");
        assert_eq!(apple.number(Field::BidSize).unwrap().to_string(), "1200");
        assert_eq!(apple.availability(), Some(Availability::Realtime));
        assert_eq!(apple.last_kind(), Some(LastKind::Trade));
    }

    #[test]
    fn a_later_row_changes_what_it_says_and_nothing_else() {
        let read = |values: &str| -> Row {
            serde_json::from_str(&format!(r#"{{"conid":1,{values}}}"#)).unwrap()
        };
        let mut row = read(r#""_updated":1790000000123,"31":"9","84":"8.9""#);
        row.merge(&read(r#""_updated":1790000001123,"31":"9.1""#));
        let shown = |row: &Row, field| row.number(field).map(|number| number.to_string());
        assert_eq!(shown(&row, Field::Last).as_deref(), Some("9.1"));
        assert_eq!(shown(&row, Field::Bid).as_deref(), Some("8.9"));
        let later = row.updated;
        row.merge(&read(r#""_updated":1790000000500,"86":"9.2""#));
        assert_eq!(row.updated, later, "time does not go back");
    }

    #[test]
    fn a_value_is_kept_as_it_is_written() {
        let row: Row = serde_json::from_str(
            r#"{"31":1,"conid":"7","84":271.50,"55":"A\u0026B","x":[1],"31":"9.10","6509":null,"server_id":"q0"}"#,
        )
        .unwrap();
        let shown = |field| row.text(field).map(str::to_owned);
        assert_eq!(
            shown(Field::Last).as_deref(),
            Some("9.10"),
            "of what is said twice the later one"
        );
        assert_eq!(shown(Field::Bid).as_deref(), Some("271.50"));
        assert_eq!(shown(Field::Symbol).as_deref(), Some("A&B"));
        assert_eq!((row.conid.get(), row.updated), (7, None));
        assert!(
            serde_json::from_str::<Row>(r#"{"31":"9"}"#).is_err(),
            "whose it is, it does not say"
        );
    }

    #[test]
    fn letters_in_front_of_a_price_are_read() {
        let toyota = row(14_020_991);
        assert_eq!(toyota.last_kind(), Some(LastKind::PriorClose));
        assert_eq!(toyota.number(Field::Last).unwrap().to_string(), "3125");
        assert_eq!(row(38_709_473).last_kind(), Some(LastKind::Halted));
        assert_eq!(row(14_204).availability(), Some(Availability::Delayed));
    }

    #[test]
    fn a_price_that_nobody_stands_behind_is_no_quote() {
        use Signs::{Any, Positive};
        let bid = |values: &str, signs| {
            let row: Row = serde_json::from_str(&format!(r#"{{"conid":1,{values}}}"#)).unwrap();
            row.bid(signs).map(|price| price.to_string())
        };
        for (values, signs, expected) in [
            (r#""84":"9.9","88":"100""#, Positive, Some("9.9")),
            (r#""84":"9.9""#, Positive, Some("9.9")),
            (r#""84":"9.9","88":"0""#, Positive, None),
            (r#""84":"9.9","88":"0""#, Any, None),
            (r#""84":"-1""#, Positive, None),
            (r#""84":"-1","88":"0""#, Positive, None),
            (r#""84":"-1","88":"5""#, Positive, None),
            (r#""84":"-1""#, Any, None),
            (r#""84":"-1","88":"5""#, Any, Some("-1")),
            (r#""84":"-37.5","88":"5""#, Any, Some("-37.5")),
            (r#""84":"0","88":"5""#, Positive, None),
            (r#""84":"0","88":"5""#, Any, Some("0")),
            (r#""84":"0""#, Any, None),
        ] {
            assert_eq!(bid(values, signs).as_deref(), expected, "{values} {signs:?}");
        }
    }

    #[test]
    fn yesterdays_close_is_no_trade() {
        let last = |values: &str| {
            let row: Row = serde_json::from_str(&format!(r#"{{"conid":1,{values}}}"#)).unwrap();
            row.traded(Signs::Positive).map(|price| price.to_string())
        };
        for (values, expected) in [
            (r#""31":"9""#, Some("9")),
            (r#""31":"H9""#, Some("9")),
            (r#""31":"C9""#, None),
            (r#""31":"C9","7635":"9""#, None),
            (r#""31":"C9","7635":"9.2""#, Some("9.2")),
            (r#""7741":"9""#, None),
            (r#""7635":"9.2""#, Some("9.2")),
            (r#""31":"-1","7635":"9.2""#, Some("9.2")),
            (r#""31":"0""#, None),
        ] {
            assert_eq!(last(values).as_deref(), expected, "{values}");
        }
    }

    #[test]
    fn a_stub_has_no_data_and_no_zeros() {
        let stubs: Rows<Row> = fixtures::reply("snapshot_stub");
        assert!(!stubs[0].has_data());
        assert_eq!(stubs[0].number(Field::Bid), None);
    }

    #[test]
    fn a_contract_without_data_is_recognised() {
        let unknown: Row = serde_json::from_str(
            r#"{"conid":104747,"_updated":1790000000123,"55":"-","31":"N/A"}"#,
        )
        .unwrap();
        assert!(unknown.is_unknown());
        assert_eq!(unknown.number(Field::Last), None);
    }

    #[test]
    fn suffixes_scale() {
        let row: Row =
            serde_json::from_str(r#"{"conid":1,"7762":"24.1M","83":0.56,"7633":"25.1%"}"#).unwrap();
        assert_eq!(row.number(Field::Volume).unwrap(), Decimal::from(24_100_000));
        assert_eq!(row.number(Field::ChangePercent).unwrap().to_string(), "0.56");
        assert_eq!(row.number(Field::ImpliedVolatility).unwrap().to_string(), "25.1");
    }

    #[test]
    fn a_hundred_conids_fit_the_gateways_request_line() {
        let conids = vec!["700000001".parse().unwrap(); MAX_CONIDS];
        let all = &[Field::Last; 50][..];
        let fields: &'static [Field] = Vec::leak(all.to_vec());
        let path = GetSnapshot { conids, fields }.path();
        assert!(path.as_str().len() < 3_000, "{}", path.as_str().len());
    }
}
