//! The standard normal distribution.
//!
//! Source: G. West, "Better approximations to cumulative normal functions", Wilmott Magazine (2005), after
//! J. F. Hart et al., "Computer Approximations" (1968): about fifteen digits.

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
/// From here on the continued fraction takes over.
const TAIL: f64 = 7.071_067_811_865_47;
/// Beyond it the probability is not a normal floating-point number.
const NIL: f64 = 37.0;

const NUMERATOR: [f64; 7] = [
    3.526_249_659_989_11e-2,
    0.700_383_064_443_688,
    6.373_962_203_531_65,
    33.912_866_078_383,
    112.079_291_497_871,
    221.213_596_169_931,
    220.206_867_912_376,
];
const DENOMINATOR: [f64; 8] = [
    8.838_834_764_831_84e-2,
    1.755_667_163_182_64,
    16.064_177_579_207,
    86.780_732_202_946_1,
    296.564_248_779_674,
    637.333_633_378_831,
    793.826_512_519_948,
    440.413_735_824_752,
];

pub(crate) fn density(x: f64) -> f64 {
    FRAC_1_SQRT_2PI * (-0.5 * x * x).exp()
}

pub(crate) fn cumulative(x: f64) -> f64 {
    cumulative_and_density(x).0
}

/// Both at once: they share the exponential, which is most of the cost.
pub(crate) fn cumulative_and_density(x: f64) -> (f64, f64) {
    let bell = (-0.5 * x * x).exp();
    let tail = upper_tail(x.abs(), bell);
    (if x > 0.0 { 1.0 - tail } else { tail }, FRAC_1_SQRT_2PI * bell)
}

fn upper_tail(x: f64, bell: f64) -> f64 {
    if x > NIL {
        0.0
    } else if x < TAIL {
        bell * polynomial(&NUMERATOR, x) / polynomial(&DENOMINATOR, x)
    } else {
        let fraction = (1..=4).rev().fold(x + 0.65, |below, term| x + f64::from(term) / below);
        bell * FRAC_1_SQRT_2PI / fraction
    }
}

/// By Horner's rule, the highest power first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_tables() {
        // Abramowitz and Stegun, table 26.1.
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (2.0, 0.977_249_868_051_821),
            (-3.0, 0.001_349_898_031_630),
        ] {
            assert!((cumulative(x) - expected).abs() < 1e-14, "{x}: {}", cumulative(x));
        }
    }

    #[test]
    fn tails_keep_their_digits() {
        for (x, expected) in [(-6.0, 9.865_876_450_376_98e-10), (-10.0, 7.619_853_024_160_53e-24)] {
            let relative = cumulative(x) / expected - 1.0;
            assert!(relative.abs() < 1e-8, "{x}: {relative}");
        }
        assert_eq!(cumulative(-40.0), 0.0);
        assert_eq!(cumulative(40.0), 1.0);
    }
}
