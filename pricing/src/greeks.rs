//! The greeks, in the units of a broker's quote.

use crate::solution::{Method, Solution};
use crate::terms::Terms;
use crate::{DAYS_PER_YEAR, Greeks, Invalid};

/// A quoted vega is that of one percentage point.
const POINT: f64 = 0.01;
pub(crate) fn of(terms: &Terms, volatility: f64) -> Result<Greeks, Invalid> {
    let (solution, vega) = Method::of(terms).solve_with_vega(terms, volatility);
    let greeks = Greeks {
        price: solution.price,
        delta: solution.delta,
        gamma: solution.gamma,
        theta: theta(terms, &solution, volatility) / DAYS_PER_YEAR,
        vega: vega * POINT,
    };
    let Greeks { price, delta, gamma, theta, vega } = greeks;
    let finite = [price, delta, gamma, theta, vega].iter().all(|value| value.is_finite());
    if finite { Ok(greeks) } else { Err(Invalid::Range) }
}

/// By the Black-Scholes equation, per year. Dividends come nearer with time, which makes the full spot appear in it
/// where the drift is, and the spot less dividends where the volatility is.
fn theta(terms: &Terms, solution: &Solution, volatility: f64) -> f64 {
    if terms.is_exercised_at(solution.price) {
        // Whoever exercises today loses nothing by the time.
        return 0.0;
    }
    let drift = (terms.rate - terms.carry_yield) * terms.quoted * solution.delta;
    let diffused = volatility * terms.spot;
    terms.rate * solution.price - drift - 0.5 * diffused * diffused * solution.gamma
}
