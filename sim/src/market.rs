//! Prices: a pure function of seed, conid and time, so that any moment can be asked for, past ones too.
//! A test may pin one: from then on it is what the test said.

use std::collections::HashMap;

use crate::clock::DAY_MS;
use crate::instruments::{Instrument, Right, Universe};

/// Prices change only at these steps (milliseconds).
const STEP_MS: i64 = 500;
/// Period in milliseconds and amplitude of each wave of noise, fast to slow.
const WAVES: [(i64, f64); 5] = [
    (15_000, 0.0003),
    (600_000, 0.002),
    (DAY_MS, 0.010),
    (30 * DAY_MS, 0.03),
    (365 * DAY_MS, 0.08),
];
/// Yearly volatility of every option.
pub(crate) const VOLATILITY: f64 = 0.25;

/// Where prices come from.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    seed: u64,
    /// Epoch milliseconds at which every price equals its table entry.
    anchor_ms: i64,
    /// Pinned prices by conid: since when (epoch milliseconds), and which.
    pinned: HashMap<i64, (i64, f64)>,
    /// How often a price was pinned, or a quote shown otherwise.
    pins: i64,
}

/// Everything about one instrument at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quote {
    pub(crate) last: f64,
    pub(crate) bid: f64,
    pub(crate) ask: f64,
    pub(crate) bid_size: u64,
    pub(crate) ask_size: u64,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) prior_close: f64,
    pub(crate) volume: u64,
}

/// An option's sensitivities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Greeks {
    pub(crate) delta: f64,
    pub(crate) gamma: f64,
    pub(crate) theta: f64,
    pub(crate) vega: f64,
}

impl Market {
    /// Prices of this seed, anchored at the start.
    pub(crate) fn new(seed: u64, anchor_ms: i64) -> Self {
        Self { seed, anchor_ms, pinned: HashMap::new(), pins: 0 }
    }

    /// From this moment on the price is this, until it is pinned anew.
    pub(crate) fn pin(&mut self, conid: i64, at_ms: i64, price: f64) {
        self.pinned.insert(conid, (at_ms, price));
        self.pins += 1;
    }

    /// Quotes are shown otherwise from now on.
    pub(crate) fn stir(&mut self) {
        self.pins += 1;
    }

    /// A number that is another one whenever prices may have changed.
    pub(crate) fn step(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(STEP_MS) * 1_000_000 + self.pins
    }

    /// Bid and ask around a last price: one tick to each side.
    pub(crate) fn around(&self, of: &Instrument, last: f64) -> (f64, f64) {
        let decimals = of.decimals();
        let bid = if last > 0.0 { (last - of.tick).max(of.tick) } else { last - of.tick };
        (round_to(bid, decimals), round_to(last + of.tick, decimals))
    }

    /// The price of an instrument at a moment (epoch milliseconds), on its tick.
    pub(crate) fn price(&self, universe: &Universe, of: &Instrument, at_ms: i64) -> f64 {
        if let Some((_, price)) = self.pinned.get(&of.conid).filter(|(since, _)| at_ms >= *since) {
            return *price;
        }
        let raw = match &of.derivative {
            None => of.base * self.factor(of.conid, at_ms),
            Some(derivative) => {
                let spot = universe
                    .get(derivative.underlying)
                    .map_or(of.base, |u| self.price(universe, u, at_ms));
                let years = years_left(of, at_ms);
                match derivative.option {
                    None => spot * (1.0 + 0.03 * years),
                    Some((right, strike)) => black_scholes(right, spot, strike, years).0,
                }
            }
        };
        let ticks = (raw / of.tick).round().max(1.0);
        round_to(ticks * of.tick, of.decimals())
    }

    /// An option's greeks; `None` for anything else.
    pub(crate) fn greeks(
        &self,
        universe: &Universe,
        of: &Instrument,
        at_ms: i64,
    ) -> Option<Greeks> {
        let derivative = of.derivative.as_ref()?;
        let (right, strike) = derivative.option?;
        let spot = self.price(universe, universe.get(derivative.underlying)?, at_ms);
        Some(black_scholes(right, spot, strike, years_left(of, at_ms)).1)
    }

    /// The whole quote.
    pub(crate) fn quote(&self, universe: &Universe, of: &Instrument, at_ms: i64) -> Quote {
        let at = |ms: i64| self.price(universe, of, ms);
        let last = at(at_ms);
        let day: Vec<f64> = (0..24).map(|n| at(at_ms - n * 1_000_000)).collect();
        let noise = self.hash(of.conid, 99, at_ms.div_euclid(STEP_MS));
        let (bid, ask) = self.around(of, last);
        Quote {
            last,
            bid,
            ask,
            bid_size: 100 + (noise % 30) * 100,
            ask_size: 100 + (noise / 64 % 30) * 100,
            open: at(at_ms - 23_000_000),
            high: day.iter().copied().fold(last, f64::max),
            low: day.iter().copied().fold(last, f64::min),
            prior_close: at(at_ms - DAY_MS),
            volume: 100_000 + self.hash(of.conid, 98, at_ms.div_euclid(DAY_MS)) % 40_000_000,
        }
    }

