//! An `ib-mcp` that serves HTTP, and a client that speaks it by hand: what nobody sends by accident can be sent, too.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;

use crate::{PATIENCE, Reply, World};

/// The revision that sessions begin with here.
pub const LEGACY: &str = "2025-11-25";
/// The one without sessions.
pub const MODERN: &str = "2026-07-28";

/// A server.
pub struct Http {
    /// Its process.
    pub child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What lets a client in.
    pub token: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Its line, and the headers, in small letters.
    pub head: String,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_it = |line: &&str| line.split_once(':').is_some_and(|(one, _)| one == name);
        self.head.lines().find(is_it)?.split_once(':').map(|(_, value)| value.trim())
    }

    /// The messages of a stream of events, or the one that the body is.
    pub fn messages(&self) -> Vec<Value> {
        if !self.header("content-type").is_some_and(|kind| kind.contains("event-stream")) {
            return vec![serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))];
        }
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
    }

    /// The message that answers.
    pub fn json(&self) -> Value {
        let is_answer = |message: &Value| message.get("method").is_none();
        self.messages().into_iter().rfind(is_answer).unwrap_or_else(|| panic!("{self:?}"))
    }
}

impl Http {
    /// Makes a token and starts a server of this world.
    pub async fn start(world: &World, arguments: &[&str]) -> Self {
        let token = Self::new_token(world).await;
        let mut command = world.command("ib-mcp");
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it listens").unwrap();
        let ready: Value = serde_json::from_str(&line.expect("it says where")).unwrap();
        let url = ready["url"].as_str().unwrap();
        let (_, rest) = url.split_once("://").unwrap();
        let address = rest.split('/').next().unwrap().parse().unwrap();
        Self { child, address, token }
    }

    /// Makes a token, which is the only one from now on.
    pub async fn new_token(world: &World) -> String {
        let output = world.command("ib-mcp").arg("--new-token").output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The head of a request with these headers; one of an empty value is left out, and one that is usual is replaced.
    pub fn head(&self, method: &str, headers: &[(&str, &str)]) -> String {
        let (host, bearer) = (self.address.to_string(), format!("Bearer {}", self.token));
        let usual = [
            ("host", host.as_str()),
            ("authorization", bearer.as_str()),
            ("accept", "application/json, text/event-stream"),
            ("content-type", "application/json"),
            ("connection", "close"),
        ];
        let usual =
            usual.iter().filter(|(name, _)| !headers.iter().any(|(given, _)| given == name));
        let all = usual.chain(headers).filter(|(_, value)| !value.is_empty());
        let lines: String = all.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{method} /mcp HTTP/1.1\r\n{lines}")
    }

    /// A connection.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a message and takes the whole answer.
    pub async fn post(&self, headers: &[(&str, &str)], message: &Value) -> Answer {
        let body = message.to_string();
        let head = self.head("POST", headers);
        exchange(
            self.connect().await,
            &format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
        )
        .await
    }

    /// Sends a request without a body and takes the whole answer.
    pub async fn bare(&self, method: &str, headers: &[(&str, &str)]) -> Answer {
        let head = self.head(method, headers);
        exchange(self.connect().await, &format!("{head}\r\n")).await
    }

    /// A request of the era without sessions.
    pub async fn modern(
        &self,
        headers: &[(&str, &str)],
        method: &str,
        mut params: Value,
    ) -> Answer {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "modern", "version": "1" },
        });
        let name =
            params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned();
        let mut all = vec![
            ("mcp-protocol-version", MODERN),
            ("mcp-method", method),
            ("mcp-name", name.as_str()),
        ];
        all.extend(headers);
        self.post(&all, &request(1, method, params)).await
    }

    /// Begins a session.
    pub async fn session(&self, headers: &[(&str, &str)]) -> Session<'_> {
        let params = json!({
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": { "name": "web", "version": "1" },
        });
        let hello = self.post(headers, &request(0, "initialize", params)).await;
        assert_eq!(hello.status, 200, "{hello:?}");
        assert_eq!(hello.json()["result"]["serverInfo"]["name"], "ib-mcp", "{hello:?}");
        let id = hello.header("mcp-session-id").expect("a session").to_owned();
        let session = Session { http: self, id };
        let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(session.post(&begun).await.status, 202);
        session
    }
}

/// A session of a client.
pub struct Session<'a> {
    http: &'a Http,
    /// Its name.
    pub id: String,
}

impl Session<'_> {
    /// What each of its requests says.
    pub fn headers(&self) -> [(&str, &str); 2] {
        [("mcp-session-id", self.id.as_str()), ("mcp-protocol-version", LEGACY)]
    }

    /// Sends a message.
    pub async fn post(&self, message: &Value) -> Answer {
        self.http.post(&self.headers(), message).await
    }

    /// A request and its answer.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        let answer = self.post(&request(7, method, params)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// A call and what the tool answered.
    pub async fn call(&self, tool: &str, arguments: Value) -> Reply {
        let call = json!({ "name": tool, "arguments": arguments });
        reply(&self.request("tools/call", call).await)
    }

    /// Names of the tools that it sees.
    pub async fn tools(&self) -> Vec<String> {
        tools(&self.request("tools/list", json!({})).await)
    }
}

/// A request as a message.
pub fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// Names of the tools in an answer.
pub fn tools(answer: &Value) -> Vec<String> {
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

/// What a tool answered.
pub fn reply(answer: &Value) -> Reply {
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    Reply {
        is_error: result["isError"] == true,
        json: serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}")),
        structured: result.get("structuredContent").cloned(),
    }
}

/// Sends all of it and takes the whole answer.
pub async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, sent: &str) -> Answer {
    // Whoever is refused early may find that nobody reads any more.
    let _ = stream.write_all(sent.as_bytes()).await;
    heard(stream).await
}

/// What is answered until the connection ends.
pub async fn heard(mut stream: impl AsyncRead + Unpin) -> Answer {
    let (mut all, mut piece) = (Vec::new(), vec![0; 64 << 10]);
    while let Ok(read @ 1..) = timeout(PATIENCE, stream.read(&mut piece)).await.expect("an answer")
    {
        all.extend_from_slice(&piece[..read]);
    }
    let all = String::from_utf8(all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {all:?}"));
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = head.contains("transfer-encoding: chunked");
    let body = if is_chunked { joined(body) } else { body.to_owned() };
    Answer { status, head, body }
}

/// A body that came in pieces.
fn joined(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 || after.len() < size {
            break;
        }
        body.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    body
}
