//! What an option is worth: Black-Scholes with a dividend yield, and a volatility that depends on the strike.

use std::f64::consts::PI;

use serde::Deserialize;

use crate::instruments::Right;

/// Yearly interest on money without risk.
pub(crate) const RATE: f64 = 0.042;
/// What no volatility falls below or rises above.
const VOLATILITIES: (f64, f64) = (0.05, 2.0);

/// Yearly volatility by strike: a quadratic in the logarithm of strike over forward.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Smile {
    /// At the money.
    pub(crate) level: f64,
    /// Negative where protection against falling prices is dear.
    slope: f64,
    curve: f64,
}

impl Default for Smile {
    fn default() -> Self {
        Self { level: 0.25, slope: -0.2, curve: 0.8 }
    }
}

impl Smile {
    fn at(&self, moneyness: f64) -> f64 {
        let (least, most) = VOLATILITIES;
        (self.level + (self.slope + self.curve * moneyness) * moneyness).clamp(least, most)
    }
}

/// What an option's price depends on besides that of its underlying.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) right: Right,
    pub(crate) strike: f64,
    /// Until expiry; above zero.
    pub(crate) years: f64,
    /// Yearly, as a share of the underlying's price.
    pub(crate) dividends: f64,
    pub(crate) smile: Smile,
    /// It can be exercised on any day, so that it is worth at least that.
    pub(crate) is_american: bool,
}

/// An option's sensitivities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Greeks {
    pub(crate) delta: f64,
    pub(crate) gamma: f64,
    /// Per day.
    pub(crate) theta: f64,
    /// Per percentage point of volatility.
    pub(crate) vega: f64,
    /// The yearly volatility that this strike implies.
    pub(crate) volatility: f64,
}

/// An option's value and its sensitivities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priced {
    pub(crate) price: f64,
    pub(crate) greeks: Greeks,
}

impl Terms {
    /// The option at this price of its underlying, which is above zero.
    pub(crate) fn value(&self, spot: f64) -> Priced {
        let forward = spot * ((RATE - self.dividends) * self.years).exp();
        self.with(self.smile.at((self.strike / forward).ln()), spot)
    }

    /// The same at a given volatility.
    fn with(&self, volatility: f64, spot: f64) -> Priced {
        let root = self.years.sqrt();
        let spread = volatility * root;
        let drift = (RATE - self.dividends) * self.years;
        let d1 = ((spot / self.strike).ln() + drift + spread * spread / 2.0) / spread;
        let d2 = d1 - spread;
        // Present values of one share without its dividends, and of the strike.
        let share = (-self.dividends * self.years).exp();
        let (stock, money) = (spot * share, self.strike * (-RATE * self.years).exp());
        let sign = if self.right == Right::Call { 1.0 } else { -1.0 };
        let (near, far) = (normal(sign * d1), normal(sign * d2));
        let density = (-d1 * d1 / 2.0).exp() / (2.0 * PI).sqrt();
        let decay = stock * density * volatility / (2.0 * root);
        let carry = sign * (RATE * money * far - self.dividends * stock * near);
        let european = sign * (stock * near - money * far);
        let exercised = sign * (spot - self.strike);
        Priced {
            price: if self.is_american { european.max(exercised) } else { european },
            greeks: Greeks {
                delta: sign * share * near,
                gamma: share * density / (spot * spread),
                theta: -(decay + carry) / 365.0,
                vega: stock * density * root / 100.0,
                volatility,
            },
        }
    }
}

/// The normal distribution, by the usual five-term approximation (error below 1e-7).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let poly = series.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let tail = (-x * x / 2.0).exp() / (2.0 * PI).sqrt() * poly;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn terms(right: Right, strike: f64) -> Terms {
        let smile = Smile { level: 0.25, slope: -0.3, curve: 1.0 };
        Terms { right, strike, years: 0.5, dividends: 0.02, smile, is_american: false }
    }

    #[test]
    fn a_known_price_comes_out_and_calls_and_puts_agree() {
        // 100, strike 100, half a year, 25 %, interest 4.2 %, dividends 2 %.
        let call = terms(Right::Call, 100.0).with(0.25, 100.0).price;
        assert!((call - 7.4899).abs() < 1e-3, "{call}");
        for strike in [80.0, 100.0, 120.0] {
            let [call, put] =
                [Right::Call, Right::Put].map(|r| terms(r, strike).value(100.0).price);
            let parity = 100.0 * (-0.01f64).exp() - strike * (-0.021f64).exp();
            assert!((call - put - parity).abs() < 1e-4, "{strike}: {call} {put}");
        }
    }

    #[test]
    fn the_greeks_are_the_slopes_of_the_price() {
        for right in [Right::Call, Right::Put] {
            for strike in [85.0, 100.0, 115.0] {
                let of = terms(right, strike);
                let price = |terms: Terms, volatility, spot| terms.with(volatility, spot).price;
                let greeks = of.with(0.25, 100.0).greeks;
                let (up, here, down) =
                    (price(of, 0.25, 100.5), price(of, 0.25, 100.0), price(of, 0.25, 99.5));
                assert!((up - down - greeks.delta).abs() < 1e-3, "delta {right:?} {strike}");
                assert!((up - 2.0 * here + down - greeks.gamma / 4.0).abs() < 1e-4, "gamma");
                let point = price(of, 0.255, 100.0) - price(of, 0.245, 100.0);
                assert!((point - greeks.vega).abs() < 1e-3, "vega {right:?} {strike}");
                let later = Terms { years: 0.5 - 1.0 / 365.0, ..of };
                let day = price(later, 0.25, 100.0) - here;
                assert!((day - greeks.theta).abs() < 1e-3, "theta {right:?} {strike}");
            }
        }
    }

    #[test]
    fn falling_prices_are_the_dearer_side_and_far_strikes_cost_more_than_a_line_would_say() {
        let at = |strike| terms(Right::Put, strike).value(100.0).greeks.volatility;
        let (low, middle, high) = (at(85.0), at(101.0), at(118.0));
        assert!(low > middle && low > high, "{low} {middle} {high}");
        assert!(low + high > 2.0 * middle, "{low} {middle} {high}");
    }

    #[test]
    fn what_can_be_exercised_is_worth_that_much() {
        let deep = Terms { is_american: true, ..terms(Right::Put, 200.0) };
        assert!((deep.value(100.0).price - 100.0).abs() < 1e-9);
        assert!(terms(Right::Put, 200.0).value(100.0).price < 100.0);
    }
}
