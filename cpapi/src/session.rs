//! Login and brokerage session: `/tickle`, `/iserver/auth/*`, `/sso/validate`, `/logout`.

use serde::Deserialize;

use crate::endpoint::{Endpoint, Lane, Method, Path};
use crate::lenient;
use crate::pace::Window;

/// How the brokerage session stands. `None`: this build of the server does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct AuthStatus {
    /// The brokerage login is accepted.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub authenticated: Option<bool>,
    /// The account data is loaded: only now may `/iserver` be called.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub established: Option<bool>,
    /// The gateway is linked to IBKR.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub connected: Option<bool>,
    /// Another platform holds the brokerage session.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub competing: Option<bool>,
    /// Why not, in IBKR's words.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub fail: Option<String>,
}

/// Keeps the login alive, at most once a second, at least once in five minutes.
#[derive(Debug, Clone, Copy)]
pub struct Tickle;

/// What a tickle tells. Without `iserver` there is no brokerage side at all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tickled {
    /// The number of the user who is logged in.
    #[serde(rename = "userId", default, deserialize_with = "lenient::opt")]
    pub user_id: Option<u64>,
    /// Tells the web session from the next one.
    #[serde(default, deserialize_with = "lenient::part")]
    pub session: Option<Mark>,
    /// How the brokerage session stands.
    #[serde(default, deserialize_with = "lenient::part")]
    pub iserver: Option<Iserver>,
}

/// A session's name, of which only a hash is kept: the name itself is as good as a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(u64);

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let name = String::deserialize(deserializer)?;
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Ok(Self(hasher.finish()))
    }
}

/// The brokerage side of a tickle.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Iserver {
    /// As `/iserver/auth/status` says it.
    #[serde(rename = "authStatus", default)]
    pub auth_status: AuthStatus,
}

impl Endpoint for Tickle {
    type Reply = Tickled;
    const NAME: &'static str = "tickle";
    const WINDOW: Option<Window> = Some(Window::one_in(1));
    const LANE: Lane = Lane::Tickle;

    fn path(&self) -> Path {
        Path::new("/tickle")
    }
}

/// Asks how the brokerage session stands.
#[derive(Debug, Clone, Copy)]
pub struct GetAuthStatus;

impl Endpoint for GetAuthStatus {
    type Reply = AuthStatus;
    const NAME: &'static str = "iserver/auth/status";
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/iserver/auth/status")
    }
}

/// Opens the brokerage session.
#[derive(Debug, Clone, Copy)]
pub struct OpenBrokerage {
    /// Takes the session away from TWS or a phone that holds it. Without it, IBKR refuses then.
    pub compete: bool,
}

impl Endpoint for OpenBrokerage {
    type Reply = AuthStatus;
    const NAME: &'static str = "iserver/auth/ssodh/init";
    const METHOD: Method = Method::Post;
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/iserver/auth/ssodh/init")
    }

    fn body(&self) -> Option<String> {
        Some(format!(r#"{{"publish":true,"compete":{}}}"#, self.compete))
    }
}

/// Who is logged in, and in which mode; at most once a minute.
#[derive(Debug, Clone, Copy)]
pub struct ValidateSso;

/// The login behind the session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SsoLogin {
    /// The username.
    #[serde(rename = "USER_NAME", default, deserialize_with = "lenient::opt")]
    pub user_name: Option<String>,
    /// 1 live, 2 paper.
    #[serde(rename = "LOGIN_TYPE", default, deserialize_with = "lenient::opt")]
    pub login_type: Option<u32>,
    /// When the login was made, in milliseconds of the epoch.
    #[serde(rename = "AUTH_TIME", default, deserialize_with = "lenient::opt")]
    pub auth_time: Option<u64>,
}

impl Endpoint for ValidateSso {
    type Reply = SsoLogin;
    const NAME: &'static str = "sso/validate";
    const WINDOW: Option<Window> = Some(Window::one_in(60));
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/sso/validate")
    }
}

/// Who is logged in, where [`ValidateSso`] is not answered: to those who sign requests.
#[derive(Debug, Clone, Copy)]
pub struct GetUser;

/// The user of a session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The username.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub username: Option<String>,
    /// Paper or live.
    #[serde(rename = "ispaper", default, deserialize_with = "lenient::opt")]
    pub is_paper: Option<bool>,
}

impl Endpoint for GetUser {
    type Reply = User;
    const NAME: &'static str = "one/user";
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/one/user")
    }
}

/// Ends login and brokerage session; a person must log in again afterwards.
#[derive(Debug, Clone, Copy)]
pub struct Logout;

/// What a logout answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LoggedOut {
    /// Whether it was done.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub status: Option<bool>,
}

impl Endpoint for Logout {
    type Reply = LoggedOut;
    const NAME: &'static str = "logout";
    const METHOD: Method = Method::Post;
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/logout")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_tickle_tells_how_the_brokerage_session_stands() {
        let tickled: Tickled = fixtures::reply("tickle");
        let status = tickled.iserver.unwrap().auth_status;
        assert_eq!(status.authenticated, Some(true));
        assert_eq!(status.established, Some(true));
        assert_eq!(status.competing, Some(false));
    }

    #[test]
    fn status_and_init_have_one_shape() {
        let status: AuthStatus = fixtures::reply("auth_status");
        assert_eq!(status.authenticated, Some(true));
        let opened: AuthStatus = fixtures::reply("ssodh_init");
        assert_eq!(opened.authenticated, Some(true));
        let out: AuthStatus = fixtures::reply("auth_status_logged_out");
        assert_eq!((out.authenticated, out.connected), (Some(false), Some(false)));
    }

    #[test]
    fn the_login_type_tells_paper_from_live() {
        let login: SsoLogin = fixtures::reply("sso_validate");
        assert_eq!(login.login_type, Some(2));
        assert_eq!(login.user_name.as_deref(), Some("simpaper"));
        assert!(login.auth_time.is_some_and(|ms| ms > 1_600_000_000_000));
    }

    #[test]
    fn a_user_is_named_with_the_mode() {
        let user: User = fixtures::reply("one_user");
        assert_eq!((user.username.as_deref(), user.is_paper), (Some("simpaper"), Some(true)));
    }

    #[test]
    fn a_logout_is_confirmed() {
        assert_eq!(fixtures::reply::<LoggedOut>("logout").status, Some(true));
    }
}
