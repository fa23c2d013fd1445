//! IBKR's Java gateway: started by us, or taken over from the `ibd` before us.
//!
//! The login lives in its memory, so it outlives the daemon: a detached process with a record of it.

mod adopt;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::Client;
use ibd_cpapi::client::Address;
use ibd_cpapi::door::Door;
use ibd_cpapi::pin::Pin;
use process_wrap::tokio::ChildWrapper;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use ibd_disk::plainly;

use super::key::Key;
use super::record::{Record, Seen, boot, look, started};
use super::{conf, process};
use adopt::{Adopted, adopt};

/// From the start to the first answer; it is two to four seconds on most machines.
const START: Duration = Duration::from_secs(40);
const LOOK: Duration = Duration::from_millis(100);
/// Another life of an adopted process is noticed this soon.
const WATCH: Duration = Duration::from_millis(500);
/// It ends within a second when asked to.
const END: Duration = Duration::from_secs(5);
/// Ports are taken from others between the look for a free one and Java's use of it.
const ATTEMPTS: u32 = 3;
/// Its log is put aside at a start when it has grown over this.
const MAX_LOG: u64 = 4 << 20;

/// Everything that a start needs.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// The gateway's own folder.
    pub(super) home: PathBuf,
    /// Where things are installed.
    pub(super) data: PathBuf,
    /// What it shall talk to, if not IBKR.
    pub(super) upstream: Option<String>,
    /// One that talks to something else is taken over all the same: it holds a login, and what it shall talk
    /// to was only a client's wish, or nobody's.
    pub(super) is_any_adopted: bool,
    /// Held while a process is started or ended: the one must not cross the other.
    pub(super) one_at_a_time: Arc<Mutex<()>>,
    /// For the first question to it.
    pub(super) door: Arc<Door>,
}

/// Why there is no gateway.
#[derive(Debug)]
pub(super) enum NoStart {
    /// Something must be installed first.
    NotInstalled(String),
    /// It did not come up.
    Failed(String),
}

/// A running Java gateway. Dropping this does not end it.
#[derive(Debug)]
pub(super) struct Java {
    /// Ours, if we started it: it must be waited for.
    child: Option<Box<dyn ChildWrapper>>,
    pub(super) record: Record,
    pub(super) pin: Pin,
    /// It was started by an earlier `ibd`.
    pub(super) is_adopted: bool,
}

impl Java {
    /// Takes over the one that runs, or starts one.
    pub(super) async fn start(setup: &Setup) -> Result<Self, NoStart> {
        let _alone = setup.one_at_a_time.lock().await;
        ibd_disk::make_folder(&setup.home.join("logs"))
            .map_err(|e| NoStart::Failed(format!("its folder: {}", plainly(&e))))?;
        match adopt(setup).await {
            Adopted::Yes(running) => return Ok(*running),
            Adopted::Nothing => {}
            // It may hold a login: better none for a while than a second one.
            Adopted::Unclear(why) => return Err(NoStart::Failed(why)),
        }
        // What somebody else can change would be run with this user's login.
        if let Some(why) = ibd_protocol::files::why_foreign(&setup.data) {
            return Err(NoStart::Failed(format!("{why}; nothing is started from there")));
        }
        let program = ibd_install::installed_gateway(&setup.data)
            .map_err(|error| NoStart::NotInstalled(error.to_string()))?;
        let java = ibd_install::find_java(&setup.data, None)
            .await
            .map_err(|error| NoStart::NotInstalled(error.to_string()))?;
        let key = Key::ensure(&setup.home, &java.program).await.map_err(NoStart::Failed)?;
        let mut port = last_port(&setup.home);
        for attempt in 1.. {
            let free = free_port(port.take()).map_err(|e| NoStart::Failed(plainly(&e)))?;
            let process = spawn(setup, &java.program, &program.folder, &key, free)
                .map_err(|e| NoStart::Failed(format!("Java cannot be started: {}", plainly(&e))))?;
            match comes_up(setup, process, &key, free).await {
                Ok(java) => return Ok(java),
                Err(Down { is_port: true, why }) if attempt < ATTEMPTS => {
                    tracing::warn!(why, port = free, "another port is tried");
                }
                Err(Down { why, .. }) => return Err(NoStart::Failed(why)),
            }
        }
        Err(NoStart::Failed("no port could be had".to_owned()))
    }

    /// Where it answers. Both names of this machine are in its certificate; the address needs no look-up.
    pub(super) fn address(&self) -> Address {
        address(self.record.port, self.pin.clone())
    }

    /// Waits until it has ended; why, for a person.
    pub(super) async fn ended(mut self) -> String {
        if let Some(child) = &mut self.child {
            return match child.wait().await {
                Ok(status) => format!("the gateway's Java ended ({status})"),
                Err(error) => format!("the gateway's Java is lost ({error})"),
            };
        }
        while self.record.lives() {
            sleep(WATCH).await;
        }
        "the gateway's Java ended".to_owned()
    }
}

/// Where a managed gateway in `home` writes.
pub(super) fn log_path(home: &Path) -> PathBuf {
    home.join("logs").join("gateway.log")
}

/// The process that is running in `home`, whoever started it.
pub(super) fn running(home: &Path) -> Option<Record> {
    let record = Record::read(&record_path(home))?;
    record.lives().then_some(record)
}