    /// A volume for one bar.
    pub(crate) fn bar_volume(&self, conid: i64, at_ms: i64, minutes: i64) -> f64 {
        let base = self.hash(conid, 97, at_ms.div_euclid(60_000)) % 4000;
        round_to((base as f64 + 100.3) * minutes as f64, 1)
    }

    /// How far the price has wandered from its table entry, 1 at the anchor.
    fn factor(&self, conid: i64, at_ms: i64) -> f64 {
        let at = at_ms.div_euclid(STEP_MS) * STEP_MS;
        let from = self.anchor_ms.div_euclid(STEP_MS) * STEP_MS;
        let wave = |(n, (period, size)): (usize, &(i64, f64))| {
            size * (self.noise(conid, n as u64, at, *period)
                - self.noise(conid, n as u64, from, *period))
        };
        (1.0 + WAVES.iter().enumerate().map(wave).sum::<f64>()).max(0.05)
    }

    /// Smooth noise between -1 and 1: random values at multiples of the period, eased in between.
    fn noise(&self, conid: i64, wave: u64, at_ms: i64, period: i64) -> f64 {
        let relative = at_ms - self.anchor_ms;
        let cell = relative.div_euclid(period);
        let part = relative.rem_euclid(period) as f64 / period as f64;
        let eased = part * part * (3.0 - 2.0 * part);
        let (left, right) = (self.value(conid, wave, cell), self.value(conid, wave, cell + 1));
        left + (right - left) * eased
    }

    fn value(&self, conid: i64, wave: u64, cell: i64) -> f64 {
        (self.hash(conid, wave, cell) % 2_000_001) as f64 / 1_000_000.0 - 1.0
    }

    /// A hash of seed, conid, purpose and place (the splitmix64 finaliser, three times over).
    fn hash(&self, conid: i64, purpose: u64, place: i64) -> u64 {
        let mut state = self.seed;
        for part in [conid.cast_unsigned(), purpose, place.cast_unsigned()] {
            state = mix(state ^ mix(part));
        }
        state
    }
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Rounds to so many decimals.
pub(crate) fn round_to(value: f64, decimals: usize) -> f64 {
    let scale = 10f64.powi(i32::try_from(decimals).unwrap_or(0));
    (value * scale).round() / scale
}

/// Years until expiry, never quite zero.
fn years_left(of: &Instrument, at_ms: i64) -> f64 {
    let Some(derivative) = &of.derivative else { return 0.0 };
    let close = derivative
        .expiry
        .at(21, 0, 0, 0)
        .in_tz("UTC")
        .map_or(at_ms, |z| z.timestamp().as_millisecond());
    (close - at_ms).max(3_600_000) as f64 / (365.0 * DAY_MS as f64)
}

/// Price and greeks without interest; theta per day, vega per point of volatility.
fn black_scholes(right: Right, spot: f64, strike: f64, years: f64) -> (f64, Greeks) {
    let spread = VOLATILITY * years.sqrt();
    let d1 = ((spot / strike).ln() + spread * spread / 2.0) / spread;
    let density = (-d1 * d1 / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let call = spot * normal(d1) - strike * normal(d1 - spread);
    let is_call = right == Right::Call;
    let greeks = Greeks {
        delta: if is_call { normal(d1) } else { normal(d1) - 1.0 },
        gamma: density / (spot * spread),
        theta: -spot * density * VOLATILITY / (2.0 * years.sqrt()) / 365.0,
        vega: spot * density * years.sqrt() / 100.0,
    };
    (if is_call { call } else { call - spot + strike }, greeks)
}

/// The normal distribution, by the usual five-term approximation (error below 1e-7).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let poly = series.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let tail = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn prices_start_at_the_table_and_then_move_the_same_way_for_the_same_seed() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let start = 1_795_000_000_000;
        let apple = universe.get(265_598).unwrap();
        let path = |seed: u64| -> Vec<f64> {
            let market = Market::new(seed, start);
            (0..50).map(|n| market.price(&universe, apple, start + n * 2000)).collect()
        };
        assert!((path(1)[0] - 271.5).abs() < 1e-9);
        assert_eq!(path(1), path(1));
        assert_ne!(path(1), path(2));
        assert!(path(1).iter().any(|p| (p - 271.5).abs() > 0.005), "prices move");
    }

    #[test]
    fn options_are_worth_at_least_what_exercise_would_give() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let start = 1_795_000_000_000;
        let market = Market::new(1, start);
        for option in universe.derivatives(265_598, "OPT") {
            let (right, strike) = option.derivative.as_ref().unwrap().option.unwrap();
            let sign = if right == Right::Call { 1.0 } else { -1.0 };
            let price = market.price(&universe, option, start);
            assert!(price + 0.02 > sign * (271.5 - strike), "{}", option.description());
        }
    }
}
