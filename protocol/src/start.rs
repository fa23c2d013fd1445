//! Finds the daemon, or starts one: the same way for `ib-mcp` and `ibctl`.
//!
//! First it connects. If nobody listens it takes the start lock and connects again, because whoever
//! held the lock before may have started one. Then it asks the service manager if our service is installed
//! (where that listens on the socket itself, the connection alone has started one), else runs the `ibd` beside this program, detached, and waits for that one's line: `READY`, `BUSY`
//! (another one is there) or `FAIL reason`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::client::{self, ConnectError, Connection};
use crate::message::{DrainReason, ToClient, ToDaemon};
use crate::places::{PlaceError, Places};
use crate::service;
use crate::version::{Role, build, is_newer};

/// From the first look to a greeting, in the slowest case: another starter, a drain, a cold disk.
const PATIENCE: Duration = Duration::from_secs(40);
/// A started daemon says its line within this time, which includes waiting for one that drains.
const START: Duration = Duration::from_secs(30);
/// An older daemon is given this long to finish its calls before a newer build starts.
const DRAIN: Duration = Duration::from_secs(30);

/// What a daemon needs of the environment of whoever starts it. Everything else stays out: settings
/// reach it from its own configuration and from each client's wishes.
const KEPT: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SystemRoot",
    "USERPROFILE",
    "LOCALAPPDATA",
    "APPDATA",
    "TEMP",
    "TMP",
];
/// What names programs, proxies and authorities counts from a person's own shell. Out of a client's environment it
/// would have the daemon run what that names, and send its secrets there.
const OF_PERSON: &[&str] = &[
    "PATH",
    "JAVA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
];
/// Where a daemon that a client starts looks for programs.
#[cfg(unix)]
pub(crate) const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/homebrew/bin:/snap/bin:\
    /run/current-system/sw/bin";

