//! Whatever names an instrument twice must agree: what was said beside a conid, or beside a symbol, is held
//! against the contract that was found. Pure.

use ibd_cpapi::contracts::{Right, SecType};
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::Contract;
use super::expiry::{self, Expiry};
use crate::refusal::Refusal;

/// Where IBKR routes what names no exchange: a route, and the listing of nothing.
const SMART: &str = "SMART";
/// Names of one exchange.
const ALIASES: &[&[&str]] = &[
    &["NASDAQ", "NASDAQ.NMS", "NASDAQ.SCM", "NASDAQ.GM", "ISLAND", "NMS"],
    &["ARCA", "NYSEARCA", "NYSE ARCA", "PACIFIC"],
    &["AMEX", "NYSE AMERICAN"],
    &["IBIS", "XETRA"],
];

/// What was said of a contract, in the words of whoever said it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Of an option the underlying's.
    pub symbol: Option<String>,
    /// `STK`, `OPT`, …
    pub sec_type: Option<String>,
    /// The listing exchange, or a route of an option.
    pub exchange: Option<String>,
    /// The currency.
    pub currency: Option<String>,
    /// A day or a month.
    pub expiry: Option<String>,
    /// The strike.
    #[serde(serialize_with = "as_text")]
    pub strike: Option<Decimal>,
    /// `C`, `CALL`, `P` or `PUT`.
    pub right: Option<String>,
}

/// In one spelling, however it was written.
fn as_text<S: Serializer>(strike: &Option<Decimal>, to: S) -> Result<S::Ok, S::Error> {
    match strike {
        Some(strike) => to.collect_str(&strike.normalize()),
        None => to.serialize_none(),
    }
}

impl Given {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Holds what was said against the contract. `by`: what the contract was found by.
    pub fn agrees(&self, contract: &Contract, by: &str) -> Result<(), Refusal> {
        let kind = contract.sec_type.as_ref();
        let clash = |field, given: &dyn std::fmt::Display, has: Option<&dyn std::fmt::Display>| {
            Err(contradiction(field, given, has, by))
        };
        if let Some(given) = &self.symbol
            && !is_symbol_of(given, contract)
        {
            return clash("symbol", given, shown(&contract.symbol));
        }
        if let Some(given) = &self.sec_type
            && Some(&SecType::of(given)) != kind
        {
            return clash("secType", given, shown(&contract.sec_type));
        }
        // Of what has a strike the exchange is where it is routed, and no listing.
        if let Some(given) = &self.exchange
            && !kind.is_some_and(SecType::has_strike)
            && !is_exchange(given, contract.exchange.as_deref())
        {
            return clash("exchange", given, shown(&contract.exchange));
        }
        if let Some(given) = &self.currency
            && !contract.currency.as_ref().is_some_and(|has| has.eq_ignore_ascii_case(given.trim()))
        {
            return clash("currency", given, shown(&contract.currency));
        }
        if let Some(given) = &self.expiry
            && !Expiry::read(given)?.is_of(contract)
        {
            return clash("expiry", given, shown(&contract.expiry.map(expiry::plain)));
        }
        if let Some(given) = self.strike
            && contract.strike != Some(given)
        {
            let has = contract.strike.map(|strike| strike.normalize());
            return clash("strike", &given.normalize(), shown(&has));
        }
        if let Some(given) = &self.right {
            let right = given.parse::<Right>().ok();
            if right.is_none() || right != contract.right {
                return clash("right", given, shown(&contract.right));
            }
        }
        Ok(())
    }
}

/// What a contract has, where it has it.
fn shown<T: std::fmt::Display>(value: &Option<T>) -> Option<&dyn std::fmt::Display> {
    value.as_ref().map(|value| value as &dyn std::fmt::Display)
}

fn contradiction(
    field: &str,
    given: &dyn std::fmt::Display,
    has: Option<&dyn std::fmt::Display>,
    by: &str,
) -> Refusal {
    let has = has.map_or_else(|| "has none".to_owned(), |has| format!("has {has}"));
    Refusal::new(
        ErrorCode::Contradiction,
        format!("{field} says {given}, and the contract of {by} {has}."),
        format!(
            "Nothing was done. Leave out {field}, or correct what names the contract; ask the user \
                 which one is meant if unsure."
        ),
    )
    .at(field)
}

/// Whether two symbols are one: in any case, and with blanks, dots, dashes and slashes alike.
pub fn is_same_symbol(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

fn plain(symbol: &str) -> String {
    let parts = symbol.split(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '/' | '_'));
    parts.filter(|part| !part.is_empty()).map(str::to_uppercase).collect::<Vec<_>>().join(" ")
}

fn is_symbol_of(given: &str, contract: &Contract) -> bool {
    let Some(symbol) = contract.symbol.as_deref() else { return false };
    if is_same_symbol(given, symbol) {
        return true;
    }
    // A pair is called EUR.USD, EURUSD, or by its first currency with the second beside it.
    let whole = |text: &str| plain(text).replace(' ', "");
    let is_pair = contract.sec_type == Some(SecType::Cash);
    let currency = contract.currency.as_deref().unwrap_or_default();
    is_pair
        && (whole(given) == whole(symbol) || whole(given) == format!("{}{currency}", whole(symbol)))
}

