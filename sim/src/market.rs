//! Prices: a pure function of seed, conid and time, so that any moment can be asked for, past ones too.
//! A test may pin one: from then on it is what the test said. Where markets keep their hours, prices outside
//! them stand at the last close.

use std::collections::{BTreeMap, HashMap};

use crate::clock::DAY_MS;
use crate::derivatives::Style;
use crate::hours::{Hours, Part, before};
use crate::instruments::{Instrument, Universe};
use crate::pricing::{Greeks, Priced, Terms};
use crate::scenario::MarketHours;

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
/// Between two knots, counted from the start, a price stays within what it is at them. So the extremes of a
/// long time are those of its knots, however short the bars are that it is shown in.
const CELL_MS: i64 = 300_000;
/// Where only a part of a cell is looked at, its extremes are found among prices this far apart.
const FINE_MS: i64 = 30_000;
/// What futures gain on their underlying in a year.
const CARRY: f64 = 0.03;
/// Half of an option's spread, as a share of its price.
const HALF_SPREAD: f64 = 0.005;

/// Where prices come from.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    seed: u64,
    /// Epoch milliseconds at which every price equals its table entry.
    anchor_ms: i64,
    hours: MarketHours,
    /// Pinned prices by conid, each by the moment it was pinned at (epoch milliseconds).
    pinned: HashMap<i64, BTreeMap<i64, f64>>,
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
    /// Its exchange is open, or never closes here.
    pub(crate) is_open: bool,
}

/// What of a trading day has been seen by some moment (epoch milliseconds).
#[derive(Debug, Clone, Copy)]
struct Seen {
    from: i64,
    to: i64,
    /// When the trading day before it closed.
    prior_close: i64,
}

impl Market {
    /// Prices of this seed, anchored at the start.
    pub(crate) fn new(seed: u64, anchor_ms: i64, hours: MarketHours) -> Self {
        let anchor_ms = on_step(anchor_ms);
        Self { seed, anchor_ms, hours, pinned: HashMap::new(), pins: 0 }
    }

