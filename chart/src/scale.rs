//! The axis of prices, and figures as people read them.

/// More digits than any price has, and few enough to be written exactly.
const MOST_DIGITS: u32 = 12;

/// What floats may lose between a price and a number of steps.
const NOISE: f64 = 1e-6;

/// The prices that the axis spans. Where all are the same there is some air around them.
pub fn range(low: f64, high: f64, decimals: u32) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    // Less is noise of floats: steps of it could not be told apart.
    if high - low > size * 1e-9 {
        return (low, high);
    }
    let air = (size * 0.002).max(2.0 * 10f64.powi(-(decimals.min(MOST_DIGITS) as i32)));
    (low - air, high + air)
}

/// The axis' round prices, rising, `most` of them about, and the digits that each has after the point.
pub fn steps(low: f64, high: f64, most: usize) -> (Vec<f64>, usize) {
    let raw = (high - low) / most.max(1) as f64;
    if !raw.is_normal() || raw < 0.0 {
        return (Vec::new(), 0);
    }
    let mut power = raw.log10().floor() as i32;
    let mantissa = match raw / 10f64.powi(power) - NOISE {
        ..=1.0 => 1.0,
        ..=2.0 => 2.0,
        ..=5.0 => 5.0,
        _ => {
            power += 1;
            1.0
        }
    };
    // A product with a negative power of ten is not exact, a quotient by a positive one is.
    let at = |i: i64| match power {
        0.. => i as f64 * mantissa * 10f64.powi(power),
        _ => i as f64 * mantissa / 10f64.powi(-power),
    };
    let step = at(1);
    // An end that is round itself has its step.
    let (first, last) = ((low / step - NOISE).ceil() as i64, (high / step + NOISE).floor() as i64);
    let prices = (first..=last).map(at).collect();
    (prices, usize::try_from(-power).unwrap_or(0))
}

/// A price with so many digits after its point, and commas between thousands.
pub fn price(value: f64, digits: usize) -> String {
    let text = format!("{:.*}", digits.min(MOST_DIGITS as usize), value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    // What rounds to nothing has no sign.
    let sign =
        if value < 0.0 && text.contains(|c: char| ('1'..='9').contains(&c)) { "-" } else { "" };
    format!("{sign}{grouped}{rest}")
}

/// A volume in three digits: 950, 12.4K, 1.05M.
pub fn volume(value: f64) -> String {
    let (mut scaled, mut unit) = (value, "");
    for next in ["K", "M", "B", "T"] {
        // 999.5 would be rounded to four digits.
        if scaled < 999.5 {
            break;
        }
        (scaled, unit) = (scaled / 1000.0, next);
    }
    let digits = match scaled {
        _ if scaled.fract() == 0.0 => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        let table: [(f64, f64, usize, &[f64], usize); 9] = [
            (0.0, 10.0, 5, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0], 0),
            (187.31, 214.55, 6, &[190.0, 195.0, 200.0, 205.0, 210.0], 0),
            (-37.63, 18.3, 6, &[-30.0, -20.0, -10.0, 0.0, 10.0], 0),
            (0.00012, 0.00034, 5, &[0.00015, 0.0002, 0.00025, 0.0003], 5),
            (698_000.0, 705_500.0, 4, &[698_000.0, 700_000.0, 702_000.0, 704_000.0], 0),
            (1.0712, 1.0791, 4, &[1.072, 1.074, 1.076, 1.078], 3),
            (99.98, 100.02, 4, &[99.98, 99.99, 100.0, 100.01, 100.02], 2),
            (1.0, 1.0, 5, &[], 0),
            (f64::NEG_INFINITY, 1.0, 5, &[], 0),
        ];
        for (low, high, most, wanted, wanted_digits) in table {
            let (prices, digits) = steps(low, high, most);
            assert_eq!((prices.as_slice(), digits), (wanted, wanted_digits), "{low} to {high}");
        }
    }

    #[test]
    fn there_are_never_too_many_nor_too_few() {
        for exponent in -9..12 {
            for part in 1..40 {
                let low = -3.7 * 10f64.powi(exponent);
                let high = low + f64::from(part) * 0.83 * 10f64.powi(exponent);
                let (prices, _) = steps(low, high, 6);
                assert!((2..=7).contains(&prices.len()), "{low} to {high}: {prices:?}");
                let air = (high - low) * 1e-6;
                let inside = prices.iter().all(|price| (low - air..=high + air).contains(price));
                assert!(inside, "{low} to {high}: {prices:?}");
            }
        }
    }

    #[test]
    fn equal_prices_have_air() {
        let table = [
            (5.0, 5.0, 2, (4.98, 5.02)),
            (0.0, 0.0, 0, (-2.0, 2.0)),
            (-1000.0, -1000.0, 2, (-1002.0, -998.0)),
            (1.0, 2.0, 2, (1.0, 2.0)),
            (700_000.0, 700_000.000_000_1, 2, (698_600.0, 701_400.0)),
        ];
        for (low, high, decimals, wanted) in table {
            let (from, to) = range(low, high, decimals);
            let off = (from - wanted.0).abs() + (to - wanted.1).abs();
            assert!(off < 1e-6, "{low} to {high}: {from} to {to}");
        }
        let (low, high) = range(0.0, 0.0, u32::MAX);
        assert!(low < high);
    }

    #[test]
    fn prices_are_written_for_people() {
        let table = [
            (214.5, 2, "214.50"),
            (1234.5, 2, "1,234.50"),
            (700_000.0, 0, "700,000"),
            (-1_234_567.891, 1, "-1,234,567.9"),
            (-0.001, 2, "0.00"),
            (0.0001, 4, "0.0001"),
            (-37.63, 2, "-37.63"),
        ];
        for (value, digits, wanted) in table {
            assert_eq!(price(value, digits), wanted);
        }
    }

    #[test]
    fn volumes_are_short() {
        let table = [
            (0.0, "0"),
            (950.0, "950"),
            (0.25, "0.25"),
            (999.6, "1.00K"),
            (12_400.0, "12.4K"),
            (1_050_000.0, "1.05M"),
            (123_456_789.0, "123M"),
            (2e9, "2B"),
            (1e15, "1000T"),
        ];
        for (value, wanted) in table {
            assert_eq!(volume(value), wanted, "{value}");
        }
    }
}
