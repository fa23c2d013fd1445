//! Asks a `java` what it is.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::Finding;
use super::version::{self, JavaVersion};

/// A cold disk takes seconds; a program that is no Java may take for ever.
const ANSWER: Duration = Duration::from_secs(10);
/// Between two attempts at a program that is being written; all within [`ANSWER`].
const BUSY: Duration = Duration::from_millis(20);
/// More than any Java says of itself.
const MAX_SAID: u64 = 16 << 10;
/// What a Java needs. Others, such as `JAVA_TOOL_OPTIONS`, would change what is run.
const KEPT: [&str; 4] = ["PATH", "HOME", "LANG", "SystemRoot"];

/// Version and vendor of `program`, or what is wrong with it.
pub(super) async fn ask(program: &Path) -> Result<(JavaVersion, String), Finding> {
    let mut command = Command::new(program);
    command
        .arg("-version")
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let said = timeout(ANSWER, said(command)).await;
    let (said, is_success) = match said {
        Ok(Ok(said)) => said,
        Ok(Err(why)) => return Err(Finding::Broken(ibd_disk::plainly(&why))),
        Err(_) => return Err(Finding::Broken(format!("no answer in {} s", ANSWER.as_secs()))),
    };
    let (version, vendor) =
        version::read(&said).ok_or_else(|| Finding::Broken(first_line(&said)))?;
    match (is_success, version.is_enough()) {
        (false, _) => Err(Finding::Broken(first_line(&said))),
        (true, false) => Err(Finding::TooOld(version)),
        (true, true) => Ok((version, vendor)),
    }
}

/// All it prints, and whether it ended well.
async fn said(mut command: Command) -> std::io::Result<(String, bool)> {
    let mut child = spawn(&mut command).await?;
    let (errors, output) = (child.stderr.take(), child.stdout.take());
    let (errors, output, status) = tokio::join!(text(errors), text(output), child.wait());
    Ok((errors + "\n" + &output, status?.success()))
}

/// A program that was just written may still be open in a child that another thread is starting.
async fn spawn(command: &mut Command) -> std::io::Result<Child> {
    loop {
        match command.spawn() {
            Err(why) if why.kind() == std::io::ErrorKind::ExecutableFileBusy => sleep(BUSY).await,
            other => return other,
        }
    }
}

async fn text(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before an error is judged like everything else.
        let _ = pipe.take(MAX_SAID).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn first_line(said: &str) -> String {
    let line = said.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        Some(line) => line.chars().take(200).collect(),
        None => "it says nothing".to_owned(),
    }
}
