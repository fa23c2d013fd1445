//! Positions in their account's base currency: value, profit and loss, and share of the whole. Pure.

use std::collections::BTreeMap;

use ibd_cpapi::portfolio::{Ledger, Position};
use rust_decimal::Decimal;

/// IBKR's name for the sum of a ledger.
const SUM: &str = "BASE";

/// No price moves so many times in a day but by being told in another unit.
const FAR: u32 = 50;

/// What a ledger says of values in base currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// The base currency, if it is known.
    pub currency: Option<String>,
    /// Net liquidation value of the account.
    pub net: Option<Decimal>,
    /// What the ledger counts as stocks, if that is anything.
    pub stocks: Option<Decimal>,
    rates: BTreeMap<String, Decimal>,
}

/// What a position is in base currency. What cannot be told is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Valued {
    /// Base currency for one unit of the position's.
    pub rate: Option<Decimal>,
    /// Its value.
    pub value: Option<Decimal>,
    /// What it has gained since it was opened.
    pub unrealized: Option<Decimal>,
    /// Its value in percent of the account's net liquidation value.
    pub weight: Option<Decimal>,
    /// What it has gained since the prior close.
    pub day: Option<Decimal>,
}

/// Sums over positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of values.
    pub value: Decimal,
    /// Of what was gained since they were opened.
    pub unrealized: Decimal,
    /// Of what was gained since the prior close; absent unless it is known of all.
    pub day: Option<Decimal>,
    /// Positions that are in neither of the first two, because one of them is not known.
    pub left_out: usize,
}

impl Base {
    /// From a ledger and the account's base currency.
    pub fn of(ledger: &Ledger, currency: Option<String>) -> Self {
        let own = ledger.iter().filter(|(name, _)| *name != SUM);
        let rates = own.filter_map(|(name, row)| Some((name.clone(), row.exchange_rate?.get())));
        let sum = ledger.get(SUM);
        let net = sum.and_then(|row| row.net_liquidation).map(|net| net.get());
        let stocks = sum.and_then(|row| row.stocks).map(|stocks| stocks.get());
        Self {
            currency,
            net,
            stocks: stocks.filter(|worth| !worth.is_zero()),
            rates: rates.collect(),
        }
    }

    /// Base currency for one unit of this one.
    pub fn rate(&self, currency: &str) -> Option<Decimal> {
        if self.currency.as_deref() == Some(currency) {
            return Some(Decimal::ONE);
        }
        self.rates.get(currency).copied()
    }

    /// An amount in percent of the net liquidation value.
    pub fn percent(&self, amount: Decimal) -> Option<Decimal> {
        let net = self.net.filter(|net| *net > Decimal::ZERO)?;
        amount.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(net)
    }

    /// What a position is, with the price at which it closed before today where that is known.
    pub fn value(&self, position: &Position, prior_close: Option<Decimal>) -> Valued {
        let rate = position.currency.as_deref().and_then(|currency| self.rate(currency));
        let in_base = |amount: Option<Decimal>| amount?.checked_mul(rate?);
        let value = in_base(position.market_value.map(|value| value.get()));
        Valued {
            rate,
            value,
            unrealized: in_base(position.unrealized_pnl.map(|pnl| pnl.get())),
            weight: value.and_then(|value| self.percent(value)),
            day: in_base(since_close(position, prior_close)),
        }
    }
}

/// What the position that is held now has gained since the prior close, by the portfolio's own mark. Value by price is
/// how many units it is, whatever its multiplier; both prices are in one unit.
fn since_close(position: &Position, prior_close: Option<Decimal>) -> Option<Decimal> {
    let value = position.market_value?.get();
    let price = position.market_price?.get();
    let close =
        prior_close.filter(|close| is_one_unit(position.currency.as_deref(), price, *close))?;
    let before = value.checked_mul(close)?.checked_div(price)?;
    value.checked_sub(before)
}

/// Whether both are in the currency's unit, or both in its hundredth part: where exchanges quote in pence, the portfolio
/// need not.
fn is_one_unit(currency: Option<&str>, price: Decimal, close: Decimal) -> bool {
    let may_differ = matches!(currency, Some("GBP" | "ILS" | "ZAR"));
    let (price, close) = (price.abs(), close.abs());
    let far = Decimal::from(FAR);
    let is_near =
        |one: Decimal, other: Decimal| one.checked_mul(far).is_none_or(|most| most > other);
    !may_differ || is_near(price, close) && is_near(close, price)
}

