//! The token by which clients are let in: made at random, shown once, and known here by its hash alone.

use std::io;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ibd_protocol::{Places, Secret, files};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// What a token begins with, so that one that lies about is known for what it is.
const PREFIX: &str = "ibd_";
/// Random bytes in a token: nobody guesses it, so nobody has to be slowed down.
const BYTES: usize = 32;
/// More than the file has, in bytes.
const LONGEST: u64 = 256;
/// A longer text is no token, in bytes.
const LONGEST_TOKEN: usize = 256;

/// Where the token's hash is.
#[derive(Debug, Clone)]
pub(crate) struct Token(PathBuf);

impl Token {
    pub(crate) fn of(places: &Places) -> Self {
        Self(places.http_token())
    }

    /// The hash of the token that counts now; it is read each time, so that a new one counts at once.
    pub(crate) fn hash(&self) -> io::Result<String> {
        files::read_private(&self.0, LONGEST).map(|text| text.expose().trim().to_owned())
    }

    /// Whether this is the token.
    pub(crate) fn is(&self, given: &str) -> bool {
        // Two hashes are compared: how long that takes tells nothing of a token.
        given.len() <= LONGEST_TOKEN && self.hash().is_ok_and(|hash| hash == hashed(given))
    }

    /// Makes another one, which is the only one from now on.
    pub(crate) fn make(&self) -> io::Result<Secret> {
        let mut bytes = [0; BYTES];
        let random = SystemRandom::new();
        random.fill(&mut bytes).map_err(|_| io::Error::other("the system has no randomness"))?;
        let token = Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)));
        ibd_disk::replace(&self.0, format!("{}\n", hashed(token.expose())).as_bytes())?;
        Ok(token)
    }
}

fn hashed(token: &str) -> String {
    let hash = digest(&SHA256, token.as_bytes());
    format!("sha256:{}", URL_SAFE_NO_PAD.encode(hash.as_ref()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_not_kept_and_the_next_one_replaces_it() {
        let home = tempfile::tempdir().unwrap();
        let token = Token(home.path().join("http-token"));
        assert_eq!(token.hash().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!token.is(""), "without one nobody is let in");
        let first = token.make().unwrap();
        let kept = std::fs::read_to_string(&token.0).unwrap();
        assert!(!kept.contains(first.expose()) && first.expose().len() > 40, "{kept}");
        assert!(token.is(first.expose()));
        assert!(!token.is(&kept) && !token.is(kept.trim()) && !token.is(&"x".repeat(10_000)));
        let second = token.make().unwrap();
        assert!(token.is(second.expose()) && !token.is(first.expose()));
    }
}