/// Ends the gateway that runs in `home`, or the one that is known from elsewhere; its process, if there was
/// one.
pub(super) async fn stop(home: &Path, known: Option<Record>) -> Result<Option<u32>, String> {
    let Some(record) = running(home).or_else(|| known.filter(Record::lives)) else {
        return Ok(None);
    };
    for kill in [false, true] {
        // Asked first. That it has ended meanwhile is what is wanted.
        let _ = process::signal(record.pid, kill);
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            if !record.lives() {
                forget(home, &record);
                return Ok(Some(record.pid));
            }
            sleep(LOOK).await;
        }
    }
    Err(format!("process {} does not end", record.pid))
}

/// Removes the record, unless it is another one's by now.
fn forget(home: &Path, record: &Record) {
    let path = record_path(home);
    if Record::read(&path).as_ref() == Some(record) {
        let _ = fs::remove_file(path);
    }
}

fn record_path(home: &Path) -> PathBuf {
    home.join("run.json")
}

/// The port of the last time. A firewall rule or an open page should go on being right, so it is kept
/// also when the gateway is ended on purpose.
fn last_port(home: &Path) -> Option<u16> {
    fs::read_to_string(home.join("port")).ok()?.trim().parse().ok()
}

fn address(port: u16, pin: Pin) -> Address {
    Address { host: "127.0.0.1".to_owned(), port, pin }
}

async fn look_at(pid: u32) -> Seen {
    let looked = tokio::task::spawn_blocking(move || look(pid)).await;
    looked.unwrap_or_else(|_| Seen { started: None, listens: Default::default() })
}

/// Whether what listens there holds our key and serves its front page. Tried twice: it may be busy.
async fn answers(setup: &Setup, port: u16, pin: &Pin) -> bool {
    let Ok(client) = Client::new(&address(port, pin.clone()), setup.door.clone()) else {
        return false;
    };
    client.answers_itself().await || client.answers_itself().await
}

/// The port of the last time, if it is free, else any.
fn free_port(last: Option<u16>) -> std::io::Result<u16> {
    use std::net::{Ipv4Addr, TcpListener};
    // As the gateway does, on all addresses.
    let bind = |port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
    let listener = match last.map(bind) {
        Some(Ok(listener)) => listener,
        _ => bind(0)?,
    };
    Ok(listener.local_addr()?.port())
}

fn spawn(
    setup: &Setup,
    java: &Path,
    program: &Path,
    key: &Key,
    port: u16,
) -> std::io::Result<(Box<dyn ChildWrapper>, Record, u64)> {
    let home = &setup.home;
    let conf = conf::conf_yaml(port, setup.upstream.as_deref(), &key.password);
    ibd_disk::replace(&home.join("conf.yaml"), conf.as_bytes())?;
    ibd_disk::replace(&home.join("logback.xml"), conf::LOGBACK.as_bytes())?;
    let log = log_path(home);
    let length = match fs::metadata(&log).map(|log| log.len()).unwrap_or(0) {
        long if long > MAX_LOG => {
            fs::rename(&log, log.with_extension("log.1"))?;
            0
        }
        0 => {
            ibd_disk::replace(&log, b"")?;
            0
        }
        short => short,
    };
    ibd_disk::replace(&home.join("port"), port.to_string().as_bytes())?;
    let mut child = process::detached(java, &conf::arguments(home, program), home, &log)?;
    // Written at once: if we are killed now, the next `ibd` finds it.
    let recorded = child.id().ok_or_else(|| std::io::ErrorKind::NotFound.into()).and_then(|pid| {
        let started = started(pid).ok_or(std::io::ErrorKind::NotFound)?;
        let upstream = setup.upstream.clone();
        let record = Record { pid, started, boot: boot(), port, upstream };
        record.write(&record_path(home)).map(|()| record)
    });
    match recorded {
        Ok(record) => Ok((child, record, length)),
        Err(error) => {
            // Without a record nobody would ever find it.
            let _ = child.start_kill();
            Err(error)
        }
    }
}

/// Why a start failed, and whether another port may help.
struct Down {
    is_port: bool,
    why: String,
}

async fn comes_up(
    setup: &Setup,
    (mut child, record, log_from): (Box<dyn ChildWrapper>, Record, u64),
    key: &Key,
    port: u16,
) -> Result<Java, Down> {
    let deadline = Instant::now() + START;
    let log = log_path(&setup.home);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            let why = format!("Java ended at once ({status}): {}", said(&log, log_from));
            return Err(Down { is_port: false, why });
        }
        // It prints its banner on a busy port as well, and then stays alive without serving anybody.
        let is_port = said(&log, log_from).contains("listen failed");
        if is_port || Instant::now() > deadline {
            let _ = stop(&setup.home, Some(record)).await;
            let _ = child.wait().await;
            let why = if is_port {
                format!("port {port} is taken")
            } else {
                format!("it did not answer within {} s", START.as_secs())
            };
            return Err(Down { is_port, why });
        }
        let seen = look_at(record.pid).await;
        if seen.listens.contains(&port) && answers(setup, port, &key.pin).await {
            let pin = key.pin.clone();
            return Ok(Java { child: Some(child), record, pin, is_adopted: false });
        }
        sleep(LOOK).await;
    }
}

/// The last lines of what this start has printed.
fn said(log: &Path, from: u64) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0).min(bytes.len());
    let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_port_is_kept_if_it_is_free() {
        let first = free_port(None).unwrap();
        assert_eq!(free_port(Some(first)).unwrap(), first);
        let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(Some(port)).unwrap(), port);
    }

    #[test]
    fn only_what_this_start_said_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("gateway.log");
        fs::write(&log, "old\nnew one\n\nnew two\n").unwrap();
        assert_eq!(said(&log, 4), "new one | new two");
        assert_eq!(said(&log, 400), "");
    }
}