impl Sums {
    /// Over all of these. What is too large to be added is left out.
    pub fn of<'v>(all: impl IntoIterator<Item = &'v Valued>) -> Self {
        let mut sums = Self { day: Some(Decimal::ZERO), ..Self::default() };
        for one in all {
            sums.day = sums.day.zip(one.day).and_then(|(sum, day)| sum.checked_add(day));
            let added = one.value.zip(one.unrealized).and_then(|(value, unrealized)| {
                Some((sums.value.checked_add(value)?, sums.unrealized.checked_add(unrealized)?))
            });
            match added {
                Some((value, unrealized)) => (sums.value, sums.unrealized) = (value, unrealized),
                None => sums.left_out += 1,
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn base(currency: Option<&str>) -> Base {
        let ledger: Ledger = serde_json::from_str(
            r#"{"USD":{"exchangerate":1},"EUR":{"exchangerate":1.15},"GBP":{"exchangerate":1.3},"JPY":{"exchangerate":-1},
                "BASE":{"exchangerate":1,"netliquidationvalue":20000}}"#,
        )
        .unwrap();
        Base::of(&ledger, currency.map(str::to_owned))
    }

    fn position(fields: &str) -> Position {
        serde_json::from_str(&format!(r#"{{"conid":7,{fields}}}"#)).unwrap()
    }

    fn shown(number: Option<Decimal>) -> String {
        number.map_or_else(|| "-".to_owned(), |number| number.round_dp(4).normalize().to_string())
    }

    #[test]
    fn a_position_is_told_in_base_currency_as_far_as_it_is_known() {
        let whole = r#""currency":"EUR","mktValue":2000,"mktPrice":20,"unrealizedPnl":-40"#;
        let short = r#""currency":"USD","mktValue":-500,"mktPrice":5,"unrealizedPnl":1"#;
        for (fields, close, expected) in [
            (whole, Some(19), ["1.15", "2300", "-46", "11.5", "115"]),
            // Pounds here and pence there are no gain.
            (
                r#""currency":"GBP","mktValue":1850,"mktPrice":0.925,"unrealizedPnl":1"#,
                Some(92),
                ["1.3", "2405", "1.3", "12.025", "-"],
            ),
            (
                r#""currency":"GBP","mktValue":1850,"mktPrice":92.5,"unrealizedPnl":1"#,
                Some(92),
                ["1.3", "2405", "1.3", "12.025", "13"],
            ),
            (whole, None, ["1.15", "2300", "-46", "11.5", "-"]),
            // What is short gains when its price falls.
            (short, Some(6), ["1", "-500", "1", "-2.5", "100"]),
            (r#""currency":"JPY","mktValue":1,"mktPrice":1"#, Some(1), ["-", "-", "-", "-", "-"]),
            (r#""mktValue":1,"mktPrice":1"#, Some(1), ["-", "-", "-", "-", "-"]),
            (r#""currency":"USD","mktValue":"odd""#, Some(1), ["1", "-", "-", "-", "-"]),
            (
                r#""currency":"USD","mktValue":0,"mktPrice":0,"unrealizedPnl":0"#,
                Some(1),
                ["1", "0", "0", "0", "-"],
            ),
        ] {
            let one = base(Some("USD")).value(&position(fields), close.map(Decimal::from));
            let told = [one.rate, one.value, one.unrealized, one.weight, one.day].map(shown);
            assert_eq!(told, expected, "{fields} {close:?}");
        }
        assert_eq!(base(None).rate("USD"), Some(Decimal::ONE), "its own row says so");
        assert_eq!(base(Some("CHF")).rate("CHF"), Some(Decimal::ONE));
        assert_eq!(Base::default().percent(Decimal::ONE), None);
    }

    #[test]
    fn a_sum_says_what_is_not_in_it() {
        let one = |value: Option<i64>, unrealized: Option<i64>, day: Option<i64>| Valued {
            value: value.map(Decimal::from),
            unrealized: unrealized.map(Decimal::from),
            day: day.map(Decimal::from),
            ..Valued::default()
        };
        let sums = Sums::of(&[one(Some(5), Some(1), Some(2)), one(Some(-3), Some(4), Some(1))]);
        assert_eq!(
            (shown(Some(sums.value)), shown(Some(sums.unrealized))),
            ("2".into(), "5".into())
        );
        assert_eq!((shown(sums.day), sums.left_out), ("3".into(), 0));
        let sums = Sums::of(&[one(Some(5), None, Some(2)), one(Some(1), Some(1), None)]);
        assert_eq!((shown(Some(sums.value)), sums.day, sums.left_out), ("1".into(), None, 1));
    }
}
