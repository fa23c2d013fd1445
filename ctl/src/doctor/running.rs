//! The daemon: its socket, whether it answers, of which version it is, and what it says.

use std::path::Path;
use std::time::Duration;

use ibd_protocol::version::is_newer;
use ibd_protocol::{
    BUILD, Connection, GatewayReport, GatewayVerb, Places, Status, ToClient, ToDaemon,
};
use tokio::time::timeout;

use super::check::Check;
use crate::daemon::{ask, holder, running};

const NAME: &str = "daemon";
/// What it knows by heart it says within this time.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the daemon told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) checks: Vec<Check>,
    pub(super) status: Option<Status>,
    /// The gateway in detail.
    pub(super) gateway: Option<GatewayReport>,
}

pub(super) async fn look(places: &Places) -> Told {
    let mut told = Told { checks: vec![socket(&places.socket())], ..Told::default() };
    let mut connection = match running(places).await {
        Ok(Some(connection)) => connection,
        Ok(None) => {
            told.checks.push(absent(holder::pid(places)));
            return told;
        }
        Err(fault) => {
            let is_mended = fault.hint.contains("ibctl restart");
            let check = Check::fail(NAME, format!("{}.", fault.text), fault.hint);
            told.checks.push(if is_mended { check.mend("ibctl restart") } else { check });
            return told;
        }
    };
    match status(&mut connection).await {
        Ok(status) => {
            told.checks.push(version(&connection.build, connection.pid));
            told.gateway = gateway(&mut connection).await;
            told.status = Some(status);
        }
        Err(check) => told.checks.push(check),
    }
    told
}

async fn status(connection: &mut Connection) -> Result<Status, Check> {
    let status = ask(connection, &ToDaemon::Status(1), |answer| match answer {
        ToClient::Status(_, status) => Some(*status),
        _ => None,
    });
    status.await.map_err(|fault| Check::fail(NAME, format!("{}.", fault.text), fault.hint))
}

async fn gateway(connection: &mut Connection) -> Option<GatewayReport> {
    let question = ToDaemon::Gateway(2, GatewayVerb::Status);
    let asked = connection.ask(&question, |answer| match answer {
        ToClient::Gateway(2, report) => Some(*report),
        _ => None,
    });
    timeout(PATIENCE, asked).await.ok()?.ok()
}

/// Nobody listens; whether somebody holds the lock all the same.
fn absent(holder: Option<u32>) -> Check {
    match holder {
        None => Check::warn(
            NAME,
            "No daemon is running.",
            "A client starts it when it is needed; this starts it now:",
        )
        .mend("ibctl restart"),
        Some(pid) => Check::fail(
            NAME,
            format!("ibd runs (pid {pid}), and its socket is gone: no client reaches it."),
            "It publishes another one within half a minute; if not:",
        )
        .mend("ibctl restart"),
    }
}

fn version(build: &str, pid: u32) -> Check {
    let text = format!("ibd {build} runs (pid {pid})");
    if build == BUILD {
        return Check::ok(NAME, format!("{text}."));
    }
    let text = format!("{text}, and ibctl is {BUILD}.");
    if is_newer(build, BUILD) {
        let hint = "Another ibctl is installed beside it: remove one of the two, or run that one.";
        return Check::warn(NAME, text, hint);
    }
    Check::warn(NAME, text, "This ends it and starts the one beside ibctl:").mend("ibctl restart")
}

/// Whether the socket is one, and nobody else's.
#[cfg(unix)]
fn socket(path: &Path) -> Check {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use super::folders::quoted;

    const NAME: &str = "socket";
    let shown = path.display();
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Check::ok(NAME, format!("{shown} is where a daemon will listen."));
    };
    let remove = || format!("rm {}", quoted(path));
    let (owner, mode) = (found.uid(), found.mode() & 0o777);
    match () {
        () if !found.file_type().is_socket() => {
            Check::fail(NAME, format!("{shown} is no socket."), "Something else lies in its place.")
                .mend(remove())
        }
        () if owner != rustix::process::geteuid().as_raw() => {
            let text = format!("{shown} belongs to user {owner}.");
            Check::fail(NAME, text, "No program of yours talks to it.").mend(remove())
        }
        // What counts on every system is the folder, which only its user can enter.
        () if mode & 0o077 != 0 => Check::warn(NAME, format!("{shown} has mode {mode:04o}."), "")
            .mend(format!("chmod 600 {}", quoted(path))),
        () => Check::ok(NAME, format!("{shown} is yours alone.")),
    }
}

/// A pipe of Windows has no file.
#[cfg(not(unix))]
fn socket(_: &Path) -> Check {
    Check::ok("socket", "The pipe's own rights keep other users out.")
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::check::State;
    use super::*;

    #[test]
    fn an_older_daemon_is_replaced_and_a_newer_one_is_not() {
        assert_eq!(version(BUILD, 7).state, State::Ok);
        let older = version("0.0.1", 7);
        assert_eq!(
            (older.state, older.commands.as_slice()),
            (State::Warn, &["ibctl restart".to_owned()][..])
        );
        let newer = version("99.0.0", 7);
        assert!(newer.state == State::Warn && newer.commands.is_empty(), "{newer:?}");
    }

    #[test]
    fn one_that_runs_unreachably_is_not_one_that_does_not_run() {
        assert_eq!(absent(None).state, State::Warn);
        let lost = absent(Some(7));
        assert!(lost.state == State::Fail && lost.text.contains("pid 7"), "{lost:?}");
    }

    #[test]
    fn a_file_in_the_sockets_place_is_no_socket() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("default.sock");
        assert_eq!(socket(&path).state, State::Ok, "it is not there yet");
        std::fs::write(&path, "").unwrap();
        let told = socket(&path);
        assert!(told.state == State::Fail && told.commands[0].starts_with("rm "), "{told:?}");
        std::fs::remove_file(&path).unwrap();
        let _listens = std::os::unix::net::UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(socket(&path).state, State::Ok);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(socket(&path).state, State::Warn);
    }
}
