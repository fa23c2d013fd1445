//! The demo's own home, and the simulated IBKR that its daemon talks to.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use ibd_protocol::start;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::daemon::Fault;

/// The simulator is ready, and a command of ours over, within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// A daemon that ends finishes its calls first.
const END: Duration = Duration::from_secs(40);

/// What its Flex service takes for a token.
const TOKEN: &str = "sim-flex-token";

/// A folder that is gone with this.
pub(super) struct Home {
    folder: PathBuf,
    /// Ends when its stdin is closed, whatever becomes of us.
    _simulator: Child,
}

impl Home {
    pub(super) async fn make() -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(format!("ibd-demo-{}", ulid::Ulid::new()));
        let made = ["run", ".config/ibd"].iter().try_for_each(|below| {
            let path = folder.join(below);
            if path.is_dir() { Ok(()) } else { ibd_disk::make_folder(&path) }
        });
        made.map_err(|error| unmade(&folder, &error))?;
        let (simulator, gateway) = simulator().await.inspect_err(|_| remove(&folder))?;
        let home = Self { folder, _simulator: simulator };
        home.configure(&gateway).map_err(|error| unmade(&home.folder, &error))?;
        Ok(home)
    }

    /// What a person would write into config.toml. Every order waits for a yes, so that one is seen.
    fn configure(&self, gateway: &str) -> std::io::Result<()> {
        let port = gateway.rsplit(':').next().unwrap_or_default();
        let text = format!(
            "gateway_host = \"127.0.0.1\"\ngateway_port = {port}\nconfirm_orders = \"always\"\n\
             flex_token = \"{TOKEN}\"\nflex_url = \"{gateway}/AccountManagement/FlexWebService\"\n\
             log = \"error\"\n"
        );
        let path = self.folder.join(".config/ibd/config.toml");
        ibd_disk::private().create_new(true).write(true).open(path)?.write_all(text.as_bytes())
    }

    /// One of our programs, with nothing of this user's around it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if is_ours(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        command.env("HOME", &self.folder).current_dir(&self.folder);
        for (name, below) in [
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(name, self.folder.join(below));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Runs this very command there.
    pub(super) async fn ibctl(&self, arguments: &[&str]) -> Result<Output, Fault> {
        let program = std::env::current_exe().map_err(|error| unstarted("ibctl", &error))?;
        let ran = self.command(&program).args(arguments).output();
        match timeout(PATIENCE, ran).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(unstarted("ibctl", &error)),
            Err(_) => Err(Fault::new("ibctl does not end", "`ibctl doctor` may tell why.")),
        }
    }

    /// The daemon's process, if one runs there.
    pub(super) async fn daemon(&self) -> Option<u32> {
        let output = self.ibctl(&["status", "--json"]).await.ok()?;
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        status["daemon"]["pid"].as_u64()?.try_into().ok()
    }

    /// Ends the daemon. What cannot be ended in order is ended at once: nobody else knows of it.
    pub(super) async fn stop(&self) {
        let Ok(program) = std::env::current_exe() else { return };
        let stopped = timeout(END, self.command(&program).arg("stop").output()).await;
        let is_over = matches!(stopped, Ok(Ok(output)) if output.status.success());
        if !is_over && let Some(pid) = self.daemon().await {
            let _ = end_at_once(pid);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

fn remove(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

/// What says which account, which place or which secret: the demo has its own.
fn is_ours(name: &str) -> bool {
    name.starts_with("IB_") || name.starts_with("XDG_") || name == "CREDENTIALS_DIRECTORY"
}

/// The simulator, and where it answers.
async fn simulator() -> Result<(Child, String), Fault> {
    let program = program("ib-sim")?;
    let mut child = Command::new(&program)
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--until-stdin-closes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| unstarted("ib-sim", &error))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let _ = timeout(PATIENCE, reader.read_line(&mut line)).await;
    }
    let ready: Value = serde_json::from_str(&line).unwrap_or_default();
    match ready["gateway"].as_str() {
        Some(gateway) => Ok((child, gateway.to_owned())),
        None => {
            Err(Fault::new("ib-sim does not say that it is ready", "`ibctl doctor` looks at it."))
        }
    }
}

/// One of our programs.
pub(super) fn program(name: &str) -> Result<PathBuf, Fault> {
    start::find(name).map_err(|_| {
        Fault::new(
            format!("there is no {name} beside ibctl, nor on PATH"),
            "Install all four programs beside each other (docs/install.md).",
        )
    })
}

/// `kill -9`.
#[cfg(unix)]
pub(super) fn end_at_once(pid: u32) -> std::io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    Ok(kill_process(pid.ok_or(std::io::ErrorKind::InvalidInput)?, Signal::KILL)?)
}

#[cfg(not(unix))]
pub(super) fn end_at_once(_: u32) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn unmade(folder: &Path, error: &std::io::Error) -> Fault {
    remove(folder);
    let why = ibd_disk::plainly(error);
    let hint = "Name another folder for temporary files with TMPDIR.";
    Fault::new(format!("{}: {why}", folder.display()), hint)
}

pub(super) fn unstarted(program: &str, error: &std::io::Error) -> Fault {
    let why = ibd_disk::plainly(error);
    Fault::new(format!("{program} cannot be started: {why}"), "`ibctl doctor` looks at it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_names_an_account_reaches_the_demo() {
        for name in ["IB_USERNAME", "IB_GATEWAY_PORT", "XDG_STATE_HOME", "CREDENTIALS_DIRECTORY"] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["PATH", "HOME", "TZ", "LANG", "MY_IB_X"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