/// The environment of a daemon that is started from here.
fn environment(
    role: Role,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Vec<(&'static str, OsString)> {
    let is_person = role == Role::Ctl;
    let of_person = OF_PERSON.iter().filter(|_| is_person);
    let named = KEPT.iter().chain(of_person).filter_map(|name| Some((*name, lookup(name)?)));
    #[cfg(unix)]
    let path = (!is_person).then(|| ("PATH", OsString::from(SYSTEM_PATH)));
    // Programs of Windows are looked for in the system's folder first.
    #[cfg(not(unix))]
    let path = (!is_person).then(|| Some(("PATH", lookup("PATH")?))).flatten();
    named.chain(path).collect()
}

/// An older daemon made room, and what was started is older, too: a service runs another program than the one beside us.
/// To ask again would only end daemons.
static IS_IN_VAIN: AtomicBool = AtomicBool::new(false);

/// Why no daemon could be had.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It answers, but not for us.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Its folders cannot be used.
    #[error(transparent)]
    Places(#[from] PlaceError),
    /// There is no `ibd` to start.
    #[error("no ibd is running, and there is no `ibd` program beside {0} or on PATH to start")]
    NoProgram(PathBuf),
    /// It started and gave up.
    #[error("ibd could not start: {0}")]
    Failed(String),
    /// The system said no.
    #[error("starting ibd: {0}")]
    Io(#[from] io::Error),
}

/// A greeted connection, to a daemon started now if need be.
pub async fn connect_or_start(places: &Places, role: Role) -> Result<Connection, StartError> {
    match Connection::open(&places.socket(), role).await {
        Err(ConnectError::Absent | ConnectError::Silent) => start(places, role).await,
        found => upgrade_if_older(places, found, role).await,
    }
}

/// A greeted connection, to a daemon that is there; none is started for it.
pub async fn connect_if_there(places: &Places, role: Role) -> Result<Connection, StartError> {
    let found = Connection::open_present(places, role).await;
    upgrade_if_older(places, found, role).await
}

/// A newer build takes an older daemon's place; never the reverse. Which protocol the older one speaks does not matter.
async fn upgrade_if_older(
    places: &Places,
    found: Result<Connection, ConnectError>,
    role: Role,
) -> Result<Connection, StartError> {
    let older = match &found {
        Ok(connection) => connection.build.clone(),
        Err(ConnectError::OtherProtocol { theirs, .. }) => theirs.clone(),
        Err(_) => return Ok(found?),
    };
    if !is_newer(build(), &older) || IS_IN_VAIN.load(Ordering::Relaxed) {
        return Ok(found?);
    }
    tracing::info!(older, newer = build(), "asking an older ibd to make room");
    match found {
        Ok(mut connection) => _ = drain(&mut connection, DrainReason::Upgrade).await,
        // It understands the greeting and nothing else; or not even this one, and then a person ends it.
        Err(error) => {
            if !has_made_room(places).await {
                return Err(error.into());
            }
        }
    }
    let connection = start(places, role).await?;
    if is_newer(build(), &connection.build) {
        tracing::warn!(
            build = connection.build,
            "what is started here is an older ibd, too: it is left alone"
        );
        IS_IN_VAIN.store(true, Ordering::Relaxed);
    }
    Ok(connection)
}

/// Asks a daemon of another protocol to go, and waits until it has.
async fn has_made_room(places: &Places) -> bool {
    if !client::ask_for_room(&places.socket()).await {
        return false;
    }
    let deadline = Instant::now() + DRAIN;
    while places.has_daemon() {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(Duration::from_millis(20)).await;
    }
    true
}

/// Asks for a drain and waits until the daemon has gone. `false`: it was given time enough and stays.
pub async fn drain(connection: &mut Connection, reason: DrainReason) -> bool {
    let gone = async {
        if connection.outgoing.send(&ToDaemon::Drain(0, reason)).await.is_ok() {
            while let Ok(message) = connection.incoming.next().await {
                let _: ToClient = message;
            }
        }
    };
    timeout(DRAIN, gone).await.is_ok()
}

async fn start(places: &Places, role: Role) -> Result<Connection, StartError> {
    places.make()?;
    let deadline = Instant::now() + PATIENCE;
    let _lock = lock(&places.start_lock(), deadline).await?;
    if let Ok(connection) = Connection::open(&places.socket(), role).await {
        // Someone else's daemon may still be the older one that we just asked to go.
        if !is_newer(build(), &connection.build) {
            return Ok(connection);
        }
    }
    if !start_service(places).await {
        spawn(places, role).await?;
    }
    connect_until(places, role, deadline).await
}

async fn connect_until(
    places: &Places,
    role: Role,
    deadline: Instant,
) -> Result<Connection, StartError> {
    let mut pause = Duration::from_millis(5);
    loop {
        match Connection::open(&places.socket(), role).await {
            Ok(connection) => return Ok(connection),
            Err(ConnectError::Absent | ConnectError::Silent) if Instant::now() < deadline => {}
            Err(error) => return Err(error.into()),
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(320));
    }
}

/// Takes a lock file that is never unlinked; the kernel gives it back when this process ends.
async fn lock(path: &Path, deadline: Instant) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                sleep(Duration::from_millis(10)).await;
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(io::ErrorKind::TimedOut.into()),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Starts our service where one is installed for this profile. `false`: there is none, or it failed.
async fn start_service(places: &Places) -> bool {
    let Some((program, arguments)) = service::start_command(places) else {
        return false;
    };
    let run = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    matches!(timeout(START, run).await, Ok(Ok(status)) if status.success())
}

async fn spawn(places: &Places, role: Role) -> Result<(), StartError> {
    let program = find("ibd")?;
    let log = places.logs().join("ibd.start.log");
    let stderr = ibd_disk::private().create(true).append(true).open(&log)?;
    let mut command = Command::new(program);
    command
        .arg("--auto-started")
        // Only what was chosen: `ibctl config` says where each value comes from.
        .args((places.profile != "default").then(|| format!("--ib-profile={}", places.profile)))
        .env_clear()
        .envs(environment(role, |name| std::env::var_os(name)))
        .current_dir(&places.state)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    let stdout = detached(command)?;
    let mut line = String::new();
    let mut reader = BufReader::new(stdout);
    let said = timeout(START, reader.read_line(&mut line)).await;
    match (said, line.trim().split_once(' ')) {
        // BUSY: somebody whose start lock died with them has started one meanwhile.
        (Ok(Ok(_)), Some(("READY" | "BUSY", _))) => Ok(()),
        (Ok(Ok(_)), Some(("FAIL", why))) => Err(StartError::Failed(why.to_owned())),
        (Err(_), _) => Err(StartError::Failed(format!("no word from it in {} s", START.as_secs()))),
        _ => Err(StartError::Failed(format!("it ended at once; see {}", log.display()))),
    }
}

/// In a session of its own, so that neither our terminal's signals nor our end reach it.
#[cfg(unix)]
fn detached(command: Command) -> io::Result<tokio::process::ChildStdout> {
    use process_wrap::tokio::{CommandWrap, ProcessSession};

    let mut child = CommandWrap::from(command).wrap(ProcessSession).spawn()?;
    child.stdout().take().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

#[cfg(windows)]
fn detached(mut command: Command) -> io::Result<tokio::process::ChildStdout> {
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    let mut child = command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP).spawn()?;
    child.stdout.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// One of our programs: beside this one, else on PATH.
pub fn find(program: &str) -> Result<PathBuf, StartError> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let ours = std::env::current_exe()?;
    let beside = ours.parent().map(|folder| folder.join(&name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(&name));
    beside
        .into_iter()
        .chain(on_path)
        .find(|candidate| candidate.is_file())
        .ok_or(StartError::NoProgram(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_names_does_not_reach_the_daemon_that_it_starts() {
        let all = |name: &str| Some(OsString::from(format!("client's {name}")));
        let of = |role| -> Vec<(&str, OsString)> { environment(role, all) };
        let named = |role, name: &str| {
            of(role).into_iter().find(|(one, _)| *one == name).map(|(_, value)| value)
        };
        for name in OF_PERSON.iter().filter(|name| **name != "PATH") {
            assert_eq!(named(Role::Shim, name), None, "{name}");
            assert!(named(Role::Ctl, name).is_some(), "{name}");
        }
        #[cfg(unix)]
        assert_eq!(named(Role::Shim, "PATH"), Some(SYSTEM_PATH.into()));
        assert_eq!(named(Role::Ctl, "PATH"), Some("client's PATH".into()));
        for name in ["IB_BROWSER", "LD_PRELOAD", "CHROME_BIN"] {
            assert!(named(Role::Ctl, name).is_none() && named(Role::Shim, name).is_none());
        }
        assert!(named(Role::Shim, "HOME").is_some());
    }
}
