//! The control API's part about Flex: what was asked, and how the service behaves from now on.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use super::desk::Next;
use super::spec::{FlexSpec, QuerySpec};
use crate::http::Reply;
use crate::state::World;

/// Body of `POST /flex`: what is named changes, and stays so.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    #[serde(default)]
    next: Vec<Next>,
    token: Option<String>,
    expired: Option<Vec<String>>,
    ip_restricted: Option<Vec<String>>,
    expires: Option<Date>,
    queries: Option<Vec<QuerySpec>>,
    generate_millis: Option<i64>,
    polls: Option<u32>,
    url_host: Option<String>,
    url_swap: Option<bool>,
    twin_code: Option<u16>,
    size_mb: Option<f64>,
    surprises: Option<bool>,
    html: Option<bool>,
    truncate: Option<f64>,
    delay_ms: Option<u64>,
    state: Option<u16>,
    trade_lag_millis: Option<i64>,
}

/// Answers `GET /flex` and `POST /flex`; `None` for any other request.
pub(crate) fn control(world: &mut World, method: &str, path: &str, body: &[u8]) -> Option<Reply> {
    match (method, path) {
        ("GET", "/flex") => Some(Reply::json(&world.flex.report(world.clock.now_ms()))),
        ("POST", "/flex") => Some(change(world, body)),
        _ => None,
    }
}

fn change(world: &mut World, body: &[u8]) -> Reply {
    let body: Body = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Reply::error(400, &error.to_string()),
    };
    let next = body.next.clone();
    let spec = body.applied_to(world.flex.spec.clone());
    let codes = next.iter().try_for_each(|n| super::codes::Code::new(n.code).map(|_| ()));
    if let Err(error) = spec.check().and(codes) {
        return Reply::error(400, &error);
    }
    world.flex.spec = spec;
    world.flex.next.extend(next.into_iter().filter(|next| next.count > 0));
    Reply::json(&json!({ "ok": true, "waiting": world.flex.next.len() }))
}

impl Body {
    fn applied_to(self, old: FlexSpec) -> FlexSpec {
        FlexSpec {
            token: self.token.unwrap_or(old.token),
            expired: self.expired.unwrap_or(old.expired),
            ip_restricted: self.ip_restricted.unwrap_or(old.ip_restricted),
            expires: self.expires.or(old.expires),
            queries: self.queries.unwrap_or(old.queries),
            generate_millis: self.generate_millis.unwrap_or(old.generate_millis),
            polls: self.polls.unwrap_or(old.polls),
            // An empty name is none.
            url_host: self.url_host.or(old.url_host).filter(|host| !host.is_empty()),
            url_swap: self.url_swap.unwrap_or(old.url_swap),
            twin_code: self.twin_code.unwrap_or(old.twin_code),
            size_mb: self.size_mb.unwrap_or(old.size_mb),
            surprises: self.surprises.unwrap_or(old.surprises),
            html: self.html.unwrap_or(old.html),
            truncate: self.truncate.unwrap_or(old.truncate),
            delay_ms: self.delay_ms.unwrap_or(old.delay_ms),
            state: self.state.unwrap_or(old.state),
            trade_lag_millis: self.trade_lag_millis.unwrap_or(old.trade_lag_millis),
        }
    }
}
