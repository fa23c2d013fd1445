//! A line of stdin as a message, or as the answer to what is none. Pure, but for the set of ids that are open.

mod repeats;

use std::collections::HashSet;

use repeats::repeated;
use rmcp::RoleServer;
use rmcp::model::{
    ClientNotification, ClientRequest, CustomRequest, GetMeta, JsonRpcMessage, JsonRpcRequest,
    RequestId, RequestMetaObject,
};
use rmcp::service::RxJsonRpcMessage;
use serde_json::{Value, json};

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
pub(crate) const TOO_BUSY: i32 = -32000;
/// Requests of a client that may be under way; what one waits for takes memory.
pub(crate) const MOST_OPEN: usize = 256;
/// Methods that only the older era has.
const GONE: [&str; 2] = ["resources/subscribe", "resources/unsubscribe"];
/// What takes the address of a resource.
const OF_RESOURCES: &[&str] = &["resources/read", "resources/subscribe", "resources/unsubscribe"];
/// What Windows programs write before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What comes of a line.
#[derive(Debug)]
pub(crate) enum Understood {
    /// A message for the SDK.
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// The same, which is not what was written: what was meant by it is.
    Repaired(Box<RxJsonRpcMessage<RoleServer>>),
    /// It is answered at once: a JSON-RPC error.
    Answer(Value),
    /// Nobody waits for an answer.
    Nothing,
}

/// Requests that were read and not answered; and whether a session has begun.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    open: HashSet<RequestId>,
    /// Those that last until their client cancels them, or is gone.
    lasting: HashSet<RequestId>,
    has_begun: bool,
}

impl Ledger {
    /// Whether nothing is under way any more. Whoever listens is told that it is over; the SDK has to hear of that while
    /// it still reads, because afterwards it waits for whoever is about to say something, and takes no word.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.lasting.is_empty()
    }

    fn is_open(&self, id: &RequestId) -> bool {
        self.open.contains(id) || self.lasting.contains(id)
    }

    fn open(&mut self, request: &Request) {
        let requests = match &request.request {
            ClientRequest::SubscriptionsListenRequest(_) => &mut self.lasting,
            _ => &mut self.open,
        };
        requests.insert(request.id.clone());
    }

    /// A request was answered, or its caller does not want the answer any more.
    pub(crate) fn close(&mut self, id: &RequestId) {
        self.open.remove(id);
        self.lasting.remove(id);
    }

    /// Reads a line.
    pub(crate) fn understand(&mut self, line: &[u8]) -> Understood {
        match alone(line) {
            Understood::Message(message) | Understood::Repaired(message) => self.take(*message),
            answered => answered,
        }
    }

    /// What the SDK would drop, die of, or answer wrongly does not reach it.
    fn take(&mut self, message: RxJsonRpcMessage<RoleServer>) -> Understood {
        match &message {
            JsonRpcMessage::Request(request)
                if self.open.len() + self.lasting.len() >= MOST_OPEN =>
            {
                let what = format!(
                    "{MOST_OPEN} requests are under way; send more when these are answered"
                );
                return refused(json!(request.id), TOO_BUSY, &what);
            }
            JsonRpcMessage::Request(request) if self.is_open(&request.id) => {
                let what = "this id is that of a request that is not answered yet";
                return refused(json!(request.id), INVALID_REQUEST, what);
            }
            JsonRpcMessage::Request(request) => {
                self.open(request);
                self.has_begun |= begins(&request.request);
            }
            // The SDK takes any other message before the first request for the end of the session.
            _ if !self.has_begun => return Understood::Nothing,
            _ => {}
        }
        if let JsonRpcMessage::Notification(notification) = &message
            && let ClientNotification::CancelledNotification(cancelled) = &notification.notification
            && let Some(id) = &cancelled.params.request_id
        {
            self.close(id);
        }
        Understood::Message(Box::new(message))
    }
}

/// Reads a message that stands for itself: what was said before it is not known.
pub(crate) fn alone(line: &[u8]) -> Understood {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    if line.iter().all(u8::is_ascii_whitespace) {
        return Understood::Nothing;
    }
    let message = match serde_json::from_slice::<RxJsonRpcMessage<RoleServer>>(line) {
        Ok(message) => message,
        Err(error) => return not_a_message(line, &error),
    };
    match (message, repeated(line)) {
        (JsonRpcMessage::Request(request), Some(name)) => {
            let what = format!("{name:?} stands twice in one object: give it once");
            refused(json!(request.id), INVALID_PARAMS, &what)
        }
        (JsonRpcMessage::Request(request), None) => call(request),
        (message, _) => Understood::Message(Box::new(message)),
    }
}

/// The answer to a line of which only the head was kept.
pub(crate) fn too_long(head: &[u8], most: usize) -> Understood {
    let what = format!("a line of more than {} MiB is not read", most >> 20);
    refused(top_level_id(head), INVALID_REQUEST, &what)
}

