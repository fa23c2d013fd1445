//! The one child process: `ib-sim`, as the simulated gateway.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// It prints its ready line within this time.
const READY: Duration = Duration::from_secs(10);
/// What it needs of our environment; nothing else reaches it.
const KEPT: &[&str] = &["PATH", "HOME", "TMPDIR", "LANG", "SystemRoot", "TEMP", "TMP"];

/// A running simulator. It ends when this is dropped, and also when we are killed: its stdin closes.
#[derive(Debug)]
pub struct Simulator {
    child: Child,
    /// Held open for as long as it shall live.
    _stdin: Option<ChildStdin>,
    /// Where it answers.
    pub host: String,
    /// Where it answers.
    pub port: u16,
    /// Its process id.
    pub pid: Option<u32>,
}

#[derive(Deserialize)]
struct Ready {
    gateway: String,
}

impl Simulator {
    /// Waits until it has ended; why, for a person.
    pub(super) async fn ended(mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("ib-sim ended ({status})"),
            Err(error) => format!("ib-sim is lost ({error})"),
        }
    }
}

/// Starts `ib-sim` from beside this program and waits until it answers.
pub(super) async fn start_simulator() -> Result<Simulator, String> {
    let program = ibd_protocol::start::find("ib-sim")
        .map_err(|_| "there is no `ib-sim` program beside ibd or on PATH".to_owned())?;
    let mut command = Command::new(program);
    command
        .arg("--until-stdin-closes")
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    // A group of its own: a terminal's Ctrl-C is for us, and we end it in our own time.
    #[cfg(unix)]
    command.process_group(0);
    let mut child =
        command.spawn().map_err(|error| format!("ib-sim cannot be started: {error}"))?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take().ok_or("ib-sim has no stdout")?;
    let mut line = String::new();
    let mut reader = BufReader::new(stdout);
    match timeout(READY, reader.read_line(&mut line)).await {
        Ok(Ok(length)) if length > 0 => {}
        Ok(_) => return Err("ib-sim ended before it was ready".to_owned()),
        Err(_) => return Err(format!("ib-sim was not ready within {} s", READY.as_secs())),
    }
    let (host, port) = address(&line).ok_or("ib-sim's ready line cannot be read")?;
    let pid = child.id();
    Ok(Simulator { child, _stdin: stdin, host, port, pid })
}

fn address(line: &str) -> Option<(String, u16)> {
    let ready: Ready = serde_json::from_str(line).ok()?;
    let (host, port) = ready.gateway.strip_prefix("https://")?.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_says_where() {
        let line =
            r#"{"ready":true,"gateway":"https://127.0.0.1:40123","control":"http://127.0.0.1:1"}"#;
        assert_eq!(address(line), Some(("127.0.0.1".to_owned(), 40123)));
        assert_eq!(address("ready"), None);
    }
}
