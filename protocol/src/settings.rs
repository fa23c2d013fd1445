//! Every setting there is: one table, read alike by `ibd`, `ib-mcp` and `ibctl` from flags,
//! environment and `config.toml`.
//!
//! `IB_PAPER_TRADING` is also the flag `--ib-paper-trading` and the key `paper_trading`. A value is
//! checked where it is read: what is no value of its kind is an error that names the field as the
//! person wrote it, never a silent default. Empty means unset.

mod client;
mod file;
mod kind;
mod sources;
mod table;

pub use client::{Bound, Client, Strict, bind};
pub use file::from_file;
pub use kind::{Kind, names};
pub use sources::{FlagError, Flags, from_environment, from_flags, from_toml_pairs, key_of_file};
pub use table::{KEYRING, Key, LIMITS, LOGIN, OAUTH, OAUTH_SECRETS, SETTINGS, Setting, find};

use std::collections::BTreeMap;

use crate::message::{GatewayMode, SettingReport, Wishes};
use crate::secret::Secret;
use crate::toolset::Toolsets;

/// Where a value was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `config.toml`.
    File,
    /// A credential that systemd gave.
    Credential,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

impl Origin {
    /// For a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "config.toml",
            Self::Credential => "systemd credential",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// A value that is no value of its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadSetting {
    /// As the person wrote it: the variable, the flag or the key.
    pub field: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Checked values by the name of their setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    given: BTreeMap<Key, (Secret, Origin)>,
    /// What could not be taken, in the order it was read.
    pub bad: Vec<BadSetting>,
    /// What works and should be known, for instance a password on the command line.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Takes one value, or notes what is wrong with it. A later source overrides an earlier one.
    pub fn put(&mut self, setting: &'static Setting, field: &str, value: &str, origin: Origin) {
        if value.is_empty() {
            return;
        }
        match setting.kind.check(value) {
            Ok(taken) => {
                if let Some(warning) = setting.kind.warning(value, &taken) {
                    self.warnings.push(format!("{field}: {warning}"));
                }
                self.given.insert(setting.key, (Secret::new(taken), origin));
            }
            Err(problem) => self.bad.push(BadSetting { field: field.to_owned(), problem }),
        }
    }

    /// Takes what a client brought along of the settings in [`LOGIN`]. They were checked where they were
    /// read, and are again here, because a client is not to be trusted with that.
    pub fn take_login(&mut self, login: &[(String, Secret)]) {
        for (name, value) in login {
            if let Some(setting) =
                find(name).filter(|one| one.name == *name && LOGIN.contains(&one.key))
            {
                self.put(setting, name, value.expose(), Origin::Environment);
            }
        }
    }

    /// The same for [`LIMITS`].
    pub fn take_limits(&mut self, limits: &[(String, String)]) {
        for (name, value) in limits {
            if let Some(setting) =
                find(name).filter(|one| one.name == *name && LIMITS.contains(&one.key))
            {
                self.put(setting, name, value, Origin::Environment);
            }
        }
    }

    /// Lays `over` on top.
    pub fn overlay(&mut self, over: Settings) {
        self.given.extend(over.given);
        self.bad.extend(over.bad);
        self.warnings.extend(over.warnings);
    }

    /// The checked text of a setting.
    pub fn text(&self, key: Key) -> Option<&str> {
        self.given.get(&key).map(|(value, _)| value.expose())
    }

    /// Where a setting's value comes from.
    pub fn origin(&self, key: Key) -> Option<Origin> {
        self.given.get(&key).map(|(_, origin)| *origin)
    }

    /// A yes-or-no setting.
    pub fn flag(&self, key: Key) -> Option<bool> {
        self.text(key).map(|value| value == "true")
    }

    /// A setting that is a number; its kind has checked that it is one.
    pub fn number<T: std::str::FromStr>(&self, key: Key) -> Option<T> {
        self.text(key).and_then(|value| value.parse().ok())
    }

    /// The gateway that is asked for, if anything says which.
    pub fn gateway(&self) -> Option<GatewayMode> {
        match self.text(Key::Gateway) {
            Some("managed") => Some(GatewayMode::Managed),
            Some("attach") => Some(GatewayMode::Attach),
            Some("simulator") => Some(GatewayMode::Simulator),
            Some("direct") => Some(GatewayMode::Direct),
            _ if self.flag(Key::ForceStandaloneGateway) == Some(true) => Some(GatewayMode::Managed),
            _ if self.text(Key::GatewayHost).or(self.text(Key::GatewayPort)).is_some() => {
                Some(GatewayMode::Attach)
            }
            _ => None,
        }
    }

    /// What a client with these settings asks of the daemon.
    pub fn wishes(&self) -> Wishes {
        let owned = |key| self.text(key).map(str::to_owned);
        Wishes {
            gateway: self.gateway(),
            host: owned(Key::GatewayHost),
            port: self.number(Key::GatewayPort),
            force_standalone: self.flag(Key::ForceStandaloneGateway),
            paper: self.flag(Key::PaperTrading),
            read_only: self.flag(Key::ReadOnlyMode),
            headless: self.flag(Key::HeadlessMode),
            username: owned(Key::Username),
            password: self.text(Key::PasswordAuth).map(Secret::new),
            account: owned(Key::Account),
            upstream: owned(Key::GatewayUpstream),
            // Only the program itself knows whether it has one.
            has_display: false,
            login: LOGIN
                .iter()
                .filter_map(|key| Some((key.name().to_owned(), Secret::new(self.text(*key)?))))
                .collect(),
            limits: LIMITS
                .iter()
                .filter_map(|key| Some((key.name().to_owned(), self.text(*key)?.to_owned())))
                .collect(),
            toolsets: self.toolsets(),
        }
    }

    /// Every setting, its value and its origin, for `ibctl config`.
    pub fn report(&self) -> Vec<SettingReport> {
        let one = |setting: &Setting| {
            let value = self.text(setting.key).map(|value| {
                if setting.kind.is_secret() { "(set)".to_owned() } else { value.to_owned() }
            });
            SettingReport {
                name: setting.name.to_owned(),
                origin: self.origin(setting.key).map_or("default", Origin::as_str).to_owned(),
                note: value.is_none().then(|| format!("default: {}", setting.default)),
                value,
            }
        };
        SETTINGS.iter().map(one).collect()
    }

    /// The sets of tools that are asked for, if not all.
    pub fn toolsets(&self) -> Option<Toolsets> {
        self.text(Key::Toolsets).map(Toolsets::of)
    }

    /// The profile that is asked for.
    pub fn profile(&self) -> &str {
        self.text(Key::Profile).unwrap_or("default")
    }

    /// The log filter: `IB_LOG`, else what the original's variables mean.
    pub fn log_filter(&self) -> &str {
        self.text(Key::Log).unwrap_or("info")
    }
}

#[cfg(test)]
mod tests;
