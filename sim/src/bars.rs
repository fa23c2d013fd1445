//! Bars of the past, by the hours of the exchange. They are cut from the same prices and volumes as quotes: the
//! last one closes at the present price, and a day's has the open, high, low and volume that a quote shows.

use jiff::civil::Date;

use crate::hours::{Hours, Part, before};
use crate::instruments::{Instrument, Quality};
use crate::market::round_to;
use crate::state::World;

/// Minutes in a day.
pub(crate) const DAY: i64 = 1440;
/// Minutes in the shortest bar that has several days.
pub(crate) const WEEK: i64 = 7 * DAY;
/// The most bars in one reply.
const MOST: usize = 1000;
const MINUTE_MS: i64 = 60_000;

/// What bars are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Trades,
    Midpoint,
    Bid,
    Ask,
    BidAsk,
}

/// Which bars.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Minutes in the period and in one bar.
    pub(crate) minutes: i64,
    pub(crate) bar: i64,
    /// The period ends then (epoch milliseconds).
    pub(crate) end_ms: i64,
    pub(crate) part: Part,
    pub(crate) source: Source,
}

/// One bar. It begins at `at` (epoch milliseconds).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bar {
    pub(crate) at: i64,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: u64,
}

/// A stretch of time in which it was traded (epoch milliseconds).
type Span = (i64, i64);

impl World {
    /// Bars, oldest first: as many as the period has, or as there are.
    pub(crate) fn bars(&self, of: &Instrument, wanted: &Wanted) -> Vec<Bar> {
        let mut bars: Vec<Bar> = Vec::new();
        for sessions in self.spans(of, wanted) {
            bars.extend(self.bar(of, &sessions).map(|bar| self.seen_as(of, bar, wanted.source)));
        }
        bars.reverse();
        bars
    }

    /// The times of the bars, latest first. A bar of several days has several.
    fn spans(&self, of: &Instrument, wanted: &Wanted) -> Vec<Vec<Span>> {
        let hours = Hours::of(of);
        let most = count(&hours, wanted);
        let oldest = wanted.end_ms - (wanted.minutes + WEEK) * MINUTE_MS;
        let mut spans: Vec<Vec<Span>> = Vec::new();
        let mut last_key = None;
        let mut day = self.last_day(of, &hours, wanted);
        // One more than wanted: the earliest week or month may be cut off.
        while spans.len() <= most && hours.session(day, wanted.part).end > oldest {
            let session = self.session(of, (&hours, day), wanted);
            if session.0 < session.1 {
                if wanted.bar < DAY {
                    spans.extend(parts(&hours, (day, session), wanted));
                } else {
                    let key = key(day, wanted.bar);
                    match spans.last_mut().filter(|_| last_key == Some(key)) {
                        Some(sessions) => sessions.insert(0, session),
                        None => spans.push(vec![session]),
                    }
                    last_key = Some(key);
                }
            }
            day = before(day);
        }
        spans.truncate(most);
        spans
    }

    /// The last trading day that can have bars.
    fn last_day(&self, of: &Instrument, hours: &Hours, wanted: &Wanted) -> Date {
        let day = hours.begun(wanted.end_ms, wanted.part);
        let today = hours.begun(self.clock.now_ms(), Part::Regular);
        // What was not traded today has no bar of today.
        if of.quote == Quality::Closed && day >= today { before(today) } else { day }
    }

    /// When it was traded on a day, up to the period's end. Where exchanges never close, the day goes on until
    /// the next one begins.
    fn session(&self, of: &Instrument, (hours, day): (&Hours, Date), wanted: &Wanted) -> Span {
        let session = hours.session(day, wanted.part);
        let now = self.clock.now_ms();
        let goes_on = self.market.never_closes(of) && hours.begun(now, wanted.part) == day;
        let end = if goes_on { session.end.max(now) } else { session.end };
        (session.start, end.min(wanted.end_ms))
    }

    fn bar(&self, of: &Instrument, sessions: &[Span]) -> Option<Bar> {
        let ((at, _), (_, end)) = (*sessions.first()?, *sessions.last()?);
        let price = |at: i64| self.market.price(&self.universe, of, at);
        let extremes = sessions.iter().map(|span| self.market.extremes(&self.universe, of, *span));
        let wider = |(high, low): (f64, f64), (other_high, other_low): (f64, f64)| {
            (high.max(other_high), low.min(other_low))
        };
        let (high, low) = extremes.reduce(wider)?;
        let volume: u64 = sessions.iter().map(|span| self.market.volume(of, *span)).sum();
        Some(Bar { at, open: price(at), high, low, close: price(end), volume })
    }

    /// Trades as they are, or what was bid and asked beside them.
    fn seen_as(&self, of: &Instrument, bar: Bar, source: Source) -> Bar {
        let bid = |price: f64| self.market.around(of, price).0;
        let ask = |price: f64| self.market.around(of, price).1;
        let all = |side: &dyn Fn(f64) -> f64| Bar {
            open: side(bar.open),
            high: side(bar.high),
            low: side(bar.low),
            close: side(bar.close),
            volume: 0,
            ..bar
        };
        match source {
            Source::Trades => bar,
            Source::Midpoint => Bar { volume: 0, ..bar },
            Source::Bid => all(&bid),
            Source::Ask => all(&ask),
            // Its open is the average bid, and its close the average ask.
            Source::BidAsk => {
                let mean = (bar.open + bar.high + bar.low + bar.close) / 4.0;
                let mean = round_to(mean, of.decimals());
                let (high, low) = (ask(bar.high), bid(bar.low));
                Bar { open: bid(mean), high, low, close: ask(mean), volume: 0, ..bar }
            }
        }
    }
}

/// How many bars the period has.
fn count(hours: &Hours, wanted: &Wanted) -> usize {
    let days = wanted.minutes / DAY;
    let count = if wanted.bar >= WEEK || days == 0 {
        wanted.minutes / wanted.bar
    } else {
        let trading_days = days - days / 7 * 2;
        let minutes = hours.minutes(wanted.part);
        trading_days * if wanted.bar >= DAY { 1 } else { (minutes + wanted.bar - 1) / wanted.bar }
    };
    usize::try_from(count).unwrap_or(1).clamp(1, MOST)
}

/// Days with the same key are one bar.
fn key(day: Date, bar: i64) -> Date {
    match bar {
        DAY => day,
        WEEK => monday(day),
        _ => day.first_of_month(),
    }
}

fn monday(day: Date) -> Date {
    let gone = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(jiff::Span::new().days(gone)).unwrap_or(day)
}

/// A day cut into bars on the full multiples of their length, latest first; the last takes what comes after hours
/// where the day goes on.
fn parts(hours: &Hours, (day, (start, end)): (Date, Span), wanted: &Wanted) -> Vec<Vec<Span>> {
    let step = wanted.bar * MINUTE_MS;
    let midnight = hours.moment(day, (0, 0));
    let closing = hours.session(day, wanted.part).end;
    let first = start - (start - midnight).rem_euclid(step);
    let beginnings = (0..).map(|n| first + n * step).take_while(|at| *at < closing.min(end));
    let mut spans: Vec<Vec<Span>> = beginnings
        .map(|at| {
            let until = if at + step >= closing { end } else { (at + step).min(end) };
            vec![(at.max(start), until)]
        })
        .collect();
    spans.reverse();
    spans
}
