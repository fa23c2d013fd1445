//! Greeks that IBKR has not sent in time, computed from the middle of bid and ask.

use ibd_cpapi::id::Conid;
use ibd_pricing::Style;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contracts::chain::Listed;
use crate::greeks::{Greeks, Quoted, RATE, Smile};
use crate::market::Quote;
use crate::tools::cell::Num;

/// Which greeks are ours, and what they assume.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Computed {
    /// Conids of these options.
    #[schemars(with = "Vec<u32>")]
    conids: Vec<Conid>,
    /// american or european.
    style: &'static str,
    /// Interest in percent a year: assumed.
    rate_pct: f64,
    /// Dividends and cost of borrowing in percent a year, as calls and puts at the money show them.
    #[serde(skip_serializing_if = "Option::is_none")]
    yield_pct: Option<Num>,
}

/// The options of one day, to compute from.
pub(super) struct Ours(Smile);

impl Ours {
    /// From their quotes; none where the underlying has no price.
    pub(super) fn of(
        listed: &[Listed],
        quotes: &[Quote],
        of: Option<(Decimal, (Date, Style))>,
    ) -> Option<Self> {
        let (spot, (day, style)) = of?;
        let quoted: Vec<Quoted> =
            listed.iter().zip(quotes).filter_map(|(option, quote)| quoted(option, quote)).collect();
        let smile = Smile::new(spot, day, style, Timestamp::now())?.carrying(&quoted);
        Some(Self(smile))
    }

    /// Of one of them; none where it has no bid and ask, or they do not tell a volatility.
    pub(super) fn greeks(&self, option: &Listed, quote: &Quote) -> Option<Greeks> {
        self.0.greeks(&quoted(option, quote)?)
    }

    /// What is said of those that were computed.
    pub(super) fn told(self, conids: Vec<Conid>) -> Computed {
        Computed {
            conids,
            style: match self.0.style() {
                Style::American => "american",
                Style::European => "european",
            },
            rate_pct: RATE * 100.0,
            yield_pct: self.0.carry_percent().map(|carry| Num::rounded(carry, 2)),
        }
    }
}

fn quoted(option: &Listed, quote: &Quote) -> Option<Quoted> {
    let middle = quote.bid?.checked_add(quote.ask?)? / Decimal::TWO;
    Some(Quoted { strike: option.strike, right: option.right, middle })
}