    /// From this moment on the price is this, until it is pinned anew.
    pub(crate) fn pin(&mut self, conid: i64, at_ms: i64, price: f64) {
        self.pinned.entry(conid).or_default().insert(at_ms, price);
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

    /// Whether it is traded at this moment.
    pub(crate) fn is_open(&self, of: &Instrument, at_ms: i64) -> bool {
        self.never_closes(of) || Hours::of(of).is_open(at_ms)
    }

    /// Whether its exchange is taken to be always open; that of currencies always is.
    pub(crate) fn never_closes(&self, of: &Instrument) -> bool {
        self.hours == MarketHours::Open || of.is("CASH")
    }

    /// Bid and ask around a last price: one tick to each side, and more for a dear option.
    pub(crate) fn around(&self, of: &Instrument, last: f64) -> (f64, f64) {
        let decimals = of.decimals();
        let ticks =
            if of.is_option() { (last * HALF_SPREAD / of.tick).round().max(1.0) } else { 1.0 };
        let half = ticks * of.tick;
        let bid = if last > 0.0 { (last - half).max(of.tick) } else { last - half };
        (round_to(bid, decimals), round_to(last + half, decimals))
    }

    /// The price of an instrument at a moment (epoch milliseconds), on its tick.
    pub(crate) fn price(&self, universe: &Universe, of: &Instrument, at_ms: i64) -> f64 {
        self.traded(universe, of, (at_ms, self.traded_ms(of, at_ms)))
    }

    /// The price at a moment; the other moment is when that was made.
    fn traded(&self, universe: &Universe, of: &Instrument, (at, made): (i64, i64)) -> f64 {
        if let Some(price) = self.pin_of(of.conid, at) {
            return price;
        }
        let raw = match &of.derivative {
            None => of.base * self.factor(of, made),
            Some(derivative) => {
                let underlying = universe.get(derivative.underlying);
                let spot = underlying.map_or(of.base, |u| self.traded(universe, u, (at, made)));
                let years = derivative.years_left(made);
                match terms(of, years) {
                    None => spot * (1.0 + CARRY * years),
                    Some(terms) => terms.value(spot).price,
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
        let made = self.traded_ms(of, at_ms);
        let spot = self.traded(universe, universe.get(derivative.underlying)?, (at_ms, made));
        let Priced { greeks, .. } = terms(of, derivative.years_left(made))?.value(spot);
        Some(greeks)
    }

    /// The whole quote.
    pub(crate) fn quote(&self, universe: &Universe, of: &Instrument, at_ms: i64) -> Quote {
        let last = self.price(universe, of, at_ms);
        let seen = self.seen(of, at_ms);
        let (high, low) = self.extremes(universe, of, (seen.from, seen.to));
        let noise = self.hash(of.conid, 99, self.traded_ms(of, at_ms).div_euclid(STEP_MS));
        let (bid, ask) = self.around(of, last);
        Quote {
            last,
            bid,
            ask,
            bid_size: 100 + (noise % 30) * 100,
            ask_size: 100 + (noise / 64 % 30) * 100,
            open: self.price(universe, of, seen.from),
            high,
            low,
            prior_close: self.price(universe, of, seen.prior_close),
            volume: self.volume(of, (seen.from, seen.to)),
            is_open: self.is_open(of, at_ms),
        }
    }

    /// The price at which the trading day before this moment's closed: one for each trading day.
    pub(crate) fn prior_close(&self, universe: &Universe, of: &Instrument, at_ms: i64) -> f64 {
        self.price(universe, of, self.seen(of, at_ms).prior_close)
    }

    /// The highest and the lowest price from one moment to another.
    pub(crate) fn extremes(
        &self,
        universe: &Universe,
        of: &Instrument,
        range: (i64, i64),
    ) -> (f64, f64) {
        let prices = self.moments(of, range).into_iter().map(|at| self.price(universe, of, at));
        prices.fold((f64::MIN, f64::MAX), |(high, low), price| (high.max(price), low.min(price)))
    }

    /// The trading day of a moment, as far as it has gone. One that never closes goes on until the next begins.
    fn seen(&self, of: &Instrument, at_ms: i64) -> Seen {
        let (hours, goes_on) = (Hours::of(of), self.never_closes(of));
        let part = if goes_on { Part::Regular } else { Part::Extended };
        let day = hours.begun(at_ms, part);
        let regular = hours.session(day, Part::Regular);
        let prior_close = hours.session(before(day), Part::Regular).end;
        if at_ms < regular.start {
            let from = hours.session(day, Part::Extended).start;
            return Seen { from, to: at_ms, prior_close };
        }
        let to = if goes_on { at_ms } else { at_ms.min(regular.end) };
        Seen { from: regular.start, to, prior_close }
    }

    /// When the price of a moment was made: then, or where it is closed at the close before.
    fn traded_ms(&self, of: &Instrument, at_ms: i64) -> i64 {
        if self.never_closes(of) {
            return at_ms;
        }
        let hours = Hours::of(of);
        if hours.is_open(at_ms) {
            return at_ms;
        }
        hours.session(hours.ended(at_ms), Part::Regular).end
    }

    fn pin_of(&self, conid: i64, at_ms: i64) -> Option<f64> {
        let pins = self.pinned.get(&conid)?;
        pins.range(..=at_ms).next_back().map(|(_, price)| *price)
    }

    /// The moments among whose prices are the extremes of this time.
    fn moments(&self, of: &Instrument, (from, to): (i64, i64)) -> Vec<i64> {
        let mut moments = vec![from, to];
        if from >= to {
            return moments;
        }
        let between = |from: i64, to: i64, step: i64, origin: i64| {
            let first = (from - origin).div_euclid(step) * step + step + origin;
            (0..).map(move |n| first + n * step).take_while(move |at| *at < to)
        };
        let knots: Vec<i64> = between(from, to, CELL_MS, self.anchor_ms).collect();
        let first = knots.first().copied().unwrap_or(to);
        moments.extend(between(from, first, FINE_MS, 0));
        if let Some(last) = knots.last() {
            moments.extend(between(*last, to, FINE_MS, 0));
        }
        moments.extend(knots);
        let mut followed = vec![of.conid, of.underlying(), of.root()];
        followed.dedup();
        for pins in followed.iter().filter_map(|conid| self.pinned.get(conid)) {
            moments.extend(pins.range(from..to).map(|(at, _)| *at));
        }
        moments
    }

    /// How far the price has wandered from its table entry, 1 at the anchor.
    fn factor(&self, of: &Instrument, at_ms: i64) -> f64 {
        let anchor = on_step(self.traded_ms(of, self.anchor_ms));
        let away = self.waves(of.conid, on_step(at_ms)) - self.waves(of.conid, anchor);
        (1.0 + away).max(0.05)
    }

    /// The sum of all waves; between two knots it is turned back at what it is there.
    fn waves(&self, conid: i64, at_ms: i64) -> f64 {
        let sum = |at: i64| -> f64 {
            let wave = |(n, (period, size)): (usize, &(i64, f64))| {
                size * self.noise(conid, n as u64, at, *period)
            };
            WAVES.iter().enumerate().map(wave).sum()
        };
        let left = at_ms - (at_ms - self.anchor_ms).rem_euclid(CELL_MS);
        if at_ms == left {
            return sum(at_ms);
        }
        let (one, other) = (sum(left), sum(left + CELL_MS));
        turned(sum(at_ms), (one.min(other), one.max(other)))
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
    pub(crate) fn hash(&self, conid: i64, purpose: u64, place: i64) -> u64 {
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

/// A value mirrored at the bound it exceeds.
fn turned(value: f64, (low, high): (f64, f64)) -> f64 {
    let inside = if value > high {
        high - (value - high)
    } else if value < low {
        low + (low - value)
    } else {
        value
    };
    inside.clamp(low, high)
}

/// The last moment at which prices changed.
fn on_step(at_ms: i64) -> i64 {
    at_ms.div_euclid(STEP_MS) * STEP_MS
}

/// What an option is priced by; `None` for anything else.
fn terms(of: &Instrument, years: f64) -> Option<Terms> {
    let derivative = of.derivative.as_ref()?;
    let (right, strike) = derivative.option?;
    let (dividends, smile) = (of.dividend_yield, of.smile);
    let is_american = derivative.style == Style::American;
    Some(Terms { right, strike, years, dividends, smile, is_american })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::instruments::Right;
    use jiff::civil::date;

    #[test]
    fn prices_start_at_the_table_and_then_move_the_same_way_for_the_same_seed() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let start = 1_795_000_000_000;
        let apple = universe.get(265_598).unwrap();
        let path = |seed: u64| -> Vec<f64> {
            let market = Market::new(seed, start, MarketHours::Open);
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
        let market = Market::new(1, start, MarketHours::Open);
        for option in universe.derivatives(265_598, "OPT") {
            let (right, strike) = option.derivative.as_ref().unwrap().option.unwrap();
            let sign = if right == Right::Call { 1.0 } else { -1.0 };
            let price = market.price(&universe, option, start);
            assert!(price + 0.02 > sign * (271.5 - strike), "{}", option.description());
        }
    }
}
