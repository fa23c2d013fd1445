//! What an order is for: one contract, perhaps on one exchange, or a combination of several.

use std::borrow::Cow;

use super::fields::{Fields, missing};
use crate::book::{Leg, Order};
use crate::http::Reply;
use crate::instruments::{Instrument, Quality, Universe};
use crate::state::World;

/// The spread conid of each currency, which every combination names first.
const SPREADS: [(&str, i64); 13] = [
    ("USD", 28_812_380),
    ("AUD", 61_227_077),
    ("CAD", 61_227_082),
    ("CHF", 61_227_087),
    ("CNH", 136_000_441),
    ("GBP", 58_666_491),
    ("HKD", 61_227_072),
    ("INR", 136_000_444),
    ("JPY", 61_227_069),
    ("KRW", 136_000_424),
    ("MXN", 136_000_449),
    ("SEK", 136_000_429),
    ("SGD", 426_116_555),
];

/// What an order names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contract {
    pub(crate) conid: i64,
    pub(crate) conidex: String,
    pub(crate) legs: Vec<Leg>,
}

/// What it could be bought and sold for now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touch {
    pub(crate) last: f64,
    pub(crate) bid: f64,
    pub(crate) ask: f64,
}

impl Contract {
    /// Reads `conid` or `conidex`; the former wins, and is routed by the broker.
    pub(super) fn read(fields: &Fields<'_>, universe: &Universe) -> Result<Self, Reply> {
        let contract = match (fields.whole("conid")?, fields.text("conidex")?) {
            (Some(conid), _) => Self { conid, conidex: conid.to_string(), legs: Vec::new() },
            (None, Some(text)) if text.contains(";;;") => Self::combination(text, universe)?,
            (None, Some(text)) => Self::routed(text, universe)?,
            (None, None) => return Err(missing("conid")),
        };
        let is_index = |leg: &Leg| universe.get(leg.conid).is_some_and(|of| of.is("IND"));
        match universe.contract(contract.conid, &contract.legs) {
            Some(of) if of.is("IND") || contract.legs.iter().any(is_index) => {
                Err(Reply::error(200, "Index is not tradable"))
            }
            Some(_) => Ok(contract),
            None => Err(unknown(&contract.conidex)),
        }
    }

    fn routed(text: &str, universe: &Universe) -> Result<Self, Reply> {
        let (conid, exchange) = text.split_once('@').unwrap_or((text, "SMART"));
        let conid = conid.parse().map_err(|_| unknown(text))?;
        let of = universe.get(conid).ok_or_else(|| unknown(text))?;
        if !of.is_routed_to(exchange) {
            return Err(Reply::error(200, "Invalid destination exchange specified"));
        }
        Ok(Self { conid, conidex: text.to_owned(), legs: Vec::new() })
    }

    /// `28812380;;;265598/1,8314/-2`, or with the exchange after the spread conid.
    fn combination(text: &str, universe: &Universe) -> Result<Self, Reply> {
        let wrong = || Reply::bad_request(&format!("conidex is not valid: {text}"));
        let (head, tail) = text.split_once(";;;").ok_or_else(wrong)?;
        let spread: i64 = head.split('@').next().and_then(|c| c.parse().ok()).ok_or_else(wrong)?;
        let legs: Vec<Leg> = tail.split(',').map(leg).collect::<Option<_>>().ok_or_else(wrong)?;
        let first = legs.first().and_then(|leg| universe.get(leg.conid)).ok_or_else(wrong)?;
        let fits = SPREADS.contains(&(first.currency.as_str(), spread));
        if legs.len() < 2 || !fits || legs.iter().any(|leg| leg.ratio == 0) {
            return Err(wrong());
        }
        Ok(Self { conid: spread, conidex: text.to_owned(), legs })
    }
}

fn leg(text: &str) -> Option<Leg> {
    let (conid, ratio) = text.split_once('/')?;
    Some(Leg { conid: conid.parse().ok()?, ratio: ratio.parse().ok()? })
}

fn unknown(conidex: &str) -> Reply {
    Reply::error(500, &format!("Contract {conidex} is not found"))
}

fn finest(ticks: &[f64]) -> f64 {
    ticks.iter().copied().fold(f64::INFINITY, f64::min)
}

impl Universe {
    /// The instrument of an order. A combination is like its first leg, but has no price of its own: its ticks are
    /// those of the leg that has the finest.
    pub(crate) fn contract(&self, conid: i64, legs: &[Leg]) -> Option<Cow<'_, Instrument>> {
        let Some(first) = legs.first() else { return self.get(conid).map(Cow::Borrowed) };
        let ticks: Vec<f64> =
            legs.iter().map(|leg| Some(self.get(leg.conid)?.tick)).collect::<Option<_>>()?;
        let mut whole = self.get(first.conid)?.clone();
        (whole.conid, whole.sec_type, whole.derivative) = (conid, "BAG".to_owned(), None);
        (whole.tick, whole.lot, whole.quote) = (finest(&ticks), 1, Quality::Live);
        Some(Cow::Owned(whole))
    }

    /// The instrument of this order.
    pub(crate) fn of(&self, order: &Order) -> Option<Cow<'_, Instrument>> {
        self.contract(order.conid, &order.legs)
    }
}

impl World {
    /// The market of a contract; `None` while it is halted, or if there is no such thing.
    pub(crate) fn touch(&self, conid: i64, legs: &[Leg]) -> Option<Touch> {
        if legs.is_empty() {
            return self.single_touch(conid);
        }
        let mut sum = Touch { last: 0.0, bid: 0.0, ask: 0.0 };
        for leg in legs {
            let touch = self.single_touch(leg.conid)?;
            let ratio = leg.ratio as f64;
            let (bid, ask) =
                if ratio > 0.0 { (touch.bid, touch.ask) } else { (touch.ask, touch.bid) };
            sum.last += touch.last * ratio;
            sum.bid += bid * ratio;
            sum.ask += ask * ratio;
        }
        Some(sum)
    }

    /// Whether the exchanges of all its parts are open now.
    pub(super) fn is_traded(&self, order: &Order) -> bool {
        let single = [order.conid];
        let legs: Vec<i64> = order.legs.iter().map(|leg| leg.conid).collect();
        let parts: &[i64] = if legs.is_empty() { &single } else { &legs };
        let now = self.clock.now_ms();
        parts
            .iter()
            .filter_map(|conid| self.universe.get(*conid))
            .all(|of| self.market.is_open(of, now))
    }

    fn single_touch(&self, conid: i64) -> Option<Touch> {
        let of = self.universe.get(conid).filter(|of| of.quote != Quality::Halted)?;
        let last = self.price(of);
        let (bid, ask) = self.market.around(of, last);
        Some(Touch { last, bid, ask })
    }
}
