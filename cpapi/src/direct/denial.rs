//! Why IBKR gives no session to somebody who signs: read off its answers. Pure.

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Registered today, and not in force before IBKR's next reset; or another consumer key was meant.
    #[error("it does not know the consumer key, or not yet (`invalid consumer`)")]
    NotActive,
    /// The access token is another one, or IBKR has lost its secret.
    #[error("it does not know the access token, or has lost its secret")]
    Token,
    /// The signing key is not the one whose public half was uploaded.
    #[error("it does not accept the signature")]
    Signature,
    /// Both sides came to different tokens.
    #[error("its proof of the session token does not match ours")]
    Exchange,
    /// The time of the request, although it was corrected.
    #[error("it refuses the time of the request")]
    Clock,
    /// The user may not trade through this way.
    #[error("it opens no trading session for this user (`failed to generate sso dh token`)")]
    NotEntitled,
    /// Refused before anybody looked at the signature.
    #[error("it lets no request of this machine's address in (403)")]
    Blocked,
    /// 410, time and again.
    #[error("it says that the session lives at another host (410)")]
    OtherHost,
}

impl Denial {
    /// What an answer to the request for a token means, if it is a refusal of that kind.
    ///
    /// Of IBKR's words two are known; the others are looked for by what such an error must speak of, and whatever
    /// else is a 401 is a signature that was not accepted.
    pub(crate) fn of(status: u16, body: &str) -> Option<Self> {
        let says = |words: &str| body.to_ascii_lowercase().contains(words);
        match status {
            403 => Some(Self::Blocked),
            410 => Some(Self::OtherHost),
            400 | 401 if says("invalid consumer") => Some(Self::NotActive),
            400 | 401 if says("no access secret key") || says("invalid token") => Some(Self::Token),
            400 | 401 if says("timestamp") => Some(Self::Clock),
            401 if !body.trim_start().starts_with('<') => Some(Self::Signature),
            _ => None,
        }
    }

    /// What a refusal to open the trading session means, if it is one of that kind.
    pub fn of_opening(status: u16, text: &str) -> Option<Self> {
        match status {
            500 if text.contains("generate sso dh token") => Some(Self::NotEntitled),
            410 => Some(Self::OtherHost),
            _ => None,
        }
    }

    /// Whether time alone may bring it: nobody has done anything wrong.
    pub fn may_pass(self) -> bool {
        self == Self::NotActive
    }

    /// Whether a wrong time of day may be behind it.
    pub(crate) fn may_be_the_clock(self) -> bool {
        matches!(self, Self::Clock | Self::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_their_words() {
        let lost =
            r#"{"error":"LST failed, error: No access secret key found for A","statusCode":401}"#;
        for (status, body, denial) in [
            (
                401,
                r#"{"error":"id: 39687, error: invalid consumer","statusCode":401}"#,
                Denial::NotActive,
            ),
            (401, lost, Denial::Token),
            (401, r#"{"error":"id: 39688, error: invalid token"}"#, Denial::Token),
            (401, r#"{"error":"timestamp refused: it is 600 s off"}"#, Denial::Clock),
            (401, r#"{"error":"Invalid signature"}"#, Denial::Signature),
            (401, "", Denial::Signature),
            (403, "<html>Access Denied</html>", Denial::Blocked),
            (410, "Gone", Denial::OtherHost),
        ] {
            assert_eq!(Denial::of(status, body), Some(denial), "{status} {body}");
        }
        for (status, body) in [(401, "<html>proxy"), (500, "x"), (503, ""), (200, "{}"), (407, "")]
        {
            assert_eq!(Denial::of(status, body), None, "{status} {body}");
        }
    }

    #[test]
    fn who_may_not_trade_this_way_is_told_when_the_session_opens() {
        let words = "failed to generate sso dh token";
        assert_eq!(Denial::of_opening(500, words), Some(Denial::NotEntitled));
        assert_eq!(Denial::of_opening(410, "Gone"), Some(Denial::OtherHost));
        assert_eq!(Denial::of_opening(500, "Internal Server Error"), None);
    }
}
