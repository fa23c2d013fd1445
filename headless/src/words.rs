//! What IBKR's texts mean. They are English, because the browser asks for English.

use crate::failed::{Failed, Stage};

/// Longest text of the page that is handed on.
const LONGEST: usize = 200;

/// What a visible error means at this stage. The guard against lock-outs depends on it: whatever is
/// not understood counts as a refusal.
pub(crate) fn error(text: &str, stage: Stage) -> Failed {
    let words = text.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|item| words.contains(item));
    let quoted = short(text);
    if has(&["correct login mode", "account mode", "paper trading user", "live trading user"]) {
        Failed::WrongMode(quoted)
    } else if has(&["locked", "lockout", "lock out", "too many", "suspended", "exceeded"]) {
        Failed::Locked(quoted)
    } else if is_maintenance(text) {
        Failed::Maintenance(quoted)
    } else if stage == Stage::Push {
        // IBKR says no more than "failed" when somebody pressed "no".
        push(text).unwrap_or(if has(&["failed"]) {
            Failed::PushDenied
        } else {
            Failed::Refused(quoted)
        })
    } else if matches!(stage, Stage::Code | Stage::CodeWanted) {
        Failed::CodeRefused(quoted)
    } else if has(&["username", "user name", "password", "credential", "failed"]) {
        Failed::WrongCredentials(quoted)
    } else {
        Failed::Refused(quoted)
    }
}

/// What the notice of a push says, if it is over.
pub(crate) fn push(text: &str) -> Option<Failed> {
    let words = text.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|item| words.contains(item));
    if has(&["denied", "declined", "rejected"]) {
        Some(Failed::PushDenied)
    } else if has(&["expired", "timed out", "time out", "no response"]) {
        Some(Failed::PushExpired)
    } else {
        None
    }
}

/// Whether a text says that IBKR is not taking logins.
pub(crate) fn is_maintenance(text: &str) -> bool {
    let words = text.to_lowercase();
    ["maintenance", "unavailable", "try again later", "bad gateway", "gateway time", "server reset"]
        .iter()
        .any(|item| words.contains(item))
}

/// The number of a challenge in the text of the panel.
pub(crate) fn challenge(text: &str) -> Option<String> {
    let at = text.to_lowercase().find("challenge")?;
    // Lower-casing may move bytes in other scripts; then the whole text is searched.
    let after = text.get(at..).unwrap_or(text);
    let mut number = String::new();
    for c in after.chars() {
        match c {
            '0'..='9' => number.push(c),
            // Groups of digits are one number.
            ' ' | '-' | '\u{a0}' if !number.is_empty() => {}
            _ if number.len() >= 4 => break,
            _ => number.clear(),
        }
    }
    (4..=12).contains(&number.len()).then_some(number)
}

/// Whether the panel speaks of a text message.
pub(crate) fn is_sms(text: &str) -> bool {
    let words = text.to_lowercase();
    words.contains("text message")
        || words.split(|c: char| !c.is_alphanumeric()).any(|w| w == "sms")
}

/// The option that fits best, if one does.
pub(crate) fn device(options: &[String], has_seed: bool) -> Option<usize> {
    let fits = |option: &String| {
        let words = option.to_lowercase();
        if has_seed {
            words.contains("authenticator")
        } else {
            // "IB Key (challenge)" would send no push.
            !words.contains("challenge")
                && !words.contains("authenticator")
                && ["ib key", "ibkey", "ibkr mobile", "ibkr key"].iter().any(|w| words.contains(w))
        }
    };
    options.iter().position(fits)
}

/// A text of the page, on one line and not longer than a person wants to read. It goes into answers
/// that models read, so control and direction characters are dropped.
pub(crate) fn short(text: &str) -> String {
    let plain = ibd_text::plain(text);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let mut line = words.join(" ");
    if line.chars().count() > LONGEST {
        line = line.chars().take(LONGEST).collect();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_page_are_understood() {
        let mode = "You have selected the Live Account Mode, but the specified user is a Paper Trading user. \
                    Please select the correct Login mode.";
        let name =
            |text, stage| format!("{:?}", error(text, stage)).split('(').next().unwrap().to_owned();
        for (text, stage, expected) in [
            (mode, Stage::Password, "WrongMode"),
            ("Invalid username password combination", Stage::Password, "WrongCredentials"),
            ("failed", Stage::Password, "WrongCredentials"),
            ("failed", Stage::Code, "CodeRefused"),
            ("Invalid security code", Stage::Code, "CodeRefused"),
            ("Your account is locked", Stage::Password, "Locked"),
            ("Too many failed login attempts", Stage::Code, "Locked"),
            ("System is down for maintenance", Stage::Password, "Maintenance"),
            ("The request was denied", Stage::Push, "PushDenied"),
            ("Your request has expired", Stage::Push, "PushExpired"),
            ("failed", Stage::Push, "PushDenied"),
            ("Etwas anderes", Stage::Password, "Refused"),
        ] {
            assert_eq!(name(text, stage), expected, "{text}");
        }
    }

    #[test]
    fn a_challenge_is_read_from_its_panel() {
        let read = |text| challenge(text);
        assert_eq!(read("Challenge: 123 456"), Some("123456".into()));
        assert_eq!(
            read("Enter the challenge code\n98765432\nin IBKR Mobile 2"),
            Some("98765432".into())
        );
        assert_eq!(read("Enter 2 digits of 123456"), None);
        assert_eq!(read("No challenge today"), None);
    }

    #[test]
    fn a_method_is_chosen_by_its_text() {
        let options: Vec<String> =
            ["Select", "IB Key (Challenge/Response)", "IB Key", "Mobile Authenticator App", "SMS"]
                .map(String::from)
                .into();
        assert_eq!(device(&options, true), Some(3));
        assert_eq!(device(&options, false), Some(2));
        assert_eq!(device(&options[..1], true), None);
    }

    #[test]
    fn a_text_of_the_page_is_tamed() {
        assert_eq!(short("  a\n\u{202e}b\u{7}\tc "), "a b c");
        assert_eq!(short(&"x".repeat(500)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn sms_is_a_word() {
        assert!(is_sms("Enter the code sent by SMS."));
        assert!(!is_sms("plasmsoid"));
    }
}
