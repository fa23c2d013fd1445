//! The browser's process: started with what it needs and nothing else, and gone afterwards.
//!
//! It is a process group of its own. The ends of its two pipes are all that keeps it: when the daemon
//! dies, they close, and it quits by itself. What is left on disk then is removed by the next attempt.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::failed::Failed;
use crate::find::find;

/// Folders of attempts begin so; the next attempt removes those that were left behind.
const PREFIX: &str = "browser-";
const ENDED: Duration = Duration::from_secs(3);

/// Chromium makes a socket in its temporary folder, and paths of sockets may have 108 bytes.
const SHORT: usize = 60;

/// Chromium wants its pipes as descriptors 3 and 4. Only a shell can move them there without `unsafe`.
const SHELL: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

const FLAGS: [&str; 28] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--no-pings",
    "--lang=en-US",
    "--accept-lang=en-US",
    "--window-size=1280,1000",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
    "--metrics-recording-only",
    "--deny-permission-prompts",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-features=AutofillServerCommunication,InterestFeedContentSuggestions,MediaRouter,\
     OptimizationHints,PasswordLeakDetection,Translate",
    "about:blank",
];

/// A running browser. Dropped, it is killed with all its children, and its profile removed.
#[derive(Debug)]
pub(crate) struct Browser {
    child: Child,
    profile: Profile,
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) program: Option<&'a Path>,
    pub(crate) scratch: &'a Path,
    /// In base64.
    pub(crate) trusted_key: String,
}

/// The pipes: what it says, and what it is told.
pub(crate) type Ends = (ChildStdout, ChildStdin);

impl Browser {
    /// Starts one.
    pub(crate) fn start(launch: &Launch<'_>) -> Result<(Self, Ends), Failed> {
        let program = find(launch.program)?;
        can_run()?;
        let profile = Profile::new(launch.scratch).map_err(|error| {
            Failed::BrowserFailed(format!("no folder for its profile: {error}"))
        })?;
        let mut child = command(&program, &profile.0, &launch.trusted_key)
            .and_then(|mut command| command.spawn())
            .map_err(|error| Failed::BrowserFailed(format!("{}: {error}", program.display())))?;
        tracing::debug!(program = %program.display(), pid = child.id(), "browser started");
        match (child.stdout.take(), child.stdin.take()) {
            (Some(from), Some(to)) => Ok((Self { child, profile }, (from, to))),
            _ => Err(Failed::BrowserFailed("its pipes are missing".into())),
        }
    }

    /// Why it ended, as far as it told.
    pub(crate) fn last_words(&self) -> String {
        let told = std::fs::read(self.profile.0.join("stderr")).unwrap_or_default();
        last_words(&String::from_utf8_lossy(&told))
    }

    /// Ends it, and waits until it has ended and its profile is gone.
    pub(crate) async fn end(mut self) {
        self.kill();
        // Its children have the same fate; the profile can be removed when the first is reaped.
        if tokio::time::timeout(ENDED, self.child.wait()).await.is_err() {
            tracing::warn!("the browser does not end");
        }
        let profile = std::mem::take(&mut self.profile);
        let _ = tokio::task::spawn_blocking(move || drop(profile)).await;
    }

    /// The child is not reaped before, so the number of its group cannot be another's.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) =
            self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
        {
            // It may be gone already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder for one attempt.
#[derive(Debug, Default)]
struct Profile(PathBuf);

impl Profile {
    fn new(scratch: &Path) -> std::io::Result<Self> {
        ibd_disk::make_folder(scratch)?;
        sweep(scratch);
        let moment = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() as u32;
        let folder = scratch.join(format!("{PREFIX}{moment:08x}"));
        ibd_disk::make_folder(&folder)?;
        Ok(Self(std::path::absolute(folder)?))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // Children of the browser write until they notice that they are killed.
        for _ in 0..20 {
            if self.0.as_os_str().is_empty() || std::fs::remove_dir_all(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        tracing::warn!(folder = %self.0.display(), "not removed; the next attempt tries again");
    }
}

/// There is one attempt at a time, so what is there now belongs to nobody.
fn sweep(scratch: &Path) {
    let Ok(entries) = std::fs::read_dir(scratch) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn command(program: &Path, profile: &Path, trusted_key: &str) -> std::io::Result<Command> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SHELL).arg(program).args(FLAGS);
    command.arg(format!("--ignore-certificate-errors-spki-list={trusted_key}"));
    let mut folder = std::ffi::OsString::from("--user-data-dir=");
    folder.push(profile);
    command.arg(folder);
    // The daemon's environment may hold secrets, and a person's holds ways to preload and to proxy.
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    command.env("HOME", profile).env("LANG", "en_US.UTF-8").current_dir(profile);
    if profile.as_os_str().len() <= SHORT {
        command.env("TMPDIR", profile);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(std::fs::File::create(profile.join("stderr"))?).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    Ok(command)
}

/// Chromium's sandbox does not work for root, and without it a page could take over the machine.
fn can_run() -> Result<(), Failed> {
    #[cfg(target_os = "linux")]
    if rustix::process::geteuid().is_root() {
        return Err(Failed::BrowserFailed(
            "as root Chromium has no sandbox, and it is not run without one. Run ibd as an ordinary user"
                .into(),
        ));
    }
    if cfg!(not(unix)) {
        return Err(Failed::Unusable(
            "logging in by itself works on Linux and macOS only. Log in by hand",
        ));
    }
    Ok(())
}

fn last_words(told: &str) -> String {
    let has = |text: &str| told.contains(text);
    if has("No usable sandbox") || has("namespace sandbox failed") || has("setuid sandbox") {
        return "its sandbox does not work on this system, and it is not run without one. On Ubuntu install \
                Google Chrome from google.com/chrome, whose package allows it, and set IB_BROWSER"
            .into();
    }
    let lines = || told.lines().rev().filter(|line| !line.trim().is_empty());
    // The bus of the desktop is not there, and need not be.
    let lines = || lines().filter(|line| !line.contains("dbus"));
    let is_grave = |line: &&str| line.contains("FATAL") || line.to_lowercase().contains("error");
    let line = lines().find(is_grave).or_else(|| lines().next());
    match line {
        Some(line) => format!("it ended, saying: {}", crate::words::short(line)),
        None => "it ended without a word".into(),
    }
}

#[cfg(test)]
mod tests;
