//! What is known about how to log in: from the daemon's own configuration, then from the first client
//! that said so, then from the keyring.

use std::path::PathBuf;
use std::time::Duration;

use ibd_headless::Selectors;
use ibd_protocol::settings::Settings;
use ibd_protocol::{Secret, Wishes};
use jiff::civil::Time;

use crate::config::Config;
use crate::secrets;
use crate::session::calendar::Region;

/// Everything about logins that was configured or wished for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Log in without a person.
    pub headless: bool,
    /// Only to the paper account.
    pub paper: bool,
    /// As whom.
    pub username: Option<String>,
    password: Option<Secret>,
    /// Of the daemon itself; a client's count only where these say nothing.
    own: Settings,
    /// Of clients.
    given: Settings,
}

/// What a headless login types.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: Secret,
    /// The seed of an authenticator app.
    pub totp: Option<Secret>,
    /// The daemon's own: from its configuration or the keyring, and not a client's.
    pub is_own: bool,
}

impl Wish {
    /// What the daemon's own configuration says.
    pub fn of(config: &Config) -> Self {
        let own = config.settings.clone();
        Self {
            headless: own.flag("IB_HEADLESS_MODE") == Some(true),
            paper: own.flag("IB_PAPER_TRADING") == Some(true),
            username: own.text("IB_USERNAME").map(str::to_owned),
            password: own.text("IB_PASSWORD_AUTH").map(Secret::new),
            own,
            given: Settings::default(),
        }
    }

    /// Adds what a client says. What it says of another user does not count.
    pub fn add(&mut self, wishes: &Wishes) {
        let is_same = match (&self.username, &wishes.username) {
            (Some(known), Some(other)) => known.eq_ignore_ascii_case(other),
            (Some(_), None) => true,
            (None, _) => true,
        };
        if !is_same {
            return;
        }
        // The mode belongs to the user: a client that brings no user says only what it wants for itself.
        let brings_user = wishes.username.is_some() || self.username.is_none();
        self.paper |= brings_user && wishes.paper == Some(true) && wishes.headless == Some(true);
        self.headless |= wishes.headless == Some(true);
        if self.username.is_none() {
            self.username = wishes.username.clone();
        }
        if self.own.text("IB_PASSWORD_AUTH").is_none() && wishes.username.is_some() {
            // The newest: the user may have changed it.
            self.password = wishes.password.clone().or(self.password.take());
        }
        self.given.take_login(&wishes.login);
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.own.text(name).or_else(|| self.given.text(name))
    }

    /// A number of seconds.
    pub fn seconds(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(|value| value.parse().ok())
    }

    /// When the daily login shall be.
    pub fn login_time(&self) -> Option<Time> {
        self.text("IB_LOGIN_TIME").and_then(|text| text.parse().ok())
    }

    /// Where IBKR keeps the login.
    pub fn region(&self) -> Region {
        Region::parse(self.text("IB_REGION"))
    }

    /// Whether codes come from a seed.
    pub fn is_totp(&self) -> bool {
        self.text("IB_TWO_FA_STRATEGY") == Some("totp")
    }

    /// The browser to drive, if one was named.
    pub fn browser(&self) -> Option<PathBuf> {
        self.text("IB_BROWSER").map(PathBuf::from)
    }

    /// Where things are on the page.
    pub fn selectors(&self) -> Selectors {
        let mut selectors = Selectors::default();
        for name in ibd_protocol::settings::LOGIN {
            if let Some(selector) = self.text(name) {
                selectors.set(name, selector);
            }
        }
        selectors
    }

    /// How long a login may take.
    pub fn limit(&self) -> Duration {
        super::limit(self.seconds("IB_AUTH_TIMEOUT"))
    }

    /// Between looks while a login is under way.
    pub fn between_looks(&self) -> Duration {
        Duration::from_secs(self.seconds("IB_AUTH_POLL_SECONDS").unwrap_or(2).clamp(1, 60))
    }

    /// Whether neither a phone nor a person is likely to be needed.
    pub fn is_alone(&self) -> bool {
        self.paper || self.is_totp()
    }

    /// What to type; the keyring is asked for what nobody has said. It may want to be unlocked by a
    /// person, so this belongs off the actors. The error names the setting that is missing.
    pub async fn credentials(&self, profile: &str) -> Result<Credentials, &'static str> {
        let username = self.username.clone().ok_or("IB_USERNAME")?;
        let password = match &self.password {
            Some(password) => Some(password.clone()),
            None => secrets::get(profile, "IB_PASSWORD_AUTH").await,
        };
        let totp = match self.is_totp() {
            false => None,
            true => match self.text("IB_TOTP_SECRET") {
                Some(seed) => Some(Secret::new(seed)),
                None => {
                    Some(secrets::get(profile, "IB_TOTP_SECRET").await.ok_or("IB_TOTP_SECRET")?)
                }
            },
        };
        let is_own = self.password.is_none() || self.own.text("IB_PASSWORD_AUTH").is_some();
        let password = password.ok_or("IB_PASSWORD_AUTH")?;
        Ok(Credentials { username, password, totp, is_own })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wishes(username: &str, password: &str) -> Wishes {
        Wishes {
            username: Some(username.into()),
            password: Some(Secret::new(password)),
            headless: Some(true),
            ..Wishes::default()
        }
    }

    #[tokio::test]
    async fn the_first_user_stays_and_a_new_password_of_the_same_user_counts() {
        let mut wish = Wish::default();
        wish.add(&wishes("jdoe", "old"));
        wish.add(&wishes("JDoe", "new"));
        wish.add(&wishes("other", "theirs"));
        let credentials = wish.credentials("test").await.unwrap();
        assert_eq!((credentials.username.as_str(), credentials.password.expose()), ("jdoe", "new"));
        assert!(credentials.totp.is_none());
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        assert_eq!(Wish::default().credentials("test").await.unwrap_err(), "IB_USERNAME");
    }

    #[test]
    fn the_mode_of_a_login_is_its_owners() {
        let mut wish = Wish { paper: true, ..Wish::default() };
        wish.add(&Wishes { paper: Some(false), ..wishes("jdoe", "x") });
        assert!(wish.paper, "the daemon's own configuration is not made looser");
        let mut live = Wish::default();
        live.add(&wishes("jdoe", "x"));
        live.add(&Wishes { paper: Some(true), ..Wishes::default() });
        assert!(!live.paper, "a client that only looks on does not change whose login it is");
        let mut bot = Wish::default();
        bot.add(&Wishes { paper: Some(true), ..wishes("jdoe", "x") });
        assert!(bot.paper);
    }
}
