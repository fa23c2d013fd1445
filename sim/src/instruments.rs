//! The instruments: a table of real names, and the derivatives generated from it.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use serde::Deserialize;

use crate::pricing::Smile;

/// Month codes of futures, January first.
const MONTH_CODES: &str = "FGHJKMNQUVXZ";
/// How many expiries of each derivative exist.
const EXPIRIES: usize = 4;
/// Strikes on either side of the money.
const STRIKES_EACH_SIDE: i64 = 5;

/// What sort of quote an instrument has; the odd ones are there to catch careless clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Quality {
    /// Real time, `RpB`.
    #[default]
    Live,
    /// Fifteen minutes late, `DPB`.
    Delayed,
    /// Not subscribed, `N`: no prices.
    None,
    /// The broker knows nothing: `"55":"-"`, `"31":"N/A"`.
    Unknown,
    /// Trading is halted: the last price starts with `H`.
    Halted,
    /// No trade today: the last price starts with `C`.
    Closed,
}

/// One instrument.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Instrument {
    pub(crate) conid: i64,
    pub(crate) symbol: String,
    pub(crate) name: String,
    #[serde(default = "stock")]
    pub(crate) sec_type: String,
    #[serde(default = "common", rename = "type")]
    pub(crate) class: String,
    pub(crate) exchange: String,
    #[serde(default = "usd")]
    pub(crate) currency: String,
    #[serde(default = "us")]
    pub(crate) country: String,
    /// 0 where the broker has none (stocks).
    #[serde(default)]
    pub(crate) multiplier: f64,
    #[serde(default = "cent")]
    pub(crate) tick: f64,
    #[serde(default = "one")]
    pub(crate) lot: u32,
    /// The price at the moment the simulator starts.
    pub(crate) base: f64,
    #[serde(default)]
    pub(crate) options: bool,
    #[serde(default)]
    pub(crate) strike_step: i64,
    /// Month codes of the futures on this underlying.
    #[serde(default)]
    pub(crate) futures: String,
    #[serde(default)]
    pub(crate) sector: Option<String>,
    #[serde(default)]
    pub(crate) group: Option<String>,
    #[serde(default)]
    pub(crate) chinese: Option<String>,
    #[serde(default)]
    pub(crate) quote: Quality,
    /// Of the options on it, or of this option.
    #[serde(default)]
    pub(crate) smile: Smile,
    /// Yearly, as a share of the price.
    #[serde(default)]
    pub(crate) dividend_yield: f64,
    #[serde(skip)]
    pub(crate) derivative: Option<Derivative>,
}

/// What only an option or a future has.
#[derive(Debug, Clone)]
pub(crate) struct Derivative {
    pub(crate) underlying: i64,
    pub(crate) expiry: Date,
    /// `Some` for options.
    pub(crate) option: Option<(Right, f64)>,
}

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// `C`
    Call,
    /// `P`
    Put,
}

impl Right {
    /// The letter the broker uses.
    pub(crate) fn letter(self) -> &'static str {
        if self == Self::Call { "C" } else { "P" }
    }
}

fn stock() -> String {
    "STK".to_owned()
}
fn common() -> String {
    "COMMON".to_owned()
}
fn usd() -> String {
    "USD".to_owned()
}
fn us() -> String {
    "US".to_owned()
}
fn cent() -> f64 {
    0.01
}
fn one() -> u32 {
    1
}

impl Instrument {
    /// Listed in the United States.
    pub(crate) fn is_us(&self) -> bool {
        self.country == "US"
    }

    /// Is of this kind.
    pub(crate) fn is(&self, sec_type: &str) -> bool {
        self.sec_type == sec_type
    }

    /// What one unit is worth in prices: the multiplier, or 1.
    pub(crate) fn size(&self) -> f64 {
        if self.multiplier > 0.0 { self.multiplier } else { 1.0 }
    }

    /// The underlying's conid, 0 if there is none.
    pub(crate) fn underlying(&self) -> i64 {
        self.derivative.as_ref().map_or(0, |d| d.underlying)
    }

    /// Everywhere it can be routed.
    pub(crate) fn valid_exchanges(&self) -> String {
        match (self.sec_type.as_str(), self.is_us()) {
            ("OPT", _) => "SMART,AMEX,CBOE".to_owned(),
            ("STK", true) => format!("SMART,AMEX,CBOE,{}", self.exchange),
            ("STK", false) => format!("SMART,{}", self.exchange),
            _ => self.exchange.clone(),
        }
    }

