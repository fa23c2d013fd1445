//! Configuration: defaults, then `config.toml`, then environment, then flags; every value knows
//! where it comes from.

mod gateway;

use std::path::Path;
use std::time::Duration;

use ibd_protocol::SettingReport;
use ibd_protocol::places::{PlaceError, Places};
use ibd_protocol::settings::{self, FlagError, Key, SETTINGS, Settings};

pub use gateway::{Details, GatewayChoice, Sources};

/// Seconds without a client after which a daemon that a client started ends.
const IDLE_EXIT: u64 = 30 * 60;

/// In the folder of the configuration.
const FILE: &str = "config.toml";

/// Flags that only the daemon has.
const OWN: &[&str] = &["--auto-started", "--version", "--help"];

/// What the daemon was told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Checked values with their origins.
    pub settings: Settings,
    /// Where this profile's files are.
    pub places: Places,
    /// Started by a client and not by a person or a service manager.
    pub auto_started: bool,
    /// Limits for every client, from a configuration that only the client named which started this daemon.
    pub bound: Vec<(String, String)>,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Run.
    Run(Box<Config>),
    /// Say the version.
    Version,
    /// Say how to use it.
    Help,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line cannot be understood.
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// A folder cannot be used.
    #[error(transparent)]
    Places(#[from] PlaceError),
    /// The file is no TOML, or holds what is no setting.
    #[error("{file}: {problem}")]
    File {
        /// Its path.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Values that are none.
    #[error("{0}")]
    Bad(String),
}

impl Config {
    /// Reads everything; `arguments` without the program's name.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Invocation, ConfigError> {
        let flags = settings::from_flags(arguments, OWN)?;
        let asked = |flag: &str| flags.own.iter().any(|own| own == flag);
        if asked("--help") {
            return Ok(Invocation::Help);
        }
        if asked("--version") {
            return Ok(Invocation::Version);
        }
        let auto_started = asked("--auto-started");
        let environment = settings::from_environment(std::env::vars_os());
        let mut above_file = environment;
        above_file.overlay(flags.settings);
        let places = Places::of(above_file.profile())?;
        let named = if auto_started {
            Places::default_config().filter(|usual| !is_same_folder(usual, &places.config))
        } else {
            None
        };
        let (mut settings, bound) = match named {
            Some(usual) => read_bound(&usual, &places.config)?,
            None => (read_file(&places.config_file())?, Vec::new()),
        };
        settings.overlay(above_file);
        if !settings.bad.is_empty() {
            let all: Vec<String> = settings.bad.iter().map(ToString::to_string).collect();
            return Err(ConfigError::Bad(all.join("; ")));
        }
        Ok(Invocation::Run(Box::new(Self { settings, places, auto_started, bound })))
    }

    /// The gateway that file, environment or flags ask for; otherwise the first client's wish decides.
    pub fn gateway(&self) -> Option<GatewayChoice> {
        let mode = self.settings.gateway()?;
        let choice = GatewayChoice::from(
            mode,
            Details {
                host: self.settings.text(Key::GatewayHost),
                port: self.settings.number(Key::GatewayPort),
                upstream: self.settings.text(Key::GatewayUpstream),
            },
        );
        Some(self.pinned(choice))
    }

    /// The certificate that the configuration names counts for every gateway that is attached to: it
    /// could otherwise be any program's.
    pub fn pinned(&self, choice: GatewayChoice) -> GatewayChoice {
        match choice {
            GatewayChoice::Attach { host, port, .. } => GatewayChoice::Attach {
                host,
                port,
                certificate: self.settings.text(Key::GatewayCert).map(str::to_owned),
            },
            other => other,
        }
    }

    /// Where a managed gateway is installed from.
    pub fn sources(&self) -> Result<Sources, ConfigError> {
        let text = |key| self.settings.text(key);
        Sources::parse(text(Key::GatewayArchive), text(Key::JavaArchive)).map_err(ConfigError::Bad)
    }

    /// How long a daemon that a client started stays without one. `None`: for ever.
    pub fn idle_exit(&self) -> Option<Duration> {
        let seconds = self.settings.number(Key::IdleExit).unwrap_or(IDLE_EXIT);
        (self.auto_started && seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Every setting, its value and its origin, for `ibctl config`.
    pub fn report(&self) -> Vec<SettingReport> {
        self.settings.report()
    }
}

/// Whoever starts a client chooses its environment, and so where configuration is looked for. What stands in
/// another place than this home's usual one counts as that client's wishes do, and what stands in the usual
/// one counts whatever the client named.
fn read_bound(
    usual: &Path,
    named: &Path,
) -> Result<(Settings, Vec<(String, String)>), ConfigError> {
    let file = named.join(FILE);
    let bound = settings::bind(read_file(&usual.join(FILE))?, &read_file(&file)?);
    match bound.refused.first() {
        Some(refused) => Err(ConfigError::File {
            file: file.display().to_string(),
            problem: format!("only the client that starts ibd names this place: {refused}"),
        }),
        None => Ok((bound.settings, bound.limits)),
    }
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| Some(one) == real(other))
}

fn read_file(path: &Path) -> Result<Settings, ConfigError> {
    settings::from_file(path)
        .map_err(|problem| ConfigError::File { file: path.display().to_string(), problem })
}

/// What `ibd --help` says.
pub fn help() -> String {
    let mut text = String::from(
        "ibd: the daemon between AI assistants and an Interactive Brokers account\n\n\
         Usage: ibd [FLAGS]\n\n\
         It is normally started by a client (ib-mcp), by ibctl, or by systemd or launchd.\n\
         Every flag is also an environment variable (IB_PAPER_TRADING) and a key of config.toml\n\
         (paper_trading). Precedence: flag, environment, config.toml, default.\n\n\
         Flags:\n  --version\n  --help\n  --auto-started  a client started it: it ends when nobody uses it\n",
    );
    for setting in SETTINGS {
        let line = format!("  {:<34} {} [{}]\n", setting.flag(), setting.about, setting.default);
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_that_only_a_client_named_binds_and_says_what_does_not_count_there() {
        let home = tempfile::tempdir().unwrap();
        let (usual, named) = (home.path().join("usual"), home.path().join("named"));
        let write = |folder: &Path, text: &str| {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(FILE), text).unwrap();
        };
        write(&usual, "max_order_value = 100\nconfirm_orders = \"always\"\n");
        // An empty place does not hide the usual one.
        let (settings, bound) = read_bound(&usual, &named).unwrap();
        assert_eq!(settings.text(Key::ConfirmOrders), Some("always"));
        assert!(bound.is_empty());
        write(&named, "max_order_value = 9000\nread_only_mode = true\n");
        let (settings, bound) = read_bound(&usual, &named).unwrap();
        assert_eq!(settings.text(Key::MaxOrderValue), Some("100"));
        assert_eq!(settings.flag(Key::ReadOnlyMode), Some(true));
        assert_eq!(bound, [("IB_MAX_ORDER_VALUE".to_owned(), "9000".to_owned())]);
        write(&named, "compete = \"take\"\n");
        let refused = read_bound(&usual, &named).unwrap_err().to_string();
        assert!(refused.contains("compete") && refused.contains("~/.config/ibd"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_place_is_that_place() {
        let home = tempfile::tempdir().unwrap();
        let (folder, link) = (home.path().join("dotfiles"), home.path().join("link"));
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(is_same_folder(&folder, &link) && is_same_folder(&folder, &folder));
        assert!(!is_same_folder(&folder, home.path()));
        assert!(!is_same_folder(&home.path().join("a"), &home.path().join("b")));
    }

    #[test]
    fn help_names_every_setting() {
        let help = help();
        assert!(SETTINGS.iter().all(|setting| help.contains(&setting.flag())));
    }
}
