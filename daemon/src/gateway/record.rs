//! The record of the gateway that was started last, so that the next `ibd` can take it over.
//!
//! A record is a claim, not a fact. Only a process with the same pid and start time, which itself owns
//! the listening socket, is ours; that it holds the pinned key is checked by whoever connects.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What is written about a started gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its process.
    pub(super) pid: u32,
    /// When that process started, in the system's own count.
    pub(super) started: u64,
    /// Since which start of the machine that counts, where the system says.
    #[serde(default)]
    pub(super) boot: Option<String>,
    /// Where it listens.
    pub(super) port: u16,
    /// What it talks to, if not IBKR.
    pub(super) upstream: Option<String>,
}

/// What is known about the process of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// When the process with that pid started; `None`: there is none.
    pub(super) started: Option<u64>,
    /// The TCP ports on which it listens.
    pub(super) listens: HashSet<u16>,
}

impl Record {
    /// Whether the process that was started lives.
    pub(super) fn lives(&self) -> bool {
        self.boot == boot() && started(self.pid) == Some(self.started)
    }

    /// Whether the process is the one that was started, by what is seen of it.
    pub(super) fn is_alive(&self, seen: &Seen) -> bool {
        seen.started == Some(self.started)
    }

    /// Whether it may be taken over for `upstream`.
    pub(super) fn is_ours(&self, seen: &Seen, upstream: Option<&str>) -> bool {
        self.is_alive(seen)
            && seen.listens.contains(&self.port)
            && self.upstream.as_deref() == upstream
    }

    /// The record at `path`; one that cannot be read is none.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        serde_json::from_str(&text)
            .map_err(|error| tracing::warn!(%error, "the gateway's record cannot be read"))
            .ok()
    }

    /// Writes it whole or not at all.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        ibd_disk::replace(path, &serde_json::to_vec(self)?)
    }
}

/// When the process with this pid started, in ticks since the machine did: a clock that is set does not
/// change that.
#[cfg(target_os = "linux")]
pub(super) fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what counts follows its end.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // One that has ended and that nobody has fetched yet is none.
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18)?.parse().ok()).flatten()
}

/// When the process with this pid started.
#[cfg(not(target_os = "linux"))]
pub(super) fn started(pid: u32) -> Option<u64> {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};
    let mut system = System::new();
    let pid = Pid::from_u32(pid);
    let what = ProcessRefreshKind::nothing();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
    let process = system.process(pid)?;
    let is_over = matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead);
    (!is_over).then(|| process.start_time())
}

/// Which start of the machine this is: after another one, pids and ticks begin anew.
pub(super) fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Looks at the process with this pid. Reads the system's tables, so it belongs off the actors.
pub(super) fn look(pid: u32) -> Seen {
    let started = started(pid);
    let listens = match started {
        Some(_) => listening(pid),
        None => HashSet::new(),
    };
    Seen { started, listens }
}

fn listening(pid: u32) -> HashSet<u16> {
    let all = listeners::get_all().unwrap_or_default();
    let own = all.into_iter().filter(|listener| listener.process.pid == pid);
    own.filter(|listener| listener.protocol == listeners::Protocol::TCP)
        .filter(|listener| listener.state == listeners::SocketState::Listen)
        .map(|listener| listener.socket.port())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record() -> Record {
        Record { pid: 7, started: 100, boot: None, port: 5055, upstream: None }
    }

    #[test]
    fn only_the_very_same_process_on_its_own_port_is_ours() {
        let seen =
            |started, ports: &[u16]| Seen { started, listens: ports.iter().copied().collect() };
        for (seen, upstream, expected) in [
            (seen(Some(100), &[5055]), None, true),
            (seen(Some(101), &[5055]), None, false),
            (seen(None, &[]), None, false),
            (seen(Some(100), &[5056]), None, false),
            (seen(Some(100), &[5055]), Some("http://127.0.0.1:1"), false),
        ] {
            assert_eq!(record().is_ours(&seen, upstream), expected, "{seen:?}");
        }
    }

    #[test]
    fn a_process_of_an_earlier_start_of_the_machine_is_none_of_ours() {
        let pid = std::process::id();
        let here = Record { pid, started: started(pid).unwrap(), boot: boot(), ..record() };
        assert!(here.lives());
        assert!(!Record { boot: Some("another".into()), ..here }.lives());
    }

    #[test]
    fn a_record_survives_and_garbage_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        record().write(&path).unwrap();
        assert_eq!(Record::read(&path), Some(record()));
        std::fs::write(&path, "{").unwrap();
        assert_eq!(Record::read(&path), None);
    }

    #[test]
    fn this_very_process_is_seen_and_its_port_too() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = look(std::process::id());
        assert!(seen.started.is_some());
        assert!(seen.listens.contains(&port), "{seen:?}");
        assert_eq!(look(u32::MAX - 1).started, None);
    }
}
