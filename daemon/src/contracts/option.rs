//! Finds the one option that is meant, on a share, an index or a future, or says which ones are next to it.

use std::collections::BTreeSet;

use ibd_cpapi::contracts::{
    GetOptionInfo, GetStrikes, Hit, Hits, OptionInfo, Right, Search, SecType,
};
use ibd_cpapi::id::Conid;
use ibd_cpapi::money::Price;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::{Endpoint, Failure};
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;

use super::candidate::{CANDIDATES, candidates};
use super::expiry::{self, Expiry};
use super::find::{Finder, Found, unless_unread};
use super::{Given, Wish, is_exchange, is_same_symbol};
use crate::refusal::{Refusal, Unserved};

/// Exchanges whose options are on futures.
const OF_FUTURES: [&str; 8] = ["CME", "CBOT", "NYMEX", "COMEX", "NYBOT", "ICEUS", "IPE", "ECBOT"];

/// Whether the options of an exchange are on futures.
pub fn is_of_futures(exchange: &str) -> bool {
    OF_FUTURES.contains(&exchange)
}

/// An option as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedOption {
    /// The underlying's symbol, in capitals.
    pub symbol: String,
    /// A day or a month that is not over.
    pub expiry: Expiry,
    /// The strike.
    pub strike: Decimal,
    /// Call or put.
    pub right: Right,
    /// Where it is routed.
    pub exchange: Option<String>,
    /// The currency, where one is named.
    pub currency: Option<String>,
    /// What kind of contract it is called.
    pub sec_type: Option<String>,
}

impl WantedOption {
    /// Whether it is on a future.
    fn is_on_future(&self) -> bool {
        let is_called =
            self.sec_type.as_deref().is_some_and(|kind| SecType::of(kind) == SecType::FutureOption);
        is_called || self.exchange.as_deref().is_some_and(is_of_futures)
    }

    /// What the option that is found must be.
    fn given(&self) -> Given {
        Given {
            symbol: Some(self.symbol.clone()),
            // Whoever calls an option on a future an option is right, too.
            sec_type: if self.is_on_future() {
                Some("FOP".to_owned())
            } else {
                self.sec_type.clone()
            },
            currency: self.currency.clone(),
            strike: Some(self.strike),
            right: Some(self.right.as_str().to_owned()),
            ..Given::default()
        }
    }
}

/// Of what, and where, an option is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    underlying: Conid,
    sec_type: SecType,
    exchange: Option<String>,
}

