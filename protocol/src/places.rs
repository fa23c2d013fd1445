//! Where things live: XDG on every Unix, as documented in `docs/configuration.md`.
//!
//! A test that sets `HOME` and the five XDG variables touches nothing else.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Xdg};

use crate::files;

/// The folder of [`Places::flex_inbox`].
pub const INBOX: &str = "flex-inbox";

/// The file whose being there freezes trading: in a profile's state folder, or above the profiles.
pub const FLAG: &str = "FROZEN";

/// The folders and files of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Which daemon this is; `default` unless told otherwise.
    pub profile: String,
    /// `config.toml` lies here; shared by all profiles.
    pub config: PathBuf,
    /// Lock, store and logs of this profile.
    pub state: PathBuf,
    /// Only the socket lies here.
    pub runtime: PathBuf,
    /// The installed gateway and Java runtime; shared by all profiles.
    pub data: PathBuf,
}

/// Why the places could not be worked out or used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No home folder.
    #[error("the home folder is not known: set HOME to its whole path")]
    NoHome,
    /// A profile name that is no plain word.
    #[error("the profile {0:?} may hold letters, digits, - and _ only, 1 to 32 of them")]
    BadProfile(String),
    /// A folder that others could enter or that is not ours.
    #[error("{path} must be a folder of your own that nobody else can enter (mode 0700): {why}")]
    NotPrivate {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system said no.
    #[error(
        "{path} cannot be made or used ({source}): make it, or name another place with {variable} or HOME"
    )]
    Io {
        /// What was touched.
        path: PathBuf,
        /// The variable that it follows from.
        variable: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Places {
    /// The places of `profile`, from `HOME` and the XDG variables.
    pub fn of(profile: &str) -> Result<Self, PlaceError> {
        if !is_profile(profile) {
            return Err(PlaceError::BadProfile(profile.to_owned()));
        }
        let xdg = Xdg::new().map_err(|_| PlaceError::NoHome)?;
        let state = xdg.state_dir().ok_or(PlaceError::NoHome)?.join("ibd").join(profile);
        if !state.is_absolute() {
            return Err(PlaceError::NoHome);
        }
        let runtime = runtime(xdg.runtime_dir().as_deref(), &state, profile);
        Ok(Self {
            profile: profile.to_owned(),
            config: xdg.config_dir().join("ibd"),
            data: xdg.data_dir().join("ibd"),
            state,
            runtime,
        })
    }

    /// The configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The socket, or on Windows the name of the pipe.
    pub fn socket(&self) -> PathBuf {
        if cfg!(windows) {
            return PathBuf::from(format!(
                r"\\.\pipe\ibd-{}-{:016x}",
                self.profile,
                self.fingerprint()
            ));
        }
        self.runtime.join(format!("{}.sock", self.profile))
    }

    /// Freezes trading of this profile.
    pub fn flag(&self) -> PathBuf {
        self.state.join(FLAG)
    }

    /// What belongs to an account and not to a profile lies in each of these, above the profiles. Beside
    /// the folder of our state it is the one that this home has by default: who names another one for
    /// itself does not walk round what stands there.
    pub fn shared(&self) -> Vec<PathBuf> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        shared(&self.state, home.as_deref())
    }

    /// Where `config.toml` lies in this home unless something names another place.
    pub fn default_config() -> Option<PathBuf> {
        let home = std::env::home_dir().filter(|home| home.is_absolute())?;
        Some(home.join(".config/ibd"))
    }

    /// Held by the daemon for life; never unlinked.
    pub fn daemon_lock(&self) -> PathBuf {
        self.state.join("ibd.lock")
    }

    /// Whether a daemon holds its lock: that is known without a word to it, and without starting one.
    pub fn has_daemon(&self) -> bool {
        // Shared, so that two who look do not take each other for a daemon.
        let is_held = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(self.daemon_lock()).is_ok_and(is_held)
    }

    /// Held while somebody starts a daemon; never unlinked.
    pub fn start_lock(&self) -> PathBuf {
        self.state.join("start.lock")
    }

    /// Where a command leaves a file for the daemon to take over, under a name of its own: the daemon opens no path
    /// that somebody names.
    pub fn flex_inbox(&self) -> PathBuf {
        self.state.join(INBOX)
    }

    /// Log files.
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The daemon's store.
    pub fn store(&self) -> PathBuf {
        self.state.join("store")
    }

    /// What a managed gateway runs in: its configuration, its key, its log.
    pub fn gateway(&self) -> PathBuf {
        self.state.join("gateway")
    }

    /// Keys of the direct way, and what IBKR showed for them where no keyring keeps it.
    pub fn oauth(&self) -> PathBuf {
        self.state.join("oauth")
    }

    /// By what the token of HTTP is known: its hash, not the token.
    pub fn http_token(&self) -> PathBuf {
        self.state.join("http-token")
    }

    /// Makes the state and runtime folders, private to the user, or says why they cannot be used.
    pub fn make(&self) -> Result<(), PlaceError> {
        make_private(&self.state, STATE)?;
        self.check_above()?;
        make_private(&self.logs(), STATE)?;
        make_private(&self.runtime, RUNTIME)
    }

    /// Says why those of them that are there cannot be used, and makes none.
    pub fn check(&self) -> Result<(), PlaceError> {
        self.check_above()?;
        let logs = self.logs();
        let folders = [(&self.state, STATE), (&logs, STATE), (&self.runtime, RUNTIME)];
        let mut there = folders.into_iter().filter(|(path, _)| path.symlink_metadata().is_ok());
        there.try_for_each(|(path, variable)| check_private(path, variable))
    }

    /// What stands above the profiles holds for all of them: a freeze, counted logins, wrong PINs.
    fn check_above(&self) -> Result<(), PlaceError> {
        let Some(above) = self.state.parent() else { return Ok(()) };
        match files::why_foreign(above) {
            Some(why) => Err(PlaceError::NotPrivate { path: above.to_owned(), why }),
            None => Ok(()),
        }
    }

    /// Why nothing may be installed into the data folder, or started from it: somebody else can change what is there.
    pub fn why_data_foreign(&self) -> Option<String> {
        files::why_foreign(&self.data)
    }

    /// Tells two state folders apart in the one namespace of pipes that Windows has.
    fn fingerprint(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.state.hash(&mut hasher);
        hasher.finish()
    }
}

