//! The two calls: `SendRequest` and `GetStatement`.

use jiff::civil::Date;

use super::codes::Code;
use super::days::{self, NewYork, plus};
use super::desk::Reference;
use super::envelope;
use super::period::Period;
use super::spec::{Call, QuerySpec, QueryType};
use super::statement::Statement;
use crate::http::{self, Reply};
use crate::state::World;

const BASE: &str = "/AccountManagement/FlexWebService/";
/// Where version 2 lived.
const OLD: &str = "/Universal/servlet/FlexStatementService.";
/// The longest period of one request, in days.
const LONGEST: i64 = 365;
const MAINTENANCE: &str = "<!DOCTYPE html>\n<html><head><title>System maintenance</title></head>\
<body><h1>We are performing maintenance</h1><p>Please try again later.</p></body></html>\n";

/// Answers a request for the Flex Web Service; `None` for any other.
pub(crate) fn answer(world: &mut World, call: &http::Call) -> Option<Reply> {
    let delay = world.flex.spec.delay_ms;
    let reply = match (call.path.strip_prefix(OLD), call.path.strip_prefix(BASE)) {
        (Some("SendRequest"), _) => fail(world, Code::NOT_GENERATED),
        (Some("GetStatement"), _) => fail(world, Code::NOT_AVAILABLE),
        (_, Some("SendRequest")) => guarded(world, call, Call::Send),
        (_, Some("GetStatement")) => guarded(world, call, Call::Get),
        _ => return None,
    };
    Some(reply.delayed(delay))
}

fn guarded(world: &mut World, call: &http::Call, which: Call) -> Reply {
    if !is_client(&call.agent) {
        world.flex.count_forbidden();
        return Reply::empty(403);
    }
    if call.method != "GET" {
        return Reply::empty(405);
    }
    world.flex.count_call(which);
    if world.flex.spec.html {
        return Reply::html(200, MAINTENANCE);
    }
    let answered = check(world, call, which).and_then(|()| match which {
        Call::Send => send(world, call),
        Call::Get => get(world, call),
    });
    answered.unwrap_or_else(|code| fail(world, code))
}

/// `technology/version`, or one of the two that were let in long ago.
fn is_client(agent: &str) -> bool {
    let named = agent.split_once('/').is_some_and(|(name, version)| {
        !name.is_empty() && version.starts_with(|c: char| c.is_ascii_alphanumeric())
    });
    named || agent.starts_with("Java") || agent.starts_with("Blackberry")
}

fn fail(world: &mut World, code: Code) -> Reply {
    world.flex.count_code(code);
    Reply::xml(envelope::failure(world.clock.now_ms(), code))
}

/// Everything that both calls want: version, token, patience, and that nothing was ordered.
fn check(world: &mut World, call: &http::Call, which: Call) -> Result<(), Code> {
    match call.param("v") {
        None | Some("2") => return Err(Code::NOT_GENERATED),
        Some("3") => {}
        Some(_) => return Err(Code::REQUEST),
    }
    let token = call.param("t").ok_or(Code::REQUEST)?;
    check_token(world, token)?;
    let now = world.now();
    let admitted = world.flex.admits(token, now);
    if world.rules.flex_pacing && !admitted {
        return Err(Code::TOO_MANY);
    }
    if let Some(code) = world.flex.ordered(which) {
        return Err(code);
    }
    Code::new(world.flex.spec.state).map_or(Ok(()), Err)
}

fn check_token(world: &World, token: &str) -> Result<(), Code> {
    let spec = &world.flex.spec;
    let is_in = |list: &[String]| list.iter().any(|known| known == token);
    let today = NewYork::default().day(world.clock.now_ms());
    if is_in(&spec.expired) {
        return Err(Code::EXPIRED);
    }
    if is_in(&spec.ip_restricted) {
        return Err(Code::IP);
    }
    match token == spec.token && !spec.token.is_empty() {
        false => Err(Code::TOKEN),
        true if spec.expires.is_some_and(|day| today >= day) => Err(Code::EXPIRED),
        true => Ok(()),
    }
}

