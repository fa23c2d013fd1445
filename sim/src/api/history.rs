//! Bars of the past.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::chart::{self, Head};
use crate::bars::{Source, Wanted};
use crate::hours::Part;
use crate::http::{Call, Reply};
use crate::state::World;

const MINUTE_MS: i64 = 60_000;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    (call.method == "GET" && path == ["iserver", "marketdata", "history"])
        .then(|| history(world, call))
}

fn history(world: &World, call: &Call) -> Reply {
    let wanted = match understand(world, call) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let conid = call.param("conid").and_then(|c| c.parse().ok());
    let found = conid.and_then(|conid| world.universe.get(conid));
    let Some(of) = found else { return Reply::error(500, "No data.") };
    let bars = world.bars(of, &wanted);
    if bars.is_empty() {
        return Reply::error(500, "No data.");
    }
    let server = (of.conid % 100_000).to_string();
    let head = Head { of, wanted: &wanted, period: period(call), server: &server };
    Reply::json(&Value::Object(chart::show(&head, &bars))).delayed(world.rules.history_millis)
}

fn period(call: &Call) -> &str {
    call.param("period").unwrap_or("1w")
}

fn understand(world: &World, call: &Call) -> Result<Wanted, Reply> {
    if call.param("conid").is_none() {
        return Err(Reply::bad_request("conid is required"));
    }
    let minutes = chart::period_minutes(period(call))
        .ok_or_else(|| Reply::bad_request("period is not valid"))?;
    let bar = match call.param("bar") {
        None => chart::default_bar(minutes),
        Some(bar) => {
            chart::bar_minutes(bar).ok_or_else(|| Reply::bad_request("bar is not valid"))?
        }
    };
    if !chart::is_allowed(minutes, bar) {
        return Err(Reply::error(500, "Bar size is not valid for this period"));
    }
    let end_ms = end(world, call, minutes)?;
    let part = if call.flag("outsideRth") { Part::Extended } else { Part::Regular };
    // A word that it does not know is no reason to refuse.
    let source = call.param("source").and_then(chart::source).unwrap_or(Source::Trades);
    Ok(Wanted { minutes, bar, end_ms, part, source })
}

/// The end of the period: now, `startTime`, or with `direction=1` that much after it.
fn end(world: &World, call: &Call, minutes: i64) -> Result<i64, Reply> {
    let now = world.clock.now_ms();
    let Some(text) = call.param("startTime") else { return Ok(now) };
    let parsed = DateTime::strptime("%Y%m%d-%H:%M:%S", text)
        .ok()
        .and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    let from = parsed
        .ok_or_else(|| Reply::bad_request("startTime is not valid"))?
        .timestamp()
        .as_millisecond();
    let end = if call.param("direction") == Some("1") { from + minutes * MINUTE_MS } else { from };
    Ok(end.min(now))
}
