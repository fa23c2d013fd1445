//! What IBKR calls us: the consumer key and the access token.

use thiserror::Error;

/// The consumer key of IBKR's demonstration, which has a realm of its own.
const DEMONSTRATION: &str = "TESTCONS";
/// Longer ones were not copied from IBKR.
const LONGEST: usize = 64;

/// Why a text is no consumer key or access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Longer than any that IBKR makes.
    #[error("it is longer than {LONGEST} characters: something else was copied")]
    TooLong,
    /// It has a character that none of IBKR's has.
    #[error("it contains {0:?}: copy it from IBKR's page again, without quotes")]
    Character(char),
}

/// The name that was chosen at IBKR when the keys were uploaded: nine capital letters or digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerKey(String);

impl ConsumerKey {
    /// Reads it; blanks around it do not matter.
    ///
    /// # Errors
    /// If it is empty or has a character that would have to be encoded. OAuth's rules for encoding are read in more
    /// ways than one; for these characters all ways agree.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        name(text).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The realm that its requests are made in.
    pub fn realm(&self) -> &'static str {
        if self.0 == DEMONSTRATION { "test_realm" } else { "limited_poa" }
    }
}

impl std::fmt::Display for ConsumerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The access token. It is sent along in the open, but is nobody's business.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// Reads it; blanks around it do not matter.
    ///
    /// # Errors
    /// If it is empty or has a character that would have to be encoded.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        name(text).map(Self)
    }

    /// The text, also for the address of the websocket.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

fn name(text: &str) -> Result<String, NameError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > LONGEST {
        return Err(NameError::TooLong);
    }
    match text.chars().find(|letter| !crate::encode::is_unreserved(*letter)) {
        Some(letter) => Err(NameError::Character(letter)),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_demonstration_has_another_realm() {
        let realm = |name: &str| ConsumerKey::parse(name).unwrap().realm();
        assert_eq!(realm(" TESTCONS\n"), "test_realm");
        assert_eq!((realm("TESTCONS1"), realm("IBDTRADER")), ("limited_poa", "limited_poa"));
    }

    #[test]
    fn what_would_have_to_be_encoded_is_no_name() {
        assert_eq!(ConsumerKey::parse(" "), Err(NameError::Empty));
        assert_eq!(ConsumerKey::parse("\"ABC\""), Err(NameError::Character('"')));
        assert_eq!(AccessToken::parse("ab cd"), Err(NameError::Character(' ')));
        assert_eq!(AccessToken::parse(&"a".repeat(65)), Err(NameError::TooLong));
    }

    #[test]
    fn an_access_token_cannot_be_printed() {
        assert_eq!(format!("{:?}", AccessToken::parse("0a1b").unwrap()), "AccessToken(…)");
    }
}
