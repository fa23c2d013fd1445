//! How a quantity is split: in proportion, in whole units, and all of it.

/// Floats are not exact; less than this is nothing.
const NOTHING: f64 = 1e-9;

/// So many units for each weight. What is left over goes to the largest remainders, a unit each; what is less than a
/// unit, to the first of them.
pub(super) fn shares(units: f64, weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    if total <= NOTHING {
        return vec![0.0; weights.len()];
    }
    let part = |(at, weight): (usize, &f64)| {
        let exact = units * weight / total;
        let whole = (exact + NOTHING).floor();
        (at, whole, exact - whole)
    };
    let mut parts: Vec<(usize, f64, f64)> = weights.iter().enumerate().map(part).collect();
    parts.sort_by(|one, other| other.2.total_cmp(&one.2));
    let mut left = units - parts.iter().map(|part| part.1).sum::<f64>();
    for part in &mut parts {
        if left <= NOTHING {
            break;
        }
        let more = left.min(1.0);
        part.1 += more;
        left -= more;
    }
    parts.sort_by_key(|part| part.0);
    parts.into_iter().map(|part| part.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_split_and_only_in_whole_units() {
        for (units, weights, expected) in [
            (400.0, &[1.0, 1.0, 1.0, 1.0][..], &[100.0, 100.0, 100.0, 100.0][..]),
            (400.0, &[1.0; 6], &[67.0, 67.0, 67.0, 67.0, 66.0, 66.0]),
            (700.0, &[25_000.0, 50_000.0, 100_000.0], &[100.0, 200.0, 400.0]),
            (10.0, &[1.0, 5.0], &[2.0, 8.0]),
            (1.0, &[1.0, 1.0], &[1.0, 0.0]),
            (2.5, &[1.0, 1.0], &[1.5, 1.0]),
            (5.0, &[0.0, 0.0], &[0.0, 0.0]),
        ] {
            assert_eq!(shares(units, weights), expected, "{units} over {weights:?}");
        }
    }
}