    /// The broker's longer name of the listing exchange in orders.
    pub(crate) fn order_exchange(&self) -> &str {
        if self.exchange == "NASDAQ" { "NASDAQ.NMS" } else { &self.exchange }
    }

    /// Decimals that the tick needs.
    pub(crate) fn decimals(&self) -> usize {
        let fits = |d: &usize| {
            let scaled = self.tick * 10f64.powi(i32::try_from(*d).unwrap_or(0));
            (scaled - scaled.round()).abs() < 1e-6
        };
        (0..8).find(fits).unwrap_or(2)
    }

    /// A price as the broker writes it.
    pub(crate) fn show(&self, price: f64) -> String {
        format!("{price:.*}", self.decimals())
    }

    /// How the portfolio describes it: the symbol, or the contract of a derivative.
    pub(crate) fn description(&self) -> String {
        let Some(derivative) = &self.derivative else { return self.symbol.clone() };
        let month = month_name(derivative.expiry).to_uppercase();
        let head = format!("{:<6} {}{}", self.symbol, month, derivative.expiry.year());
        match derivative.option {
            None => format!("{:<8} {}{}", self.symbol, month, derivative.expiry.year()),
            Some((right, strike)) => format!(
                "{head} {strike} {} [{:<5} {}{}{:08} {}]",
                right.letter(),
                self.symbol,
                derivative.expiry.strftime("%y%m%d"),
                right.letter(),
                (strike * 1000.0) as i64,
                self.multiplier
            ),
        }
    }
}

/// `Jan`, `Feb`, …
pub(crate) fn month_name(day: Date) -> String {
    day.strftime("%b").to_string()
}

/// `JAN27`, as searches and strikes name a month.
pub(crate) fn month_code(day: Date) -> String {
    day.strftime("%b%y").to_string().to_uppercase()
}

/// All instruments, by conid.
#[derive(Debug)]
pub(crate) struct Universe {
    all: Vec<Instrument>,
    by_conid: HashMap<i64, usize>,
}

impl Universe {
    /// The table plus its derivatives as of `today`, plus `extra` invented stocks.
    pub(crate) fn new(today: Date, extra: u32) -> Self {
        let table = include_str!("../fixtures/instruments.json");
        let mut all: Vec<Instrument> = serde_json::from_str(table).unwrap_or_default();
        let mut derived: Vec<Instrument> = Vec::new();
        for (at, root) in all.iter().filter(|i| i.options).enumerate() {
            derived.extend(options_on(root, at, today));
        }
        for (at, root) in all.iter().filter(|i| !i.futures.is_empty()).enumerate() {
            derived.extend(futures_on(root, at, today));
        }
        all.append(&mut derived);
        all.extend((0..extra).map(invented));
        let by_conid = all.iter().enumerate().map(|(at, i)| (i.conid, at)).collect();
        Self { all, by_conid }
    }

    /// The instrument with this conid.
    pub(crate) fn get(&self, conid: i64) -> Option<&Instrument> {
        self.all.get(*self.by_conid.get(&conid)?)
    }

    /// All of them; US listings come before foreign ones of the same symbol.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.all.iter()
    }

    /// The first with this symbol and kind.
    pub(crate) fn named(&self, symbol: &str, sec_type: &str) -> Option<&Instrument> {
        self.all.iter().find(|i| i.symbol == symbol && i.is(sec_type))
    }

    /// Options or futures on an underlying.
    pub(crate) fn derivatives<'a>(
        &'a self,
        conid: i64,
        sec_type: &'a str,
    ) -> impl Iterator<Item = &'a Instrument> {
        self.all.iter().filter(move |i| i.is(sec_type) && i.underlying() == conid)
    }

    /// The months of an underlying's derivatives, nearest first, each once.
    pub(crate) fn months(&self, conid: i64, sec_type: &str) -> Vec<String> {
        let mut months: Vec<String> = Vec::new();
        for day in self.derivatives(conid, sec_type).filter_map(|i| i.derivative.as_ref()) {
            let code = month_code(day.expiry);
            if !months.contains(&code) {
                months.push(code);
            }
        }
        months
    }
}

/// The third Friday of the month that `day` is in: the expiry of everything here.
fn third_friday(day: Date) -> Date {
    day.first_of_month().nth_weekday_of_month(3, Weekday::Friday).unwrap_or(day)
}