fn send(world: &mut World, call: &http::Call) -> Result<Reply, Code> {
    let id = call.param("q").filter(|q| q.bytes().all(|byte| byte.is_ascii_digit()));
    let id = id.ok_or(Code::REQUEST)?;
    let query = world.flex.spec.query(id).cloned().ok_or(Code::QUERY)?;
    world.flex.count_query(id, Call::Send);
    fails(&query, Call::Send)?;
    let own = own_range(call)?;
    let now = world.clock.now_ms();
    let range = range(&query, own, NewYork::default().day(now))?;
    let (url, host) = url(world, call);
    let reference = Reference {
        query: query.id,
        token: call.param("t").unwrap_or_default().to_owned(),
        host,
        asked_ms: now,
        ready_ms: now + world.flex.spec.generate_millis,
        polls: 0,
        delivered: 0,
        range,
        is_own_range: own.is_some(),
    };
    let code = world.flex.keep(reference);
    Ok(Reply::xml(envelope::success(now, code, &url)))
}

fn fails(query: &QuerySpec, at: Call) -> Result<(), Code> {
    let code = query.fails.filter(|_| query.fails_at == at);
    code.map_or(Ok(()), |code| Code::new(code).map_or(Ok(()), Err))
}

/// The days that the request names, if it does.
fn own_range(call: &http::Call) -> Result<Option<(Date, Date)>, Code> {
    let read = |name: &str| match call.param(name) {
        None => Ok(None),
        Some(text) => Date::strptime("%Y%m%d", text)
            .ok()
            .filter(|_| text.len() == 8)
            .map(Some)
            .ok_or(Code::REQUEST),
    };
    match (read("fd")?, read("td")?) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from <= to && days::between(from, to) < LONGEST => {
            Ok(Some((from, to)))
        }
        _ => Err(Code::REQUEST),
    }
}

/// The days to report. Activity ends yesterday, whatever was asked for.
fn range(query: &QuerySpec, own: Option<(Date, Date)>, today: Date) -> Result<(Date, Date), Code> {
    let last = if query.kind == QueryType::Activity { plus(today, -1) } else { today };
    let period = Period::parse(query.period()).map_err(|_| Code::QUERY)?;
    let (from, to) = own.unwrap_or_else(|| period.range(today, last));
    Ok((from, to.min(last).max(from)))
}

/// The address of the statement, and the host that alone has it if only one has.
fn url(world: &World, call: &http::Call) -> (String, Option<String>) {
    let spec = &world.flex.spec;
    let scheme = if world.is_plain { "http" } else { "https" };
    let asked = if call.host.is_empty() { "127.0.0.1" } else { &call.host };
    let swapped = spec.url_swap.then(|| twin(asked));
    let host = spec.url_host.clone().or_else(|| swapped.clone());
    let shown = host.clone().unwrap_or_else(|| asked.to_owned());
    (format!("{scheme}://{shown}{BASE}GetStatement"), swapped.and(host))
}

fn twin(host: &str) -> String {
    match host.strip_prefix("localhost") {
        Some(port) => format!("127.0.0.1{port}"),
        None => host.replacen("127.0.0.1", "localhost", 1),
    }
}

fn get(world: &mut World, call: &http::Call) -> Result<Reply, Code> {
    let code: u64 = call.param("q").ok_or(Code::REQUEST)?.parse().map_err(|_| Code::REFERENCE)?;
    let token = call.param("t").unwrap_or_default();
    let (now, waits) = (world.clock.now_ms(), world.flex.spec.polls);
    let twin_code = Code::new(world.flex.spec.twin_code).unwrap_or(Code::REFERENCE);
    let found = world.flex.reference(code).filter(|reference| reference.token == token);
    let reference = found.ok_or(Code::REFERENCE)?;
    if reference.host.as_ref().is_some_and(|host| *host != call.host) {
        return Err(twin_code);
    }
    reference.polls += 1;
    let is_ready = now >= reference.ready_ms && reference.polls > waits;
    let asked = reference.clone();
    world.flex.count_query(&asked.query, Call::Get);
    let query = world.flex.spec.query(&asked.query).cloned().ok_or(Code::QUERY)?;
    if !is_ready {
        return Err(Code::IN_PROGRESS);
    }
    fails(&query, Call::Get)?;
    let today = NewYork::default().day(asked.asked_ms);
    if query.kind == QueryType::Activity && asked.range.0 >= today {
        return Err(Code::NOT_AVAILABLE);
    }
    if let Some(reference) = world.flex.reference(code) {
        reference.delivered += 1;
    }
    world.flex.count_statement(&asked.query);
    Ok(deliver(world, &asked, query))
}

fn deliver(world: &World, asked: &Reference, query: QuerySpec) -> Reply {
    let part = world.flex.spec.truncate;
    let statement = Statement::new(world, asked, query);
    let reply = Reply::flow(statement);
    if part > 0.0 { reply.cut(part) } else { reply }
}