const STATE: &str = "XDG_STATE_HOME";
const RUNTIME: &str = "XDG_RUNTIME_DIR";

/// Longest path of a socket that every system takes, in bytes.
const LONGEST: usize = 103;

/// Where the socket lies. A runtime folder of somebody else (`su` and `sudo` leave one behind) is none of ours; and
/// where the path would be longer than sockets may have, it lies in a short place that is ours alone.
fn runtime(given: Option<&Path>, state: &Path, profile: &str) -> PathBuf {
    let usual = state.join("run");
    let folders = given.filter(|given| is_own(given)).map(|given| given.join("ibd"));
    let fits =
        |folder: &PathBuf| folder.join(format!("{profile}.sock")).as_os_str().len() <= LONGEST;
    let short = || std::env::temp_dir().join(format!("ibd-{}-{:08x}", user(), hash_of(state)));
    folders.into_iter().chain([usual]).find(fits).unwrap_or_else(short)
}

/// Whether a folder belongs to this user; one that is not there yet can be made.
#[cfg(unix)]
fn is_own(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    std::fs::metadata(folder).map_or(true, |found| found.is_dir() && found.uid() == user)
}

#[cfg(not(unix))]
fn is_own(_: &Path) -> bool {
    true
}

#[cfg(unix)]
fn user() -> String {
    rustix::process::geteuid().as_raw().to_string()
}

#[cfg(not(unix))]
fn user() -> String {
    "user".to_owned()
}

