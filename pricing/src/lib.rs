//! Theoretical price, greeks and implied volatility of options on stocks, indices and futures.
//!
//! # Model
//!
//! The underlying has one constant volatility, one continuously compounded interest rate and one continuous yield.
//! An option on a future is one with the yield equal to the rate and the price of the future as spot (Black 1976).
//!
//! Cash dividends follow the **escrowed** model: what has the volatility is the spot less the dividends that go ex
//! until expiry, each worth D·e^(-(r-q)t) today, so that forwards are right with a yield as well. The exercise of an
//! American option pays by the full spot, which at each time is that part and the worth of the dividends still to
//! come; a call may thus be exercised just before a dividend, and a put is rather kept until just after it. This is
//! the tree with dollar dividends of J. C. Hull, "Options, Futures, and Other Derivatives", chapter 21.3, taken to its
//! limit. One option's price depends on the dividends until its own expiry only.
//!
//! | style | cash dividends | method | error, as a part of the strike |
//! |---|---|---|---|
//! | European | any | closed form | 1e-12 |
//! | American | none | spectral collocation (Andersen, Lake, Offengenden) | 5e-6 |
//! | American | some | finite differences (TR-BDF2, Brennan-Schwartz, extrapolated) | 3e-5 |
//!
//! Everything is deterministic; nothing is guessed: what cannot be determined is an error.

mod collocation;
mod diffusion;
mod european;
mod greeks;
mod grid;
mod implied;
mod linear;
mod normal;
mod quadrature;
mod solution;
mod terms;

use std::fmt::{self, Display, Formatter};

use solution::Method;
use terms::{Terms, check_volatility};

/// The highest volatility that is priced or found: 1000 % a year.
pub const MAX_VOLATILITY: f64 = 10.0;
/// The highest rate and yield, and the lowest below zero.
pub const MAX_RATE: f64 = 2.0;
/// The longest time to expiry.
pub const MAX_YEARS: f64 = 100.0;
/// Theta is the change over one of these.
pub const DAYS_PER_YEAR: f64 = 365.0;

/// What the option gives the right to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

/// When the option may be exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// At expiry.
    European,
    /// At any time until expiry.
    American,
}

/// An option, per one unit of the underlying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Option {
    /// To buy or to sell.
    pub right: Right,
    /// When it may be exercised.
    pub style: Style,
    /// The price at which it is exercised.
    pub strike: f64,
    /// The time to expiry in years: days / 365.
    pub years: f64,
}

/// A cash dividend per unit of the underlying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dividend {
    /// The time in years until the underlying goes ex. At expiry still counts.
    pub years: f64,
    /// Its amount.
    pub amount: f64,
}

/// What the price of an option depends on beside its volatility.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// The price of the underlying.
    pub spot: f64,
    /// The interest rate, continuously compounded: 0.04 is 4 %.
    pub rate: f64,
    /// The continuous yield of the underlying: dividends as a rate, the cost of borrowing it, or the rate itself for
    /// a future.
    pub dividend_yield: f64,
    /// Cash dividends in any order. Those after expiry do not count.
    pub dividends: Vec<Dividend>,
}

/// A price and its derivatives, in the units of a broker's quote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Greeks {
    /// The theoretical price.
    pub price: f64,
    /// Per 1.00 of the underlying.
    pub delta: f64,
    /// The change of delta per 1.00 of the underlying.
    pub gamma: f64,
    /// Per calendar day that passes, everything else the same.
    pub theta: f64,
    /// Per percentage point (0.01) of volatility.
    pub vega: f64,
}

/// The input that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Not a positive number.
    Strike,
    /// Not a positive number, or above [`MAX_YEARS`].
    Years,
    /// Not a positive number.
    Spot,
    /// Not a number, or beyond [`MAX_RATE`].
    Rate,
    /// Not a number, or beyond [`MAX_RATE`].
    DividendYield,
    /// A dividend that is negative, or not in the future.
    Dividend,
    /// The dividends until expiry are worth the whole spot.
    DividendsExceedSpot,
    /// Not a positive number, or above [`MAX_VOLATILITY`].
    Volatility,
    /// Each is fine, but together they lead beyond the range of floating-point numbers.
    Range,
}

/// Why there is no implied volatility.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Undetermined {
    /// An input makes no sense.
    Invalid(Invalid),
    /// The price of the option is not a positive number.
    Price,
    /// The price is not above what the option is worth without any volatility.
    NoTimeValue {
        /// That worth.
        bound: f64,
    },
    /// The price is not below what no volatility exceeds.
    AboveBound {
        /// That limit.
        bound: f64,
    },
    /// The volatility is above [`MAX_VOLATILITY`].
    TooVolatile,
    /// The price hardly depends on the volatility: a whole percentage point is within the error of the method.
    Insensitive,
}

/// The theoretical price at a volatility (0.25 is 25 % a year).
pub fn price(option: &Option, market: &Market, volatility: f64) -> Result<f64, Invalid> {
    let terms = Terms::new(option, market)?;
    check_volatility(volatility)?;
    let price = Method::of(&terms).solve(&terms, volatility).price;
    if price.is_finite() { Ok(price) } else { Err(Invalid::Range) }
}

/// The theoretical price and the greeks at a volatility.
pub fn greeks(option: &Option, market: &Market, volatility: f64) -> Result<Greeks, Invalid> {
    let terms = Terms::new(option, market)?;
    check_volatility(volatility)?;
    greeks::of(&terms, volatility)
}

/// The volatility at which the theoretical price is this price.
pub fn implied_volatility(
    option: &Option,
    market: &Market,
    price: f64,
) -> Result<f64, Undetermined> {
    let terms = Terms::new(option, market).map_err(Undetermined::Invalid)?;
    implied::of(&terms, price)
}

impl Display for Invalid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Invalid::Strike => "the strike is not a positive number",
            Invalid::Years => "the time to expiry is not positive, or too long",
            Invalid::Spot => "the price of the underlying is not a positive number",
            Invalid::Rate => "the interest rate is out of range",
            Invalid::DividendYield => "the dividend yield is out of range",
            Invalid::Dividend => "a dividend is negative, or not in the future",
            Invalid::DividendsExceedSpot => "the dividends are worth as much as the underlying",
            Invalid::Volatility => "the volatility is not positive, or too high",
            Invalid::Range => "the inputs together are out of range",
        })
    }
}

impl Display for Undetermined {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Undetermined::Invalid(invalid) => invalid.fmt(f),
            Undetermined::Price => f.write_str("the price is not a positive number"),
            Undetermined::NoTimeValue { bound } => {
                write!(f, "the price is not above {bound}, its worth without volatility")
            }
            Undetermined::AboveBound { bound } => {
                write!(f, "the price is not below {bound}, which no volatility exceeds")
            }
            Undetermined::TooVolatile => {
                write!(f, "the volatility is above {} %", MAX_VOLATILITY * 100.0)
            }
            Undetermined::Insensitive => f.write_str("the price hardly depends on the volatility"),
        }
    }
}

impl std::error::Error for Invalid {}
impl std::error::Error for Undetermined {}
