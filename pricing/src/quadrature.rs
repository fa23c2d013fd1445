//! Where the boundary of exercise is found and the integrals over it are taken, as parts of the time to expiry: the
//! same for every option.

use std::f64::consts::{FRAC_PI_2, PI};
use std::sync::LazyLock;

/// Chebyshev nodes at which the boundary is unknown; at expiry it is known.
pub(crate) const NODES: usize = 8;
/// Gauss-Legendre points of an integral of the fixed point.
const INNER: usize = 12;
/// Those of the integral that gives the price and its derivatives.
const OUTER: usize = 40;

pub(crate) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

pub(crate) struct Tables {
    /// √(τ/T) at the nodes, the longest first.
    pub(crate) roots: [f64; NODES],
    /// For each node, the points of its integrals.
    pub(crate) inner: Vec<Vec<Point>>,
    pub(crate) outer: Vec<Point>,
}

/// A point at which an integral over the boundary is evaluated.
pub(crate) struct Point {
    /// √ of the time from the integral's end, as a part of that of its whole time.
    pub(crate) part: f64,
    pub(crate) weight: f64,
    /// What the squares at the nodes count in the interpolation.
    pub(crate) weights: [f64; NODES],
}

impl Tables {
    fn new() -> Self {
        let roots = std::array::from_fn(|node| 0.5 * (1.0 + node_cosine(node)));
        let inner_rule = gauss_legendre(INNER);
        // √(τ-u) = √τ(1+y)/2 takes the root out of the integrand: du/√(τ-u) = √τ dy.
        let inner_of = |root: &f64| {
            let point = |(y, weight): &(f64, f64)| {
                let part = 0.5 * (1.0 + y);
                let weights = interpolation(root * (1.0 - part * part).sqrt());
                Point { part, weight: *weight, weights }
            };
            inner_rule.iter().map(point).collect()
        };
        Self { inner: roots.iter().map(inner_of).collect(), outer: outer(), roots }
    }
}

/// v = T sin²(πt³/2): smooth in the root of the time at both ends, and dense where it is near: with the spot near the
/// boundary, the derivatives come from there.
fn outer() -> Vec<Point> {
    let point = |(y, weight): (f64, f64)| {
        let t = 0.5 * (1.0 + y);
        let angle = FRAC_PI_2 * t.powi(3);
        let part = angle.sin();
        let weight = weight * 0.5 * FRAC_PI_2 * 3.0 * t * t * 2.0 * part * angle.cos();
        Point { part, weight, weights: interpolation(angle.cos()) }
    };
    gauss_legendre(OUTER).into_iter().map(point).collect()
}

fn node_cosine(node: usize) -> f64 {
    (PI * node as f64 / NODES as f64).cos()
}

/// The barycentric formula for Chebyshev nodes of the second kind; J.-P. Berrut and L. N. Trefethen, "Barycentric
/// Lagrange interpolation", SIAM Review 46 (2004). The node at zero has the value zero and counts only below the line.
fn interpolation(root: f64) -> [f64; NODES] {
    let x = 2.0 * root - 1.0;
    let sign = |node: usize| if node.is_multiple_of(2) { 1.0 } else { -1.0 };
    let term = |node: usize| {
        let end = if node == 0 || node == NODES { 0.5 } else { 1.0 };
        let distance = x - node_cosine(node);
        // Far below the rounding of the nodes, and never nil.
        end * sign(node) / if distance == 0.0 { 1e-300 } else { distance }
    };
    let terms: [f64; NODES] = std::array::from_fn(term);
    let whole = terms.iter().sum::<f64>() + term(NODES);
    terms.map(|term| term / whole)
}

/// Points and weights on [-1, 1]: Newton's method on the Legendre polynomial.
fn gauss_legendre(points: usize) -> Vec<(f64, f64)> {
    (0..points)
        .map(|index| {
            let guess = ((index as f64 + 0.75) / (points as f64 + 0.5) * PI).cos();
            let root = (0..8).fold(guess, |x, _| {
                let (value, slope) = legendre(points, x);
                x - value / slope
            });
            let (_, slope) = legendre(points, root);
            (root, 2.0 / ((1.0 - root * root) * slope * slope))
        })
        .collect()
}

/// The Legendre polynomial of a degree and its derivative.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (value, before) = (1..=degree).fold((1.0, 0.0), |(here, before), n| {
        let n = n as f64;
        (((2.0 * n - 1.0) * x * here - (n - 1.0) * before) / n, here)
    });
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}
