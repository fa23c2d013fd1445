//! One instrument: what it is, and in which words the broker names it.

use jiff::civil::Date;
use serde::Deserialize;

pub(crate) use crate::derivatives::{Derivative, Right};
use crate::pricing::Smile;
pub(crate) use crate::universe::Universe;

/// Month codes in the symbols of futures, January first.
const MONTH_CODES: &[u8; 12] = b"FGHJKMNQUVXZ";
/// Where US shares can be sent besides their listing exchange.
const US_EXCHANGES: [&str; 10] =
    ["NYSE", "NASDAQ", "ARCA", "ISLAND", "BATS", "IEX", "EDGEA", "BYX", "MEMX", "OVERNIGHT"];

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
    /// Of the options of one class; empty where nothing but the symbol says it.
    #[serde(skip)]
    pub(crate) trading_class: String,
    #[serde(skip)]
    pub(crate) derivative: Option<Derivative>,
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

    /// The conid that it is searched by, if it is a derivative; else 0.
    pub(crate) fn root(&self) -> i64 {
        self.derivative.as_ref().map_or(0, |d| d.root)
    }

    /// An option, on whatever.
    pub(crate) fn is_option(&self) -> bool {
        self.derivative.as_ref().is_some_and(|d| d.option.is_some())
    }

    /// What tells its options, or it, from others with the same symbol.
    pub(crate) fn trading_class(&self) -> &str {
        match self.sec_type.as_str() {
            _ if !self.trading_class.is_empty() => &self.trading_class,
            "STK" if self.exchange == "NASDAQ" => "NMS",
            _ => &self.symbol,
        }
    }

    /// Where options on it trade.
    pub(crate) fn option_exchanges(&self) -> &'static str {
        // Those on an index trade at its own exchange only.
        if self.exchange == "CBOE" { "SMART,CBOE" } else { "SMART,AMEX,CBOE" }
    }

    /// It can be routed to this exchange.
    pub(crate) fn is_routed_to(&self, exchange: &str) -> bool {
        exchange == "SMART"
            || self.valid_exchanges().split(',').any(|valid| valid == exchange)
            || (self.is("STK") && self.is_us() && US_EXCHANGES.contains(&exchange))
    }

    /// Everywhere it can be routed.
    pub(crate) fn valid_exchanges(&self) -> String {
        match (self.sec_type.as_str(), self.is_us()) {
            ("OPT", _) => self.option_exchanges().to_owned(),
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
                "{head} {strike} {} [{} {}]",
                right.letter(),
                self.option_symbol(derivative.expiry, (right, strike)),
                self.multiplier
            ),
        }
    }

    /// An option's own symbol: `AAPL  261218C00270000`, or on a future `ESZ6 C6600`.
    pub(crate) fn option_symbol(&self, expiry: Date, (right, strike): (Right, f64)) -> String {
        let (class, letter) = (self.trading_class(), right.letter());
        if self.is("FOP") {
            let (code, year) = (month_letter(expiry), expiry.year() % 10);
            return format!("{class}{code}{year} {letter}{strike}");
        }
        let thousandths = (strike * 1000.0).round() as i64;
        format!("{class:<6}{}{letter}{thousandths:08}", expiry.strftime("%y%m%d"))
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

/// The letter of a month in the symbol of a future.
pub(crate) fn month_letter(day: Date) -> char {
    let month = usize::try_from(day.month() - 1).unwrap_or(0);
    MONTH_CODES.get(month).map_or('?', |letter| char::from(*letter))
}