impl Finder<'_> {
    /// The contract of an option.
    pub async fn option(self, wanted: &WantedOption) -> Found {
        let origin = if wanted.is_on_future() {
            self.product(wanted).await?
        } else {
            let wish = Wish {
                symbol: wanted.symbol.clone(),
                currency: wanted.currency.clone(),
                ..Wish::default()
            };
            let underlying = self.underlying(&wish).await?.conid;
            let exchange = wanted.exchange.clone();
            Origin { underlying, sec_type: SecType::Option, exchange }
        };
        let request = GetOptionInfo {
            underlying: origin.underlying,
            sec_type: origin.sec_type.clone(),
            month: wanted.expiry.month(),
            strike: Some(Price::new(wanted.strike)),
            right: Some(wanted.right),
            exchange: origin.exchange.clone(),
        };
        let (options, failed) = match self.lease.client().ask(&request, self.deadline).await {
            Ok(answer) => (answer.value, None),
            // Its way of saying that there is no such month or strike; or it has trouble.
            Err(
                failure @ (Failure::Trouble { .. }
                | Failure::Refused { .. }
                | Failure::Garbled { .. }),
            ) => (Rows::default(), Some(failure)),
            Err(failure) => return Err(failure.into()),
        };
        let fits = |option: &&OptionInfo| {
            let day = wanted.expiry.day();
            day.is_none_or(|day| option.maturity_date.as_deref().and_then(expiry::day) == Some(day))
        };
        let fitting: Vec<&OptionInfo> = options.iter().filter(fits).collect();
        match fitting.as_slice() {
            [only] => self.by_conid(only.conid, &wanted.given()).await,
            [] => {
                let none = match options.is_empty() {
                    true => self.no_option(wanted, origin, failed).await,
                    false => no_option_that_day(wanted, &options).into(),
                };
                let odd = options.unread().first().cloned();
                Err(unless_odd(none, odd.map(|row| row.in_reply_of(GetOptionInfo::NAME))))
            }
            several => Err(several_options(wanted, several).into()),
        }
    }

    /// The product whose futures an option is on: it is found by its symbol, and asked for at its exchange.
    async fn product(self, wanted: &WantedOption) -> Result<Origin, Unserved> {
        let search = Search { text: wanted.symbol.clone(), by_name: false };
        let Hits(hits) = self.lease.client().ask(&search, self.deadline).await?.value;
        self.underlyings.prepare(self.lease, [wanted.symbol.clone()], self.deadline).await?;
        let odd = hits.unread().first().cloned().map(|row| row.in_reply_of(Search::NAME));
        product_of(wanted, &hits).map_err(|none| unless_unread(none, odd).into())
    }

    /// Why there is no such option: no month, or no strike, with those next to it.
    async fn no_option(
        self,
        wanted: &WantedOption,
        origin: Origin,
        failed: Option<Failure>,
    ) -> Unserved {
        let request = GetStrikes {
            underlying: origin.underlying,
            sec_type: origin.sec_type,
            month: wanted.expiry.month(),
            exchange: origin.exchange,
        };
        let strikes = self.lease.client().ask(&request, self.deadline).await;
        let strikes = strikes.map(|answer| answer.value).unwrap_or_default();
        let mut strikes: Vec<Decimal> = match wanted.right {
            Right::Call => strikes.call,
            Right::Put => strikes.put,
        }
        .into_iter()
        .map(Price::get)
        .collect();
        // What is on the list is there: then it was trouble.
        if let Some(failure) = failed.filter(|_| strikes.contains(&wanted.strike)) {
            return failure.into();
        }
        let away =
            |strike: &Decimal| strike.checked_sub(wanted.strike).map_or(Decimal::MAX, |d| d.abs());
        strikes.sort_by_key(away);
        let (symbol, month) = (&wanted.symbol, wanted.expiry.month());
        let (field, message) = if strikes.is_empty() {
            ("expiry", format!("{symbol} has no options in {month}."))
        } else {
            ("strike", format!("{symbol} {month} has no strike {}.", wanted.strike.normalize()))
        };
        let next = if strikes.is_empty() {
            "get_option_chain without expiry lists the days on which options end."
        } else {
            "Use one of the candidates as strike."
        };
        Refusal::new(ErrorCode::UnknownSymbol, message, next)
            .at(field)
            .or(strikes.iter().take(CANDIDATES).map(|strike| strike.normalize().to_string()))
            .into()
    }
}

/// That there is no such option, unless a row could not be read that may be it.
fn unless_odd(none: Unserved, odd: Option<Failure>) -> Unserved {
    match none {
        Unserved::Refused(none) => unless_unread(none, odd).into(),
        failed @ Unserved::Failed(_) => failed,
    }
}

/// The one product of a symbol that has options on its futures, and the one exchange of these.
fn product_of(wanted: &WantedOption, hits: &[Hit]) -> Result<Origin, Refusal> {
    let symbol = &wanted.symbol;
    let named = |hit: &&Hit| {
        let is_symbol = hit.symbol.as_deref().is_some_and(|own| is_same_symbol(own, symbol));
        is_symbol && hit.sec_types.contains(&SecType::FutureOption)
    };
    let products: Vec<&Hit> = hits.iter().filter(named).collect();
    let places: Vec<(Conid, &String)> = products
        .iter()
        .flat_map(|hit| hit.future_option_exchanges.iter().map(|place| (hit.conid, place)))
        .collect();
    let is_asked = |place: &str| {
        wanted.exchange.as_deref().is_none_or(|exchange| is_exchange(exchange, Some(place)))
    };
    let origin = |underlying, exchange: Option<String>| Origin {
        underlying,
        sec_type: SecType::FutureOption,
        exchange,
    };
    let asked: Vec<_> = places.iter().filter(|(_, place)| is_asked(place)).collect();
    match (asked.as_slice(), products.as_slice()) {
        ([(conid, place)], _) => Ok(origin(*conid, Some((*place).clone()))),
        // Where is not said: the one product at the exchange that is asked for.
        ([], [only]) if places.is_empty() => Ok(origin(only.conid, wanted.exchange.clone())),
        _ => {
            let message = match (products.is_empty(), &wanted.exchange) {
                (false, Some(exchange)) => {
                    format!("{symbol} has no options on futures at {exchange}.")
                }
                (false, None) => format!("{symbol} has options on futures at several exchanges."),
                (true, _) => format!("IBKR knows no options on futures with the symbol {symbol}."),
            };
            let field = if products.is_empty() { "symbol" } else { "exchange" };
            let next = "Use one of the candidates as exchange; search_contracts with secType FUT lists products.";
            let mut names: Vec<String> = places.iter().map(|(_, place)| (*place).clone()).collect();
            names.sort_unstable();
            names.dedup();
            Err(Refusal::new(ErrorCode::UnknownSymbol, message, next).at(field).or(names))
        }
    }
}