fn hash_of(state: &Path) -> u32 {
    // FNV-1a: the same in every build, so that all programs of a machine agree.
    let bytes = state.as_os_str().as_encoded_bytes().iter();
    bytes.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn shared(state: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let ours = state.parent().map(Path::to_owned);
    let default = home.map(|home| home.join(".local/state/ibd"));
    let mut folders: Vec<PathBuf> = ours.into_iter().chain(default).collect();
    folders.dedup();
    folders
}

/// Whether this may name a profile: it becomes part of file names, beside the flag of all profiles.
pub fn is_profile(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && !name.eq_ignore_ascii_case(FLAG)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(unix)]
fn make_private(path: &Path, variable: &'static str) -> Result<(), PlaceError> {
    if !path.is_dir() {
        let io = |source| PlaceError::Io { path: path.to_owned(), variable, source };
        ibd_disk::make_folder(path).map_err(io)?;
    }
    check_private(path, variable)
}

#[cfg(unix)]
fn check_private(path: &Path, variable: &'static str) -> Result<(), PlaceError> {
    use std::os::unix::fs::MetadataExt;

    let io = |source| PlaceError::Io { path: path.to_owned(), variable, source };
    let found = std::fs::symlink_metadata(path).map_err(io)?;
    let why = if !found.is_dir() {
        "it is not a folder".to_owned()
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        format!("it belongs to user {}", found.uid())
    } else if found.mode() & 0o077 != 0 {
        format!("its mode is {:04o}", found.mode() & 0o7777)
    } else {
        return Ok(());
    };
    Err(PlaceError::NotPrivate { path: path.to_owned(), why })
}

#[cfg(not(unix))]
fn make_private(path: &Path, variable: &'static str) -> Result<(), PlaceError> {
    std::fs::create_dir_all(path).map_err(|source| PlaceError::Io {
        path: path.to_owned(),
        variable,
        source,
    })
}

/// Elsewhere a user's own folders are closed to others.
#[cfg(not(unix))]
fn check_private(_: &Path, _: &'static str) -> Result<(), PlaceError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ibd-places-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_profile_is_a_plain_word() {
        assert!(is_profile("default") && is_profile("paper-2"));
        for bad in ["", "..", "a/b", "a b", "FROZEN", "Frozen", &"x".repeat(33)] {
            assert!(!is_profile(bad), "{bad}");
        }
    }

    #[test]
    fn what_belongs_to_an_account_lies_above_the_profiles_and_in_the_homes_own_place() {
        let (state, home) = (Path::new("/h/.local/state/ibd/x"), Path::new("/h"));
        let own = PathBuf::from("/h/.local/state/ibd");
        assert_eq!(shared(state, Some(home)), std::slice::from_ref(&own));
        assert_eq!(shared(Path::new("/e/ibd/x"), Some(home)), [PathBuf::from("/e/ibd"), own]);
        assert_eq!(shared(Path::new("/e/ibd/x"), None), [PathBuf::from("/e/ibd")]);
    }

    #[test]
    fn the_socket_lies_where_it_fits_and_where_only_we_are() {
        let (own, state) = (std::env::temp_dir().join("ibd-run-none"), Path::new("/h/state/ibd/x"));
        assert_eq!(runtime(Some(&own), state, "x"), own.join("ibd"));
        assert_eq!(runtime(None, state, "x"), Path::new("/h/state/ibd/x/run"));
        let long = PathBuf::from(format!("/{}", "a".repeat(120)));
        let short = runtime(Some(&long), &long, "x");
        assert!(short.starts_with(std::env::temp_dir()), "{}", short.display());
        assert_eq!(short, runtime(Some(&long), &long, "x"), "all programs agree");
        assert_ne!(short, runtime(Some(&long), &long.join("other"), "x"));
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let path = scratch("open");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let refused = make_private(&path, STATE).unwrap_err().to_string();
        assert!(refused.contains("0755"), "{refused}");
        std::fs::remove_dir(path).unwrap();
    }

    #[test]
    fn a_symlink_is_refused() {
        let (target, link) = (scratch("target"), scratch("link"));
        make_private(&target, STATE).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(make_private(&link, STATE), Err(PlaceError::NotPrivate { .. })));
        std::fs::remove_file(link).unwrap();
        std::fs::remove_dir(target).unwrap();
    }
}
