//! Implied volatility and greeks of options that IBKR has not sent them of, out of the options' own prices. Pure.
//!
//! What the underlying carries (dividends, the cost of borrowing it) is read off the options themselves: a call and a
//! put of one strike together are worth the forward. The interest rate alone is assumed, and said.

use ibd_cpapi::contracts::Right;
use ibd_pricing::{Market, Style};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// Interest a year. A point more or less moves what is computed by less than the width of most quotes.
pub const RATE: f64 = 0.04;
/// A carry beyond this is no carry but quotes that do not fit together.
const MOST_CARRY: f64 = 0.25;
/// So many strikes around the money say what the underlying carries.
const STRIKES: usize = 3;
/// The hour at which options end, and where, for want of each exchange's own.
const ENDS: (i8, &str) = (16, "America/New_York");
const YEAR: f64 = 365.0 * 24.0 * 60.0 * 60.0;

/// An option with a price.
#[derive(Debug, Clone, Copy)]
pub struct Quoted {
    /// What it is exercised at.
    pub strike: Decimal,
    /// Call or put.
    pub right: Right,
    /// The middle of bid and ask.
    pub middle: Decimal,
}

/// What IBKR would have sent, in its units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Greeks {
    /// Percent a year.
    pub iv: Decimal,
    /// Per 1.00 of the underlying.
    pub delta: Decimal,
    /// Of delta, per 1.00 of the underlying.
    pub gamma: Decimal,
    /// Per calendar day.
    pub theta: Decimal,
    /// Per point of volatility.
    pub vega: Decimal,
}

/// The options of one day on one underlying.
#[derive(Debug, Clone)]
pub struct Smile {
    market: Market,
    years: f64,
    style: Style,
}

impl Smile {
    /// Of options that end on that day, at this price of the underlying. None once they have ended.
    pub fn new(spot: Decimal, expiry: Date, style: Style, now: Timestamp) -> Option<Self> {
        let years = years(expiry, now)?;
        let market =
            Market { spot: spot.to_f64()?, rate: RATE, dividend_yield: 0.0, dividends: Vec::new() };
        Some(Self { market, years, style })
    }

    /// The same with the carry that these options show; without a pair around the money it stays none.
    pub fn carrying(mut self, options: &[Quoted]) -> Self {
        let mut forwards: Vec<(f64, f64)> = options
            .iter()
            .filter(|option| option.right == Right::Call)
            .filter_map(|call| {
                let is_other = |put: &&Quoted| put.right == Right::Put && put.strike == call.strike;
                let put = options.iter().find(is_other)?;
                let (strike, worth) = (call.strike.to_f64()?, (call.middle - put.middle).to_f64()?);
                let forward = strike + worth * (RATE * self.years).exp();
                Some(((strike - self.market.spot).abs(), forward))
            })
            .collect();
        forwards.sort_by(|one, other| one.0.total_cmp(&other.0));
        forwards.truncate(STRIKES);
        forwards.sort_by(|one, other| one.1.total_cmp(&other.1));
        let middle = forwards.get(forwards.len() / 2).map(|(_, forward)| *forward);
        if let Some(forward) = middle.filter(|forward| *forward > 0.0) {
            let carry = RATE - (forward / self.market.spot).ln() / self.years;
            if carry.abs() <= MOST_CARRY {
                self.market.dividend_yield = carry;
            }
        }
        self
    }

    /// When they can be exercised.
    pub fn style(&self) -> Style {
        self.style
    }

    /// What dividends and the cost of borrowing come to, in percent a year.
    pub fn carry_percent(&self) -> Option<Decimal> {
        decimal(self.market.dividend_yield * 100.0)
    }

    /// Of one of them; none where its price does not tell a volatility.
    pub fn greeks(&self, of: &Quoted) -> Option<Greeks> {
        let option = ibd_pricing::Option {
            right: match of.right {
                Right::Call => ibd_pricing::Right::Call,
                Right::Put => ibd_pricing::Right::Put,
            },
            style: self.style,
            strike: of.strike.to_f64()?,
            years: self.years,
        };
        let price = of.middle.to_f64()?;
        let volatility = ibd_pricing::implied_volatility(&option, &self.market, price).ok()?;
        let greeks = ibd_pricing::greeks(&option, &self.market, volatility).ok()?;
        Some(Greeks {
            iv: decimal(volatility * 100.0)?,
            delta: decimal(greeks.delta)?,
            gamma: decimal(greeks.gamma)?,
            theta: decimal(greeks.theta)?,
            vega: decimal(greeks.vega)?,
        })
    }
}

