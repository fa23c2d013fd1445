//! A simulator in this process and the smallest HTTP client that can talk to it.

use ib_sim::{Options, Scenario, Sim};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// Sends one request and reads until the server closes; `None` if it closed without a reply.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &str,
) -> Option<Answer> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    // A reset counts as a close: what matters is whether a reply came first.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), text: body.to_owned() })
}

/// One request as text.
pub(crate) fn request(method: &str, path: &str, body: Option<&Value>) -> String {
    let body = body.map(Value::to_string).unwrap_or_default();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A running simulator and its two addresses.
pub(crate) struct World {
    sim: Sim,
}

impl World {
    /// With this scenario (JSON text), over plain HTTP.
    pub(crate) async fn start(scenario: &str) -> Self {
        Self::with(scenario, false).await
    }

    /// The same, logged out.
    pub(crate) async fn logged_out(scenario: &str) -> Self {
        Self::with(scenario, true).await
    }

    async fn with(scenario: &str, require_login: bool) -> Self {
        let scenario: Scenario = serde_json::from_str(scenario).unwrap();
        let options = Options { http: true, require_login, scenario, ..Options::default() };
        Self { sim: Sim::start(options).await.unwrap() }
    }

    /// A simulator without pacing, primed on both sides.
    pub(crate) async fn primed() -> Self {
        let world = Self::start(r#"{"pacing":false}"#).await;
        world.prime().await;
        world
    }

    /// The two calls that everything else waits for.
    pub(crate) async fn prime(&self) {
        assert_eq!(self.get("/iserver/accounts").await.status, 200);
        assert_eq!(self.get("/portfolio/accounts").await.status, 200);
    }

    /// Where the broker listens, without the scheme.
    pub(crate) fn address(&self) -> &str {
        self.sim.gateway().strip_prefix("http://").unwrap()
    }

    /// Sends raw text to the broker.
    pub(crate) async fn raw(&self, text: &str) -> Option<Answer> {
        exchange(TcpStream::connect(self.address()).await.unwrap(), text).await
    }

    /// GET below `/v1/api`; the broker must answer.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    /// GET below `/v1/api`; `None` if the connection closed without a reply.
    pub(crate) async fn try_get(&self, path: &str) -> Option<Answer> {
        self.raw(&request("GET", &format!("/v1/api{path}"), None)).await
    }

    /// GET of JSON that must be a 200.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// POST below `/v1/api`.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.raw(&request("POST", &format!("/v1/api{path}"), Some(&body))).await.unwrap()
    }

    /// DELETE below `/v1/api`.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.raw(&request("DELETE", &format!("/v1/api{path}"), None)).await.unwrap()
    }

    /// Asks the control API; GET without a body, POST with one.
    pub(crate) async fn control(&self, path: &str, body: Option<Value>) -> Answer {
        let at = self.sim.control().strip_prefix("http://").unwrap();
        let method = if body.is_some() { "POST" } else { "GET" };
        exchange(TcpStream::connect(at).await.unwrap(), &request(method, path, body.as_ref()))
            .await
            .unwrap()
    }

    /// A control POST that must succeed.
    pub(crate) async fn tell(&self, path: &str, body: Value) -> Value {
        let answer = self.control(path, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Moves simulated time.
    pub(crate) async fn advance(&self, seconds: u32) {
        self.tell("/clock", serde_json::json!({ "advanceSeconds": seconds })).await;
    }

    /// Does something to the session.
    pub(crate) async fn session(&self, action: &str) -> Value {
        self.tell("/session", serde_json::json!({ "action": action })).await
    }
}
