//! `ib-sim` in the gateway's place: invented data, for a demo and for tests.

use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use super::process;

/// It prints its ready line within this time.
const READY: Duration = Duration::from_secs(10);

/// A running simulator. It ends when this is dropped, and also when we are killed: its stdin closes.
#[derive(Debug)]
pub struct Simulator {
    child: Child,
    /// Held open for as long as it shall live.
    _stdin: Option<ChildStdin>,
    /// Where it answers.
    pub(super) host: String,
    /// Where it answers.
    pub(super) port: u16,
    /// Its process id.
    pub(super) pid: Option<u32>,
}

#[derive(Deserialize)]
struct Ready {
    gateway: String,
}

impl Simulator {
    /// Starts the one beside this program and waits until it answers.
    pub(super) async fn start() -> Result<Self, String> {
        let program = ibd_protocol::start::find("ib-sim")
            .map_err(|_| "there is no `ib-sim` program beside ibd or on PATH".to_owned())?;
        let mut child = process::attached(&program, &["--until-stdin-closes".into()])
            .map_err(|error| format!("ib-sim cannot be started: {}", ibd_disk::plainly(&error)))?;
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
        Ok(Self { child, _stdin: stdin, host, port, pid })
    }

    /// Waits until it has ended; why, for a person.
    pub(super) async fn ended(mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("ib-sim ended ({status})"),
            Err(error) => format!("ib-sim is lost ({error})"),
        }
    }
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
