//! One quote, as the model reads it.

use std::collections::BTreeMap;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::Field;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contracts::Contract;
use crate::contracts::hours::{Hours, Market};
use crate::market::{self, LastIs};
use crate::tools::cell::{Num, Time};

use super::unit::Unit;

/// Where greeks are to be had that IBKR does not send.
const NO_GREEKS: &str = "IBKR has not sent them in time; get_option_chain with its expiry computes what IBKR does not send";
/// Why the unit of prices is not known.
const NO_RULES: &str =
    "the contract's rules could not be read: prices may be in parts of the currency, as pence are";

/// One contract's quote; prices are in its currency, or in `priceUnit`. What is absent stands in `missing` with its
/// reason.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The symbol, or a derivative's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// IBKR's number of the contract.
    #[schemars(with = "u32")]
    conid: Conid,
    /// Company or product.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Kind of contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// The currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The unit of the prices where it is a part of the currency's: `1/100 GBP (pence)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_unit: Option<String>,
    /// live; delayed (15-20 minutes); frozen (the market is closed: last before the close); none; unknown: IBKR did not say.
    data: &'static str,
    /// open (regular hours), extended, or closed; absent where IBKR does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    market: Option<&'static str>,
    /// Of a closed market: when regular hours begin next.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Time>,
    /// Last price.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Num>,
    /// Present when `last` is no trade of now: close (the last session's), priorClose, or halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_is: Option<&'static str>,
    /// Bid.
    #[serde(skip_serializing_if = "Option::is_none")]
    bid: Option<Num>,
    /// Ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<Num>,
    /// Bid size.
    #[serde(skip_serializing_if = "Option::is_none")]
    bid_size: Option<Num>,
    /// Ask size.
    #[serde(skip_serializing_if = "Option::is_none")]
    ask_size: Option<Num>,
    /// Change since the prior close.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Num>,
    /// The same in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_pct: Option<Num>,
    /// Opening price.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Num>,
    /// Day's high.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<Num>,
    /// Day's low.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<Num>,
    /// Prior close.
    #[serde(skip_serializing_if = "Option::is_none")]
    prior_close: Option<Num>,
    /// Mark price, where it is not the last price.
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Num>,
    /// Volume of the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<Num>,
    /// Implied volatility of this option, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    iv: Option<Num>,
    /// Delta.
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Num>,
    /// Gamma.
    #[serde(skip_serializing_if = "Option::is_none")]
    gamma: Option<Num>,
    /// Theta, a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    theta: Option<Num>,
    /// Vega, for one point of volatility.
    #[serde(skip_serializing_if = "Option::is_none")]
    vega: Option<Num>,
    /// When these values were last updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<Time>,
    /// Why a value one would expect is absent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    missing: BTreeMap<&'static str, &'static str>,
}

impl Quote {
    /// A contract's quote as it is told.
    pub(super) fn new(
        contract: Contract,
        quote: &market::Quote,
        unit: Unit,
        hours: Option<&Hours>,
        now: Timestamp,
    ) -> Self {
        let market = hours.and_then(|hours| hours.at(now));
        let opens = hours.filter(|_| market == Some(Market::Closed));
        let number = |field| quote.number(field).map(Num);
        let symbol = contract.description.or(contract.symbol);
        // Yesterday's close is no change of today, whatever stands beside it.
        let is_traded = quote.last_is != Some(LastIs::PriorClose);
        let is_option = contract.sec_type.as_ref().is_some_and(SecType::is_option);
        let mut missing = missing(quote, is_option);
        if unit == Unit::NotKnown {
            missing.insert("priceUnit", NO_RULES);
        }
        Self {
            symbol: symbol.map(|text| ibd_cpapi::failure::clean(&text)),
            conid: contract.conid,
            name: contract.name.map(|text| ibd_cpapi::failure::clean(&text)),
            sec_type: contract.sec_type.map(|kind| kind.to_string()),
            exchange: contract.exchange,
            currency: contract.currency,
            price_unit: unit.in_parts(),
            data: quote.data.in_market(market).as_str(),
            market: market.map(Market::as_str),
            opens_at: opens.and_then(|hours| hours.opens(now)).map(Time),
            last: quote.last.map(Num),
            last_is: quote.last_is.map(LastIs::as_str),
            bid: quote.bid.map(Num),
            ask: quote.ask.map(Num),
            bid_size: number(Field::BidSize),
            ask_size: number(Field::AskSize),
            change: number(Field::Change).filter(|_| is_traded),
            change_pct: number(Field::ChangePercent).filter(|_| is_traded),
            open: number(Field::Open),
            high: number(Field::High),
            low: number(Field::Low),
            prior_close: number(Field::PriorClose),
            mark: number(Field::Mark).filter(|mark| number(Field::Last) != Some(*mark)),
            volume: number(Field::Volume),
            iv: number(Field::ImpliedVolatility),
            delta: number(Field::Delta),
            gamma: number(Field::Gamma),
            theta: number(Field::Theta),
            vega: number(Field::Vega),
            updated: quote.updated.map(Time),
            missing,
        }
    }
}

/// Why the three prices that everybody expects are not there; of an option its greeks, too.
fn missing(quote: &market::Quote, is_option: bool) -> BTreeMap<&'static str, &'static str> {
    let greeks = is_option && quote.number(Field::Delta).is_none();
    [
        ("last", quote.last, Field::Last),
        ("bid", quote.bid, Field::Bid),
        ("ask", quote.ask, Field::Ask),
    ]
    .into_iter()
    .filter(|(_, price, _)| price.is_none())
    .map(|(name, _, field)| (name, quote.why(field).as_str()))
    .chain(greeks.then_some(("greeks", NO_GREEKS)))
    .collect()
}
