//! The trading rules of a contract: order types, times in force, increments.

use serde_json::{Value, json};

use super::details_unavailable;
use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;

/// `POST /iserver/contract/rules`.
pub(super) fn answer(world: &World, call: &Call) -> Reply {
    let conid =
        call.body.get("conid").and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    let Some(conid) = conid else { return Reply::bad_request("conid is required") };
    match world.universe.get(conid) {
        Some(instrument) => Reply::json(&rules(world, instrument)),
        None => details_unavailable(),
    }
}

/// The rules object.
pub(super) fn rules(world: &World, of: &Instrument) -> Value {
    let ids: Vec<&str> = world.accounts.iter().map(|a| a.id.as_str()).collect();
    let price = world.price(of);
    let fractions = of.is("STK") && of.is_us();
    let mut rules = json!({
        "algoEligible": of.is("STK"),
        "overnightEligible": fractions,
        "costReport": false,
        "canTradeAcctIds": if of.is("IND") { Vec::new() } else { ids },
        "error": of.is("IND").then_some("Index is not tradable"),
        "orderTypes": [
            "limit", "midprice", "market", "stop", "stop_limit", "mit", "lit", "trailing_stop",
            "trailing_stop_limit", "relative", "marketonclose", "limitonclose",
        ],
        "ibAlgoTypes": ["limit"],
        "fraqTypes": if fractions { vec!["limit", "market"] } else { Vec::new() },
        "cqtTypes": if fractions { vec!["limit", "market"] } else { Vec::new() },
        "forceOrderPreview": false,
        "orderDefaults": { "LMT": { "LP": of.show(price) } },
        "orderTypesOutside": ["limit", "stop_limit"],
        "defaultSize": if of.is("STK") { 100 } else { 1 },
        "cashSize": 0.0,
        "sizeIncrement": of.lot,
        "tifTypes": ["IOC/MARKET,LIMIT", "GTC/o,a", "OPG/LIMIT,MARKET,a", "GTD/o,a", "DAY/o,a"],
        "tifDefaults": { "TIF": "DAY", "SIZE": "100.00" },
        "limitPrice": price,
        "stopprice": price,
        "preview": true,
        "displaySize": null,
        "fraqInt": if fractions { 4 } else { 0 },
        "cashCcy": of.currency,
        "cashQtyIncr": 500,
        "priceMagnifier": null,
        "negativeCapable": false,
        "incrementType": 1,
        "incrementRules": [{ "lowerEdge": 0.0, "increment": of.tick }],
        "hasSecondary": true,
        "modTypes": [],
        "increment": of.tick,
        "incrementDigits": of.decimals(),
    });
    world.masks.rules(of.conid, &mut rules);
    rules
}
