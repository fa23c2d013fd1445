//! American options without cash dividends, by spectral collocation of the boundary of exercise.
//!
//! Source: L. Andersen, M. Lake and D. Offengenden, "High-performance American option pricing", Journal of
//! Computational Finance 20 (2016): the boundary B(τ) of a put is the fixed point of their equation A, found at
//! Chebyshev nodes of √τ and interpolated as (ln B/X)², which is nearly a straight line; X is its value at expiry. The
//! price is the European one and an integral of what is earned by exercise. A call is a put with the underlying and
//! the strike, and the yield and the rate, exchanged (R. McDonald and M. Schroder, 1998).
//!
//! Needs a rate and a yield that are not negative: else there may be two boundaries.

use crate::normal::{cumulative_and_density, density};
use crate::quadrature::{NODES, Point, TABLES, Tables};
use crate::solution::Solution;
use crate::terms::Terms;
use crate::{Right, european, linear};

/// The most rounds of both methods; eight are usual.
const ROUNDS: usize = 20;
/// The plain fixed point comes first, as it leads to the right one of several solutions: while each round leaves no
/// more than this part of the error, and until Newton's method cannot go wrong.
const CONTRACTION: f64 = 0.7;
const NEWTON: f64 = 1e-4;
/// Where it has converged, in the logarithm of the boundary: the next round would bring it far nearer.
const CONVERGED: f64 = 1e-6;
/// The longest step away from the value at expiry, and how much of the way to it is left after one towards it.
const LONGEST_STEP: f64 = 0.5;
const SHALLOWER: f64 = 0.3;
/// Less deep below its value at expiry the interpolated boundary does not go: there the polynomial may be negative, and
/// the root's derivative misleads.
const SHALLOWEST: f64 = 1e-5;

/// For several volatilities that are near to each other; None if the fixed point is not found.
pub(crate) fn solve<const N: usize>(
    terms: &Terms,
    volatilities: &[f64; N],
) -> Option<[Solution; N]> {
    let mut solutions = [Solution { price: f64::NAN, delta: f64::NAN, gamma: f64::NAN }; N];
    let mut before: Option<(f64, Boundary)> = None;
    for (solution, volatility) in solutions.iter_mut().zip(volatilities) {
        let put = Put::new(terms, *volatility);
        // The depth of the boundary goes about with the volatility.
        let guess = match before {
            Some((other, boundary)) => put.scaled(&boundary, volatility / other),
            None => put.guess(&TABLES),
        };
        let boundary = put.boundary(&TABLES, guess)?;
        *solution = put.value(terms, &boundary);
        before = Some((*volatility, boundary));
    }
    Some(solutions)
}

/// The put that is worth the same as the option.
struct Put {
    underlying: f64,
    strike: f64,
    rate: f64,
    carry_yield: f64,
    volatility: f64,
    years: f64,
    /// ln X/K.
    at_expiry: f64,
}

/// ln B/K at the Chebyshev nodes, the longest time first, and (ln B/X)².
#[derive(Clone, Copy)]
struct Boundary {
    squares: [f64; NODES],
    logarithms: [f64; NODES],
}

impl Boundary {
    /// As the true one is; other solutions of the equations at the nodes are not.
    fn is_monotonic(&self) -> bool {
        self.logarithms.is_sorted()
    }
}

/// A row for each node: what its equation has for derivatives, then its value.
type System = [[f64; NODES + 1]; NODES];

/// What a plain round of the fixed point changes.
fn misses(system: &System) -> [f64; NODES] {
    system.map(|[.., miss]| miss)
}

