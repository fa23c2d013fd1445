//! An `ib-mcp` with a client's end of its pipes, one JSON line at a time.

use std::collections::VecDeque;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::PATIENCE;

/// A running shim.
pub struct Shim {
    /// Its process.
    pub child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    next: u64,
    /// Notifications that came while an answer was awaited.
    pub notifications: Vec<Value>,
    unclaimed: VecDeque<Value>,
}

/// What a tool answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Whether it is an error result.
    pub is_error: bool,
    /// The JSON in the first text.
    pub json: Value,
    /// `structuredContent`, which errors do not have.
    pub structured: Option<Value>,
}

impl Reply {
    /// The code of an error.
    pub fn error(&self) -> &str {
        assert!(self.is_error, "{:?}", self.json);
        self.json["error"].as_str().unwrap()
    }

    /// The result, which must be one.
    pub fn ok(self) -> Value {
        assert!(!self.is_error, "{}", self.json);
        self.json
    }
}

impl Shim {
    /// Starts it.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            stdin,
            stdout,
            next: 0,
            notifications: Vec::new(),
            unclaimed: VecDeque::new(),
        }
    }

    /// Shakes hands as a client of 2025-06-18 does.
    pub async fn initialize(&mut self) -> Value {
        self.initialize_as("harness", json!({})).await
    }

    /// The same under another name, as a client that can do more.
    pub async fn initialize_as(&mut self, name: &str, capabilities: Value) -> Value {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": capabilities,
            "clientInfo": { "name": name, "version": "1" },
        });
        let answer = self.request("initialize", params).await;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer
    }

    /// Sends a request without waiting; its id.
    pub async fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Sends a call without waiting; its id.
    pub async fn begin_call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.begin("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// Waits for the whole answer to a request.
    pub async fn answer(&mut self, id: u64) -> Value {
        loop {
            let is_it = |message: &Value| message["id"] == id && message.get("method").is_none();
            if let Some(at) = self.unclaimed.iter().position(is_it) {
                return self.unclaimed.remove(at).unwrap();
            }
            self.hear().await;
        }
    }

    /// Waits for the next question that the server asks its client.
    pub async fn asked(&mut self) -> Value {
        loop {
            let asks = |message: &Value| message.get("method").is_some();
            if let Some(at) = self.unclaimed.iter().position(asks) {
                return self.unclaimed.remove(at).unwrap();
            }
            self.hear().await;
        }
    }

    /// Waits for what a call answered, or for the question that comes before it.
    pub async fn reply_or_asked(&mut self, id: u64) -> Result<Reply, Value> {
        loop {
            let is_it = |m: &Value| m.get("method").is_some() || m["id"] == id;
            match self.unclaimed.iter().position(is_it) {
                Some(at) if self.unclaimed[at].get("method").is_some() => {
                    return Err(self.unclaimed.remove(at).unwrap());
                }
                Some(_) => return Ok(self.reply(id).await),
                None => self.hear().await,
            }
        }
    }

    /// Answers a question of the server's.
    pub async fn respond(&mut self, asked: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result })).await;
    }

    /// Waits for the event of this code, among those that have come already too.
    pub async fn notice(&mut self, code: &str) -> Value {
        let is_it = |message: &Value| {
            message["method"] == "notifications/message"
                && message["params"]["data"]["code"] == code
        };
        loop {
            if let Some(at) = self.notifications.iter().position(is_it) {
                return self.notifications.remove(at)["params"].clone();
            }
            self.hear().await;
        }
    }

    /// Waits until a resource is told to have changed, among what has come already too; the whole notification.
    pub async fn updated(&mut self, uri: &str) -> Value {
        self.notified("notifications/resources/updated", |params| params["uri"] == uri).await
    }

    /// Waits for a notification whose parameters are these.
    pub async fn notified(&mut self, method: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let found = self
                .notifications
                .iter()
                .position(|message| message["method"] == method && is_it(&message["params"]));
            if let Some(at) = found {
                return self.notifications.remove(at);
            }
            self.hear().await;
        }
    }

    /// Takes what comes within a time; how many updates of a resource have come and were not waited for. They are
    /// gone then.
    pub async fn updates_within(&mut self, uri: &str, time: std::time::Duration) -> usize {
        let _ = timeout(time, self.hear_on()).await;
        let before = self.notifications.len();
        self.notifications.retain(|message| message["params"]["uri"] != uri);
        before - self.notifications.len()
    }

    async fn hear_on(&mut self) {
        loop {
            self.hear().await;
        }
    }

    /// What a resource says.
    pub async fn read(&mut self, uri: &str) -> Value {
        let answer = self.request("resources/read", json!({ "uri": uri })).await;
        let contents = &answer["result"]["contents"][0];
        assert_eq!(
            (&contents["uri"], &contents["mimeType"]),
            (&json!(uri), &json!("application/json")),
            "{answer}"
        );
        let text = contents["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// Subscribes to a resource, as clients up to 2025-11-25 do.
    pub async fn subscribe(&mut self, uri: &str) {
        let answer = self.request("resources/subscribe", json!({ "uri": uri })).await;
        assert!(answer["result"].is_object(), "{answer}");
    }

    /// Takes one line more.
    async fn hear(&mut self) {
        let message = self.line().await.expect("the shim lives");
        match message.get("id") {
            Some(_) => self.unclaimed.push_back(message),
            None => self.notifications.push(message),
        }
    }

    /// Waits for what a call answered.
    pub async fn reply(&mut self, id: u64) -> Reply {
        let answer = self.answer(id).await;
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        Reply {
            is_error: result["isError"] == true,
            json: serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}")),
            structured: result.get("structuredContent").cloned(),
        }
    }

    /// A request and its answer.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        self.answer(id).await
    }

    /// A call and its answer.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Reply {
        let id = self.begin_call(tool, arguments).await;
        self.reply(id).await
    }

    /// Names of the tools it lists.
    pub async fn tools(&mut self) -> Vec<Value> {
        let answer = self.request("tools/list", json!({})).await;
        answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Sends one message.
    pub async fn send(&mut self, message: &Value) {
        self.send_bytes(format!("{message}\n").as_bytes()).await;
    }

    /// Sends anything.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// The next line of its stdout, which must be JSON. `None`: stdout is closed.
    pub async fn line(&mut self) -> Option<Value> {
        let line =
            timeout(PATIENCE, self.stdout.next_line()).await.expect("a line in time").unwrap()?;
        Some(
            serde_json::from_str(&line)
                .unwrap_or_else(|_| panic!("stdout has something else: {line}")),
        )
    }

    /// The next line that is no notification: those come when they come.
    pub async fn next_answer(&mut self) -> Value {
        loop {
            let line = self.line().await.expect("stdout is open");
            if line.get("method").is_none() {
                return line;
            }
        }
    }

    /// Closes its stdin; what it still says can be read.
    pub fn close_stdin(&mut self) {
        drop(self.stdin.take());
    }

    /// Closes its stdin and waits until it has ended; its exit code.
    pub async fn close(mut self) -> i32 {
        drop(self.stdin.take());
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        status.code().unwrap_or(-1)
    }
}
