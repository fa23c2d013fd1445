//! The values of a quote that can be watched, by the names that get_market_data has for them. Pure.

use ibd_cpapi::snapshot::Field;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::market::{LastIs, Quote};

/// A value of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Measure {
    /// The last trade of today, else the mark.
    Price,
    /// Bid.
    Bid,
    /// Ask.
    Ask,
    /// Bid size.
    BidSize,
    /// Ask size.
    AskSize,
    /// Mark price.
    Mark,
    /// Opening price.
    Open,
    /// Day's high.
    High,
    /// Day's low.
    Low,
    /// Prior close.
    PriorClose,
    /// Change since the prior close.
    Change,
    /// The same in per cent.
    ChangePct,
    /// Volume of the day.
    Volume,
    /// Implied volatility of an option, per cent.
    Iv,
    /// Delta.
    Delta,
    /// Gamma.
    Gamma,
    /// Theta, a day.
    Theta,
    /// Vega.
    Vega,
    /// Open interest of an option.
    OpenInterest,
}

const TABLE: [(Measure, &str, Field); 19] = [
    (Measure::Price, "price", Field::Last),
    (Measure::Bid, "bid", Field::Bid),
    (Measure::Ask, "ask", Field::Ask),
    (Measure::BidSize, "bidSize", Field::BidSize),
    (Measure::AskSize, "askSize", Field::AskSize),
    (Measure::Mark, "mark", Field::Mark),
    (Measure::Open, "open", Field::Open),
    (Measure::High, "high", Field::High),
    (Measure::Low, "low", Field::Low),
    (Measure::PriorClose, "priorClose", Field::PriorClose),
    (Measure::Change, "change", Field::Change),
    (Measure::ChangePct, "changePct", Field::ChangePercent),
    (Measure::Volume, "volume", Field::Volume),
    (Measure::Iv, "iv", Field::ImpliedVolatility),
    (Measure::Delta, "delta", Field::Delta),
    (Measure::Gamma, "gamma", Field::Gamma),
    (Measure::Theta, "theta", Field::Theta),
    (Measure::Vega, "vega", Field::Vega),
    (Measure::OpenInterest, "openInterest", Field::OpenInterest),
];

impl Measure {
    /// By its name; `last` is the price.
    pub fn named(text: &str) -> Option<Self> {
        let text = if text.eq_ignore_ascii_case("last") { "price" } else { text };
        TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(text)).map(|row| row.0)
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.1)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// Whether it is in the contract's currency.
    pub fn is_price(self) -> bool {
        matches!(
            self,
            Self::Price
                | Self::Bid
                | Self::Ask
                | Self::Mark
                | Self::Open
                | Self::High
                | Self::Low
                | Self::PriorClose
                | Self::Change
        )
    }

    /// What a quote says of it. Yesterday's close is no price of today, and no change of it either.
    pub fn read(self, quote: &Quote) -> Option<Decimal> {
        let is_traded = quote.last_is != Some(LastIs::PriorClose);
        match self {
            Self::Price => quote.traded,
            Self::Bid => quote.bid,
            Self::Ask => quote.ask,
            Self::Change | Self::ChangePct if !is_traded => None,
            other => {
                let field = TABLE.iter().find(|row| row.0 == other).map(|row| row.2)?;
                quote.number(field)
            }
        }
    }
}

impl Measure {
    /// Why a quote says nothing of it; `None` where it does.
    pub fn missing(self, quote: &Quote) -> Option<&'static str> {
        if self.read(quote).is_some() {
            return None;
        }
        let is_of_trade = matches!(self, Self::Price | Self::Change | Self::ChangePct);
        Some(match self {
            _ if is_of_trade && quote.last.is_some() && quote.last_is.is_some() => {
                "nothing was traded since the close"
            }
            Self::Bid => quote.why(Field::Bid).as_str(),
            Self::Ask => quote.why(Field::Ask).as_str(),
            _ => quote.why.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::snapshot::{Row, Signs};

    fn read(measure: Measure, values: &str) -> Option<String> {
        let row: Row =
            serde_json::from_str(&format!(r#"{{"conid":1,"_updated":1{values}}}"#)).unwrap();
        let value = measure.read(&Quote::of(Some(&row), Signs::Positive));
        value.map(|value| value.normalize().to_string())
    }

    #[test]
    fn a_value_is_what_the_quote_says_and_no_close_of_before() {
        for (measure, values, expected) in [
            (Measure::Price, r#","31":"9.5""#, Some("9.5")),
            (Measure::Price, r#","31":"C9.5""#, None),
            (Measure::Price, r#","31":"H9.5""#, Some("9.5")),
            (Measure::Bid, r#","84":"-1","88":"0""#, None),
            (Measure::ChangePct, r#","31":"9.5","83":"1.5%""#, Some("1.5")),
            (Measure::ChangePct, r#","31":"C9.5","7741":"9.5","83":"1.5%""#, None),
            (Measure::Volume, r#","7762":"24.1M""#, Some("24100000")),
            (Measure::Iv, r#","7633":"25.1%""#, Some("25.1")),
            (Measure::Delta, "", None),
        ] {
            assert_eq!(read(measure, values).as_deref(), expected, "{measure:?} {values}");
        }
    }

    #[test]
    fn a_value_that_is_not_there_has_its_own_reason() {
        let missing = |measure: Measure, values: &str| {
            let row: Row =
                serde_json::from_str(&format!(r#"{{"conid":1,"_updated":1{values}}}"#)).unwrap();
            measure.missing(&Quote::of(Some(&row), Signs::Positive)).unwrap_or("there")
        };
        for (measure, values, expected) in [
            (Measure::Price, r#","6509":"RpB","31":"9""#, "there"),
            (Measure::Price, r#","6509":"N""#, "no market data subscription"),
            (Measure::Price, r#","6509":"RpB","31":"C9","7741":"9""#, "since the close"),
            (Measure::Bid, r#","6509":"RpB","84":"-1","88":"0""#, "nobody bids"),
            (Measure::Iv, r#","6509":"RpB","31":"9""#, "gave no value"),
        ] {
            let told = missing(measure, values);
            assert!(told.contains(expected), "{measure:?} {values}: {told}");
        }
    }

    #[test]
    fn each_has_its_name_and_is_found_by_it() {
        for name in Measure::names() {
            assert_eq!(Measure::named(name).map(Measure::name), Some(name));
        }
        assert_eq!(Measure::named("LAST"), Some(Measure::Price));
        assert_eq!(Measure::named("pnl"), None);
        assert_eq!(serde_json::to_string(&Measure::ChangePct).unwrap(), r#""changePct""#);
    }
}
