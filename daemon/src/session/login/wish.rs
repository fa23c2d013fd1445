//! What is known about how to log in: from the daemon's own configuration, then from the first client
//! that said so, then from the keyring.

use std::path::PathBuf;
use std::time::Duration;

use ibd_headless::Selectors;
use ibd_protocol::settings::{Client, Key, OAUTH, SETTINGS, Setting, Settings, find};
use ibd_protocol::{Secret, Wishes};
use jiff::civil::Time;

use crate::config::{Config, GatewayChoice};
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
    /// Of the daemon itself; a client's count only where these say nothing.
    own: Settings,
    /// Of clients.
    given: Settings,
    /// What a person says with `ibctl` of the browser and its page.
    said: Settings,
    /// The newest login that a client brought along with its password.
    brought: Option<Brought>,
}

/// The secrets of a login from a client, and what counts beside them alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Brought {
    password: Secret,
    totp: Option<Secret>,
    /// The browser to drive, and where things are on its page.
    beside: Settings,
    /// Through which gateway this client wants to log in.
    gateway: Option<GatewayChoice>,
}

impl Brought {
    fn of(wishes: &Wishes) -> Option<Self> {
        let password = wishes.username.as_ref().and(wishes.password.clone())?;
        let (beside, others) = parted(wishes);
        Some(Self {
            password,
            totp: others.text(Key::TotpSecret).map(Secret::new),
            beside,
            gateway: GatewayChoice::wished(wishes),
        })
    }
}

/// What a client says of logins: what counts only with its own secrets, and the rest.
fn parted(wishes: &Wishes) -> (Settings, Settings) {
    let is_beside = |(name, _): &(String, Secret)| {
        find(name).is_some_and(|setting| setting.client == Client::WithLogin)
    };
    // What requests are signed with types nothing anywhere.
    let types = |(name, _): &&(String, Secret)| {
        find(name).is_none_or(|setting| !OAUTH.contains(&setting.key))
    };
    let (beside, others): (Vec<_>, Vec<_>) =
        wishes.login.iter().filter(types).cloned().partition(is_beside);
    let taken = |pairs: &[(String, Secret)]| {
        let mut settings = Settings::default();
        settings.take_login(pairs);
        settings
    };
    (taken(&beside), taken(&others))
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
    /// Through which gateway the client wants to log in that brought all of these secrets; nothing where one of them
    /// is the daemon's own, from its configuration or the keyring.
    pub gateway: Option<GatewayChoice>,
}

impl Wish {
    /// What the daemon's own configuration says.
    pub fn of(config: &Config) -> Self {
        let own = config.settings.clone();
        Self {
            headless: own.flag(Key::HeadlessMode) == Some(true),
            paper: own.flag(Key::PaperTrading) == Some(true),
            username: own.text(Key::Username).map(str::to_owned),
            own,
            given: Settings::default(),
            said: Settings::default(),
            brought: None,
        }
    }

    /// Adds what the variables of a person's own shell say, brought along by `ibctl`.
    pub fn add_of_person(&mut self, wishes: &Wishes) {
        self.said.overlay(parted(wishes).0);
        self.add(wishes);
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
        // The newest: the user may have changed it.
        if let Some(brought) = Brought::of(wishes) {
            self.brought = Some(brought);
        }
        self.given.overlay(parted(wishes).1);
    }

    /// The login of a client, if every secret that would be typed is the one that it brought along.
    fn all_brought(&self) -> Option<&Brought> {
        let has_own = |key| self.own.text(key).is_some();
        self.brought.as_ref().filter(|brought| {
            let is_code_its =
                !self.is_totp() || brought.totp.is_some() && !has_own(Key::TotpSecret);
            !has_own(Key::PasswordAuth) && is_code_its
        })
    }

