//! What there is on an underlying: the strikes of a month, and its contracts, one for each class and day.

use serde_json::{Value, json};

use super::details_unavailable;
use crate::http::{Call, Reply};
use crate::instruments::{Instrument, month_code};
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "secdef", "strikes"]) => strikes(world, call),
        ("GET", ["iserver", "secdef", "info"]) => info(world, call),
        _ => return None,
    })
}

/// The underlying and month that strikes and info ask for.
struct Chain {
    conid: i64,
    kind: String,
    month: String,
    exchange: String,
}

impl Chain {
    /// `sectype` is spelled without a capital here, unlike in the search.
    fn read(call: &Call) -> Result<Self, Reply> {
        let need = |name: &str| {
            call.param(name).ok_or_else(|| Reply::bad_request(&format!("{name} is required")))
        };
        let (conid, kind, month) = (need("conid")?, need("sectype")?, need("month")?);
        let conid = conid.parse().map_err(|_| details_unavailable())?;
        let exchange = call.param("exchange").unwrap_or("SMART").to_owned();
        Ok(Self { conid, kind: kind.to_owned(), month: month.to_owned(), exchange })
    }

    /// Its contracts. Options on futures are not routed by the broker: they must be asked for at their exchange.
    fn contracts<'a>(&'a self, world: &'a World) -> impl Iterator<Item = &'a Instrument> {
        let wanted = move |of: &&Instrument| {
            let kind = of.derivative.as_ref();
            kind.is_some_and(|kind| month_code(kind.expiry) == self.month)
                && (!of.is("FOP") || of.exchange == self.exchange)
        };
        world.universe.derivatives(self.conid, &self.kind).filter(wanted)
    }
}

/// Those of all classes and days, each once. Empty unless the underlying was searched for in this session.
fn strikes(world: &World, call: &Call) -> Reply {
    let chain = match Chain::read(call) {
        Ok(chain) => chain,
        Err(refusal) => return refusal,
    };
    let known = world.session.primed.searched.contains(&chain.conid);
    let of = |letter: &str| -> Vec<f64> {
        let options = chain.contracts(world).filter_map(|i| i.derivative.as_ref()?.option);
        let mut strikes: Vec<f64> = options
            .filter(|(right, _)| known && right.letter() == letter)
            .map(|(_, strike)| strike)
            .collect();
        strikes.sort_by(f64::total_cmp);
        strikes.dedup();
        strikes
    };
    Reply::json(&json!({ "call": of("C"), "put": of("P") }))
}

fn info(world: &World, call: &Call) -> Reply {
    let chain = match Chain::read(call) {
        Ok(chain) => chain,
        Err(refusal) => return refusal,
    };
    let Some(root) = world.universe.get(chain.conid) else { return details_unavailable() };
    let strike = call.param("strike").and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    let letter = call.param("right");
    if chain.kind == "OPT" && letter.is_none() {
        return Reply::bad_request("right is required");
    }
    let fits = |i: &&Instrument| match i.derivative.as_ref().and_then(|d| d.option) {
        None => true,
        Some((right, at)) => {
            letter.is_none_or(|letter| letter == right.letter())
                && (strike == 0.0 || (at - strike).abs() < 1e-9)
        }
    };
    let shown = |of: &Instrument| {
        let mut row = row(root, of);
        world.masks.details(of.conid, &mut row);
        row
    };
    let rows: Vec<Value> = chain.contracts(world).filter(fits).map(shown).collect();
    if rows.is_empty() || !world.session.primed.searched.contains(&chain.conid) {
        return details_unavailable();
    }
    Reply::json(&json!(rows))
}

/// What tells a derivative from others of its symbol.
pub(super) fn second_description(of: &Instrument) -> String {
    let Some(derivative) = &of.derivative else { return String::new() };
    let Some((right, strike)) = derivative.option else {
        return derivative.expiry.strftime("%b %d '%y").to_string().to_uppercase();
    };
    if of.is("FOP") {
        return format!(
            "({}) {} {strike} {} Fut.Option({}) @{}",
            of.trading_class(),
            derivative.expiry.strftime("%b%d'%y"),
            right.word(),
            of.multiplier,
            of.exchange
        );
    }
    let day = derivative.expiry.strftime("%b %d '%y").to_string().to_uppercase();
    format!("{day} {strike} {}", right.word())
}

fn row(root: &Instrument, of: &Instrument) -> Value {
    let option = of.derivative.as_ref().and_then(|d| d.option);
    json!({
        "conid": of.conid,
        "symbol": root.symbol,
        "secType": of.sec_type,
        "exchange": if of.is("OPT") { "SMART" } else { of.exchange.as_str() },
        "listingExchange": null,
        "right": option.map_or("?", |(right, _)| right.letter()),
        "strike": option.map_or(0.0, |(_, strike)| strike),
        "currency": of.currency,
        "cusip": null,
        "coupon": "No Coupon",
        "desc1": root.symbol,
        "desc2": second_description(of),
        "maturityDate": super::secdef::expiry(of),
        "multiplier": of.multiplier.to_string(),
        "tradingClass": of.trading_class(),
        "validExchanges": of.valid_exchanges(),
    })
}
