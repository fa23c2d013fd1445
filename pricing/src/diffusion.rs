//! American options with cash dividends, by finite differences.
//!
//! In units of its standard deviation at expiry, and less its drift, the logarithm of the underlying is a Brownian
//! motion; the price, discounted to today, then obeys the heat equation whatever the option, and must not be below
//! the discounted payoff of exercise. For a call the underlying is the unit of account (J. Detemple, "American options:
//! symmetry properties", 2001), which makes it a put with the underlying and the strike exchanged; so one solver does
//! both, and nothing grows beyond bounds.
//!
//! Time goes by TR-BDF2 with the constraint of exercise kept in each of its two stages by the algorithm of
//! M. J. Brennan and E. S. Schwartz, "The valuation of American put options" (1977); F. Le Floc'h, "TR-BDF2 for fast
//! stable American option pricing", Journal of Computational Finance 17 (2014). Steps are short after expiry and each
//! dividend, backward in time, where the boundary of exercise moves like a square root. Two grids are extrapolated.
//!
//! Weak: where a call is as well exercised before a dividend as kept, and the dividend is only days away, gamma has a
//! peak that the grid is too wide for; it, and with it theta and vega, is then good to a few percent only.

use crate::Right;
use crate::grid::{Centre, Grid, LANES, Lanes, Limit, Payoff, STAGE};
use crate::solution::Solution;
use crate::terms::Terms;

const FINE: Resolution = Resolution { side: 200, steps: 40, fewest: 16 };
const COARSE: Resolution = Resolution { side: 100, steps: 20, fewest: 8 };
/// A short time between two dividends gets more than its part of the steps: the part to this power.
const SHARE: f64 = 0.75;

struct Resolution {
    /// Nodes on each side of today's spot.
    side: usize,
    /// Steps in time, if there were no dividend.
    steps: u32,
    /// The fewest from one dividend to the next.
    fewest: u32,
}

/// For several volatilities at once.
pub(crate) fn solve(terms: &Terms, volatilities: &Lanes) -> [Solution; LANES] {
    let problem = Problem::new(terms, volatilities);
    let fine = problem.solve(&FINE);
    let coarse = problem.solve(&COARSE);
    std::array::from_fn(|lane| extrapolate(terms, &fine[lane], &coarse[lane]))
}

/// The error of each grid goes with the square of its spacing.
fn extrapolate(terms: &Terms, fine: &Solution, coarse: &Solution) -> Solution {
    let beyond = |fine: f64, coarse: f64| fine + (fine - coarse) / 3.0;
    let solution = Solution {
        price: beyond(fine.price, coarse.price).max(0.0),
        delta: beyond(fine.delta, coarse.delta),
        gamma: beyond(fine.gamma, coarse.gamma),
    };
    if terms.is_exercised_at(solution.price) { Solution::exercised(terms) } else { solution }
}

struct Problem<'a> {
    terms: &'a Terms,
    variances: Lanes,
    deviations: Lanes,
}

impl<'a> Problem<'a> {
    fn new(terms: &'a Terms, volatilities: &Lanes) -> Self {
        Self {
            terms,
            variances: volatilities.map(|volatility| volatility * volatility),
            deviations: volatilities.map(|volatility| volatility * terms.years.sqrt()),
        }
    }

    fn solve(&self, resolution: &Resolution) -> [Solution; LANES] {
        let at_expiry = self.payoff(self.terms.years, 0.0);
        let mut grid = Grid::new(resolution.side, &self.deviations, &at_expiry);
        let mut escrowed = 0.0;
        let mut end = self.terms.years;
        for cash in self.terms.dividends.iter().rev() {
            self.go_back(&mut grid, end, cash.years, escrowed, resolution);
            escrowed += cash.escrowed;
            end = cash.years;
            grid.exercise(&self.payoff(end, escrowed));
        }
        self.go_back(&mut grid, end, 0.0, escrowed, resolution);
        self.today(&grid)
    }

    fn payoff(&self, years: f64, escrowed: f64) -> Payoff {
        let (unit, paid) = self.terms.legs(years, escrowed);
        let martingale = self.variances.map(|variance| (-0.5 * variance * years).exp());
        match self.terms.right {
            Right::Call => Payoff { fixed: unit, moving: martingale.map(|part| paid * part) },
            Right::Put => Payoff { fixed: paid, moving: martingale.map(|part| unit * part) },
        }
    }

    fn limit(&self, years: f64, escrowed: f64) -> Limit {
        Limit { exercise: self.payoff(years, escrowed), sure: self.sure(years) }
    }

    /// What the payoff at expiry is worth where it is sure to be exercised.
    fn sure(&self, years: f64) -> Payoff {
        let rest = self.terms.years - years;
        let mut payoff = self.payoff(self.terms.years, 0.0);
        for (moving, variance) in payoff.moving.iter_mut().zip(&self.variances) {
            *moving *= (0.5 * variance * rest).exp();
        }
        payoff
    }

    /// From `end` back to `start`, between which there is no dividend.
    fn go_back(
        &self,
        grid: &mut Grid,
        end: f64,
        start: f64,
        escrowed: f64,
        resolution: &Resolution,
    ) {
        let length = end - start;
        if length <= 0.0 {
            return;
        }
        let part = (length / self.terms.years).powf(SHARE);
        let steps = (f64::from(resolution.steps) * part).round().max(resolution.fewest.into());
        let mut before = end;
        for step in 1..=steps as u32 {
            let part = f64::from(step) / steps;
            let now = end - length * part * part;
            let between = before - (before - now) * STAGE;
            let limits = [between, now].map(|when| self.limit(when, escrowed));
            grid.step((before - now) / self.terms.years, &limits);
            before = now;
        }
    }

    /// The middle of the grid as price, delta and gamma.
    fn today(&self, grid: &Grid) -> [Solution; LANES] {
        let Some(centres) = grid.centres() else {
            return [Solution { price: f64::NAN, delta: f64::NAN, gamma: f64::NAN }; LANES];
        };
        let spot = self.terms.spot;
        std::array::from_fn(|lane| {
            let Centre { value, first, second } = centres[lane];
            let deviation = self.deviations[lane];
            let first = first / deviation;
            let second = second / (deviation * deviation);
            let slope = match self.terms.right {
                Right::Call => value - first,
                Right::Put => first,
            };
            Solution { price: value, delta: slope / spot, gamma: (second - first) / (spot * spot) }
        })
    }
}
