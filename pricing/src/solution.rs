//! What a solver finds, and the choice of the solver.

use crate::terms::Terms;
use crate::{Right, Style, collocation, diffusion, european};

/// A price and its derivatives with respect to the underlying.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solution {
    pub(crate) price: f64,
    pub(crate) delta: f64,
    pub(crate) gamma: f64,
}

impl Solution {
    /// That of an option which is best exercised now.
    pub(crate) fn exercised(terms: &Terms) -> Self {
        let delta = match terms.right {
            Right::Call => 1.0,
            Right::Put => -1.0,
        };
        Self { price: terms.intrinsic(), delta, gamma: 0.0 }
    }

    fn is_finite(&self) -> bool {
        self.price.is_finite() && self.delta.is_finite() && self.gamma.is_finite()
    }
}

/// How an option is priced.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Method {
    ClosedForm,
    Collocation,
    Diffusion,
}

impl Method {
    pub(crate) fn of(terms: &Terms) -> Self {
        if terms.style == Style::European || terms.never_exercised_early() {
            Method::ClosedForm
        } else if terms.dividends.is_empty() && terms.rate >= 0.0 && terms.carry_yield >= 0.0 {
            Method::Collocation
        } else {
            Method::Diffusion
        }
    }

    /// What the price may be off by, as a part of the strike.
    pub(crate) fn accuracy(self) -> f64 {
        match self {
            Method::ClosedForm => 1e-12,
            Method::Collocation => 5e-6,
            Method::Diffusion => 3e-5,
        }
    }

    /// The change of volatility for a difference, as a part of it: the less exact the method, the more.
    fn bump(self) -> f64 {
        if self == Method::Diffusion { 2e-2 } else { 1e-3 }
    }

    pub(crate) fn solve(self, terms: &Terms, volatility: f64) -> Solution {
        self.solve_with_vega(terms, volatility).0
    }

    /// With vega, per 1.00 of volatility.
    pub(crate) fn solve_with_vega(self, terms: &Terms, volatility: f64) -> (Solution, f64) {
        match self {
            Method::ClosedForm => {
                (european::solve(terms, volatility), european::vega(terms, volatility))
            }
            Method::Collocation | Method::Diffusion => self.solve_around(terms, volatility),
        }
    }

    /// Vega as a difference. Where the boundary of exercise is not found, finite differences need none.
    fn solve_around(self, terms: &Terms, volatility: f64) -> (Solution, f64) {
        let bump = self.bump() * volatility;
        let volatilities = [volatility, volatility + bump, volatility - bump];
        let by_collocation = || {
            let solutions = collocation::solve(terms, &volatilities)?;
            Some(solutions).filter(|all| all.iter().all(Solution::is_finite))
        };
        let solutions = if self == Method::Collocation { by_collocation() } else { None };
        let [here, above, below] =
            solutions.unwrap_or_else(|| diffusion::solve(terms, &volatilities));
        (here, (above.price - below.price) / (2.0 * bump))
    }
}
