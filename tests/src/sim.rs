//! An `ib-sim` that the test controls.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::world::binary;

/// A running simulator. Dropping it ends it.
pub struct Sim {
    child: Child,
    gateway: String,
    control: String,
    _scenario: Option<tempfile::TempPath>,
}

impl Sim {
    /// Logged in from the start.
    pub async fn start() -> Self {
        Self::start_with(&[], None).await
    }

    /// Nobody is logged in.
    pub async fn logged_out() -> Self {
        Self::start_with(&["--require-login"], None).await
    }

    /// With a scenario.
    pub async fn scenario(scenario: Value) -> Self {
        Self::start_with(&[], Some(scenario)).await
    }

    /// Without TLS, for something in front of it that has its own.
    pub async fn plain() -> Self {
        Self::start_with(&["--http"], None).await
    }

    /// At a port that was used before.
    pub async fn start_at(port: u16) -> Self {
        Self::start_with(&["--listen", &format!("127.0.0.1:{port}")], None).await
    }

    async fn start_with(arguments: &[&str], scenario: Option<Value>) -> Self {
        let scenario = scenario.map(|scenario| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), scenario.to_string()).unwrap();
            file.into_temp_path()
        });
        let path: Option<PathBuf> = scenario.as_ref().map(|path| path.to_path_buf());
        let mut command = Command::new(binary("ib-sim"));
        command.args(arguments).arg("--until-stdin-closes");
        if let Some(path) = path {
            command.arg("--scenario").arg(path);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).await.unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no ready line: {line:?}"));
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        Self { child, gateway: text("gateway"), control: text("control"), _scenario: scenario }
    }

    /// The gateway's port.
    pub fn port(&self) -> u16 {
        self.gateway.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Ends it at once.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Injects a fault.
    pub async fn fault(&self, fault: Value) {
        self.tell("/fault", fault).await;
    }

    /// Changes the login: `login`, `drop`, `compete`, …
    pub async fn session(&self, action: &str) {
        self.tell("/session", json!({ "action": action })).await;
    }

    /// Tells its control API something.
    pub async fn tell(&self, path: &str, body: Value) -> Value {
        self.control("POST", path, &body.to_string()).await
    }

    /// Asks its control API something.
    pub async fn control_get(&self, path: &str) -> Value {
        self.control("GET", path, "").await
    }

    /// What it has counted.
    pub async fn requests(&self) -> Value {
        self.control("GET", "/requests", "").await
    }

    /// How many requests it has had whose path contains this.
    pub async fn count(&self, path: &str) -> usize {
        let requests = self.requests().await;
        let all = requests["requests"].as_array().unwrap();
        all.iter().filter(|request| request["path"].as_str().unwrap().contains(path)).count()
    }

    /// How often exactly this beginning was said on websockets.
    pub async fn said(&self, beginning: &str) -> usize {
        let requests = self.requests().await;
        let all = requests["said"].as_array().unwrap();
        all.iter().filter(|said| said.as_str().unwrap().starts_with(beginning)).count()
    }

    async fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let host = self.control.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        let start = body.find(['{', '[']).unwrap_or(0);
        let end = body.rfind(['}', ']']).map_or(0, |at| at + 1);
        serde_json::from_str(&body[start..end]).unwrap_or(Value::Null)
    }
}
