//! How much is traded. What is traded in a bar and what is traded in a day are counted from the same numbers.

use crate::instruments::Instrument;
use crate::market::Market;

/// Each quarter of an hour has a volume of its own (milliseconds).
const CELL_MS: i64 = 900_000;
const MINUTE_MS: i64 = 60_000;
/// Quarters of an hour in a trading day.
const CELLS: u64 = 26;
/// How much of it falls to each of its minutes; fifteen in sum.
const MINUTES: [f64; 15] =
    [1.3, 0.8, 1.1, 0.6, 1.2, 0.9, 1.0, 1.4, 0.7, 1.1, 0.9, 1.0, 1.2, 0.8, 1.0];

impl Market {
    /// Units traded from one moment to another.
    pub(crate) fn volume(&self, of: &Instrument, (from, to): (i64, i64)) -> u64 {
        let cells = from.div_euclid(CELL_MS)..=(to - 1).div_euclid(CELL_MS);
        let in_cell = |cell: i64| {
            let whole = self.in_cell(of, cell);
            let until = |at: i64| gone(whole, (at - cell * CELL_MS).clamp(0, CELL_MS));
            until(to).saturating_sub(until(from))
        };
        cells.map(in_cell).sum()
    }

    /// Contracts of an option that nobody has closed: most at the money.
    pub(crate) fn open_interest(&self, of: &Instrument) -> u64 {
        let strike = of.derivative.as_ref().and_then(|d| d.option).map_or(of.base, |(_, at)| at);
        let away = (strike / of.base).ln() / 0.08;
        let most = (1000 + self.hash(of.conid, 95, 0) % 9000) as f64;
        25 + (most * (-away * away / 2.0).exp()) as u64
    }

    fn in_cell(&self, of: &Instrument, cell: i64) -> u64 {
        let size = self.hash(of.conid, 96, 0);
        let day = if of.is_option() {
            self.open_interest(of) * (5 + size % 30) / 100
        } else {
            2_000_000 + size % 40_000_000
        };
        // Half as much to one and a half times as much as on average.
        day * (500 + self.hash(of.conid, 97, cell) % 1001) / (1000 * CELLS)
    }
}

/// How much of a cell's volume was traded so many milliseconds after its beginning.
fn gone(whole: u64, after_ms: i64) -> u64 {
    let minute = usize::try_from(after_ms / MINUTE_MS).unwrap_or(0);
    let past: f64 = MINUTES.iter().take(minute).sum();
    let rest = (after_ms % MINUTE_MS) as f64 / MINUTE_MS as f64;
    let share = past + MINUTES.get(minute).map_or(0.0, |weight| weight * rest);
    // A hair more, so that fifteen fifteenths are the whole.
    (whole as f64 * (share / 15.0 + 1e-12)) as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::instruments::Universe;
    use crate::scenario::MarketHours;
    use jiff::civil::date;

    #[test]
    fn the_volumes_of_minutes_are_that_of_their_hour() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let market = Market::new(1, 1_795_000_000_000, MarketHours::Open);
        let (apple, from) = (universe.get(265_598).unwrap(), 1_795_000_200_000);
        let minute = |n: i64| (from + n * MINUTE_MS, from + (n + 1) * MINUTE_MS);
        let sum: u64 = (0..60).map(|n| market.volume(apple, minute(n))).sum();
        assert_eq!(sum, market.volume(apple, (from, from + 60 * MINUTE_MS)));
        assert!(sum > 50_000, "{sum}");
        assert_eq!(market.volume(apple, (from, from)), 0);
    }
}
