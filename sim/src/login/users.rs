//! The users of the login page. All have one password; they differ in what comes after it.

/// The password of every user.
pub(super) const PASSWORD: &str = "sim-password";
/// The seed of those who use an authenticator app, base32.
pub(super) const TOTP_SECRET: &str = "JBSWY3DPEHPK3PXP";

/// What a user is asked after the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Second {
    /// Nothing.
    Nothing,
    /// Approval on the phone.
    Push,
    /// Six digits from an authenticator app.
    Totp,
    /// The answer to a number that the page shows.
    Challenge,
    /// Which of two methods it shall be.
    Choice,
}

/// Somebody who may log in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    /// A paper trading user; otherwise a live one.
    pub(crate) is_paper: bool,
    pub(super) second: Second,
    /// Locked before it ever tried.
    pub(super) is_locked: bool,
    /// Is shown an advertisement for the phone app before the end.
    pub(super) sees_promo: bool,
}

const fn live(name: &'static str, second: Second) -> User {
    User { name, is_paper: false, second, is_locked: false, sees_promo: false }
}

const USERS: [User; 8] = [
    User { is_paper: true, ..live("simpaper", Second::Nothing) },
    live("simlive", Second::Nothing),
    live("simpush", Second::Push),
    live("simtotp", Second::Totp),
    live("simchallenge", Second::Challenge),
    live("simchooser", Second::Choice),
    User { sees_promo: true, ..live("simpromo", Second::Nothing) },
    User { is_locked: true, ..live("simlocked", Second::Nothing) },
];

/// The user of this name, in any case: the broker does not tell `A` from `a` in names.
pub(crate) fn find(name: &str) -> Option<&'static User> {
    static ALL: [User; 8] = USERS;
    ALL.iter().find(|user| user.name.eq_ignore_ascii_case(name.trim()))
}
