//! What must be new each time: randomness, nonces, and the pair of nonce and time that one request is stamped with.

use chacha20::ChaCha20Rng;
use jiff::Timestamp;
use rsa::rand_core::{Rng, SeedableRng};

/// Digits of a nonce: 32 of them, so that five random bits choose one and none is likelier than another.
const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Random numbers grown from 32 bytes that were handed in.
///
/// One of these must never be made twice from the same bytes: everything that it gives would repeat.
pub struct Randomness(ChaCha20Rng);

impl Randomness {
    /// Starts from bytes of the operating system's generator.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(*seed))
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn generator(&mut self) -> &mut ChaCha20Rng {
        &mut self.0
    }
}

impl std::fmt::Debug for Randomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Randomness(…)")
    }
}

/// A word that IBKR has not seen from us before. There is no second one like it: it cannot be copied, and signing
/// takes it away.
#[derive(Debug, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// Sixteen letters and digits, of 80 random bits. Sixteen is what clients in the field send.
    pub fn from_random(random: [u8; 16]) -> Self {
        let digit = |byte: &u8| DIGITS.get(usize::from(byte % 32)).copied().map(char::from);
        Self(random.iter().filter_map(digit).collect())
    }

    /// The next one.
    pub fn draw(randomness: &mut Randomness) -> Self {
        Self::from_random(randomness.bytes())
    }

    /// One that somebody else chose, for comparison with what they signed. `None` if it is not letters and digits.
    pub fn given(text: &str) -> Option<Self> {
        let is_plain =
            !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric());
        is_plain.then(|| Self(text.to_owned()))
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// What makes one request unlike every other: a nonce, and the time by IBKR's clock.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamp {
    pub(crate) nonce: Nonce,
    /// Seconds since 1970.
    pub(crate) seconds: i64,
}

impl Stamp {
    /// Stamps a request; see [`crate::Skew::corrected`] for the time.
    pub fn new(nonce: Nonce, at: Timestamp) -> Self {
        Self { nonce, seconds: at.as_second() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_nonce_is_sixteen_letters_and_digits() {
        let Nonce(text) =
            Nonce::from_random([0, 1, 31, 32, 255, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
        assert_eq!(text, "ab9a9kmnpqrstuvw");
    }

    #[test]
    fn no_nonce_comes_twice() {
        let mut randomness = Randomness::from_seed(&[7; 32]);
        let all: HashSet<String> = (0..10_000).map(|_| Nonce::draw(&mut randomness).0).collect();
        assert_eq!(all.len(), 10_000);
    }

    #[test]
    fn randomness_cannot_be_printed() {
        assert_eq!(format!("{:?}", Randomness::from_seed(&[7; 32])), "Randomness(…)");
    }
}