fn largest(values: &[f64; NODES]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// A numerator or a denominator, and its derivative by ln B at its own time.
#[derive(Clone, Copy)]
struct Term {
    value: f64,
    slope: f64,
}

impl Term {
    fn add(&mut self, other: Self) {
        self.value += other.value;
        self.slope += other.slope;
    }
}

/// What early exercise is worth, with its derivatives by the underlying of the put.
struct Premium {
    value: f64,
    first: f64,
    second: f64,
}

impl Put {
    fn new(terms: &Terms, volatility: f64) -> Self {
        let (underlying, strike, rate, carry_yield) = match terms.right {
            Right::Put => (terms.spot, terms.strike, terms.rate, terms.carry_yield),
            Right::Call => (terms.strike, terms.spot, terms.carry_yield, terms.rate),
        };
        let at_expiry = if carry_yield > rate { (rate / carry_yield).ln() } else { 0.0 };
        Self { underlying, strike, rate, carry_yield, volatility, years: terms.years, at_expiry }
    }

    /// From a first guess; None if it is not found.
    fn boundary(&self, tables: &Tables, guess: Boundary) -> Option<Boundary> {
        let growth = Growth::new(self, tables);
        let mut boundary = guess;
        let mut plain = true;
        let mut before = f64::INFINITY;
        for _ in 0..ROUNDS {
            let system = self.system(tables, &growth, &boundary);
            let miss = largest(&misses(&system));
            plain = plain && miss < CONTRACTION * before && miss > NEWTON;
            before = miss;
            let step = if plain { misses(&system) } else { linear::solve(system)? };
            boundary = self.moved(&boundary, &step);
            if !plain && largest(&step) < CONVERGED {
                return Some(boundary).filter(Boundary::is_monotonic);
            }
        }
        None
    }

    /// The exponential approach to the boundary of a perpetual put of P. Bjerksund and G. Stensland (1993).
    fn guess(&self, tables: &Tables) -> Boundary {
        let variance = self.volatility * self.volatility;
        let half = (self.rate - self.carry_yield) / variance - 0.5;
        let root = -half - (half * half + 2.0 * self.rate / variance).sqrt();
        let perpetual = root / (root - 1.0);
        let start = self.at_expiry.exp();
        let logarithms = tables.roots.map(|part| {
            let spread = 2.0 * self.volatility * part * self.years.sqrt();
            let approach = (-spread / (start - perpetual).max(1e-9)).exp();
            (perpetual + (start - perpetual) * approach).ln().min(self.at_expiry - SHALLOWEST)
        });
        self.with_squares(logarithms)
    }

    fn scaled(&self, other: &Boundary, factor: f64) -> Boundary {
        let scaled = |log: f64| self.at_expiry + (log - self.at_expiry) * factor;
        self.with_squares(other.logarithms.map(scaled))
    }

    fn with_squares(&self, logarithms: [f64; NODES]) -> Boundary {
        Boundary { squares: logarithms.map(|log| (log - self.at_expiry).powi(2)), logarithms }
    }

    /// How far below its value at expiry the logarithm of the boundary is at a point.
    fn depth(&self, boundary: &Boundary, point: &Point) -> f64 {
        let terms = boundary.squares.iter().zip(&point.weights);
        let square: f64 = terms.map(|(square, weight)| square * weight).sum();
        square.max(0.0).sqrt().max(SHALLOWEST)
    }

    /// Newton's method for all nodes together: the derivatives of each equation, and its value.
    fn system(&self, tables: &Tables, growth: &Growth, boundary: &Boundary) -> System {
        let nodes = tables.roots.iter().zip(&tables.inner).zip(&growth.nodes).enumerate();
        let mut system = [[0.0; NODES + 1]; NODES];
        for (row, (node, ((part, points), grown))) in system.iter_mut().zip(nodes) {
            *row = self.equation(node, part * self.years.sqrt(), boundary, points, grown);
        }
        system
    }

    /// The boundary stays below its value at expiry, and does not jump.
    fn moved(&self, boundary: &Boundary, step: &[f64; NODES]) -> Boundary {
        let mut logarithms = boundary.logarithms;
        for (log, step) in logarithms.iter_mut().zip(step) {
            let depth = self.at_expiry - *log;
            let next = (depth + step).max(SHALLOWER * depth).min(depth + LONGEST_STEP);
            *log = self.at_expiry - next;
        }
        self.with_squares(logarithms)
    }

    fn drift(&self) -> f64 {
        self.rate - self.carry_yield
    }

    /// Equation A at a node, as ln B/K + (r-q)τ - ln N/D = 0: its derivatives by ln B at each node, then its value.
    fn equation(
        &self,
        node: usize,
        root: f64,
        boundary: &Boundary,
        points: &[Point],
        grown: &[(f64, f64)],
    ) -> [f64; NODES + 1] {
        let log = boundary.logarithms.get(node).copied().unwrap_or(f64::NAN);
        let scale = 1.0 / (self.volatility * root);
        let (low, high) = self.moments(log, root);
        let (held, bell) = cumulative_and_density(high);
        let bell_low = density(low);
        let mut above = Term { value: bell_low * scale, slope: -low * bell_low * scale * scale };
        let mut below =
            Term { value: held + bell * scale, slope: (1.0 - high * scale) * bell * scale };
        let mut above_others = [0.0; NODES];
        let mut below_others = [0.0; NODES];
        for (point, (rate_growth, yield_growth)) in points.iter().zip(grown) {
            let wait = root * point.part;
            let depth = self.depth(boundary, point);
            let (low, high) = self.moments(log - (self.at_expiry - depth), wait);
            let (held, bell) = cumulative_and_density(high);
            let scale = 1.0 / (self.volatility * wait);
            let interest = self.rate * point.weight * root * wait * rate_growth;
            let foregone = self.carry_yield * point.weight * root * wait * yield_growth;
            let bell_low = interest * density(low) * scale;
            let here = Term { value: bell_low, slope: -bell_low * low * scale };
            let there = Term {
                value: foregone * (held + bell * scale),
                slope: foregone * (1.0 - high * scale) * bell * scale,
            };
            above.add(here);
            below.add(there);
            let steepness = if depth > SHALLOWEST { 1.0 / depth } else { 0.0 };
            let others = above_others.iter_mut().zip(&mut below_others).zip(&point.weights);
            for ((above, below), weight) in others {
                *above += here.slope * weight * steepness;
                *below += there.slope * weight * steepness;
            }
        }
        let miss = log + self.drift() * root * root - (above.value / below.value).ln();
        let slope = 1.0 - above.slope / above.value + below.slope / below.value;
        let mut row = [0.0; NODES + 1];
        let others = above_others.iter().zip(&below_others).zip(&boundary.logarithms);
        for (cell, ((above_other, below_other), log)) in row.iter_mut().zip(others) {
            let depth = self.at_expiry - log;
            *cell = depth * (above_other / above.value - below_other / below.value);
        }
        if let Some(own) = row.get_mut(node) {
            *own += slope;
        }
        if let Some(value) = row.last_mut() {
            *value = miss;
        }
        row
    }

    /// d- and d+ of a logarithm of the moneyness, for a time whose root is given.
    fn moments(&self, log: f64, root: f64) -> (f64, f64) {
        let deviation = self.volatility * root;
        let middle = (log + self.drift() * root * root) / deviation;
        (middle - 0.5 * deviation, middle + 0.5 * deviation)
    }

    fn boundary_today(&self, boundary: &Boundary) -> f64 {
        boundary.logarithms.first().copied().unwrap_or(f64::NAN)
    }

    fn value(&self, terms: &Terms, boundary: &Boundary) -> Solution {
        let today = (self.underlying / self.strike).ln();
        if today <= self.boundary_today(boundary) {
            return Solution::exercised(terms);
        }
        let european = european::solve(terms, self.volatility);
        let premium = self.premium(&TABLES, boundary, today);
        let (delta, gamma) = premium.derivatives(self, terms.right);
        Solution {
            price: (european.price + premium.value).max(terms.intrinsic()),
            delta: european.delta + delta,
            gamma: european.gamma + gamma,
        }
    }

    /// The interest earned on the strike less the yield foregone, wherever the option is exercised.
    fn premium(&self, tables: &Tables, boundary: &Boundary, today: f64) -> Premium {
        let mut premium = Premium { value: 0.0, first: 0.0, second: 0.0 };
        for point in &tables.outer {
            let wait = point.part * self.years.sqrt();
            let years = wait * wait;
            let then = self.at_expiry - self.depth(boundary, point);
            let (low, high) = self.moments(today - then, wait);
            let (paid, bell_paid) = cumulative_and_density(-low);
            let (held, bell_held) = cumulative_and_density(-high);
            let weight = point.weight * self.years;
            let interest = weight * self.rate * self.strike * (-self.rate * years).exp();
            let foregone =
                weight * self.carry_yield * self.underlying * (-self.carry_yield * years).exp();
            let deviation = self.volatility * wait;
            // By the logarithm of the underlying, which `foregone` has as a factor.
            premium.value += interest * paid - foregone * held;
            premium.first +=
                (foregone * bell_held - interest * bell_paid) / deviation - foregone * held;
            premium.second += (interest * low * bell_paid - foregone * high * bell_held)
                / (deviation * deviation)
                + 2.0 * foregone * bell_held / deviation
                - foregone * held;
        }
        premium
    }
}

impl Premium {
    /// Delta and gamma of the option itself. The premium of a call is, as that of any option, of the first degree in
    /// underlying and strike together.
    fn derivatives(&self, put: &Put, right: Right) -> (f64, f64) {
        match right {
            Right::Put => (
                self.first / put.underlying,
                (self.second - self.first) / (put.underlying * put.underlying),
            ),
            Right::Call => (
                (self.value - self.first) / put.strike,
                (self.second - self.first) / (put.strike * put.strike),
            ),
        }
    }
}

/// e^(ru) and e^(qu) at the points of each integral of the fixed point: the same in every round.
struct Growth {
    nodes: Vec<Vec<(f64, f64)>>,
}

impl Growth {
    fn new(put: &Put, tables: &Tables) -> Self {
        let grow = |point: &Point, part: &f64| {
            let years = put.years * part * part * (1.0 - point.part * point.part);
            ((put.rate * years).exp(), (put.carry_yield * years).exp())
        };
        let of_node = |(points, part): (&Vec<Point>, &f64)| {
            points.iter().map(|point| grow(point, part)).collect()
        };
        Self { nodes: tables.inner.iter().zip(&tables.roots).map(of_node).collect() }
    }
}
