//! The grid of the finite differences and its steps: several volatilities at once, which costs little more than one,
//! as each node has to wait for its neighbour.
//!
//! Sources: see [`crate::diffusion`].

use crate::linear;

/// How many problems are solved together.
pub(crate) const LANES: usize = 3;
/// One number for each of them.
pub(crate) type Lanes = [f64; LANES];
/// The part of a step that the trapezoidal stage takes: both stages then have the same matrix.
pub(crate) const STAGE: f64 = 2.0 - std::f64::consts::SQRT_2;
/// How far the grid goes to each side, in standard deviations at expiry.
const WIDTH: f64 = 5.0;
/// Nodes of the polynomial through today's spot.
const STENCIL: usize = 5;

/// The discounted payoff at a time: `fixed - moving·e^(deviation·z)`, or nothing.
#[derive(Clone, Copy)]
pub(crate) struct Payoff {
    pub(crate) fixed: f64,
    pub(crate) moving: Lanes,
}

impl Payoff {
    fn at(&self, growth: &Lanes) -> Lanes {
        let mut payoff = [0.0; LANES];
        for ((payoff, moving), growth) in payoff.iter_mut().zip(&self.moving).zip(growth) {
            *payoff = (self.fixed - moving * growth).max(0.0);
        }
        payoff
    }
}

/// What the value is not below at a time.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) exercise: Payoff,
    /// What the payoff at expiry is worth where it is sure.
    pub(crate) sure: Payoff,
}

impl Limit {
    fn at(&self, growth: &Lanes) -> Lanes {
        larger(&self.exercise.at(growth), &self.sure.at(growth))
    }
}

/// The nodes and what lives on them.
pub(crate) struct Grid {
    spacing: f64,
    /// How far the middle node is above today's spot, in units of the spacing.
    offset: Lanes,
    /// e^(deviation·z) at each node.
    growth: Vec<Lanes>,
    values: Vec<Lanes>,
    /// Those after the first stage of a step.
    middle: Vec<Lanes>,
    /// The right-hand side, then its elimination.
    right: Vec<Lanes>,
    /// The inverse pivots of the elimination.
    inverse: Vec<f64>,
}

/// The value at today's spot and its derivatives by z.
#[derive(Clone, Copy)]
pub(crate) struct Centre {
    pub(crate) value: f64,
    pub(crate) first: f64,
    pub(crate) second: f64,
}

impl Grid {
    /// At expiry. The kink of the payoff is half-way between two nodes: elsewhere the error would depend on where in
    /// its cell it is, and neither be extrapolated nor have a smooth derivative by the volatility.
    pub(crate) fn new(side: usize, deviations: &Lanes, payoff: &Payoff) -> Self {
        let spacing = WIDTH / side as f64;
        let mut offset = *deviations;
        for (offset, moving) in offset.iter_mut().zip(&payoff.moving) {
            let kink = (payoff.fixed / moving).ln() / (*offset * spacing);
            *offset = if kink.abs() < side as f64 { kink - kink.floor() - 0.5 } else { 0.0 };
        }
        let node = |node: usize| {
            let mut growth = *deviations;
            for (growth, offset) in growth.iter_mut().zip(&offset) {
                *growth = (*growth * spacing * (node as f64 - side as f64 + offset)).exp();
            }
            growth
        };
        let growth: Vec<Lanes> = (0..=2 * side).map(node).collect();
        let values = growth.iter().map(|growth| payoff.at(growth)).collect();
        let nil = vec![[0.0; LANES]; growth.len()];
        let inverse = vec![0.0; growth.len()];
        Self { spacing, offset, growth, values, middle: nil.clone(), right: nil, inverse }
    }

    /// Exercise at one moment, where it may pay at once what it did not pay a moment later. The gain has a kink inside
    /// a cell: each node gets its mean over the cell, for the same reason as above.
    pub(crate) fn exercise(&mut self, payoff: &Payoff) {
        let gain = |(growth, value)| each(|[paid, kept]| paid - kept, [&payoff.at(growth), value]);
        let gains: Vec<Lanes> = self.growth.iter().zip(&self.values).map(gain).collect();
        for (value, around) in self.values.iter_mut().skip(1).zip(gains.windows(3)) {
            if let [low, here, high] = around {
                *value = each(
                    |[value, low, here, high]| value + mean_gain(low, here, high),
                    [value, low, here, high],
                );
            }
        }
    }

    /// One step back in time, as a part of the time to expiry, with what holds at the end of each stage.
    pub(crate) fn step(&mut self, length: f64, [between, now]: &[Limit; 2]) {
        let weight = 0.25 * STAGE * length / (self.spacing * self.spacing);
        self.factorise(weight);

        for (right, around) in self.right.iter_mut().skip(1).zip(self.values.windows(3)) {
            if let [low, here, high] = around {
                *right = each(
                    |lane: [f64; 3]| lane[1] + weight * (lane[0] - 2.0 * lane[1] + lane[2]),
                    [low, here, high],
                );
            }
        }
        let old = std::mem::take(&mut self.middle);
        self.middle = self.constrained(old, weight, between);

        let scale = 1.0 / (STAGE * (2.0 - STAGE));
        let kept = (1.0 - STAGE) * (1.0 - STAGE) * scale;
        for ((right, middle), value) in self.right.iter_mut().zip(&self.middle).zip(&self.values) {
            *right = each(|[middle, value]| scale * middle - kept * value, [middle, value]);
        }
        let old = std::mem::take(&mut self.values);
        self.values = self.constrained(old, weight, now);
    }

