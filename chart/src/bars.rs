//! What can be drawn of what was given.

use crate::Bar;

/// Beyond it neither labels nor differences of prices mean anything, and sums could become infinite.
const HUGE: f64 = 1e15;

/// Those with prices, the oldest first; every high and low holds the open and the close.
pub fn drawable(bars: &[Bar]) -> Vec<Bar> {
    let mut bars: Vec<Bar> = bars.iter().filter_map(mended).collect();
    bars.sort_by_key(|bar| bar.at);
    bars
}

fn mended(bar: &Bar) -> Option<Bar> {
    let prices = [bar.open, bar.high, bar.low, bar.close];
    // No NaN passes: it is not at most anything.
    if !prices.iter().all(|price| price.abs() <= HUGE) {
        return None;
    }
    let high = prices.into_iter().fold(bar.high, f64::max);
    let low = prices.into_iter().fold(bar.low, f64::min);
    let volume = bar.volume.filter(|volume| (0.0..=HUGE).contains(volume));
    Some(Bar { high, low, volume, ..*bar })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn bar(second: i64, open: f64, high: f64, low: f64, close: f64, volume: Option<f64>) -> Bar {
        let at = Timestamp::from_second(second).unwrap_or_default();
        Bar { at, open, high, low, close, volume }
    }

    #[test]
    fn what_has_no_finite_price_is_left_out() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            for place in 0..4 {
                let mut prices = [1.0; 4];
                prices[place] = odd;
                let [open, high, low, close] = prices;
                assert!(
                    drawable(&[bar(0, open, high, low, close, None)]).is_empty(),
                    "{odd} at {place}"
                );
            }
        }
    }

    #[test]
    fn a_volume_that_is_none_is_not_drawn() {
        for odd in [f64::NAN, f64::INFINITY, -1.0] {
            let drawn = drawable(&[bar(0, 1.0, 1.0, 1.0, 1.0, Some(odd))]);
            assert_eq!(drawn.first().map(|bar| bar.volume), Some(None), "{odd}");
        }
    }

    #[test]
    fn highs_and_lows_hold_the_rest_and_time_goes_on() {
        let given = [bar(2, 5.0, 1.0, 9.0, -3.0, None), bar(1, 1.0, 2.0, 0.0, 1.5, Some(7.0))];
        let wanted = [bar(1, 1.0, 2.0, 0.0, 1.5, Some(7.0)), bar(2, 5.0, 9.0, -3.0, -3.0, None)];
        assert_eq!(drawable(&given), wanted);
    }
}
