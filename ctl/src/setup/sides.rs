//! Where clients may be: on this system; and, if it is a Linux below Windows (WSL 2), on that Windows too, whose clients
//! launch the program of this Linux.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ibd_clients::{Client, Entry, Folders, Platform, wsl};

use super::file::Rights;
use super::shown::Shown;
use crate::daemon::Fault;
use crate::{Context, say};

/// Windows answers what it knows by heart within this time, also when it has just woken up.
const PATIENCE: Duration = Duration::from_secs(15);

/// One of the places where clients are.
#[derive(Debug)]
pub(super) struct Side {
    platform: Platform,
    folders: Folders,
    /// The Linux to be launched in, for the clients of the Windows above it.
    linux: Option<String>,
}

/// This system's, and that of the Windows above it.
pub(super) fn all(context: &Context) -> Result<Vec<Side>, Fault> {
    let platform = Platform::here();
    let folders = Folders::of(platform, |name| std::env::var_os(name)).ok_or_else(|| {
        Fault::new("the home folder is not known", "Set HOME (USERPROFILE on Windows) to it.")
    })?;
    let mut sides = vec![Side { platform, folders, linux: None }];
    match windows() {
        Ok(above) => sides.extend(above),
        Err(why) if !context.json => {
            say(&format!("The clients of Windows were not looked for: {why}.\n"));
        }
        Err(_) => {}
    }
    Ok(sides)
}

/// Where a client is.
pub(super) fn where_it_is(client: Client, sides: &[Side]) -> Vec<(Client, &Side)> {
    sides.iter().filter(|side| side.has(client)).map(|side| (client, side)).collect()
}

/// Where a client is that was named; and where it would be, if it is nowhere.
pub(super) fn of(client: Client, sides: &[Side]) -> Vec<(Client, &Side)> {
    let found = where_it_is(client, sides);
    if !found.is_empty() {
        return found;
    }
    // Programs with windows are those of Windows, where there is one.
    let likely = if client.has_windows() { sides.last() } else { sides.first() };
    likely.into_iter().map(|side| (client, side)).collect()
}

impl Side {
    fn has(&self, client: Client) -> bool {
        let signs = ibd_clients::signs(client, self.platform, &self.folders);
        signs.iter().any(|sign| sign.exists())
    }

    /// What is to stand in the file of a client here.
    pub(super) fn entry(&self, entry: Entry) -> Entry {
        match &self.linux {
            Some(linux) => wsl::entry(linux, entry),
            None => entry,
        }
    }

    /// Nothing known yet of a client here.
    pub(super) fn shown(&self, client: Client) -> Shown {
        let rights = if self.linux.is_some() { Rights::OfWindows } else { Rights::Ours };
        Shown::new(client, ibd_clients::file(client, self.platform, &self.folders), rights)
    }
}

/// The Windows above this Linux. `None`: there is none.
fn windows() -> Result<Option<Side>, String> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let name = std::env::var("WSL_DISTRO_NAME").ok();
    let Some(linux) = wsl::distribution(name.as_deref(), &kernel) else { return Ok(None) };
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let drive = wsl::root('C', &mounts).ok_or("its drive C: is not mounted in this Linux")?;
    let answer = ask(&drive)?;
    let folders =
        wsl::folders(&answer, &mounts).ok_or("it did not say where its user's folders are")?;
    Ok(Some(Side { platform: Platform::Windows, folders, linux: Some(linux) }))
}

/// Asks the command interpreter of Windows.
fn ask(drive: &Path) -> Result<Vec<u8>, String> {
    let program: PathBuf = drive.join("Windows/System32/cmd.exe");
    let mut child = Command::new(&program)
        .args(wsl::ASK_FOR_FOLDERS)
        // In a folder of Linux it would complain, where its answer is expected.
        .current_dir(drive)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            format!("{} cannot be run: {}", program.display(), ibd_disk::plainly(&error))
        })?;
    let deadline = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err("it did not answer".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // Two paths are shorter than what a pipe holds, so it has ended without anybody reading.
    let output = child.wait_with_output().map_err(|error| ibd_disk::plainly(&error))?;
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sides(root: &Path) -> Vec<Side> {
        let folders = |home: &str| Folders { home: root.join(home), ..Folders::default() };
        vec![
            Side { platform: Platform::Linux, folders: folders("linux"), linux: None },
            Side {
                platform: Platform::Windows,
                folders: folders("windows"),
                linux: Some("Ubuntu".into()),
            },
        ]
    }

    #[test]
    fn a_client_is_set_up_where_it_is_and_else_where_it_would_be() {
        let root = tempfile::tempdir().unwrap();
        let sides = sides(root.path());
        let named = |client| -> Vec<bool> {
            of(client, &sides).iter().map(|(_, side)| side.linux.is_some()).collect()
        };
        // Nowhere yet: one with windows is likely to be one of Windows, a command one of this Linux.
        assert_eq!(named(Client::ClaudeDesktop), [true]);
        assert_eq!(named(Client::Codex), [false]);
        std::fs::create_dir_all(root.path().join("linux/.cursor")).unwrap();
        assert_eq!(named(Client::Cursor), [false]);
        std::fs::create_dir_all(root.path().join("windows/.cursor")).unwrap();
        assert_eq!(named(Client::Cursor), [false, true]);
        assert_eq!(where_it_is(Client::Codex, &sides).len(), 0);
    }

    #[test]
    fn the_entry_of_each_side_launches_the_same_program() {
        let sides = sides(Path::new("/"));
        let ours = Entry { command: "/opt/ib-mcp".into(), ..Entry::default() };
        assert_eq!(sides[0].entry(ours.clone()), ours);
        let of_windows = sides[1].entry(ours);
        assert_eq!(of_windows.command, "wsl.exe");
        assert_eq!(of_windows.args.last().unwrap(), "/opt/ib-mcp");
        let shown = sides[1].shown(Client::ClaudeDesktop);
        assert!(shown.heading().contains("Claude Desktop on Windows"), "{}", shown.heading());
        assert!(!sides[0].shown(Client::ClaudeDesktop).heading().contains("Windows"));
    }
}
