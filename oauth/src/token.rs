//! The access-token secret: shown once by IBKR, encrypted for the encryption key.

use base64ct::{Base64, Encoding};
use rsa::BoxedUint;
use rsa::hazmat::rsa_decrypt_and_check;
use rsa::traits::PublicKeyParts;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::encode;
use crate::key::EncryptionKey;
use crate::nonce::Randomness;

/// Why the secret is of no use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It was not copied whole, or is something else.
    #[error("the access-token secret is not base64; copy it from IBKR's page again, whole")]
    NotBase64,
    /// It belongs to a key of another size, or lost a part.
    #[error(
        "the access-token secret has {found} bytes and this encryption key makes {wanted}: a part is missing, \
         or it was made for another key"
    )]
    WrongLength {
        /// Bytes that it has.
        found: usize,
        /// Bytes that anything encrypted for this key has.
        wanted: usize,
    },
    /// It was encrypted for another key.
    #[error(
        "the access-token secret was not made for this encryption key: the two keys may be swapped, the secret may \
         be another user's, or the key was uploaded after the token was made; make the token again at IBKR"
    )]
    OtherKey,
}

/// The secret as IBKR shows it.
#[derive(Clone)]
pub struct TokenSecret(Zeroizing<Vec<u8>>);

impl TokenSecret {
    /// Reads it; blanks and line ends that came with the copy do not matter.
    ///
    /// # Errors
    /// If it is not base64.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let mut packed = Zeroizing::new(String::with_capacity(text.len()));
        packed.extend(text.chars().filter(|letter| !letter.is_whitespace()));
        let bytes = Base64::decode_vec(&packed).map_err(|_| TokenError::NotBase64)?;
        if bytes.is_empty() {
            return Err(TokenError::NotBase64);
        }
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl std::fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

/// The secret itself. Written in hexadecimal it is put in front of what is signed for a session, which is where its
/// name comes from; as bytes it goes into the live session token.
pub struct Prepend(Zeroizing<Vec<u8>>);

impl Prepend {
    pub(crate) fn hex(&self) -> Zeroizing<String> {
        encode::hex(&self.0)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text itself, for comparison with another program's.
    pub fn expose(&self) -> Zeroizing<String> {
        self.hex()
    }
}

impl std::fmt::Debug for Prepend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepend(…)")
    }
}

impl EncryptionKey {
    /// Decrypts the secret.
    ///
    /// # Errors
    /// If it was not made for this key.
    pub fn decrypt(
        &self,
        secret: &TokenSecret,
        randomness: &mut Randomness,
    ) -> Result<Prepend, TokenError> {
        let (key, block) = (self.inner(), secret.0.as_slice());
        if block.len() != key.size() {
            let (found, wanted) = (block.len(), key.size());
            return Err(TokenError::WrongLength { found, wanted });
        }
        let message = key.pkcs1v15_decrypt_with_rng(randomness.generator(), block);
        let message = Zeroizing::new(message.map_err(|_| TokenError::OtherKey)?);
        let padded = self.padded(block, randomness).ok_or(TokenError::OtherKey)?;
        if is_padding_of(&padded, &message) {
            Ok(Prepend(message))
        } else {
            Err(TokenError::OtherKey)
        }
    }

    /// The decrypted block with its padding, as long as the modulus.
    fn padded(&self, block: &[u8], randomness: &mut Randomness) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.inner();
        let number = BoxedUint::from_be_slice(block, key.n_bits_precision()).ok()?;
        let decrypted = rsa_decrypt_and_check(key, Some(randomness.generator()), &number).ok()?;
        let bytes = Zeroizing::new(Zeroizing::new(decrypted).to_be_bytes().into_vec());
        // The number is stored in whole words, which may be more than the modulus has.
        let surplus = bytes.len().checked_sub(key.size())?;
        Some(Zeroizing::new(bytes.get(surplus..)?.to_vec()))
    }
}

/// True if the block is `00 02`, eight or more bytes, `00`, and this message.
///
/// The library decodes the block, and answers one that is not well formed with an invented message, so that a stranger
/// who can ask often learns nothing. Here the question is whether the person has the right key, and there is nobody
/// else who asks. So its answer is held against the block: an invented message is not in there.
fn is_padding_of(padded: &[u8], message: &[u8]) -> bool {
    let Some(at) = padded.len().checked_sub(message.len() + 1).filter(|at| *at >= 10) else {
        return false;
    };
    let (Some(head), Some(tail)) = (padded.get(..2), padded.get(at..)) else { return false };
    let mut expected = Zeroizing::new(Vec::with_capacity(message.len() + 1));
    expected.push(0);
    expected.extend_from_slice(message);
    let is_whole = !message.is_empty();
    bool::from(head.ct_eq(&[0, 2]) & tail.ct_eq(&expected)) && is_whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_genuine_only_with_its_own_message() {
        let block = [0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 0, 5, 6];
        assert!(is_padding_of(&block, &[5, 6]));
        for wrong in [&[5, 7][..], &[6], &[5, 6, 7], &[0, 5, 6], &[]] {
            assert!(!is_padding_of(&block, wrong), "{wrong:?}");
        }
        assert!(!is_padding_of(&[0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 0, 5, 6], &[5, 6]));
        assert!(!is_padding_of(&[0, 2, 9, 9, 9, 9, 9, 9, 9, 0, 5, 6], &[5, 6]), "a short padding");
    }

    #[test]
    fn a_secret_is_base64_with_any_blanks() {
        assert_eq!(
            TokenSecret::parse(" AAEC\r\nAwQF \n").unwrap().0.as_slice(),
            [0, 1, 2, 3, 4, 5]
        );
        for wrong in ["", "AAE", "AA*C"] {
            assert_eq!(TokenSecret::parse(wrong).err(), Some(TokenError::NotBase64), "{wrong}");
        }
    }

    #[test]
    fn neither_form_of_the_secret_can_be_printed() {
        let secret = TokenSecret::parse("c2VjcmV0").unwrap();
        assert_eq!(format!("{secret:?}"), "TokenSecret(…)");
        assert_eq!(format!("{:?}", Prepend(Zeroizing::new(vec![1, 2]))), "Prepend(…)");
    }
}