/// The next third Fridays from `today` on, in months that `wanted` accepts.
fn expiries(today: Date, wanted: impl Fn(i8) -> bool) -> Vec<Date> {
    let first = today.first_of_month();
    let months = (0i32..48).filter_map(|n| first.checked_add(n.months()).ok());
    let open = months.filter(|m| wanted(m.month())).map(third_friday).filter(|day| *day >= today);
    open.take(EXPIRIES).collect()
}

/// Months since 2020: the part of a generated conid that names its expiry.
fn month_number(day: Date) -> i64 {
    let epoch = date(2020, 1, 1);
    i64::from(day.year() - epoch.year()) * 12 + i64::from(day.month())
}

fn options_on(root: &Instrument, at: usize, today: Date) -> Vec<Instrument> {
    let middle = (root.base / root.strike_step as f64).round() as i64;
    let mut made = Vec::new();
    for expiry in expiries(today, |_| true) {
        for step in (middle - STRIKES_EACH_SIDE)..=(middle + STRIKES_EACH_SIDE) {
            for right in [Right::Call, Right::Put] {
                let number =
                    month_number(expiry) * 1000 + step * 2 + i64::from(right == Right::Put);
                let conid = 700_000_000 + at as i64 * 1_000_000 + number;
                let option = Some((right, (step * root.strike_step) as f64));
                let kind = Derivative { underlying: root.conid, expiry, option };
                made.push(derived(root, conid, "OPT", kind));
            }
        }
    }
    made
}

fn futures_on(root: &Instrument, at: usize, today: Date) -> Vec<Instrument> {
    let traded = |month: i8| {
        let code = usize::try_from(month - 1).ok().and_then(|m| MONTH_CODES.chars().nth(m));
        code.is_some_and(|c| root.futures.contains(c))
    };
    let make = |expiry: Date| {
        let conid = 515_000_000 + at as i64 * 1_000_000 + month_number(expiry) * 10;
        derived(root, conid, "FUT", Derivative { underlying: root.conid, expiry, option: None })
    };
    expiries(today, traded).into_iter().map(make).collect()
}

/// A derivative that inherits what it does not say itself.
fn derived(root: &Instrument, conid: i64, sec_type: &str, kind: Derivative) -> Instrument {
    let is_option = kind.option.is_some();
    Instrument {
        conid,
        sec_type: sec_type.to_owned(),
        class: String::new(),
        multiplier: if is_option { 100.0 } else { root.multiplier },
        tick: if is_option { 0.01 } else { root.tick },
        options: false,
        futures: String::new(),
        chinese: None,
        sector: None,
        group: None,
        derivative: Some(kind),
        ..root.clone()
    }
}

/// An invented stock, for accounts with very many positions.
fn invented(number: u32) -> Instrument {
    Instrument {
        conid: 900_000_001 + i64::from(number),
        symbol: format!("X{number:04}"),
        name: format!("SIMULATED COMPANY {number:04}"),
        sec_type: stock(),
        class: common(),
        exchange: "NYSE".to_owned(),
        currency: usd(),
        country: us(),
        multiplier: 0.0,
        tick: 0.01,
        lot: 1,
        base: 5.0 + f64::from(number % 95),
        options: false,
        strike_step: 0,
        futures: String::new(),
        sector: Some("Industrial".to_owned()),
        group: Some("Simulated".to_owned()),
        chinese: None,
        quote: Quality::Live,
        smile: Smile::default(),
        dividend_yield: 0.0,
        derivative: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_table_is_read_and_every_conid_is_used_once() {
        let universe = Universe::new(date(2026, 11, 22), 250);
        assert!(universe.iter().filter(|i| i.derivative.is_none()).count() > 60 + 250);
        assert_eq!(universe.all.len(), universe.by_conid.len());
        assert_eq!(universe.months(265_598, "OPT"), ["DEC26", "JAN27", "FEB27", "MAR27"]);
        assert_eq!(universe.months(11_004_968, "FUT"), ["DEC26", "MAR27", "JUN27", "SEP27"]);
    }

    #[test]
    fn decimals_follow_the_tick() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        assert_eq!(universe.get(265_598).unwrap().show(271.5), "271.50");
        assert_eq!(universe.get(12_087_792).unwrap().show(1.1512), "1.15120");
        assert_eq!(universe.get(14_020_991).unwrap().show(3125.0), "3125");
    }
}
