//! One call and one reply as plain data; nothing here touches a socket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::flow::{Flow, Outgoing, Source};

/// A request after parsing.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// `Null` when there is no body, or when it came chunked: the real gateway loses those.
    pub(crate) body: Value,
    /// The body was there but was not acceptable JSON.
    pub(crate) unreadable: bool,
    /// `User-Agent`.
    pub(crate) agent: String,
    /// `Cookie`.
    pub(crate) cookie: String,
    /// `Host`.
    pub(crate) host: String,
    /// `Authorization`.
    pub(crate) authorization: String,
    /// The query as it came, encoded.
    pub(crate) raw_query: String,
}

impl Call {
    /// Builds a call from its parts; `body` is what arrived with a Content-Length.
    pub(crate) fn new(method: &str, path: &str, query: &str, body: &[u8], form: bool) -> Self {
        let parsed = parse_body(body, form);
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(query.as_bytes()),
            unreadable: parsed.is_none(),
            body: parsed.unwrap_or(Value::Null),
            agent: String::new(),
            cookie: String::new(),
            host: String::new(),
            authorization: String::new(),
            raw_query: query.to_owned(),
        }
    }

    /// The real gateway asks for itself, not for a client.
    pub(crate) fn is_gateways_own(&self) -> bool {
        self.agent.starts_with("ClientPortalGW/")
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.cookie.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The path below the API prefix, cut at slashes; `None` outside the API.
    pub(crate) fn api_path(&self) -> Option<Vec<&str>> {
        let rest = ["/v1/api/", "/v1/portal/"].iter().find_map(|p| self.path.strip_prefix(p))?;
        Some(rest.split('/').filter(|s| !s.is_empty()).collect())
    }

    /// A query parameter that is present and not empty.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A query parameter that says `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A parameter from the query or, for POST, from the JSON body; numbers become text.
    pub(crate) fn either(&self, name: &str) -> Option<String> {
        if let Some(value) = self.param(name) {
            return Some(value.to_owned());
        }
        match self.body.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A comma-separated query parameter.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let value = self.param(name).unwrap_or_default();
        value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
    }
}

/// JSON (one line only, as the broker wants it) or a form; `None` is unreadable.
fn parse_body(body: &[u8], form: bool) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Null);
    }
    if form {
        let fields = pairs(body).into_iter().map(|(key, value)| (key, Value::String(value)));
        return Some(Value::Object(fields.collect()));
    }
    if body.trim_ascii().iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// What statements are.
const XML: &str = "text/xml;charset=UTF-8";

/// What goes back, and how long after.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) location: Option<&'static str>,
    /// Whole `Set-Cookie` values.
    pub(crate) cookies: Vec<String>,
    /// `Date`, where the broker's clock is not the system's.
    pub(crate) date: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Instead of the body: it is written while it is sent.
    pub(crate) flow: Option<Flow>,
    pub(crate) after: Duration,
}

impl Reply {
    fn with(status: u16, content_type: Option<&'static str>, body: impl Into<Vec<u8>>) -> Self {
        let (body, cookies) = (body.into(), Vec::new());
        let (location, date, flow, after) = (None, None, None, Duration::ZERO);
        Self { status, content_type, location, cookies, date, body, flow, after }
    }

    /// JSON with any status.
    pub(crate) fn status_json(status: u16, body: &Value) -> Self {
        Self::with(status, Some("application/json; charset=utf-8"), body.to_string())
    }

    /// 200 with JSON.
    pub(crate) fn json(body: &Value) -> Self {
        Self::status_json(200, body)
    }

    /// The bare form: `{"error":text}`.
    pub(crate) fn error(status: u16, text: &str) -> Self {
        Self::status_json(status, &json!({ "error": text }))
    }

    /// The form that repeats its status: `{"error":text,"statusCode":status}`.
    pub(crate) fn refusal(status: u16, text: &str) -> Self {
        Self::status_json(status, &json!({ "error": text, "statusCode": status }))
    }

    /// 400 in the broker's words: `Bad Request: …`.
    pub(crate) fn bad_request(text: &str) -> Self {
        Self::refusal(400, &format!("Bad Request: {text}"))
    }

    /// A status with no body and no content type.
    pub(crate) fn empty(status: u16) -> Self {
        Self::with(status, None, "")
    }

    /// An HTML page.
    pub(crate) fn html(status: u16, page: &str) -> Self {
        Self::with(status, Some("text/html"), page)
    }

    /// 200 with a small XML document.
    pub(crate) fn xml(document: String) -> Self {
        Self::with(200, Some(XML), document)
    }

    /// 200 with a document of any size.
    pub(crate) fn flow(source: impl Source + 'static) -> Self {
        Self { flow: Some(Flow::new(source)), ..Self::with(200, Some(XML), "") }
    }

    /// Only this part of the body, as if it were the whole.
    pub(crate) fn cut(mut self, part: f64) -> Self {
        self.body.truncate((self.body.len() as f64 * part) as usize);
        self.flow = self.flow.map(|flow| flow.cut(part));
        self
    }

    /// The body as it is sent.
    pub(crate) fn outgoing(&mut self) -> Outgoing {
        match self.flow.take() {
            Some(flow) => flow.start(),
            None => Outgoing::Whole(std::mem::take(&mut self.body).into()),
        }
    }

    /// The body, all of it at once.
    pub(crate) fn whole(&self) -> Vec<u8> {
        let mut body = self.body.clone();
        // Nothing goes wrong in memory.
        let _ = self.flow.as_ref().map(|flow| flow.write(&mut body));
        body
    }

    /// Plain text.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::with(status, Some("text/plain"), text)
    }

    /// 302 to a path of ours.
    pub(crate) fn redirect(location: &'static str) -> Self {
        Self { location: Some(location), ..Self::empty(302) }
    }

    /// The same reply with a cookie that ends with the browser.
    pub(crate) fn with_cookie(mut self, name: &str, value: &str, path: &str) -> Self {
        self.cookies.push(format!("{name}={value}; Path={path}"));
        self
    }

    /// What the broker says about a path that it does not know.
    pub(crate) fn not_found() -> Self {
        Self::html(404, "<html><body><h1>Resource not found</h1></body></html>")
    }

    /// The same reply, this much later.
    pub(crate) fn delayed(mut self, millis: u64) -> Self {
        self.after += Duration::from_millis(millis);
        self
    }
}