    /// At today's spot, by the polynomial through the nodes around it.
    pub(crate) fn centres(&self) -> Option<[Centre; LANES]> {
        let start = (self.values.len() / 2).checked_sub(STENCIL / 2)?;
        let around = self.values.get(start..)?.first_chunk::<STENCIL>()?;
        let mut centres = [Centre { value: 0.0, first: 0.0, second: 0.0 }; LANES];
        for (lane, (centre, offset)) in centres.iter_mut().zip(&self.offset).enumerate() {
            let mut rows = [[0.0; STENCIL + 1]; STENCIL];
            for (node, (row, values)) in rows.iter_mut().zip(around).enumerate() {
                let place = node as f64 - (STENCIL / 2) as f64 + offset;
                for (power, cell) in row.iter_mut().enumerate() {
                    *cell = place.powi(power as i32);
                }
                *row.last_mut()? = *values.get(lane)?;
            }
            let [value, first, half_second, ..] = linear::solve(rows)?;
            let second = 2.0 * half_second / (self.spacing * self.spacing);
            *centre = Centre { value, first: first / self.spacing, second };
        }
        Some(centres)
    }

    /// The solution of the right-hand side that the limit constrains, in place of `old`.
    fn constrained(&mut self, old: Vec<Lanes>, weight: f64, limit: &Limit) -> Vec<Lanes> {
        let nil = [0.0; LANES];
        let edge = |growth: Option<&Lanes>| growth.map_or(nil, |growth| limit.at(growth));
        let [first, last] = [self.growth.first(), self.growth.last()].map(edge);
        self.eliminate(weight, first, last);
        self.substitute(old, weight, &limit.exercise, last)
    }

    /// The pivots of the matrix (-w, 1 + 2w, -w), from the side where the option is kept. They soon stay the same.
    fn factorise(&mut self, weight: f64) {
        let mut before = 0.0;
        let mut settled = false;
        for inverse in self.inverse.iter_mut().rev().skip(1) {
            if !settled {
                let next = 1.0 / (1.0 + 2.0 * weight - weight * weight * before);
                settled = next == before;
                before = next;
            }
            *inverse = before;
        }
    }

    /// From the side where the option is kept. The right-hand side is left in parts of its pivot.
    fn eliminate(&mut self, weight: f64, first: Lanes, last: Lanes) {
        let mut above = last;
        for (value, inverse) in self.right.iter_mut().zip(&self.inverse).rev().skip(1) {
            let factor = weight * inverse;
            *value = each(|[value, above]| value * inverse + factor * above, [value, &above]);
            above = *value;
        }
        if let Some(edge) = self.right.first_mut() {
            *edge = first;
        }
    }

    /// From the side where the option is exercised. No node that is still to be found is in the equation of one, so
    /// taking the larger of the equation's solution and the payoff solves the constrained problem.
    fn substitute(
        &self,
        mut values: Vec<Lanes>,
        weight: f64,
        exercise: &Payoff,
        last: Lanes,
    ) -> Vec<Lanes> {
        let mut below = [0.0; LANES];
        let nodes = values.iter_mut().zip(&self.right).zip(&self.inverse).zip(&self.growth);
        for (index, (((value, right), inverse), growth)) in nodes.enumerate() {
            // The first is an edge, and known.
            let factor = if index == 0 { 0.0 } else { weight * inverse };
            let solved = each(|[right, below]| right + factor * below, [right, &below]);
            *value = larger(&solved, &exercise.at(growth));
            below = *value;
        }
        if let Some(edge) = values.last_mut() {
            *edge = last;
        }
        values
    }
}

/// The mean over the cell of a node of the positive part of what is linear between nodes.
fn mean_gain(low: f64, here: f64, high: f64) -> f64 {
    let kink = low.min(high).min(here) < 0.0 && low.max(high).max(here) > 0.0;
    if !kink {
        return here.max(0.0);
    }
    0.5 * (mean_positive(here, 0.5 * (low + here)) + mean_positive(here, 0.5 * (here + high)))
}

/// The mean of the positive part of what goes linearly from one value to another.
fn mean_positive(from: f64, to: f64) -> f64 {
    let (low, high) = (from.min(to), from.max(to));
    if low >= 0.0 {
        0.5 * (low + high)
    } else if high <= 0.0 {
        0.0
    } else {
        0.5 * high * high / (high - low)
    }
}

/// A function of one number of each operand, in each lane.
fn each<const N: usize>(function: impl Fn([f64; N]) -> f64, operands: [&Lanes; N]) -> Lanes {
    std::array::from_fn(|lane| function(operands.map(|operand| operand[lane])))
}

fn larger(one: &Lanes, other: &Lanes) -> Lanes {
    each(|[one, other]| one.max(other), [one, other])
}