/// Several days of a month, or several trading classes that end on one day, as SPX in the morning and SPXW in the
/// evening: which is meant only the person knows.
fn several_options(wanted: &WantedOption, several: &[&OptionInfo]) -> Refusal {
    let days: BTreeSet<&str> =
        several.iter().filter_map(|option| option.maturity_date.as_deref()).collect();
    let classes: BTreeSet<&str> =
        several.iter().filter_map(|option| option.trading_class.as_deref()).collect();
    let (field, message, next) = if days.len() > 1 || classes.len() < 2 {
        let message = format!("{} {} has several expiries.", wanted.symbol, wanted.expiry.month());
        ("expiry", message, "Repeat the call with the day as expiry, or with the conid.")
    } else {
        let classes = classes.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!(
            "Options of several trading classes of {} have this strike on that day: {classes}.",
            wanted.symbol
        );
        (
            "conid",
            message,
            "Repeat the call with the conid of the one that is meant; symbol of a candidate is its class.",
        )
    };
    Refusal::new(ErrorCode::AmbiguousSymbol, message, next)
        .at(field)
        .or(candidates(several.iter().copied()))
}

fn no_option_that_day(wanted: &WantedOption, of_month: &[OptionInfo]) -> Refusal {
    let days = of_month.iter().filter_map(|option| option.maturity_date.clone());
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("{} has no such option on that day.", wanted.symbol),
        "Use one of the candidates as expiry.",
    )
    .at("expiry")
    .or(days.take(CANDIDATES))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wanted(symbol: &str, exchange: Option<&str>, kind: Option<&str>) -> WantedOption {
        WantedOption {
            symbol: symbol.to_owned(),
            expiry: Expiry::read("DEC26").unwrap(),
            strike: Decimal::from(6600),
            right: Right::Call,
            exchange: exchange.map(str::to_owned),
            currency: None,
            sec_type: kind.map(str::to_owned),
        }
    }

    fn hits(json: &str) -> Vec<Hit> {
        let Hits(hits) = serde_json::from_str(json).unwrap();
        hits.into_iter().collect()
    }

    #[test]
    fn the_exchange_or_the_kind_says_that_an_option_is_on_a_future() {
        for (exchange, kind, expected) in [
            (None, None, false),
            (Some("CME"), None, true),
            (None, Some("FOP"), true),
            (Some("CBOE"), None, false),
            (Some("SMART"), Some("OPT"), false),
        ] {
            assert_eq!(
                wanted("ES", exchange, kind).is_on_future(),
                expected,
                "{exchange:?} {kind:?}"
            );
        }
    }

    #[test]
    fn a_product_is_the_one_that_has_such_options_there() {
        let all = hits(
            r#"[{"conid":"1","symbol":"ES","description":"NYSE","sections":[{"secType":"STK"},{"secType":"OPT","months":"DEC26","exchange":"SMART"}]},
                {"conid":"2","symbol":"ES","description":"CME","sections":[{"secType":"FUT","exchange":"CME"},{"secType":"FOP","months":"DEC26","exchange":"CME"}]},
                {"conid":"3","symbol":"ESX","description":"X","sections":[{"secType":"FOP","exchange":"X"}]}]"#,
        );
        let twice = hits(
            r#"[{"conid":"2","symbol":"ZC","sections":[{"secType":"FOP","exchange":"CBOT;ECBOT"}]}]"#,
        );
        let bare = hits(r#"[{"conid":"2","symbol":"ZC","sections":[{"secType":"FOP"}]}]"#);
        let told = |wanted: WantedOption, hits: &[Hit]| match product_of(&wanted, hits) {
            Ok(origin) => format!("{} {}", origin.underlying, origin.exchange.unwrap_or_default()),
            Err(refusal) => format!("{} {:?}", refusal.field.unwrap(), refusal.candidates.len()),
        };
        assert_eq!(told(wanted("ES", None, Some("FOP")), &all), "2 CME");
        assert_eq!(told(wanted("ES", Some("CME"), None), &all), "2 CME");
        assert_eq!(told(wanted("ES", Some("CBOT"), None), &all), "exchange 1");
        assert_eq!(told(wanted("NO", None, Some("FOP")), &all), "symbol 0");
        assert_eq!(told(wanted("ZC", None, Some("FOP")), &twice), "exchange 2");
        assert_eq!(told(wanted("ZC", Some("CBOT"), None), &bare), "2 CBOT");
    }
}