/// Whether an exchange that was named is where the contract is listed. SMART is everywhere.
pub fn is_exchange(given: &str, listing: Option<&str>) -> bool {
    let given = given.trim();
    given.eq_ignore_ascii_case(SMART)
        || listing.is_some_and(|listing| is_same(ALIASES, given, listing))
}

fn is_same(groups: &[&[&str]], one: &str, other: &str) -> bool {
    let is_in = |group: &[&str], word: &str| group.iter().any(|w| w.eq_ignore_ascii_case(word));
    let (one, other) = (one.trim(), other.trim());
    one.eq_ignore_ascii_case(other)
        || groups.iter().any(|group| is_in(group, one) && is_in(group, other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn contract(pairs: &[(&str, &str)]) -> Contract {
        let get = |name: &str| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Contract {
            symbol: get("symbol"),
            exchange: get("exchange"),
            currency: get("currency"),
            sec_type: get("secType").map(|text| SecType::of(&text)),
            description: get("description"),
            expiry: get("expiry").as_deref().and_then(expiry::day),
            strike: get("strike").and_then(|text| text.parse().ok()),
            right: get("right").and_then(|text| text.parse().ok()),
            ..Contract::bare("265598".parse().unwrap())
        }
    }

    fn given(field: &str, text: &str) -> Given {
        let value = Some(text.to_owned());
        match field {
            "symbol" => Given { symbol: value, ..Given::default() },
            "secType" => Given { sec_type: value, ..Given::default() },
            "exchange" => Given { exchange: value, ..Given::default() },
            "currency" => Given { currency: value, ..Given::default() },
            "expiry" => Given { expiry: value, ..Given::default() },
            "strike" => Given { strike: text.parse().ok(), ..Given::default() },
            _ => Given { right: value, ..Given::default() },
        }
    }

    #[test]
    fn what_is_said_twice_must_agree() {
        let apple =
            [("symbol", "AAPL"), ("secType", "STK"), ("exchange", "NASDAQ"), ("currency", "USD")];
        let option = [
            ("symbol", "AAPL"),
            ("secType", "OPT"),
            ("currency", "USD"),
            ("expiry", "20270115"),
            ("strike", "270"),
            ("right", "C"),
        ];
        let future = [
            ("symbol", "CL"),
            ("secType", "FUT"),
            ("exchange", "NYMEX"),
            ("currency", "USD"),
            ("expiry", "20261120"),
            ("description", "CL DEC2026"),
        ];
        let pair = [("symbol", "EUR"), ("secType", "CASH"), ("currency", "USD")];
        let berkshire = [("symbol", "BRK B"), ("secType", "STK"), ("exchange", "NYSE")];
        for (has, field, value, agrees) in [
            (&apple[..], "symbol", "aapl", true),
            (&apple[..], "symbol", "MSFT", false),
            (&apple[..], "secType", "ETF", true),
            (&apple[..], "secType", "OPT", false),
            (&apple[..], "secType", "CASH", false),
            (&apple[..], "exchange", "SMART", true),
            (&apple[..], "exchange", "NASDAQ.NMS", true),
            (&apple[..], "exchange", "NYSE", false),
            (&apple[..], "currency", "usd", true),
            (&apple[..], "currency", "EUR", false),
            (&apple[..], "expiry", "JAN27", false),
            (&apple[..], "strike", "270", false),
            (&apple[..], "right", "P", false),
            (&berkshire[..], "symbol", "BRK.B", true),
            (&berkshire[..], "symbol", "brk-b", true),
            (&berkshire[..], "symbol", "BRK A", false),
            (&option[..], "symbol", "AAPL", true),
            (&option[..], "secType", "OPTION", true),
            (&option[..], "secType", "STK", false),
            (&option[..], "exchange", "CBOE", true),
            (&option[..], "expiry", "JAN27", true),
            (&option[..], "expiry", "2027-01-15", true),
            (&option[..], "expiry", "2027-01", true),
            (&option[..], "expiry", "20270116", false),
            (&option[..], "expiry", "FEB27", false),
            (&option[..], "strike", "270.0", true),
            (&option[..], "strike", "275", false),
            (&option[..], "right", "call", true),
            (&option[..], "right", "P", false),
            (&future[..], "expiry", "DEC26", true),
            (&future[..], "expiry", "NOV26", true),
            (&future[..], "expiry", "JAN27", false),
            (&future[..], "exchange", "CME", false),
            (&pair[..], "symbol", "EUR.USD", true),
            (&pair[..], "symbol", "EURUSD", true),
            (&pair[..], "symbol", "EUR", true),
            (&pair[..], "symbol", "EUR.CHF", false),
            (&[][..], "symbol", "AAPL", false),
        ] {
            let verdict = given(field, value).agrees(&contract(has), "conid 265598");
            assert_eq!(verdict.is_ok(), agrees, "{field} {value}");
            if let Err(refusal) = verdict {
                assert_eq!(refusal.error, ErrorCode::Contradiction);
                assert_eq!(refusal.field.as_deref(), Some(field));
                assert!(refusal.message.contains(value), "{}", refusal.message);
            }
        }
        let unread = given("expiry", "soon").agrees(&contract(&option), "conid 1").unwrap_err();
        assert_eq!(unread.field.as_deref(), Some("expiry"));
    }
}