fn years(expiry: Date, now: Timestamp) -> Option<f64> {
    let (hour, zone) = ENDS;
    let end = expiry.at(hour, 0, 0, 0).to_zoned(TimeZone::get(zone).ok()?).ok()?.timestamp();
    let seconds = end.since(now).ok()?.total(Unit::Second).ok()?;
    (seconds > 0.0).then_some(seconds / YEAR)
}

fn decimal(number: f64) -> Option<Decimal> {
    Decimal::from_f64(number).map(|number| number.round_dp(8))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn now() -> Timestamp {
        "2026-11-30T15:00:00Z".parse().unwrap()
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// A call and a put at 100 with this yield and volatility, as the model prices them.
    fn pair(dividend_yield: f64, volatility: f64, style: Style) -> Vec<Quoted> {
        let market = Market { spot: 100.0, rate: RATE, dividend_yield, dividends: vec![] };
        let years = years("2027-05-21".parse().unwrap(), now()).unwrap();
        [(Right::Call, ibd_pricing::Right::Call), (Right::Put, ibd_pricing::Right::Put)]
            .map(|(right, of)| {
                let option = ibd_pricing::Option { right: of, style, strike: 100.0, years };
                let price = ibd_pricing::price(&option, &market, volatility).unwrap();
                Quoted { strike: dec("100"), right, middle: decimal(price).unwrap() }
            })
            .into()
    }

    #[test]
    fn volatility_and_carry_are_found_again_in_prices() {
        for (dividend_yield, volatility) in [(0.0, 0.25), (0.03, 0.18), (-0.02, 0.6)] {
            let options = pair(dividend_yield, volatility, Style::European);
            let smile =
                Smile::new(dec("100"), "2027-05-21".parse().unwrap(), Style::European, now());
            let smile = smile.unwrap().carrying(&options);
            let carry = smile.carry_percent().unwrap().to_f64().unwrap();
            assert!((carry - dividend_yield * 100.0).abs() < 0.01, "{carry}");
            for option in &options {
                let greeks = smile.greeks(option).unwrap();
                let iv = greeks.iv.to_f64().unwrap();
                assert!((iv - volatility * 100.0).abs() < 0.01, "{iv}");
                assert_eq!(greeks.delta > Decimal::ZERO, option.right == Right::Call);
                assert!(greeks.gamma > Decimal::ZERO && greeks.vega > Decimal::ZERO);
                assert!(greeks.theta < Decimal::ZERO);
            }
        }
    }

    #[test]
    fn what_no_price_tells_is_not_made_up() {
        let (day, style) = ("2027-05-21".parse().unwrap(), Style::American);
        let smile = Smile::new(dec("100"), day, style, now()).unwrap();
        let option = |middle| Quoted { strike: dec("80"), right: Right::Call, middle: dec(middle) };
        assert_eq!(smile.greeks(&option("19.5")), None, "less than exercise gives");
        assert_eq!(smile.greeks(&option("120")), None, "more than the underlying");
        assert!(smile.greeks(&option("22.5")).is_some());
        assert!(
            Smile::new(dec("100"), "2026-11-27".parse().unwrap(), style, now()).is_none(),
            "ended"
        );
        // Quotes that do not fit together are no carry.
        let odd = [option("60"), Quoted { right: Right::Put, ..option("1") }];
        assert_eq!(smile.carrying(&odd).carry_percent(), Some(Decimal::ZERO));
    }

    #[test]
    fn american_options_are_found_again_nearly() {
        let options = pair(0.02, 0.3, Style::American);
        let day = "2027-05-21".parse().unwrap();
        let smile = Smile::new(dec("100"), day, Style::American, now()).unwrap().carrying(&options);
        for option in &options {
            // The early exercise of the put blurs the carry a little.
            let iv = smile.greeks(option).unwrap().iv.to_f64().unwrap();
            assert!((iv - 30.0).abs() < 0.6, "{iv}");
        }
    }
}
