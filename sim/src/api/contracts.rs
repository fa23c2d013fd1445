//! Known contracts: definitions, details, trading rules, currencies.

use serde_json::{Value, json};

use super::{details_unavailable, fx, rules, secdef};
use crate::http::{Call, Reply};
use crate::instruments::{Instrument, month_name};
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET" | "POST", ["trsrv", "secdef"]) => secdef::answer(world, call),
        ("GET", ["iserver", "contract", conid, "info"]) => with_contract(world, conid, details),
        ("GET", ["iserver", "contract", conid, "info-and-rules"]) => {
            with_contract(world, conid, |w, i| {
                let mut both = details(w, i);
                both["rules"] = rules::rules(w, i);
                both
            })
        }
        ("POST", ["iserver", "contract", "rules"]) => rules::answer(world, call),
        ("GET", ["iserver", "currency", "pairs"]) => fx::pairs(world, call),
        ("GET", ["iserver", "exchangerate"]) => fx::rate(world, call),
        _ => return None,
    })
}

/// Answers for one contract, or says in the broker's roundabout way that there is none.
fn with_contract(
    world: &World,
    conid: &str,
    make: impl FnOnce(&World, &Instrument) -> Value,
) -> Reply {
    match conid.parse().ok().and_then(|conid| world.universe.get(conid)) {
        Some(instrument) => Reply::json(&make(world, instrument)),
        None => details_unavailable(),
    }
}

fn details(world: &World, of: &Instrument) -> Value {
    let derivative = of.derivative.as_ref();
    let is_smart = of.is("STK") || of.is("OPT");
    let mut page = json!({
        "cfi_code": "",
        "symbol": of.symbol,
        "cusip": null,
        "expiry_full": derivative.map(|d| d.expiry.strftime("%Y%m").to_string()),
        "con_id": of.conid,
        "maturity_date": secdef::expiry(of),
        "industry": of.group,
        "instrument_type": of.sec_type,
        "trading_class": of.trading_class(),
        "valid_exchanges": of.valid_exchanges(),
        "allow_sell_long": false,
        "is_zero_commission_security": false,
        "local_symbol": of.description(),
        "contract_clarification_type": null,
        "classifier": null,
        "currency": of.currency,
        "text": derivative.and_then(|d| d.option).map(|_| of.description()),
        "underlying_con_id": of.underlying(),
        "r_t_h": true,
        "multiplier": (of.multiplier > 0.0).then(|| of.multiplier.to_string()),
        "underlying_issuer": null,
        "contract_month": derivative.map(|d| format!("{}{}", month_name(d.expiry), d.expiry.strftime("%y"))),
        "company_name": of.name,
        "smart_available": is_smart,
        "exchange": if is_smart { "SMART" } else { of.exchange.as_str() },
        "category": of.group,
    });
    world.masks.details(of.conid, &mut page);
    page
}
