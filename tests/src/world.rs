//! A scratch home with its own daemon.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::{Shim, Sim, until};

/// A home of its own. Dropping it ends its daemon.
pub struct World {
    home: TempDir,
    environment: BTreeMap<String, String>,
}

impl World {
    /// A home whose clients ask for the daemon's own simulator.
    pub fn simulated() -> Self {
        Self::empty().with("IB_GATEWAY", "simulator")
    }

    /// A home whose clients attach to a simulator that the test controls.
    pub fn attached(sim: &Sim) -> Self {
        Self::empty()
            .with("IB_GATEWAY_HOST", "127.0.0.1")
            .with("IB_GATEWAY_PORT", &sim.port().to_string())
    }

    /// A home where nothing is configured.
    pub fn empty() -> Self {
        let home = tempfile::Builder::new().prefix("ibd-").tempdir_in("/tmp").unwrap();
        let world = Self { home, environment: BTreeMap::new() };
        std::fs::create_dir(world.path("run")).unwrap();
        make_private(&world.path("run"));
        world
    }

    /// The same world with one more variable for its clients.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A path below the scratch home.
    pub fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// The state folder of the default profile.
    pub fn state(&self) -> PathBuf {
        self.path("state/ibd/default")
    }

    /// The socket of the default profile.
    pub fn socket(&self) -> PathBuf {
        self.path("run/ibd/default.sock")
    }

    /// Writes `config.toml`.
    pub fn configure(&self, text: &str) {
        std::fs::create_dir_all(self.path(".config/ibd")).unwrap();
        let file = self.path(".config/ibd/config.toml");
        std::fs::write(&file, text).unwrap();
        // It may hold secrets.
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// One of our programs, in this world and with nothing of ours around it.
    pub fn command(&self, program: &str) -> Command {
        let own = self.programs().join(program);
        self.run(&if own.is_file() { own } else { binary(program) })
    }

    /// Any program, in this world.
    pub fn run(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.path(".config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .envs(&self.environment)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Where this world's own programs are, if it has any.
    pub fn programs(&self) -> PathBuf {
        self.path("bin")
    }

    /// The four programs, installed in this world: from now on it runs these.
    pub fn install(self) -> Self {
        std::fs::create_dir(self.programs()).unwrap();
        for program in ["ibd", "ib-mcp", "ibctl", "ib-sim"] {
            let (from, to) = (binary(program), self.programs().join(program));
            // A second name takes no room; another disk needs a copy.
            if std::fs::hard_link(&from, &to).is_err() {
                std::fs::copy(&from, &to).unwrap();
            }
        }
        self
    }

    /// Puts a program of another version in its place, as an installation does: the same bytes but for the version,
    /// by a rename, whatever runs.
    pub fn replace(&self, program: &str, version: &str) {
        let mut bytes = std::fs::read(binary(program)).unwrap();
        let old = format!("ibd-build:{}\0", ibd_protocol::BUILD);
        let at = memchr::memmem::find(&bytes, old.as_bytes()).expect("the version is in its bytes");
        let new = format!("ibd-build:{version}\0");
        bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
        let (to, beside) = (self.programs().join(program), self.programs().join("new"));
        std::fs::write(&beside, bytes).unwrap();
        std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(beside, to).unwrap();
        // A child that another test has begun meanwhile has the file open until it runs a program of its own, and a
        // program that is open for writing cannot be run.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    /// A client's `ib-mcp`, not yet greeted.
    pub fn raw_shim(&self, arguments: &[&str]) -> Shim {
        let mut command = self.command("ib-mcp");
        command.args(arguments);
        Shim::spawn(command)
    }

    /// A client that has shaken hands.
    pub async fn client(&self) -> Shim {
        let mut shim = self.raw_shim(&[]);
        shim.initialize().await;
        shim
    }

    /// Runs `ibctl`.
    pub async fn ctl(&self, arguments: &[&str]) -> Output {
        self.command("ibctl").args(arguments).output().await.unwrap()
    }

    /// The same, with something on its stdin.
    pub async fn ctl_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command("ibctl");
        command.args(arguments).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever was refused before it was asked has not read it.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.unwrap()
    }

    /// What `ibctl status --json` says.
    pub async fn status(&self) -> Value {
        let output = self.ctl(&["status", "--json"]).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }

    /// The daemon's process id, if one runs.
    pub async fn daemon_pid(&self) -> Option<u32> {
        let pid = self.status().await["daemon"]["pid"].as_u64()?;
        u32::try_from(pid).ok()
    }

    /// `kill -9` for the daemon; returns when it is gone.
    pub async fn kill_daemon(&self) {
        let pid = self.daemon_pid().await.expect("a daemon runs");
        kill(pid, Signal::Kill);
        until("the daemon is gone", || async { !is_alive(pid) }).await;
    }
}

/// The daemons of a profile, by their command lines, which anybody may read.
pub fn daemons_of(profile: &str) -> Vec<u32> {
    let flag = format!("--ib-profile={profile}");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == flag.as_bytes())
    })
    .collect()
}

impl Drop for World {
    fn drop(&mut self) {
        let profiles = std::fs::read_dir(self.path("state/ibd")).into_iter().flatten().flatten();
        for profile in profiles {
            let lock = std::fs::read_to_string(profile.path().join("ibd.lock")).unwrap_or_default();
            if let Some(pid) = lock.trim().parse::<u32>().ok().filter(|pid| is_ibd(*pid)) {
                kill(pid, Signal::Kill);
            }
        }
    }
}

/// The signals that tests send.
#[derive(Debug, Clone, Copy)]
pub enum Signal {
    /// -9
    Kill,
    /// -15
    Terminate,
    /// -19: it stands still until it is told to go on.
    Stop,
    /// -18
    Continue,
}

/// Sends a signal; a process that is gone already is fine.
pub fn kill(pid: u32, signal: Signal) {
    let signal = match signal {
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Stop => rustix::process::Signal::STOP,
        Signal::Continue => rustix::process::Signal::CONT,
    };
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Whether a process lives; one that only waits to be reaped does not.
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    !matches!(state, None | Some("Z" | "X"))
}

fn is_ibd(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "ibd")
}

/// One of our programs, beside the test's own folder.
pub fn binary(program: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // Of target/debug/soak the same folder, of target/debug/deps/it-… the one above.
    let folders = test.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{program} is not built: run `cargo build --workspace --bins` first")
    })
}

fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}
