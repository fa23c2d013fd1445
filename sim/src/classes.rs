//! The classes in which options come, and everything that is generated: options of a class, and futures.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use serde::Deserialize;

use crate::derivatives::{Derivative, Right, Settled, Style};
use crate::hours::{before, is_trading};
use crate::instruments::{Instrument, month_letter};
use crate::market::round_to;
use crate::pricing::RATE;

/// How many expiries of each derivative exist.
const EXPIRIES: usize = 4;
/// Strikes on either side of the money.
const STRIKES_EACH_SIDE: i64 = 5;
/// Millions that the conids of the usual options begin with; each underlying has one to itself.
const USUAL_BLOCK: i64 = 700;

/// Options that are told apart from others on the same root by their name.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Class {
    /// `SPXW`
    name: String,
    /// The conid that they are searched by.
    pub(crate) root: i64,
    /// `OPT`, or `FOP` for those on the root's futures.
    sec_type: String,
    /// Millions that their conids begin with.
    block: i64,
    ends: Ends,
    style: Style,
    #[serde(default)]
    settled: Settled,
    /// From one strike to the next.
    step: f64,
    multiplier: f64,
    tick: f64,
}

/// The days on which the options of a class end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Ends {
    ThirdFridays,
    /// The last trading day of each month.
    #[serde(rename = "monthEnds")]
    Months,
    /// The third Fridays of March, June, September and December.
    Quarters,
}

impl Ends {
    /// The next ones from `today` on.
    fn days(self, today: Date) -> Vec<Date> {
        match self {
            Self::ThirdFridays => expiries(today, third_friday, |_| true),
            Self::Months => expiries(today, month_end, |_| true),
            Self::Quarters => expiries(today, third_friday, |month| month.month() % 3 == 0),
        }
    }
}

impl Class {
    /// The options that an underlying of the table has anyway; `at` counts these underlyings.
    pub(crate) fn usual(root: &Instrument, at: usize) -> Self {
        // Those on an index by its opening prices: the others are weeklies.
        let settled = if root.is("IND") { Settled::Morning } else { Settled::Evening };
        Self {
            name: root.symbol.clone(),
            root: root.conid,
            sec_type: "OPT".to_owned(),
            block: USUAL_BLOCK + at as i64,
            ends: Ends::ThirdFridays,
            style: Style::usual(root),
            settled,
            step: root.strike_step as f64,
            multiplier: 100.0,
            tick: 0.01,
        }
    }

    /// The classes besides the usual ones.
    pub(crate) fn others() -> Vec<Self> {
        serde_json::from_str(include_str!("../fixtures/option_classes.json")).unwrap_or_default()
    }

    /// On the root's futures, and not on the root itself.
    pub(crate) fn is_on_futures(&self) -> bool {
        self.sec_type == "FOP"
    }

    /// All its options as of `today`.
    pub(crate) fn options(
        &self,
        (root, futures): (&Instrument, &[Instrument]),
        today: Date,
    ) -> Vec<Instrument> {
        let middle = (root.base / self.step).round() as i64;
        let steps = (middle - STRIKES_EACH_SIDE)..=(middle + STRIKES_EACH_SIDE);
        let mut made = Vec::new();
        for expiry in self.ends.days(today) {
            let Some(underlying) = self.underlying(futures, expiry) else { continue };
            for step in steps.clone() {
                for right in [Right::Call, Right::Put] {
                    let strike = round_to(step as f64 * self.step, 2);
                    let number =
                        month_number(expiry) * 1000 + step * 2 + i64::from(right == Right::Put);
                    let kind = Derivative {
                        underlying,
                        root: self.root,
                        expiry,
                        option: Some((right, strike)),
                        style: self.style,
                        settled: self.settled,
                    };
                    made.push(self.option(root, self.block * 1_000_000 + number, kind));
                }
            }
        }
        made
    }

    /// The conid of what an option of this day is on: of futures the first that lives as long.
    fn underlying(&self, futures: &[Instrument], expiry: Date) -> Option<i64> {
        if !self.is_on_futures() {
            return Some(self.root);
        }
        let lives = |future: &&Instrument| {
            let kind = future.derivative.as_ref();
            kind.is_some_and(|kind| kind.root == self.root && kind.expiry >= expiry)
        };
        futures.iter().find(lives).map(|future| future.conid)
    }

    fn option(&self, root: &Instrument, conid: i64, kind: Derivative) -> Instrument {
        Instrument {
            trading_class: self.name.clone(),
            multiplier: self.multiplier,
            tick: self.tick,
            // A future costs nothing to hold, so that it gains nothing by waiting either.
            dividend_yield: if self.is_on_futures() { RATE } else { root.dividend_yield },
            ..derived(root, (conid, &self.sec_type), kind)
        }
    }
}

