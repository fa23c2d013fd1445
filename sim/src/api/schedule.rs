//! Trading hours: the old template form and the newer one with real days.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::details_unavailable;
use crate::hours::{Hours, Part, is_trading};
use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["trsrv", "secdef", "schedule"]) => templates(world, call),
        ("GET", ["contract", "trading-schedule"]) => days(world, call),
        _ => return None,
    })
}

/// `GET /trsrv/secdef/schedule`: one week of template dates in January 2000.
fn templates(world: &World, call: &Call) -> Reply {
    let (Some(class), Some(symbol)) = (call.param("assetClass"), call.param("symbol")) else {
        return Reply::bad_request("assetClass and symbol are required");
    };
    let conid = call.param("conid").and_then(|c| c.parse::<i64>().ok());
    let venue = call.param("exchange");
    let fits = |i: &&Instrument| {
        i.is(class)
            && i.symbol == symbol
            && conid.is_none_or(|c| c == i.conid)
            && venue.is_none_or(|v| v == i.exchange)
    };
    let listings = world.universe.iter().filter(fits).enumerate();
    let rows: Vec<Value> = listings.map(|(at, i)| template(at, &Hours::of(i))).collect();
    Reply::json(&json!(rows))
}

fn template(at: usize, hours: &Hours) -> Value {
    let clock = |hour: i8, minute: i8| format!("{hour:02}{minute:02}");
    let day = |number: u8| {
        let is_open = (3..=7).contains(&number);
        let liquid = json!([{
            "openingTime": clock(hours.open, hours.open_minute), "closingTime": clock(hours.close, 0), "prop": "LIQUID",
        }]);
        let around = json!([{
            "openingTime": clock(hours.early, 0), "closingTime": clock(hours.late, 0), "cancelDayOrders": "Y",
        }]);
        json!({
            "clearingCycleEndTime": clock(hours.late, 0),
            "tradingScheduleDate": format!("200001{number:02}"),
            "sessions": if is_open { liquid } else { json!([]) },
            "tradingtimes": if is_open { around } else { json!([]) },
        })
    };
    json!({
        "id": format!("p{}", 100_001 + at), "tradeVenueId": format!("v{}", 10_001 + at), "timezone": hours.zone,
        "schedules": (1..=7).map(day).collect::<Vec<_>>(),
    })
}

/// `GET /contract/trading-schedule?conid=`: six days from today, closed ones left out.
fn days(world: &World, call: &Call) -> Reply {
    let Some(conid) = call.param("conid") else { return Reply::bad_request("conid is required") };
    let Some(instrument) = conid.parse().ok().and_then(|c| world.universe.get(c)) else {
        return details_unavailable();
    };
    let hours = Hours::of(instrument);
    let today = hours.day(world.clock.now_ms());
    let mut map = Map::new();
    for day in (0i32..6).filter_map(|n| today.checked_add(n.days()).ok()) {
        if is_trading(day) {
            map.insert(day.strftime("%Y%m%d").to_string(), real_day(day, &hours));
        }
    }
    Reply::json(&json!({ "exchange_time_zone": hours.zone, "schedules": map }))
}

fn real_day(day: Date, hours: &Hours) -> Value {
    // Epoch seconds here, unlike almost everywhere else.
    let part = |part: Part| {
        let session = hours.session(day, part);
        (session.start / 1000, session.end / 1000)
    };
    let (liquid, around) = (part(Part::Regular), part(Part::Extended));
    json!({
        "liquid_hours": [{ "opening": liquid.0, "closing": liquid.1 }],
        "extended_hours": [{
            "opening": around.0, "closing": around.1, "cancel_daily_orders": true,
        }],
    })
}
