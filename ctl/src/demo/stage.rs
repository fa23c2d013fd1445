//! What happens in the demo, shown as it happens and kept for whoever reads JSON.

use std::time::Instant;

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::home::{Home, end_at_once, program};
use super::shown;
use crate::daemon::Fault;
use crate::{for_terminal, say};

/// Lines of a command of ours that are shown.
const LINES: usize = 14;

/// The client, and what was seen so far.
pub(super) struct Stage {
    client: Client,
    is_quiet: bool,
    /// One object a step.
    pub(super) steps: Vec<Value>,
}

impl Stage {
    pub(super) async fn open(home: &Home, is_quiet: bool) -> Result<Self, Fault> {
        let mut client = Client::start(home.command(&program("ib-mcp")?)).await?;
        let tools = client.tools().await?;
        let stage = Self { client, is_quiet, steps: Vec::new() };
        stage.tell(&format!(
            "A client has launched ib-mcp, which has started ibd; ib-sim stands in IBKR's place. It sees {tools} tools.\n"
        ));
        Ok(stage)
    }

    /// The client asks something; the answer.
    pub(super) async fn ask(
        &mut self,
        question: &str,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, Fault> {
        self.tell(&format!("── {question}\n   {tool} {arguments}"));
        let begun = Instant::now();
        let Answer { json, is_error, pictures } = self.client.call(tool, &arguments).await?;
        let millis = begun.elapsed().as_millis();
        if is_error {
            self.tell("   (an error, which says what to do)");
        }
        for line in shown::answer(&json) {
            self.tell(&format!("   {line}"));
        }
        for (kind, bytes) in &pictures {
            self.tell(&format!(
                "   and a picture ({kind}, {} kB), which your client shows",
                bytes / 1_000
            ));
        }
        self.tell(&format!("   [{millis} ms]\n"));
        self.steps.push(json!({
            "question": question,
            "tool": tool,
            "arguments": arguments,
            "answer": json,
            "isError": is_error,
            "pictures": pictures.len(),
            "millis": u64::try_from(millis).unwrap_or(u64::MAX),
        }));
        Ok(json)
    }

    /// A person runs a command of ours.
    pub(super) async fn person(
        &mut self,
        says: &str,
        home: &Home,
        arguments: &[&str],
    ) -> Result<(), Fault> {
        let command = format!("ibctl {}", arguments.join(" "));
        self.tell(&format!("── {says}\n   $ {command}"));
        let output = home.ibctl(arguments).await?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().take(LINES) {
            self.tell(&format!("   {line}"));
        }
        if lines.len() > LINES {
            self.tell(&format!("   … and {} lines more", lines.len() - LINES));
        }
        self.tell("");
        self.steps.push(json!({
            "person": says,
            "command": command,
            "output": text,
            "isError": !output.status.success(),
        }));
        Ok(())
    }

    /// The daemon dies without a warning. Whether it could be made to.
    pub(super) async fn kill_daemon(&mut self, home: &Home) -> bool {
        let killed = match home.daemon().await {
            Some(pid) => end_at_once(pid).is_ok().then_some(pid),
            None => None,
        };
        if let Some(pid) = killed {
            self.tell(&format!(
                "── Now the daemon is killed (kill -9 {pid}). The client notices nothing.\n"
            ));
            self.steps.push(json!({ "killed": pid, "isError": false }));
        }
        killed.is_some()
    }

    /// What failed, by its tool or command.
    pub(super) fn failed(&self) -> Vec<String> {
        let failed = self.steps.iter().filter(|step| step["isError"] == true);
        failed
            .map(|step| {
                let name = step["tool"].as_str().or(step["command"].as_str());
                name.unwrap_or_default().to_owned()
            })
            .collect()
    }

    fn tell(&self, text: &str) {
        if !self.is_quiet {
            say(&for_terminal(text));
        }
    }
}
