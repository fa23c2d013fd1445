//! Processes: the one place in the daemon that starts any, or becomes another.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What a child needs of our environment. Nothing else reaches it: no password, no token.
const KEPT: &[&str] = &["PATH", "HOME", "TMPDIR", "LANG", "TZ", "SystemRoot", "TEMP", "TMP"];

fn command(program: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// Starts a child that ends with us: its stdin closes, and it is killed when dropped.
pub(super) fn attached(program: &Path, arguments: &[OsString]) -> io::Result<Child> {
    let mut command = command(program, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    // A group of its own: a terminal's Ctrl-C is for us, and we end it in our own time.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// Starts a child that outlives us, in a session of its own, with `folder` as its place and all that it
/// prints in `log`.
pub(super) fn detached(
    program: &Path,
    arguments: &[OsString],
    folder: &Path,
    log: &Path,
) -> io::Result<Box<dyn ChildWrapper>> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = command(program, arguments);
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut command = CommandWrap::from(command);
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessSession);
    command.spawn()
}

/// Runs a child to its end and takes what it says.
pub(super) async fn run(
    program: &Path,
    arguments: &[OsString],
    limit: Duration,
) -> io::Result<Output> {
    let mut command = command(program, arguments);
    command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(limit, command.output()).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// What another `ibd` says that its version is.
pub(crate) async fn version_of(program: &Path) -> io::Result<String> {
    const LIMIT: Duration = Duration::from_secs(20);
    let output = run(program, &["--version".into()], LIMIT).await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = said.trim().strip_prefix("ibd ").filter(|_| output.status.success());
    version.map(str::to_owned).ok_or_else(|| io::Error::other("it is no ibd that runs here"))
}

/// Goes on as another program in this very process, with the same arguments, and these variables besides: a service
/// manager sees one service that never ended. What comes back is why it could not.
#[cfg(unix)]
pub(crate) fn go_on_as(program: &Path, variables: Vec<(&'static str, OsString)>) -> io::Error {
    use std::os::unix::process::CommandExt;
    let arguments = std::env::args_os().skip(1);
    std::process::Command::new(program).args(arguments).envs(variables).exec()
}

/// A program that runs cannot be replaced there, so none takes its place.
#[cfg(not(unix))]
pub(crate) fn go_on_as(_: &Path, _: Vec<(&'static str, OsString)>) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// Asks a process to end, or makes it.
#[cfg(unix)]
pub(super) fn signal(pid: u32, kill: bool) -> io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let signal = if kill { Signal::KILL } else { Signal::TERM };
    Ok(kill_process(pid, signal)?)
}

/// Asks a process to end, or makes it.
#[cfg(not(unix))]
pub(super) fn signal(_: u32, _: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