/// The futures on a root; `at` counts these roots.
pub(crate) fn futures_on(root: &Instrument, at: usize, today: Date) -> Vec<Instrument> {
    let traded = |month: Date| root.futures.contains(month_letter(month));
    let make = |expiry: Date| {
        let conid = 515_000_000 + at as i64 * 1_000_000 + month_number(expiry) * 10;
        derived(root, (conid, "FUT"), Derivative::on(root, expiry, None))
    };
    expiries(today, third_friday, traded).into_iter().map(make).collect()
}

/// The third Friday of the month that `day` is in.
fn third_friday(day: Date) -> Date {
    day.first_of_month().nth_weekday_of_month(3, Weekday::Friday).unwrap_or(day)
}

/// The last trading day of the month that `day` is in.
fn month_end(day: Date) -> Date {
    let last = day.last_of_month();
    if is_trading(last) { last } else { before(last) }
}

/// The next expiries from `today` on, one in each month that `wanted` accepts.
fn expiries(today: Date, of_month: fn(Date) -> Date, wanted: impl Fn(Date) -> bool) -> Vec<Date> {
    let first = today.first_of_month();
    let months = (0i32..48).filter_map(|n| first.checked_add(n.months()).ok());
    let open = months.filter(|month| wanted(*month)).map(of_month).filter(|day| *day >= today);
    open.take(EXPIRIES).collect()
}

/// Months since 2020: the part of a generated conid that names its expiry.
fn month_number(day: Date) -> i64 {
    let epoch = date(2020, 1, 1);
    i64::from(day.year() - epoch.year()) * 12 + i64::from(day.month())
}

/// A derivative that inherits what it does not say itself.
fn derived(root: &Instrument, (conid, sec_type): (i64, &str), kind: Derivative) -> Instrument {
    Instrument {
        conid,
        sec_type: sec_type.to_owned(),
        class: String::new(),
        options: false,
        futures: String::new(),
        chinese: None,
        sector: None,
        group: None,
        derivative: Some(kind),
        ..root.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::instruments::Universe;

    /// The options of a day with this strike, calls only: class, conid, multiplier.
    fn calls(root: i64, expiry: Date, strike: f64) -> Vec<(String, i64, f64)> {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let all = ["OPT", "FOP"].into_iter().flat_map(|kind| universe.derivatives(root, kind));
        let wanted = all.filter(|of| {
            let kind = of.derivative.as_ref().unwrap();
            kind.expiry == expiry && kind.option == Some((Right::Call, strike))
        });
        wanted.map(|of| (of.trading_class().to_owned(), of.conid, of.multiplier)).collect()
    }

    #[test]
    fn two_classes_may_end_on_one_day_with_one_strike() {
        let day = date(2026, 12, 18);
        let row = |class: &str, conid, multiplier| (class.to_owned(), conid, multiplier);
        assert_eq!(
            calls(416_904, day, 6600.0),
            [row("SPX", 703_084_264, 100.0), row("SPXW", 720_084_528, 100.0)]
        );
        assert_eq!(calls(416_904, day, 6625.0), [row("SPXW", 720_084_530, 100.0)]);
        assert_eq!(calls(416_904, date(2026, 12, 31), 6600.0), [row("SPXW", 721_084_528, 100.0)]);
        assert_eq!(
            calls(37_018_770, day, 26.0),
            [row("T", 722_084_052, 100.0), row("T1", 723_084_078, 150.0)]
        );
        assert_eq!(calls(37_018_770, day, 26.67), [row("T1", 723_084_080, 150.0)]);
    }

    #[test]
    fn an_option_on_a_future_is_on_the_first_that_lives_as_long() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let expiry_of_its_future = |conid: i64| {
            let kind = universe.get(conid).unwrap().derivative.as_ref().unwrap();
            let future = universe.get(kind.underlying).unwrap();
            assert_eq!((future.sec_type.as_str(), kind.root), ("FUT", 11_004_968));
            future.derivative.as_ref().unwrap().expiry
        };
        let [quarter, end] = [date(2026, 12, 18), date(2026, 12, 31)];
        let (class, conid, multiplier) = calls(11_004_968, quarter, 6600.0).remove(0);
        assert_eq!((class.as_str(), conid, multiplier), ("ES", 740_084_528, 50.0));
        assert_eq!(expiry_of_its_future(conid), quarter);
        let (class, conid, _) = calls(11_004_968, end, 6600.0).remove(0);
        assert_eq!((class.as_str(), conid), ("EW", 741_084_528));
        assert_eq!(expiry_of_its_future(conid), date(2027, 3, 19));
    }

    #[test]
    fn what_is_settled_in_the_morning_trades_until_the_day_before() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let last = |conid| universe.get(conid).unwrap().derivative.as_ref().unwrap().last_day();
        assert_eq!(last(703_084_264), date(2026, 12, 17));
        assert_eq!(last(720_084_528), date(2026, 12, 18));
    }
}
