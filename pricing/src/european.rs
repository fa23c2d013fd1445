//! European options in closed form.
//!
//! Source: F. Black and M. Scholes (1973), R. C. Merton (1973) for the yield, F. Black (1976) for futures; in this
//! notation J. C. Hull, "Options, Futures, and Other Derivatives", chapters 15, 17 and 18. Cash dividends: the escrowed
//! model, chapter 15.12 there.

use crate::Right;
use crate::normal::{cumulative, cumulative_and_density, density};
use crate::solution::Solution;
use crate::terms::Terms;

pub(crate) fn solve(terms: &Terms, volatility: f64) -> Solution {
    let (unit, paid) = terms.legs(terms.years, 0.0);
    let deviation = volatility * terms.years.sqrt();
    let d1 = (unit / paid).ln() / deviation + 0.5 * deviation;
    let d2 = d1 - deviation;
    let sign = match terms.right {
        Right::Call => 1.0,
        Right::Put => -1.0,
    };
    let (exercised, bell) = cumulative_and_density(sign * d1);
    Solution {
        price: (sign * (unit * exercised - paid * cumulative(sign * d2))).max(0.0),
        delta: sign * exercised * unit / terms.spot,
        gamma: bell * unit / (terms.spot * terms.spot * deviation),
    }
}

/// The change of the price per 1.00 of volatility.
pub(crate) fn vega(terms: &Terms, volatility: f64) -> f64 {
    let (unit, paid) = terms.legs(terms.years, 0.0);
    let root = terms.years.sqrt();
    let deviation = volatility * root;
    let d1 = (unit / paid).ln() / deviation + 0.5 * deviation;
    unit * density(d1) * root
}
