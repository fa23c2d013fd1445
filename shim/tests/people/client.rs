//! An MCP client, one JSON line at a time.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::daemon::Daemon;

const LEGACY: &str = "2025-06-18";

/// What each request of the new era carries.
pub fn modern(capabilities: Value) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "io.modelcontextprotocol/clientInfo": { "name": "harness", "version": "1" },
    })
}

pub struct Client {
    _child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    next: u64,
    /// Notifications that came while something else was awaited.
    pub notifications: Vec<Value>,
    answers: Vec<Value>,
}

impl Client {
    pub fn start(daemon: &Daemon) -> Self {
        Self::start_with(daemon, &[])
    }

    pub fn start_with(daemon: &Daemon, environment: &[(&str, &str)]) -> Self {
        let mut command = daemon.command(env!("CARGO_BIN_EXE_ib-mcp"));
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let (notifications, answers) = (Vec::new(), Vec::new());
        Self { _child: child, stdin, stdout, next: 0, notifications, answers }
    }

    pub async fn initialize(&mut self, capabilities: Value) -> Value {
        let params = json!({
            "protocolVersion": LEGACY,
            "capabilities": capabilities,
            "clientInfo": { "name": "harness", "version": "1" },
        });
        let answer = self.request("initialize", params).await;
        self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer
    }

    async fn send(&mut self, message: Value) {
        self.stdin.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        self.stdin.flush().await.unwrap();
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    pub async fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let id = self.next;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    async fn line(&mut self) -> Value {
        let line = timeout(Duration::from_secs(20), self.stdout.next_line()).await;
        let line = line.expect("a line in time").unwrap().expect("the shim lives");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    }

    /// The next request that the server makes.
    pub async fn next_request(&mut self) -> Value {
        loop {
            let message = self.line().await;
            match (message.get("method"), message.get("id")) {
                (Some(_), Some(_)) => return message,
                (Some(_), None) => self.notifications.push(message),
                _ => panic!("an answer instead of a request: {message}"),
            }
        }
    }

    pub async fn respond(&mut self, request: &Value, result: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).await;
    }

    /// The next notification of this method.
    pub async fn notification(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.notifications.iter().position(|n| n["method"] == method) {
                return self.notifications.remove(at);
            }
            let message = self.line().await;
            match message.get("method") {
                Some(_) => self.notifications.push(message),
                None => self.answers.push(message),
            }
        }
    }

    async fn whole_answer(&mut self, id: u64) -> Value {
        loop {
            if let Some(at) = self.answers.iter().position(|answer| answer["id"] == id) {
                return self.answers.remove(at);
            }
            let message = self.line().await;
            match message.get("method") {
                Some(_) if message.get("id").is_none() => self.notifications.push(message),
                Some(_) => panic!("the server asks: {message}"),
                None => self.answers.push(message),
            }
        }
    }

    /// The result of a request.
    pub async fn answer(&mut self, id: u64) -> Value {
        let answer = self.whole_answer(id).await;
        answer.get("result").unwrap_or_else(|| panic!("{answer}")).clone()
    }

    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        self.answer(id).await
    }

    /// A request's whole answer, error or result.
    pub async fn raw_request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        self.whole_answer(id).await
    }
}
