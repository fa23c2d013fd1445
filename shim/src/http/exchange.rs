//! One request and its answer: who may ask is decided here, what is asked by the SDK.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::request::Parts;
use hyper::http::response::Builder;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, header};
use rmcp::RoleServer;
use rmcp::model::{ClientRequest, GetMeta, JsonRpcMessage, RequestId};
use rmcp::service::RxJsonRpcMessage;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::connections::Visitor;
use super::names::Names;
use super::servers::{ASKS, Asks, Begins, Stricter};
use super::sessions::{Sessions, Use};
use super::token::Token;
use crate::line::{self, Understood};
use crate::server::Server;

/// Longest body that is read, in bytes: arguments of the longest call, and as much again around them.
pub(crate) const MOST_BYTES: usize = 2 << 20;
/// A body is there after so long, or it does not come.
const UPLOAD: Duration = Duration::from_secs(30);
/// Where MCP is.
pub(crate) const PATH: &str = "/mcp";
/// Seconds after which somebody for whom there was no room may ask again.
const COME_AGAIN: &str = "30";
const SESSION: &str = "mcp-session-id";

const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const NO_ROOM: i32 = line::TOO_BUSY;

/// The SDK's side of it.
pub(crate) type Sdk = StreamableHttpService<Arc<Server>, LocalSessionManager>;

/// An answer.
pub(crate) type Reply = Response<BoxBody<Bytes, Infallible>>;

/// What answers.
pub(crate) struct Exchange {
    pub(crate) sdk: Sdk,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) names: Names,
    pub(crate) token: Token,
}

/// What a body says.
enum Said {
    /// This, which the SDK reads.
    Message(Bytes, Begins),
    /// A handshake, by a client whose era has none.
    Handshake(RequestId),
    /// What cannot be read is answered with this.
    Answer(Value),
    /// What nobody waits for an answer to.
    Nothing,
}

impl Exchange {
    /// The answer to a request.
    pub(crate) async fn answer(&self, request: Request<Incoming>, visitor: &Visitor) -> Reply {
        if let Err(refused) = self.admit(request.uri().path(), request.headers()) {
            return *refused;
        }
        visitor.is_let_in();
        let used = session_of(request.headers()).and_then(|id| self.sessions.use_of(id));
        let (reply, begun) = if request.method() == Method::POST {
            self.posted(request).await
        } else {
            (self.sdk.handle(request).await, None)
        };
        match begun.or(used) {
            Some(used) => hold(reply, used),
            None => reply,
        }
    }

    /// Whether somebody may ask here at all, and if not, the answer.
    fn admit(&self, path: &str, headers: &HeaderMap) -> Result<(), Box<Reply>> {
        let host = only(headers, header::HOST).unwrap_or_default();
        if !self.names.may_be_called(host) {
            let what = "This server does not go by that Host. If clients reach it by that name, start ib-mcp with \
                --allow-host NAME.";
            return Err(Box::new(refusal(StatusCode::FORBIDDEN, what)));
        }
        if headers.contains_key(header::ORIGIN) {
            let may = only(headers, header::ORIGIN).is_some_and(|it| self.names.may_ask(it, host));
            if !may {
                let what = "Pages of that Origin may not ask here.";
                return Err(Box::new(refusal(StatusCode::FORBIDDEN, what)));
            }
        }
        if path.trim_end_matches('/') != PATH {
            return Err(Box::new(refusal(
                StatusCode::NOT_FOUND,
                "MCP is at /mcp, and nothing else is.",
            )));
        }
        if !bearer(headers).is_some_and(|token| self.token.is(token)) {
            let what = "A token is needed, and this is none or another one: send `Authorization: Bearer TOKEN`. \
                `ib-mcp --new-token` makes a new one and shows it.";
            let mut reply = refusal(StatusCode::UNAUTHORIZED, what);
            let challenge = header::HeaderValue::from_static("Bearer realm=\"ib-mcp\"");
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            return Err(Box::new(reply));
        }
        Ok(())
    }

    /// The answer to a message, and the use of the session that it began.
    async fn posted(&self, request: Request<Incoming>) -> (Reply, Option<Use>) {
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(refused) => return (*refused, None),
        };
        match said(body) {
            Said::Message(body, begins) => self.handed_on(parts, body, begins).await,
            Said::Handshake(id) => {
                let what = "initialize: since 2026-07-28 there is no handshake";
                (error(StatusCode::NOT_FOUND, METHOD_NOT_FOUND, (json!(id), what)), None)
            }
            Said::Answer(answer) => (reply(with(StatusCode::BAD_REQUEST), &answer), None),
            Said::Nothing => (empty(StatusCode::ACCEPTED), None),
        }
    }

    async fn handed_on(&self, parts: Parts, body: Bytes, begins: Begins) -> (Reply, Option<Use>) {
        let stricter = match Stricter::of(&parts.headers) {
            Ok(stricter) => stricter,
            Err(wrong) => return (refusal(StatusCode::BAD_REQUEST, &wrong), None),
        };
        if begins == Begins::Session && !self.sessions.make_room().await {
            return (full("All sessions are in use; end one, or come again later."), None);
        }
        let request = Request::from_parts(parts, Full::new(body));
        let asks = Asks { begins, stricter };
        let reply = ASKS.scope(asks, self.sdk.handle(request)).await;
        let begun = match begins {
            Begins::Session => session_of(reply.headers()).map(|id| self.sessions.begun(id)),
            Begins::Nothing => None,
        };
        (reply, begun)
    }
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION)?.to_str().ok()
}

