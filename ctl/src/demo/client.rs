//! A client of ib-mcp, as small as one can be: lines of JSON over its pipes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::home::unstarted;
use crate::daemon::Fault;

/// ib-mcp answers every call within 45 seconds, whatever becomes of its daemon.
const PATIENCE: Duration = Duration::from_secs(90);

/// A client that has shaken hands.
pub(super) struct Client {
    _child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    next: u64,
}

/// What a tool answered.
pub(super) struct Answer {
    pub(super) json: Value,
    pub(super) is_error: bool,
    /// Kind and size in bytes of each picture.
    pub(super) pictures: Vec<(String, usize)>,
}

impl Client {
    pub(super) async fn start(mut command: Command) -> Result<Self, Fault> {
        command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().map_err(|error| unstarted("ib-mcp", &error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(gone());
        };
        let stdout = BufReader::new(stdout).lines();
        let mut client = Self { _child: child, stdin, stdout, next: 0 };
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "ibctl demo", "version": ibd_protocol::BUILD },
        });
        client.request("initialize", hello).await?;
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(client)
    }

    /// The tools that it sees.
    pub(super) async fn tools(&mut self) -> Result<usize, Fault> {
        let listed = self.request("tools/list", json!({})).await?;
        Ok(listed["tools"].as_array().map_or(0, Vec::len))
    }

    /// Calls one.
    pub(super) async fn call(&mut self, tool: &str, arguments: &Value) -> Result<Answer, Fault> {
        let params = json!({ "name": tool, "arguments": arguments });
        let result = self.request("tools/call", params).await?;
        Ok(Answer::of(&result))
    }

    async fn request(&mut self, method: &str, params: Value) -> Result<Value, Fault> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await?;
        loop {
            let line = timeout(PATIENCE, self.stdout.next_line()).await;
            let line = line.map_err(|_| silent())?.ok().flatten().ok_or_else(gone)?;
            let message: Value = serde_json::from_str(&line).unwrap_or_default();
            // What comes between is progress and notes.
            if message["id"] != id || message.get("method").is_some() {
                continue;
            }
            return match message.get("result") {
                Some(result) => Ok(result.clone()),
                None => Err(Fault::new(format!("ib-mcp: {}", message["error"]["message"]), "")),
            };
        }
    }

    async fn send(&mut self, message: &Value) -> Result<(), Fault> {
        let line = format!("{message}\n");
        self.stdin.write_all(line.as_bytes()).await.map_err(|_| gone())?;
        self.stdin.flush().await.map_err(|_| gone())
    }
}

impl Answer {
    fn of(result: &Value) -> Self {
        let content = result["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = content.iter().find_map(|block| block["text"].as_str()).unwrap_or_default();
        let picture = |block: &Value| {
            let kind = block["mimeType"].as_str()?.to_owned();
            // Four characters stand for three bytes.
            Some((kind, block["data"].as_str()?.len() / 4 * 3))
        };
        Self {
            json: serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
            is_error: result["isError"] == true,
            pictures: content.iter().filter_map(picture).collect(),
        }
    }
}

fn gone() -> Fault {
    Fault::new("ib-mcp has ended", "`ibctl doctor` looks at it.")
}

fn silent() -> Fault {
    Fault::new("ib-mcp does not answer", "`ibctl doctor` looks at it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_json_and_what_is_to_be_looked_at() {
        let image = json!({ "type": "image", "mimeType": "image/png", "data": "AAAAAAAA" });
        let text = json!({ "type": "text", "text": "{\"a\":1}" });
        let answer = Answer::of(&json!({ "content": [text, image] }));
        assert_eq!((&answer.json["a"], answer.is_error), (&json!(1), false));
        assert_eq!(answer.pictures, [("image/png".to_owned(), 6)]);
        let refused = Answer::of(&json!({ "content": [], "isError": true }));
        assert!(refused.is_error && refused.pictures.is_empty());
    }
}