/// Whether a session begins with this request: by its own name, or by saying which revision it speaks.
fn begins(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        other => other.get_meta().protocol_version().is_some(),
    }
}

type Request = JsonRpcRequest<ClientRequest>;

/// A call of a tool whose parameters are not of the protocol's shape: arguments in a text are read, and what is
/// missing or odd is named. The SDK would call the method unknown.
fn call(request: Request) -> Understood {
    let as_it_is = |request| Understood::Message(Box::new(JsonRpcMessage::Request(request)));
    let ClientRequest::CustomRequest(custom) = &request.request else { return as_it_is(request) };
    // The newer era has no such methods, whatever is given with them: the SDK says so.
    let is_gone = GONE.contains(&custom.method.as_str())
        && request.request.get_meta().protocol_version().is_some();
    if OF_RESOURCES.contains(&custom.method.as_str()) && !is_gone {
        let what = "params.uri must be a text: which resource is meant";
        return refused(json!(request.id), INVALID_PARAMS, what);
    }
    if custom.method != "tools/call" {
        return as_it_is(request);
    }
    match repaired(custom) {
        Ok(call) => {
            let request = Request { request: call, ..request };
            Understood::Repaired(Box::new(JsonRpcMessage::Request(request)))
        }
        Err(what) => refused(json!(request.id), INVALID_PARAMS, what),
    }
}

fn repaired(custom: &CustomRequest) -> Result<ClientRequest, &'static str> {
    let Some(Value::Object(params)) = &custom.params else {
        return Err("params must be an object with name and arguments");
    };
    if !params.get("name").is_some_and(Value::is_string) {
        return Err("params.name must be a text: which tool is called");
    }
    let mut params = params.clone();
    // The SDK has taken it off: who calls in which era, what progress is told under, and whose trace it is.
    if let Some(meta) = custom.extensions.get::<RequestMetaObject>() {
        params.insert("_meta".to_owned(), json!(meta));
    }
    match params.get("arguments") {
        None | Some(Value::Object(_)) => {}
        Some(Value::Null) => {
            params.remove("arguments");
        }
        Some(Value::String(text)) if text.trim().is_empty() => {
            params.remove("arguments");
        }
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(_) if repeated(text.as_bytes()).is_some() => {
                return Err("a name stands twice in params.arguments: give it once");
            }
            Ok(arguments @ Value::Object(_)) => {
                params.insert("arguments".to_owned(), arguments);
            }
            _ => return Err("params.arguments must be an object; a text must hold one as JSON"),
        },
        Some(_) => return Err("params.arguments must be an object: {\"name\": value}"),
    }
    let whole = json!({ "method": custom.method, "params": params });
    match serde_json::from_value::<ClientRequest>(whole) {
        Ok(call @ ClientRequest::CallToolRequest(_)) => Ok(call),
        _ => Err("params are not those of a call of a tool"),
    }
}

/// The answer to what is JSON and no message, or no JSON.
fn not_a_message(line: &[u8], error: &serde_json::Error) -> Understood {
    match serde_json::from_slice::<Value>(line) {
        // A broken notification or response has nobody who waits for an answer.
        Ok(Value::Object(object)) if !object.contains_key("id") => Understood::Nothing,
        Ok(value) => {
            let id = value.get("id").cloned().filter(is_id).unwrap_or(Value::Null);
            refused(id, INVALID_REQUEST, "this is JSON, but not an MCP message")
        }
        Err(_) => refused(top_level_id(line), PARSE_ERROR, &format!("this is not JSON: {error}")),
    }
}

fn refused(id: Value, code: i32, message: &str) -> Understood {
    tracing::warn!(code, message, "a line was not understood");
    let error = json!({ "code": code, "message": message });
    Understood::Answer(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

fn is_id(value: &Value) -> bool {
    value.is_number() || value.is_string()
}

/// The id of an object that cannot be read as a whole: it is cut, or no JSON further on. Only one that stands at the
/// top level is the request's.
fn top_level_id(line: &[u8]) -> Value {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = line.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let Some(end) = end_of_text(line, at) else { return Value::Null };
                if depth == 1 && &line[at..end] == b"\"id\"" {
                    let rest = line[end..].trim_ascii_start();
                    if let Some(rest) = rest.strip_prefix(b":") {
                        return first_id(rest);
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Value::Null
}

/// Behind the closing quote of the text that begins here.
fn end_of_text(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match line.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The number or text that a piece of JSON begins with.
fn first_id(rest: &[u8]) -> Value {
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
    match values.next() {
        Some(Ok(id)) if is_id(&id) => id,
        _ => Value::Null,
    }
}

#[cfg(test)]
#[path = "line/tests.rs"]
mod tests;
