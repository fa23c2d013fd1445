//! Codes: those computed from a seed, and those that a person types.

use ibd_protocol::Secret;
use totp_rs::{Algorithm, Builder, Totp};

use crate::host::CodeKind;

/// Seconds for which a code counts.
const WINDOW: u64 = 30;
/// A code that ends sooner than this might arrive too late, and be a failure that IBKR counts.
const TOO_LATE: u64 = 8;

/// The seed of an authenticator app, and the window in which it was last used.
pub(crate) struct Authenticator {
    totp: Totp,
    used: Option<u64>,
}

impl Authenticator {
    /// From base32, as IBKR shows it; blanks, hyphens and small letters do not matter.
    pub(crate) fn new(seed: &Secret) -> Option<Self> {
        let clean: String = seed
            .expose()
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-' && *c != '=')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let clean = Secret::new(clean);
        let secret = totp_rs::Secret::try_from_base32(clean.expose()).ok()?;
        if secret.as_bytes().is_empty() {
            return None;
        }
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6);
        // IBKR decides how long its seeds are; shorter ones than the RFC asks for are still used.
        let totp = builder.with_step_duration(WINDOW).with_secret(secret).build_noncompliant();
        Some(Self { totp, used: None })
    }

    /// The code at this time, in seconds since 1970: not one that is about to end, and each at most
    /// once.
    pub(crate) fn code(&self, unix: u64) -> Option<Secret> {
        let left = WINDOW - unix % WINDOW;
        if left < TOO_LATE || self.used == Some(unix / WINDOW) {
            return None;
        }
        Some(Secret::new(self.totp.generate(unix).to_string()))
    }

    /// The code of this time is being sent.
    pub(crate) fn spend(&mut self, unix: u64) {
        self.used = Some(unix / WINDOW);
    }
}

/// What a person typed, as the page wants it; or why it cannot be a code.
pub(crate) fn typed(text: &Secret, kind: &CodeKind) -> Result<Secret, &'static str> {
    let digits: String =
        text.expose().chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let digits = Secret::new(digits);
    let (least, why) = match kind {
        CodeKind::Challenge(_) => (4, "a response has 4 to 8 digits"),
        CodeKind::Totp | CodeKind::Sms => (6, "a code has 6 to 8 digits"),
    };
    let code = digits.expose();
    let fits = (least..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(digits) } else { Err(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authenticator() -> Authenticator {
        Authenticator::new(&Secret::new("GEZD GNBV-gy3tqojqGEZDGNBVGY3TQOJQ=")).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of eight digits.
        for (unix, code) in [(1_111_111_111, "050471"), (1_234_567_890, "005924")] {
            assert_eq!(authenticator().code(unix).unwrap().expose(), code);
        }
    }

    #[test]
    fn no_code_is_sent_in_the_last_seconds_of_its_window() {
        assert!(authenticator().code(30 * 7 + 22).is_some());
        assert!(authenticator().code(30 * 7 + 23).is_none());
        assert!(authenticator().code(30 * 8).is_some());
    }

    #[test]
    fn a_code_is_sent_once_in_its_window() {
        let mut authenticator = authenticator();
        authenticator.spend(300);
        assert!(authenticator.code(301).is_none());
        assert!(authenticator.code(330).is_some());
    }

    #[test]
    fn a_seed_that_is_none_is_refused() {
        assert!(Authenticator::new(&Secret::new("not base 32!")).is_none());
        assert!(Authenticator::new(&Secret::new("")).is_none());
    }

    #[test]
    fn what_a_person_types_is_read_kindly_but_must_be_a_code() {
        let totp =
            |text| typed(&Secret::new(text), &CodeKind::Totp).map(|code| code.expose().to_owned());
        assert_eq!(totp(" 123 456\n"), Ok("123456".into()));
        assert_eq!(totp("123-456"), Ok("123456".into()));
        for wrong in ["12345", "123456789", "12345a", "", "１２３４５６"] {
            assert!(totp(wrong).is_err(), "{wrong}");
        }
        let challenge = CodeKind::Challenge("123 456".into());
        assert!(typed(&Secret::new("12345"), &challenge).is_ok());
    }
}
