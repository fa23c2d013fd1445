//! The price ladder as BookTrader shows it: at each price around the market, what is bid and what is asked.

use serde_json::{Value, json};

use super::snapshot;
use super::summary::grouped;
use crate::instruments::{Instrument, Quality};
use crate::market::{Quote, round_to};
use crate::state::World;

/// Prices with orders on either side.
const DEPTH: i64 = 10;
/// The best prices stay so far from the ends (ticks); else the ladder moves.
const MARGIN: i64 = 3;
/// What is behind the best prices changes this often (simulated milliseconds).
const CHANGE_MS: i64 = 5000;
/// Of the market's dice.
const SIZES: u64 = 94;

/// Which prices have a row, in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    highest: i64,
    lowest: i64,
}

/// What of a quote has a place on the ladder, in ticks.
#[derive(Debug, Clone, Copy)]
struct Touch {
    last: i64,
    bid: i64,
    ask: i64,
}

/// Whether there is a book to look into.
pub(crate) fn has_book(of: &Instrument) -> bool {
    !of.is("IND") && !matches!(of.quote, Quality::None | Quality::Unknown)
}

/// The rows, the highest price first. They stay at their prices as long as the market does not leave them.
pub(crate) fn rows(world: &World, of: &Instrument, window: Option<Window>) -> (Window, Vec<Value>) {
    let quote = snapshot::shown(world, of);
    let ticks = |price: f64| (price / of.tick).round() as i64;
    let touch = Touch { last: ticks(quote.last), bid: ticks(quote.bid), ask: ticks(quote.ask) };
    let kept = window.filter(|window| window.holds(touch));
    let window = kept.unwrap_or_else(|| Window::around(touch, window));
    let prices = (window.lowest..=window.highest).rev().enumerate();
    let rows = prices.map(|(number, at)| {
        let price = of.show(round_to(at as f64 * of.tick, of.decimals()));
        let is_last = at == touch.last;
        let (bid, ask) = sizes(world, of, (at, touch, &quote));
        json!({
            "row": number,
            "focus": i32::from(is_last),
            "price": if is_last { format!("{} @ {price}", of.lot) } else { price },
            "bid": bid,
            "ask": ask,
        })
    });
    (window, rows.collect())
}

/// What is bid and asked at a price: at the best ones what quotes say, behind them by chance.
fn sizes(
    world: &World,
    of: &Instrument,
    (at, touch, quote): (i64, Touch, &Quote),
) -> (String, String) {
    let nothing = String::new;
    // A halted contract has neither side.
    if of.quote == Quality::Halted {
        return (nothing(), nothing());
    }
    let place = at * 1_000_003 + world.clock.now_ms().div_euclid(CHANGE_MS);
    let behind = 100 + world.market.hash(of.conid, SIZES, place) % 40 * 100;
    let shown = |behind_best: i64, best: u64| match behind_best {
        0 => grouped(best as f64),
        1..DEPTH => grouped(behind as f64),
        _ => nothing(),
    };
    (shown(touch.bid - at, quote.bid_size), shown(at - touch.ask, quote.ask_size))
}

impl Window {
    /// Around this market, with as many rows as there were, or more.
    fn around(touch: Touch, before: Option<Self>) -> Self {
        let lowest = touch.bid - DEPTH;
        // There are no prices below one tick, unless the market itself is there.
        let lowest = if touch.bid > 0 { lowest.max(1) } else { lowest };
        let most = before.map_or(0, |before| before.highest - before.lowest);
        Self { highest: (touch.ask + DEPTH).max(lowest + most), lowest }
    }

    /// The market is well within it.
    fn holds(self, touch: Touch) -> bool {
        let low = if self.lowest == 1 { 1 } else { self.lowest + MARGIN };
        touch.ask <= self.highest - MARGIN && touch.bid >= low
    }
}
