//! Inputs that have been checked, in the form that the solvers want.

use crate::{Invalid, MAX_RATE, MAX_VOLATILITY, MAX_YEARS, Market, Option, Right, Style};

/// What waiting must be worth, as a part of the strike, to be told from the rounding of a solver.
const INDIFFERENT: f64 = 1e-9;

/// A cash dividend before expiry.
#[derive(Clone, Copy)]
pub(crate) struct Cash {
    pub(crate) years: f64,
    /// Its amount as a number of today's unit of the underlying less dividends: D·e^(-(r-q)t).
    pub(crate) escrowed: f64,
}

/// A checked option in a checked market.
pub(crate) struct Terms {
    pub(crate) right: Right,
    pub(crate) style: Style,
    pub(crate) strike: f64,
    pub(crate) years: f64,
    /// As quoted.
    pub(crate) quoted: f64,
    /// Less the present value of the dividends: what has a volatility.
    pub(crate) spot: f64,
    pub(crate) rate: f64,
    pub(crate) carry_yield: f64,
    /// Those before expiry, the earliest first.
    pub(crate) dividends: Vec<Cash>,
}

impl Terms {
    pub(crate) fn new(option: &Option, market: &Market) -> Result<Self, Invalid> {
        check(positive(option.strike), Invalid::Strike)?;
        check(positive(option.years) && option.years <= MAX_YEARS, Invalid::Years)?;
        check(positive(market.spot), Invalid::Spot)?;
        check(market.rate.abs() <= MAX_RATE, Invalid::Rate)?;
        check(market.dividend_yield.abs() <= MAX_RATE, Invalid::DividendYield)?;
        let dividends = dividends_before(option.years, market)?;
        let spot = market.spot - dividends.iter().map(|cash| cash.escrowed).sum::<f64>();
        check(positive(spot), Invalid::DividendsExceedSpot)?;
        Ok(Self {
            right: option.right,
            style: option.style,
            strike: option.strike,
            years: option.years,
            quoted: market.spot,
            spot,
            rate: market.rate,
            carry_yield: market.dividend_yield,
            dividends,
        })
    }

    /// What exercising today pays.
    pub(crate) fn intrinsic(&self) -> f64 {
        self.right.payoff(self.quoted, self.strike)
    }

    /// Whether a price says that the option is best exercised now.
    pub(crate) fn is_exercised_at(&self, price: f64) -> bool {
        let intrinsic = self.intrinsic();
        self.style == Style::American
            && intrinsic > 0.0
            && price <= intrinsic + INDIFFERENT * self.strike
    }

    /// What one unit of the underlying less dividends at `years` is worth today, and what is worth today what is then
    /// paid for it: the strike less the dividends that are still to come.
    pub(crate) fn legs(&self, years: f64, escrowed: f64) -> (f64, f64) {
        let unit = (-self.carry_yield * years).exp();
        (self.spot * unit, self.strike * (-self.rate * years).exp() - escrowed * unit)
    }

    /// The escrowed dividends that come after `years`.
    pub(crate) fn escrowed_after(&self, years: f64) -> f64 {
        self.dividends.iter().filter(|cash| cash.years > years).map(|cash| cash.escrowed).sum()
    }

    /// Whether waiting for expiry is best whatever happens, so that the American option is worth the European one.
    pub(crate) fn never_exercised_early(&self) -> bool {
        match self.right {
            Right::Call => {
                self.dividends.is_empty()
                    && self.carry_yield <= 0.0
                    && self.rate >= self.carry_yield
            }
            Right::Put => {
                self.rate <= 0.0
                    && self.carry_yield >= self.rate
                    && (self.dividends.is_empty() || self.carry_yield >= 0.0)
            }
        }
    }

    /// The value as the volatility goes to zero, when the future is certain: no option is worth less.
    pub(crate) fn lower_bound(&self) -> f64 {
        match self.style {
            Style::European => self.certain(self.years, 0.0),
            Style::American => self.best_certain().max(self.intrinsic()),
        }
    }

    /// What no option is worth more than.
    pub(crate) fn upper_bound(&self) -> f64 {
        let (unit, paid) = self.legs(self.years, 0.0);
        let at_expiry = match self.right {
            Right::Call => unit,
            Right::Put => paid,
        };
        match (self.style, self.right) {
            (Style::European, _) => at_expiry,
            (Style::American, Right::Call) => at_expiry.max(self.quoted),
            (Style::American, Right::Put) => at_expiry.max(self.strike),
        }
    }

    fn certain(&self, years: f64, escrowed: f64) -> f64 {
        let (unit, paid) = self.legs(years, escrowed);
        self.right.payoff(unit, paid)
    }

    /// The best day of exercise in a certain future. Between two dividends that is one end, or where the interest on
    /// the strike equals the yield of the underlying.
    fn best_certain(&self) -> f64 {
        let days = self.dividends.iter().map(|cash| cash.years);
        let starts = std::iter::once(0.0).chain(days.clone());
        let ends = days.chain(std::iter::once(self.years));
        starts.zip(ends).fold(0.0, |best, (start, end)| {
            let escrowed = self.escrowed_after(start);
            let turn = self.turning_point(escrowed).clamp(start, end);
            [start, turn, end]
                .iter()
                .fold(best, |best: f64, day| best.max(self.certain(*day, escrowed)))
        })
    }

    /// Where e^(-qt)·Q - e^(-rt)·K is stationary; the start where it is so nowhere.
    fn turning_point(&self, escrowed: f64) -> f64 {
        let ratio = self.rate * self.strike / (self.carry_yield * (self.spot + escrowed));
        let turn = ratio.ln() / (self.rate - self.carry_yield);
        if turn.is_finite() { turn } else { 0.0 }
    }
}

impl Right {
    /// The payoff of an exchange of the underlying for what is paid.
    pub(crate) fn payoff(self, underlying: f64, paid: f64) -> f64 {
        match self {
            Right::Call => underlying - paid,
            Right::Put => paid - underlying,
        }
        .max(0.0)
    }
}

pub(crate) fn check_volatility(volatility: f64) -> Result<(), Invalid> {
    check(positive(volatility) && volatility <= MAX_VOLATILITY, Invalid::Volatility)
}

fn dividends_before(expiry: f64, market: &Market) -> Result<Vec<Cash>, Invalid> {
    let drift = market.rate - market.dividend_yield;
    let mut before = Vec::new();
    for dividend in &market.dividends {
        let sane =
            positive(dividend.years) && dividend.amount.is_finite() && dividend.amount >= 0.0;
        check(sane, Invalid::Dividend)?;
        if dividend.years <= expiry && dividend.amount > 0.0 {
            let escrowed = dividend.amount * (-drift * dividend.years).exp();
            before.push(Cash { years: dividend.years, escrowed });
        }
    }
    before.sort_by(|one, other| one.years.total_cmp(&other.years));
    Ok(before)
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn check(holds: bool, otherwise: Invalid) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(otherwise) }
}
