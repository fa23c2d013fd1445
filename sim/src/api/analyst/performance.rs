//! How an account did: its value, and its time-weighted returns.

use serde_json::{Map, Value, json};

use super::curve::{self, Curve, PERIODS};
use super::{accounts, base, body, count, digits};
use crate::flex::DayEnd;
use crate::http::{Call, Reply};
use crate::state::World;

/// `POST /pa/performance {"acctIds":[…],"period":"1M"}`; several accounts are one together.
pub(super) fn of_period(world: &World, call: &Call) -> Result<Reply, Reply> {
    let body = body(call, &["acctIds", "period"])?;
    let ids = accounts(world, body)?;
    let currency = base(world, &ids);
    let wrong = || Reply::bad_request("period is not valid");
    let period = body.get("period").and_then(Value::as_str).ok_or_else(wrong)?;
    if !PERIODS.contains(&period) {
        return Err(wrong());
    }
    let history = curve::whole(world, &ids, currency);
    let today = history.last().ok_or_else(wrong)?.day;
    let from = curve::begin(period, today).ok_or_else(wrong)?;
    let curve = Curve::cut(&history, from);
    let (kind, name) = match &ids[..] {
        [one] => ("acctid", one.as_str()),
        _ => ("consolidated", "Consolidated"),
    };
    // Each of the three parts repeats who it is about.
    let part = |own: Value| {
        let mut row = json!({
            "idType": kind, "id": name, "baseCurrency": currency,
            "start": digits(from), "end": digits(today),
        });
        if let (Value::Object(row), Value::Object(own)) = (&mut row, own) {
            row.extend(own);
        }
        json!([row])
    };
    let (months, monthly): (Vec<String>, Vec<f64>) = curve.months().into_iter().unzip();
    let navs = part(json!({ "navs": curve.navs(), "startNAV": curve.start_nav() }));
    Ok(Reply::json(&json!({
        "currencyType": "base",
        "rc": 0,
        "nav": { "data": navs, "freq": "D", "dates": curve.dates() },
        "nd": count(from, today),
        "cps": { "data": part(json!({ "returns": curve.returns() })), "freq": "D", "dates": curve.dates() },
        "tpps": { "data": part(json!({ "returns": monthly })), "freq": "M", "dates": months },
        "id": "getPerformanceData",
        "included": ids,
        "pm": "TWR",
    })))
}

/// `POST /pa/allperiods {"acctIds":[…]}`: every account by itself, in its own currency.
pub(super) fn of_all_periods(world: &World, call: &Call) -> Result<Reply, Reply> {
    let body = body(call, &["acctIds"])?;
    let ids = accounts(world, body)?;
    let mut reply = Map::new();
    reply.insert("currencyType".to_owned(), json!("base"));
    reply.insert("rc".to_owned(), json!(0));
    reply.insert("view".to_owned(), json!(ids));
    let mut days: i64 = 0;
    for id in &ids {
        let one = std::slice::from_ref(id);
        let currency = base(world, one);
        let history = curve::whole(world, one, currency);
        let periods = periods(world, &history, currency);
        days = days.max(periods.1);
        reply.insert(id.clone(), periods.0);
    }
    reply.insert("nd".to_owned(), json!(days));
    reply.insert("id".to_owned(), json!("getPerformanceAllPeriods"));
    reply.insert("included".to_owned(), json!(ids));
    reply.insert("pm".to_owned(), json!("TWR"));
    Ok(Reply::json(&Value::Object(reply)))
}

/// All periods of one account, and the days of the longest.
fn periods(world: &World, history: &[DayEnd], currency: &str) -> (Value, i64) {
    let mut account = Map::new();
    let Some(today) = history.last().map(|end| end.day) else { return (json!({}), 0) };
    let mut first = today;
    for period in PERIODS {
        let Some(from) = curve::begin(period, today) else { continue };
        let curve = Curve::cut(history, from);
        first = first.min(curve.from);
        account.insert(
            period.to_owned(),
            json!({
                "nav": curve.navs(),
                "cps": curve.returns(),
                "freq": "D",
                "dates": curve.dates(),
                "startNAV": curve.start_nav(),
            }),
        );
    }
    let updated = crate::clock::utc(world.clock.now_ms(), "%Y-%m-%d %H:%M:%S");
    account.insert("lastSuccessfulUpdate".to_owned(), json!(updated));
    account.insert("start".to_owned(), json!(digits(first)));
    account.insert("end".to_owned(), json!(digits(today)));
    account.insert("baseCurrency".to_owned(), json!(currency));
    account.insert("periods".to_owned(), json!(PERIODS));
    (Value::Object(account), count(first, today))
}
