//! Implied volatility: Newton's method inside a bracket that only shrinks.
//!
//! The price rises with the volatility from a bound that is known exactly, so the bracket from zero is valid before
//! anything is priced. Start: the inflection of the European price, from which Newton's method converges always
//! (S. Manaster and G. Koehler, "The calculation of implied variances", 1982); for an American option, the volatility
//! of the European one of the same price.

use crate::solution::Method;
use crate::terms::Terms;
use crate::{MAX_VOLATILITY, Undetermined};

const ROUNDS: usize = 100;
/// How near the price must be, as a part of the error of the method, for one more step to be the last.
const NEARNESS: f64 = 0.1;
/// The last digits of a volatility.
const LAST_DIGITS: f64 = 1e-14;
/// Nothing starts lower.
const LOWEST_START: f64 = 1e-3;
/// A quote is good to one percentage point at least.
const POINT: f64 = 0.01;

pub(crate) fn of(terms: &Terms, price: f64) -> Result<f64, Undetermined> {
    if !(price.is_finite() && price > 0.0) {
        return Err(Undetermined::Price);
    }
    let bound = terms.lower_bound();
    if price <= bound {
        return Err(Undetermined::NoTimeValue { bound });
    }
    let bound = terms.upper_bound();
    if price >= bound {
        return Err(Undetermined::AboveBound { bound });
    }
    let method = Method::of(terms);
    search(terms, method, price, start(terms, method, price))
}

fn start(terms: &Terms, method: Method, price: f64) -> f64 {
    let (unit, paid) = terms.legs(terms.years, 0.0);
    let inflection = (2.0 * (unit / paid).ln().abs() / terms.years).sqrt();
    let inflection = inflection.clamp(LOWEST_START, MAX_VOLATILITY);
    if method == Method::ClosedForm {
        return inflection;
    }
    search(terms, Method::ClosedForm, price, inflection).unwrap_or(inflection)
}

fn search(terms: &Terms, method: Method, price: f64, start: f64) -> Result<f64, Undetermined> {
    let error = method.accuracy() * terms.strike;
    let mut bracket = Bracket { low: 0.0, high: MAX_VOLATILITY };
    let mut here = start;
    let mut before = f64::INFINITY;
    let mut sensitivity = 0.0;
    for _ in 0..ROUNDS {
        let (solution, vega) = method.solve_with_vega(terms, here);
        let miss = solution.price - price;
        sensitivity = vega;
        bracket.shrink(here, miss);
        if bracket.low >= MAX_VOLATILITY {
            return Err(Undetermined::TooVolatile);
        }
        let newton = here - miss / vega;
        if miss.abs() <= NEARNESS * error {
            here = if bracket.contains(newton) { newton } else { here };
            break;
        }
        let slow = miss.abs() > 0.5 * before;
        let next = if bracket.contains(newton) && !slow { newton } else { bracket.middle() };
        before = miss.abs();
        let moved = (next - here).abs();
        here = next;
        if moved <= LAST_DIGITS * here {
            break;
        }
    }
    if sensitivity * POINT > error { Ok(here) } else { Err(Undetermined::Insensitive) }
}

/// Where the volatility is.
struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    fn shrink(&mut self, here: f64, miss: f64) {
        if miss < 0.0 {
            self.low = self.low.max(here);
        } else {
            self.high = self.high.min(here);
        }
    }

    fn contains(&self, volatility: f64) -> bool {
        volatility > self.low && volatility < self.high
    }

    /// Of the magnitudes, as the upper end is far off at first; the highest itself when only that is left.
    fn middle(&self) -> f64 {
        if self.low > 0.9 * MAX_VOLATILITY && self.high >= MAX_VOLATILITY {
            return MAX_VOLATILITY;
        }
        (self.low.max(LOWEST_START * self.high) * self.high).sqrt()
    }
}
