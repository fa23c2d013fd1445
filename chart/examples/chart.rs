//! Draws invented prices: `cargo run -p ibd-chart --example chart -- days picture.png`. Instead of days: `minutes`,
//! `weeks`, `sessions` (a month of half hours), `crash` (a future that falls below zero).

use ibd_chart::{Bar, Chart, Error, png};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(kind), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("which chart, and to which file?".into());
    };
    Ok(std::fs::write(path, drawn(&kind)?)?)
}

fn drawn(kind: &str) -> Result<Vec<u8>, Error> {
    let monday = date(2026, 11, 30);
    let (subtitle, times) = match kind {
        "minutes" => {
            ("1 day, 5-minute bars, USD, as of 2026-11-30 16:00 New York", session(monday, 5))
        }
        "sessions" => {
            let days = weekdays(date(2026, 11, 2), monday);
            (
                "1 month, 30-minute bars, USD",
                days.into_iter().flat_map(|day| session(day.date(), 30)).collect(),
            )
        }
        "weeks" => (
            "5 years, weekly bars, USD, split-adjusted",
            every(date(2021, 12, 6).at(0, 0, 0, 0), 7.days(), 260),
        ),
        _ => (
            "3 months, daily bars, USD, split-adjusted, as of 2026-11-30 16:00 New York",
            weekdays(date(2026, 8, 31), monday),
        ),
    };
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let volatility = 0.02 / (f64::from(u32::try_from(times.len()).unwrap_or(1)) / 64.0).sqrt();
    let mut walk = Walk { seed: 0x2026_1130, price: if kind == "crash" { 6.0 } else { 196.4 } };
    let bars: Vec<Bar> = times
        .into_iter()
        .filter_map(|at| {
            let at = zone.to_ambiguous_timestamp(at).compatible().ok()?;
            Some(walk.bar(at, if kind == "crash" { 3.0 } else { 196.4 * volatility }))
        })
        .collect();
    let title = if kind == "crash" { "CL · NYMEX" } else { "AAPL · NASDAQ" };
    png(&Chart { title, subtitle, zone, bars: &bars, decimals: 2 })
}

fn every(from: DateTime, step: Span, count: usize) -> Vec<DateTime> {
    from.series(step).take(count).collect()
}

fn weekdays(from: Date, to: Date) -> Vec<DateTime> {
    let days = from.series(1.day()).take_while(|day| *day <= to);
    days.filter(|day| day.weekday().to_monday_zero_offset() < 5)
        .map(|day| day.at(0, 0, 0, 0))
        .collect()
}

fn session(day: Date, minutes: i64) -> Vec<DateTime> {
    every(day.at(9, 30, 0, 0), minutes.minutes(), usize::try_from(390 / minutes).unwrap_or(0))
}

/// The same prices for everybody, without a crate for chance.
struct Walk {
    seed: u64,
    price: f64,
}

impl Walk {
    /// From 0 to 1: xorshift.
    fn chance(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }

    fn bar(&mut self, at: jiff::Timestamp, step: f64) -> Bar {
        let open = self.price + (self.chance() - 0.5) * step * 0.4;
        let close = open + (self.chance() + self.chance() + self.chance() - 1.47) * step;
        let high = open.max(close) + self.chance() * step * 0.7;
        let low = open.min(close) - self.chance() * step * 0.7;
        self.price = close;
        let volume = (2.0 + self.chance() + 4.0 * self.chance().powi(4)) * 1e7;
        Bar { at, open, high, low, close, volume: Some(volume.round()) }
    }
}
