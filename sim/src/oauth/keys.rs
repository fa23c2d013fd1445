//! The keys that a consumer uploads: two public RSA keys and a prime.

use num_bigint::BigUint;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// A public RSA key.
#[derive(Debug, Clone)]
pub(super) struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
}

impl PublicKey {
    /// Reads `BEGIN PUBLIC KEY`, as openssl writes it. With CRLF line ends it is refused, as the broker does.
    pub(super) fn parse(pem: &str) -> Result<Self, String> {
        let der = unwrap(pem, "PUBLIC KEY")?;
        let outer = Piece::sequence(&der).ok_or("not a public key")?;
        // Algorithm, then the key as a bit string that begins with the number of unused bits.
        let key = match outer.as_slice() {
            [_, Piece { tag: 3, body: [0, key @ ..] }] => key,
            _ => return Err("not a public key".to_owned()),
        };
        let (modulus, exponent) = two_numbers(key).ok_or("not an RSA key")?;
        let key = Self { modulus, exponent };
        if key.modulus.bits() < 2048 { Err("the key is too small".to_owned()) } else { Ok(key) }
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let (n, e) = (self.modulus.to_bytes_be(), self.exponent.to_bytes_be());
        let key = RsaPublicKeyComponents { n: &n, e: &e };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), signature).is_ok()
    }

    /// RSAES-PKCS1-v1_5. Padding needs bytes that are not zero; who gives them decides about chance.
    pub(super) fn encrypt(&self, message: &[u8], chance: &mut impl FnMut() -> u8) -> Vec<u8> {
        let size = usize::try_from(self.modulus.bits().div_ceil(8)).unwrap_or_default();
        let mut block = vec![0, 2];
        while block.len() + message.len() + 1 < size {
            block.push(chance().max(1));
        }
        block.push(0);
        block.extend_from_slice(message);
        let number = BigUint::from_bytes_be(&block).modpow(&self.exponent, &self.modulus);
        let digits = number.to_bytes_be();
        let mut encrypted = vec![0; size.saturating_sub(digits.len())];
        encrypted.extend_from_slice(&digits);
        encrypted
    }
}

/// Reads the prime: `BEGIN DH PARAMETERS` with generator 2, or hexadecimal.
pub(super) fn prime(text: &str) -> Result<BigUint, String> {
    let prime = if text.contains("-----BEGIN") {
        let der = unwrap(text, "DH PARAMETERS")?;
        let (prime, generator) = two_numbers(&der).ok_or("not DH parameters")?;
        if generator != BigUint::from(2_u8) {
            return Err("the generator is not 2".to_owned());
        }
        prime
    } else {
        BigUint::parse_bytes(text.trim().as_bytes(), 16).ok_or("not a hexadecimal number")?
    };
    if prime.bits() < 2048 { Err("the prime is too small".to_owned()) } else { Ok(prime) }
}

/// What is between the lines of a PEM file.
fn unwrap(pem: &str, label: &str) -> Result<Vec<u8>, String> {
    if pem.contains('\r') {
        return Err("Failed to set Key - failed to put consumer info".to_owned());
    }
    let begin = format!("-----BEGIN {label}-----\n");
    let (_, rest) = pem.split_once(&begin).ok_or_else(|| format!("no BEGIN {label}"))?;
    let (body, _) = rest.split_once("-----END").ok_or("no END")?;
    let packed: String = body.split_whitespace().collect();
    base64(&packed).ok_or_else(|| "not base64".to_owned())
}

/// A sequence that begins with two numbers.
fn two_numbers(der: &[u8]) -> Option<(BigUint, BigUint)> {
    match Piece::sequence(der)?.as_slice() {
        [Piece { tag: 2, body: first }, Piece { tag: 2, body: second }, ..] => {
            Some((BigUint::from_bytes_be(first), BigUint::from_bytes_be(second)))
        }
        _ => None,
    }
}

/// One element of DER.
struct Piece<'a> {
    tag: u8,
    body: &'a [u8],
}

impl<'a> Piece<'a> {
    /// The elements of a sequence that is all there is.
    fn sequence(der: &'a [u8]) -> Option<Vec<Self>> {
        let (outer, []) = Self::next(der)? else { return None };
        let (mut pieces, mut rest) = (Vec::new(), outer.body);
        while !rest.is_empty() {
            let (piece, after) = Self::next(rest)?;
            pieces.push(piece);
            rest = after;
        }
        (outer.tag == 0x30).then_some(pieces)
    }

    /// The first element, and what follows it.
    fn next(der: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (tag, rest) = der.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = if *first < 0x80 {
            (usize::from(*first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
        };
        let (body, rest) = rest.split_at_checked(length)?;
        Some((Self { tag: *tag, body }, rest))
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Decodes base64 with its padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let is_whole = text.len().is_multiple_of(4) && text.len() - digits.len() <= 2;
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in digits {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        held = (held << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let [.., low] = (held >> bits).to_be_bytes();
            bytes.push(low);
        }
    }
    is_whole.then_some(bytes)
}

/// Encodes base64 with its padding.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let held = (at(0) << 16) | (at(1) << 8) | at(2);
        for digit in 0..4 {
            let value = usize::try_from((held >> (18 - 6 * digit)) & 63).unwrap_or_default();
            let letter = ALPHABET.get(value).copied().map_or('=', char::from);
            text.push(if digit <= u32::try_from(three.len()).unwrap_or(3) { letter } else { '=' });
        }
    }
    text
}

/// Small letters, two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(to_base64(plain.as_bytes()), text);
            assert_eq!(base64(text).unwrap(), plain.as_bytes());
        }
        assert!(base64("Zg").is_none() && base64("Z===").is_none() && base64("Z*==").is_none());
    }

    #[test]
    fn a_prime_is_read_from_hexadecimal_and_must_be_long() {
        assert_eq!(prime("ff").err(), Some("the prime is too small".to_owned()));
        assert_eq!(prime(&"f".repeat(512)).unwrap().bits(), 2048);
        assert!(prime("prime").is_err());
    }
}
