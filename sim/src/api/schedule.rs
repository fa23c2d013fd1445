//! Trading hours: the old template form and the newer one with real days.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use super::details_unavailable;
use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;

/// Time zone, opening and closing of the liquid session, and of everything around it.
struct Hours {
    zone: &'static str,
    open: i8,
    open_minute: i8,
    close: i8,
    early: i8,
    late: i8,
}

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["trsrv", "secdef", "schedule"]) => templates(world, call),
        ("GET", ["contract", "trading-schedule"]) => days(world, call),
        _ => return None,
    })
}

fn hours(of: &Instrument) -> Hours {
    let hours = |zone, (open, open_minute), close, early, late| Hours {
        zone,
        open,
        open_minute,
        close,
        early,
        late,
    };
    match (of.sec_type.as_str(), of.country.as_str()) {
        ("FUT" | "CASH", _) => hours("America/New_York", (0, 0), 23, 0, 23),
        (_, "JP") => hours("Asia/Tokyo", (9, 0), 15, 9, 15),
        (_, "HK") => hours("Asia/Hong_Kong", (9, 30), 16, 9, 16),
        (_, "GB") => hours("Europe/London", (8, 0), 16, 8, 17),
        (_, "CH") => hours("Europe/Zurich", (9, 0), 17, 9, 18),
        (_, "DE" | "NL" | "FR" | "ES") => hours("Europe/Berlin", (9, 0), 17, 8, 18),
        (_, "MX") => hours("America/Mexico_City", (8, 30), 15, 8, 15),
        _ => hours("America/New_York", (9, 30), 16, 4, 20),
    }
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
    let rows: Vec<Value> = listings.map(|(at, i)| template(at, &hours(i))).collect();
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
    let hours = hours(instrument);
    let zone = TimeZone::get(hours.zone).unwrap_or(TimeZone::UTC);
    let now = Timestamp::from_millisecond(world.clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    let today = now.to_zoned(zone.clone()).date();
    let mut map = Map::new();
    for day in (0i32..6).filter_map(|n| today.checked_add(n.days()).ok()) {
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            map.insert(day.strftime("%Y%m%d").to_string(), real_day(day, &hours, &zone));
        }
    }
    Reply::json(&json!({ "exchange_time_zone": hours.zone, "schedules": map }))
}

fn real_day(day: Date, hours: &Hours, zone: &TimeZone) -> Value {
    let epoch = |hour: i8, minute: i8| {
        day.at(hour, minute, 0, 0)
            .to_zoned(zone.clone())
            .map(|z| z.timestamp().as_second())
            .unwrap_or_default()
    };
    json!({
        "liquid_hours": [{ "opening": epoch(hours.open, hours.open_minute), "closing": epoch(hours.close, 0) }],
        "extended_hours": [{
            "opening": epoch(hours.early, 0), "closing": epoch(hours.late, 0), "cancel_daily_orders": true,
        }],
    })
}
