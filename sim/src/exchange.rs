//! One exchange: a request comes in, is counted, perhaps spoiled, answered, and counted again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, DATE, HOST, HeaderName, HeaderValue,
    LOCATION, SET_COOKIE, USER_AGENT,
};
use hyper::{Request, Response, StatusCode};
use thiserror::Error;

use crate::api;
use crate::fault::{Mode, Outcome};
use crate::flow::Outgoing;
use crate::http::{Call, Reply};
use crate::socket::{self, Slot};
use crate::state::{Shared, World};
use crate::trading::Strike;

/// The longest request line, as at the real gateway.
const LONGEST_LINE: usize = 4096;
/// What a request line has besides method and target: two spaces and the version.
const LINE_EXTRA: usize = 10;

/// The connection closes without a reply. Returned to hyper, which then does just that.
#[derive(Debug, Error)]
#[error("the connection is dropped on purpose")]
pub(crate) struct Dropped;

/// Counts a request as long as it lives, also when the client goes before the answer.
struct InFlight {
    shared: Arc<Shared>,
    ticket: usize,
    status: Option<u16>,
    history: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut world = self.shared.world();
        let ms = world.clock.real_ms();
        world.record.finish(self.ticket, self.status, ms);
        if self.history {
            world.pacing.history_ended();
        }
    }
}

/// Serves one request of the simulated broker.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    slot: Slot,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Dropped> {
    let mut guard = arrive(&shared, &request);
    if socket::is_wanted(&request) {
        let response = socket::grant(&shared, &slot, request);
        guard.status = Some(response.status().as_u16());
        return Ok(response);
    }
    let too_long = is_too_long(&request);
    let Ok(call) = read(request).await else { return Err(Dropped) };
    let (outcome, holds_slot) = if too_long {
        (Outcome::Reply(Reply::empty(414)), false)
    } else {
        decide(&mut shared.world(), &call)
    };
    guard.history = holds_slot;
    match outcome {
        Outcome::Reply(reply) => {
            tokio::time::sleep(reply.after).await;
            guard.status = Some(reply.status);
            Ok(render(reply))
        }
        Outcome::Hang => std::future::pending().await,
        Outcome::Drop(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Err(Dropped)
        }
    }
}

fn arrive(shared: &Arc<Shared>, request: &Request<Incoming>) -> InFlight {
    let mut world = shared.world();
    let ms = world.clock.real_ms();
    let uri = request.uri();
    let ticket = world.record.arrive(
        request.method().as_str(),
        uri.path(),
        uri.query().unwrap_or_default(),
        ms,
    );
    drop(world);
    InFlight { shared: Arc::clone(shared), ticket, status: None, history: false }
}

fn is_too_long(request: &Request<Incoming>) -> bool {
    let target = request.uri().path_and_query().map_or(0, |t| t.as_str().len());
    request.method().as_str().len() + target + LINE_EXTRA > LONGEST_LINE
}

/// Reads a request. A body without a Content-Length is lost, as at the real gateway.
async fn read(request: Request<Incoming>) -> Result<Call, hyper::Error> {
    let (head, body) = request.into_parts();
    let is_form = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"application/x-www-form"));
    let has_length = head.headers.contains_key(CONTENT_LENGTH);
    let bytes = body.collect().await?.to_bytes();
    let bytes = if has_length { bytes } else { Bytes::new() };
    let text = |name: HeaderName| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let mut call = Call::new(
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        &bytes,
        is_form,
    );
    (call.agent, call.cookie, call.host) = (text(USER_AGENT), text(COOKIE), text(HOST));
    call.authorization = text(AUTHORIZATION);
    Ok(call)
}

/// What becomes of a call, and whether it holds one of the history slots meanwhile.
fn decide(world: &mut World, call: &Call) -> (Outcome, bool) {
    let fault = world.faults.take(&call.method, &call.path);
    if fault.is_none()
        && let Some(strike) = world.chaos.before(&call.method, &call.path)
    {
        if let Strike::Late(millis) = strike {
            world.put_off(call, millis);
        }
        return (strike.instead(), false);
    }
    match fault {
        Some(fault) if !fault.is_carried_out() => {
            if fault.mode == Mode::Late {
                world.put_off(call, fault.delay_ms);
            }
            (fault.instead(), false)
        }
        fault => {
            let reply = api::answer(world, call);
            let holds_slot = api::holds_history_slot(call, &reply);
            if holds_slot {
                world.pacing.history_began();
            }
            let outcome = match fault {
                Some(fault) => fault.spoil(reply),
                None => match world.chaos.after(&call.method, &call.path) {
                    Some(strike) => strike.spoil(reply),
                    None => Outcome::Reply(reply),
                },
            };
            (outcome, holds_slot)
        }
    }
}

/// A reply as hyper wants it.
fn render(mut reply: Reply) -> Response<Outgoing> {
    let mut response = Response::new(reply.outgoing());
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(kind) = reply.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Some(to) = reply.location {
        headers.insert(LOCATION, HeaderValue::from_static(to));
    }
    if let Some(date) = reply.date.and_then(|date| HeaderValue::try_from(date).ok()) {
        headers.insert(DATE, date);
    }
    for cookie in reply.cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// Serves one request of the control API. Its bodies are JSON, whatever they call themselves.
pub(crate) async fn control(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Infallible> {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let reply = match request.into_body().collect().await {
        Ok(body) => crate::control::answer(&mut shared.world(), &method, &path, &body.to_bytes()),
        Err(_) => Reply::error(400, "the body could not be read"),
    };
    Ok(render(reply))
}