/// The text of a header that stands there once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = only(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What was sent, if it is not more than is read and comes in time.
async fn read(body: Incoming) -> Result<Bytes, Box<Reply>> {
    let too_much = || {
        let what = format!("At most {MOST_BYTES} bytes are read of a message.");
        Box::new(closing(refusal(StatusCode::PAYLOAD_TOO_LARGE, &what)))
    };
    if body.size_hint().lower() > MOST_BYTES as u64 {
        return Err(too_much());
    }
    match timeout(UPLOAD, Limited::new(body, MOST_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_much()),
        Ok(Err(_)) => {
            let what = "The message broke off.";
            Err(Box::new(closing(refusal(StatusCode::BAD_REQUEST, what))))
        }
        Err(_) => {
            let what = "The message did not come in time.";
            Err(Box::new(closing(refusal(StatusCode::REQUEST_TIMEOUT, what))))
        }
    }
}

/// As a line of stdin is read, for the same reasons.
fn said(body: Bytes) -> Said {
    match line::alone(&body) {
        Understood::Message(message) => match begins(&message) {
            Ok(begins) => Said::Message(body, begins),
            Err(id) => Said::Handshake(id),
        },
        Understood::Repaired(message) => match serde_json::to_vec(&message) {
            Ok(repaired) => Said::Message(repaired.into(), Begins::Nothing),
            Err(_) => Said::Message(body, Begins::Nothing),
        },
        Understood::Answer(answer) => Said::Answer(answer),
        Understood::Nothing if body.iter().all(u8::is_ascii_whitespace) => {
            Said::Answer(failure(INVALID_REQUEST, (Value::Null, "there is no message")))
        }
        Understood::Nothing => Said::Nothing,
    }
}

/// What begins with a message; or its id, if it would begin what its era does not have.
fn begins(message: &RxJsonRpcMessage<RoleServer>) -> Result<Begins, RequestId> {
    match message {
        JsonRpcMessage::Request(request) => match &request.request {
            ClientRequest::InitializeRequest(_) => {
                match request.request.get_meta().protocol_version() {
                    Some(_) => Err(request.id.clone()),
                    None => Ok(Begins::Session),
                }
            }
            _ => Ok(Begins::Nothing),
        },
        _ => Ok(Begins::Nothing),
    }
}

/// There is no room for somebody.
pub(crate) fn full(what: &str) -> Reply {
    let mut reply = error(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM, (Value::Null, what));
    let later = header::HeaderValue::from_static(COME_AGAIN);
    reply.headers_mut().insert(header::RETRY_AFTER, later);
    reply
}

fn refusal(status: StatusCode, what: &str) -> Reply {
    error(status, INVALID_REQUEST, (Value::Null, what))
}

/// A JSON-RPC error; `of`: which request it answers, and the words.
fn error(status: StatusCode, code: i32, of: (Value, &str)) -> Reply {
    tracing::debug!(%status, what = of.1, "refused");
    reply(with(status), &failure(code, of))
}

fn failure(code: i32, (id, what): (Value, &str)) -> Value {
    let error = json!({ "code": code, "message": what });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

fn with(status: StatusCode) -> Builder {
    Response::builder().status(status).header(header::CONTENT_TYPE, "application/json")
}

fn reply(with: Builder, json: &Value) -> Reply {
    let body = Full::new(Bytes::from(json.to_string())).boxed();
    // A status and headers that are constants make no builder fail.
    with.body(body).unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::new()).boxed());
    *reply.status_mut() = status;
    reply
}

/// The last answer over its connection: what is still being sent is not waited for.
fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    reply
}

/// Uses a session until the answer is sent, or whoever reads it is gone.
fn hold(reply: Reply, used: Use) -> Reply {
    reply.map(|body| Held { body, _used: used }.boxed())
}

struct Held {
    body: BoxBody<Bytes, Infallible>,
    _used: Use,
}

impl Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), header::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_token_is_read_as_people_write_it_and_never_from_two() {
        for (given, expected) in [
            ("Bearer ibd_x", Some("ibd_x")),
            ("bearer  ibd_x ", Some("ibd_x")),
            ("Basic ibd_x", None),
            ("ibd_x", None),
            ("", None),
        ] {
            let headers = headers(&[(header::AUTHORIZATION, given)]);
            assert_eq!(bearer(&headers), expected, "{given}");
        }
        let twice = [(header::AUTHORIZATION, "Bearer a"), (header::AUTHORIZATION, "Bearer b")];
        assert_eq!(bearer(&headers(&twice)), None);
    }

    #[test]
    fn what_is_sent_is_read_as_a_line_is() {
        let is = |body: &'static str| said(Bytes::from_static(body.as_bytes()));
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",
            "capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
        assert!(matches!(is(hello), Said::Message(body, Begins::Session) if body == hello));
        let modern = r#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-11-25",
            "capabilities":{},"clientInfo":{"name":"x","version":"1"},
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        assert!(matches!(is(modern), Said::Handshake(RequestId::Number(7))));
        for none in ["[]", "{", "", "\r\n"] {
            assert!(matches!(is(none), Said::Answer(_)), "{none:?}");
        }
        assert!(matches!(is(r#"{"jsonrpc":"2.0","method":1}"#), Said::Nothing));
        let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":"{\"a\":1}",
            "_meta":{"progressToken":"p"}}}"#;
        let Said::Message(repaired, Begins::Nothing) = is(text) else { unreachable!() };
        let repaired: Value = serde_json::from_slice(&repaired).unwrap();
        assert_eq!(repaired["params"]["arguments"], json!({ "a": 1 }));
        assert_eq!(repaired["params"]["_meta"]["progressToken"], "p");
        assert_eq!((&repaired["id"], &repaired["method"]), (&json!(1), &json!("tools/call")));
    }
}
