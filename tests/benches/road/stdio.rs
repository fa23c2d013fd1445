//! A client's end of a server over stdio, blocking: nothing of a runtime is in what is timed.
//! Each benchmark uses its part.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: String,
    next: u64,
}

impl Server {
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout, line: String::new(), next: 0 }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// The next line as it came.
    pub(crate) fn line(&mut self) -> &str {
        self.line.clear();
        assert!(self.stdout.read_line(&mut self.line).unwrap() > 0, "the server has gone");
        &self.line
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Value {
        serde_json::from_str(self.line()).unwrap()
    }

    /// The next answer; what the daemon tells everybody may come in between.
    pub(crate) fn answer(&mut self) -> Value {
        loop {
            let message = self.message();
            if message.get("id").is_some() {
                return message;
            }
        }
    }

    pub(crate) fn begin_initialize(&mut self) {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "bench", "version": "1" },
        });
        self.begin("initialize", &params);
    }

    pub(crate) fn begin_tools(&mut self) {
        self.send("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
        self.begin("tools/list", &json!({}));
    }

    pub(crate) fn begin_call(&mut self, tool: &str, arguments: &Value) {
        self.begin("tools/call", &json!({ "name": tool, "arguments": arguments }));
    }

    fn begin(&mut self, method: &str, params: &Value) {
        self.next += 1;
        let id = self.next;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send(&format!("{message}\n"));
    }

    /// Shakes hands and lists the tools.
    pub(crate) fn greet(&mut self) {
        self.begin_initialize();
        self.line();
        self.begin_tools();
        self.line();
    }

    /// How long a call takes; it must succeed.
    pub(crate) fn timed_call(&mut self, tool: &str, arguments: &Value) -> Duration {
        let begun = Instant::now();
        self.begin_call(tool, arguments);
        loop {
            self.line();
            let took = begun.elapsed();
            let message: Value = serde_json::from_str(&self.line).unwrap();
            // What the daemon tells everybody may come in between.
            if message.get("id").is_some() {
                assert!(is_good(&message), "{message}");
                return took;
            }
        }
    }

    /// Closes its stdin and waits until it has ended.
    pub(crate) fn close(mut self) {
        drop(self.stdin.take());
        self.child.wait().unwrap();
    }

    /// Closes its stdin and ends it if that is not enough for it.
    pub(crate) fn end(mut self) {
        drop(self.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(1);
        while Instant::now() < deadline && self.child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// Whether an answer is a tool's result.
pub(crate) fn is_good(answer: &Value) -> bool {
    let result = &answer["result"];
    result.is_object() && result["isError"] != true
}

/// From the start to the answers to `initialize` and `tools/list`.
pub(crate) fn timed_start(command: Command) -> (Server, Duration, Duration) {
    let begun = Instant::now();
    let mut server = Server::spawn(command);
    server.begin_initialize();
    server.line();
    let initialized = begun.elapsed();
    server.begin_tools();
    server.line();
    let listed = begun.elapsed();
    let message: Value = serde_json::from_str(&server.line).unwrap();
    assert!(message["result"]["tools"].is_array(), "{message}");
    (server, initialized, listed)
}

/// From the first start until `count` servers started at once have all listed their tools.
pub(crate) fn timed_crowd(
    count: usize,
    mut command: impl FnMut() -> Command,
) -> (Vec<Server>, Duration) {
    let commands: Vec<Command> = (0..count).map(|_| command()).collect();
    let begun = Instant::now();
    let mut servers: Vec<Server> = Vec::with_capacity(count);
    for command in commands {
        let mut server = Server::spawn(command);
        server.begin_initialize();
        servers.push(server);
    }
    for server in &mut servers {
        server.line();
        server.begin_tools();
    }
    for server in &mut servers {
        server.line();
    }
    (servers, begun.elapsed())
}
