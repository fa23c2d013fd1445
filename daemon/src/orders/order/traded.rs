//! A contract as an order needs it, and as a person sees it. Pure.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::orders::asked::Leg;
use ibd_cpapi::exact;

/// A contract as an order needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traded {
    /// IBKR's number; of a combination there is none.
    pub conid: Option<Conid>,
    /// The conid with a route, or the whole of a combination.
    pub conidex: Option<String>,
    /// The symbol.
    pub symbol: String,
    /// Company or product, or what a derivative is: untrusted text, cleaned.
    pub name: Option<String>,
    /// The listing exchange.
    pub exchange: Option<String>,
    /// The currency of its prices.
    pub currency: String,
    /// `STK`, `OPT`, `FUT`, `CASH`, `BAG`, …
    pub sec_type: SecType,
    /// Units of the underlying in one contract.
    #[serde(with = "exact")]
    pub multiplier: Decimal,
    /// Legs of a combination.
    pub legs: Vec<Leg>,
    /// What prices are divided by to get the currency's unit: 100 where they are in pence.
    #[serde(default = "one", with = "exact", skip_serializing_if = "is_one")]
    pub price_magnifier: Decimal,
    /// Whether its price can be negative.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negative: bool,
}

fn one() -> Decimal {
    Decimal::ONE
}

fn is_one(number: &Decimal) -> bool {
    *number == Decimal::ONE
}

/// The unit of prices that are divided by this to get the currency's; nothing where it is that.
pub fn price_unit(currency: &str, magnifier: Decimal) -> Option<String> {
    if is_one(&magnifier) {
        return None;
    }
    let coin = match (currency, magnifier == Decimal::ONE_HUNDRED) {
        ("GBP", true) => " (pence)",
        ("USD" | "EUR" | "ZAR" | "AUD" | "CAD", true) => " (cents)",
        ("ILS", true) => " (agorot)",
        _ => "",
    };
    Some(format!("1/{} {currency}{coin}", magnifier.normalize()))
}

/// Longest symbol that stands without quotation marks.
const NAME: usize = 20;

impl Traded {
    /// Whether exchanges want to be told who operates (CME rule 536-B).
    pub fn wants_operator(&self) -> bool {
        matches!(self.sec_type, SecType::Future | SecType::FutureOption)
    }

    /// What one of it is worth at a price of one, in its currency.
    pub fn unit(&self) -> Option<Decimal> {
        #[cfg(feature = "faults")]
        if crate::orders::mutant::is("counts-pence") {
            return Some(self.multiplier);
        }
        self.multiplier.checked_div(self.price_magnifier).filter(|unit| *unit > Decimal::ZERO)
    }

    /// What so many are worth at a price, in its currency.
    pub fn value(&self, price: Decimal, quantity: Decimal) -> Option<Decimal> {
        price.abs().checked_mul(quantity)?.checked_mul(self.unit()?)
    }

    /// The unit of its prices, where it is not the currency's.
    pub fn price_unit(&self) -> Option<String> {
        price_unit(&self.currency, self.price_magnifier)
    }

    /// In a few words, for a person.
    pub fn shown(&self) -> String {
        let name = self.name.as_deref().filter(|_| self.sec_type != SecType::Stock);
        format!("{} ({})", name.unwrap_or(&self.symbol), self.place())
    }

    /// Where it is traded, and in which currency.
    pub(super) fn place(&self) -> String {
        let about = self.exchange.as_deref().into_iter().chain([&*self.currency]);
        about.collect::<Vec<&str>>().join(", ")
    }

    /// The contract as a person who approves sees it: of our own values, and of names that are nothing but names.
    pub(super) fn named(&self) -> String {
        let symbol = ibd_text::name(&self.symbol, NAME).filter(|_| self.sec_type == SecType::Stock);
        let conid = self.conid.map(|conid| format!("contract {conid}"));
        let what = match (symbol, conid) {
            (Some(symbol), _) => symbol.to_owned(),
            (None, Some(conid)) => format!("{conid}, {}", self.sec_type),
            (None, None) if !self.legs.is_empty() => "combination".to_owned(),
            (None, None) => self.sec_type.to_string(),
        };
        format!("{what} ({})", self.place())
    }

    /// What IBKR calls it: others' text, and marked as that.
    pub(super) fn in_ibkrs_words(&self) -> Option<String> {
        let conid = self.conid?;
        let name = self.name.as_deref().unwrap_or_default();
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "'"));
        let words: Vec<String> =
            [&*self.symbol, name].into_iter().filter(|t| !t.is_empty()).map(quoted).collect();
        Some(format!("IBKR calls contract {conid} {}", words.join(", ")))
    }

    /// What tells two contracts apart.
    pub fn key(&self) -> String {
        match (&self.conid, &self.conidex) {
            (Some(conid), _) => conid.to_string(),
            (None, Some(text)) => text.clone(),
            (None, None) => self.symbol.clone(),
        }
    }
}