    /// What of a client's login settings does not count: it would have the daemon's own secrets typed into what
    /// the client names.
    pub fn unheard(own: &Settings, wishes: &Wishes) -> Vec<&'static str> {
        let (beside, others) = parted(wishes);
        let brought = Brought::of(wishes);
        let wish = Self { own: own.clone(), given: others, brought, ..Self::default() };
        let is_unheard = |setting: &&Setting| {
            let value = beside.text(setting.key);
            value.is_some() && value != own.text(setting.key) && wish.all_brought().is_none()
        };
        SETTINGS.iter().filter(is_unheard).map(|setting| setting.name).collect()
    }

    fn text(&self, key: Key) -> Option<&str> {
        self.own.text(key).or_else(|| self.given.text(key))
    }

    /// The same of what secrets are typed into.
    fn typed_into(&self, key: Key) -> Option<&str> {
        let said = self.own.text(key).or_else(|| self.said.text(key));
        said.or_else(|| self.all_brought()?.beside.text(key))
    }

    /// A number of seconds.
    pub fn seconds(&self, key: Key) -> Option<u64> {
        self.text(key).and_then(|value| value.parse().ok())
    }

    /// When the daily login shall be.
    pub fn login_time(&self) -> Option<Time> {
        self.text(Key::LoginTime).and_then(|text| text.parse().ok())
    }

    /// Where IBKR keeps the login.
    pub fn region(&self) -> Region {
        Region::parse(self.text(Key::Region))
    }

    /// Whether codes come from a seed.
    pub fn is_totp(&self) -> bool {
        self.text(Key::TwoFaStrategy) == Some("totp")
    }

    /// The browser to drive, if one was named.
    pub fn browser(&self) -> Option<PathBuf> {
        self.typed_into(Key::Browser).map(PathBuf::from)
    }

    /// Where things are on the page.
    pub fn selectors(&self) -> Selectors {
        let mut selectors = Selectors::default();
        for key in ibd_protocol::settings::LOGIN {
            if let Some(selector) = self.typed_into(*key) {
                selectors.set(key.name(), selector);
            }
        }
        selectors
    }

    /// How long a login may take.
    pub fn limit(&self) -> Duration {
        super::limit(self.seconds(Key::AuthTimeout))
    }

    /// Between looks while a login is under way.
    pub fn between_looks(&self) -> Duration {
        Duration::from_secs(self.seconds(Key::AuthPollSeconds).unwrap_or(2).clamp(1, 60))
    }

    /// Whether neither a phone nor a person is likely to be needed.
    pub fn is_alone(&self) -> bool {
        self.paper || self.is_totp()
    }

    /// What to type; the keyring is asked for what nobody has said. It may want to be unlocked by a
    /// person, so this belongs off the actors. The error names the setting that is missing.
    pub async fn credentials(&self, profile: &str) -> Result<Credentials, Key> {
        let username = self.username.clone().ok_or(Key::Username)?;
        let brought = self.brought.as_ref().map(|brought| brought.password.expose());
        let password = match self.own.text(Key::PasswordAuth).or(brought) {
            Some(password) => Some(Secret::new(password)),
            None => secrets::get(profile, Key::PasswordAuth).await,
        };
        let totp = if self.is_totp() {
            Some(self.seed(profile).await.ok_or(Key::TotpSecret)?)
        } else {
            None
        };
        let password = password.ok_or(Key::PasswordAuth)?;
        let gateway = self.all_brought().and_then(|brought| brought.gateway.clone());
        Ok(Credentials { username, password, totp, gateway })
    }

    async fn seed(&self, profile: &str) -> Option<Secret> {
        let brought = self.brought.as_ref().and_then(|brought| brought.totp.as_ref());
        let said = [self.own.text(Key::TotpSecret), brought.map(Secret::expose)];
        match said.into_iter().flatten().next().or(self.given.text(Key::TotpSecret)) {
            Some(seed) => Some(Secret::new(seed)),
            None => secrets::get(profile, Key::TotpSecret).await,
        }
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
            gateway: Some(ibd_protocol::GatewayMode::Managed),
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
        assert_eq!(Wish::default().credentials("test").await.unwrap_err(), Key::Username);
    }

    fn with(wishes: Wishes, login: &[(&str, &str)]) -> Wishes {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new(*value));
        Wishes { login: login.iter().map(pair).collect(), ..wishes }
    }

    fn own(pairs: &[(&str, &str)]) -> Wish {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let own = ibd_protocol::settings::from_toml_pairs(pairs);
        assert!(own.bad.is_empty(), "{own:?}");
        Wish { username: own.text(Key::Username).map(str::to_owned), own, ..Wish::default() }
    }

    const SEED: &str = "ABCDEFGHIJKLMNOP";

    #[tokio::test]
    async fn what_a_client_names_is_typed_into_with_its_own_secrets_alone() {
        let evil = [("IB_BROWSER", "/evil"), ("IB_SELECTOR_PASSWORD", "#evil")];
        let bare = Wishes::default();
        let user = [("username", "jdoe")];
        let password = [("username", "jdoe"), ("password_auth", "own")];
        let seed = [("username", "jdoe"), ("two_fa_strategy", "totp"), ("totp_secret", SEED)];
        let totp = [evil[0], ("IB_TWO_FA_STRATEGY", "totp"), ("IB_TOTP_SECRET", SEED)];
        for (what, of_daemon, of_client, counts) in [
            ("nothing of its own", &user[..], with(bare.clone(), &evil), false),
            ("its own login", &user, with(wishes("jdoe", "its"), &evil), true),
            ("the daemon's password", &password, with(wishes("jdoe", "its"), &evil), false),
            ("the daemon's codes", &seed, with(wishes("jdoe", "its"), &evil), false),
            ("its own codes", &user, with(wishes("jdoe", "its"), &totp), true),
            ("another user", &user, with(wishes("other", "its"), &evil), false),
        ] {
            let mut wish = own(of_daemon);
            wish.add(&of_client);
            let browser = counts.then(|| PathBuf::from("/evil"));
            assert_eq!(wish.browser(), browser, "{what}");
            if what != "another user" {
                let unheard = Wish::unheard(&own(of_daemon).own, &of_client);
                assert_eq!(unheard.contains(&"IB_BROWSER"), !counts, "{what}");
            }
        }
        let mut with_ibctl = own(&password);
        with_ibctl.add_of_person(&with(bare, &[("IB_BROWSER", "/mine")]));
        assert_eq!(with_ibctl.browser(), Some("/mine".into()), "a person said so");
        // What one client names is not used with the secrets of the next one.
        let mut two = own(&user);
        two.add(&with(wishes("jdoe", "wrong"), &evil));
        two.add(&wishes("jdoe", "right"));
        assert_eq!(two.browser(), None);
        assert!(two.credentials("test").await.unwrap().gateway.is_some(), "all of it is its own");
        // The daemon's own counts always.
        let mut named = own(&[("username", "jdoe"), ("password_auth", "own"), ("browser", "/own")]);
        named.add(&with(wishes("jdoe", "its"), &evil));
        assert_eq!(named.browser(), Some("/own".into()));
        assert!(
            named.credentials("test").await.unwrap().gateway.is_none(),
            "the daemon's password"
        );
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
