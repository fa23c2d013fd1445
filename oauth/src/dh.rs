//! The Diffie-Hellman exchange out of which a session's key comes.

mod parameters;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use zeroize::Zeroizing;

pub use parameters::{DhError, DhParameters};

use crate::encode::{self, hex};
use crate::session::SessionError;

/// Bits of our own secret number, as in IBKR's own instructions.
const SECRET_BITS: u32 = 256;

/// Our side of one exchange. It is used up by the other side's answer: the same secret number is never used again.
pub struct Exchange {
    secret: Zeroizing<BoxedUint>,
    challenge: String,
    parameters: DhParameters,
}

impl Exchange {
    /// Begins one, with a secret number of random bytes.
    pub fn begin(parameters: &DhParameters, secret: &[u8; 32]) -> Self {
        let secret = Zeroizing::new(BoxedUint::from_be_slice_truncated(secret, SECRET_BITS));
        let challenge = power(&[DhParameters::GENERATOR], &secret, parameters.prime());
        // Without leading zeros and without 0x, as Java and Python write numbers.
        let challenge = challenge.map(|number| hex(&number.to_be_bytes())).unwrap_or_default();
        let challenge = challenge.trim_start_matches('0').to_owned();
        Self { secret, challenge, parameters: parameters.clone() }
    }

    /// What is sent: 2 to the power of our secret, in hexadecimal.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The number that both sides know now, from what the other side answered.
    pub(crate) fn shared(self, response: &str) -> Result<Zeroizing<Vec<u8>>, SessionError> {
        let response = encode::number(response).ok_or(SessionError::Response)?;
        let prime = self.parameters.prime();
        if !is_inside(&response, prime) {
            return Err(SessionError::Response);
        }
        let shared = power(&response, &self.secret, prime).ok_or(SessionError::Response)?;
        Ok(java_bytes(&shared))
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exchange(…)")
    }
}

/// `base` to the power of `exponent`, modulo an odd `prime`, in a time that tells nothing of the exponent.
/// `None` if the prime is even or the base is longer than it.
fn power(base: &[u8], exponent: &BoxedUint, prime: &[u8]) -> Option<Zeroizing<BoxedUint>> {
    let bits = u32::try_from(prime.len()).ok()?.checked_mul(8)?;
    let modulus = Odd::new(BoxedUint::from_be_slice(prime, bits).ok()?).into_option()?;
    // The prime is no secret.
    let parameters = BoxedMontyParams::new_vartime(modulus);
    let base = BoxedUint::from_be_slice(base, bits).ok()?;
    let base = BoxedMontyForm::new(base, &parameters);
    let power = Zeroizing::new(base.pow(exponent));
    Some(Zeroizing::new(power.retrieve()))
}

/// True if a number is more than 1 and less than `prime` - 1. Any other would make the shared number one that
/// everybody knows.
fn is_inside(number: &[u8], prime: &[u8]) -> bool {
    let Some(missing) = prime.len().checked_sub(number.len()) else { return false };
    let mut padded = vec![0; missing];
    padded.extend_from_slice(number);
    let mut last = prime.to_vec();
    if let Some(byte) = last.last_mut() {
        // A prime is odd, so this is one less.
        *byte &= 0xfe;
    }
    number > [1].as_slice() && padded < last
}

/// A number as `BigInteger.toByteArray()` of Java writes it: no leading zeros, but one zero byte in front if the first
/// bit is set, because Java's numbers have a sign there. IBKR's side is Java and keys its HMAC with these bytes; who
/// leaves the zero out fails every other time.
///
/// How many leading zeros there are shows in the time; that is one byte in one exchange of 256.
fn java_bytes(number: &BoxedUint) -> Zeroizing<Vec<u8>> {
    let all = Zeroizing::new(number.to_be_bytes().into_vec());
    let digits = encode::without_zeros(&all);
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
    if digits.first().is_none_or(|first| *first >= 0x80) {
        bytes.push(0);
    }
    bytes.extend_from_slice(digits);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::live_session_token;
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;

    /// A prime of 64 bits: far too small, but one that can be checked by hand.
    const PRIME: &str = "ffffffffffffffc5";

    fn exchange(secret: u64, prime: &str) -> Exchange {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&secret.to_be_bytes());
        let prime = encode::number(prime).unwrap();
        Exchange::begin(&DhParameters::unchecked(prime), &bytes)
    }

    #[test]
    fn the_challenge_is_written_without_leading_zeros() {
        assert_eq!(exchange(0x1234_5678_90ab_cdef, PRIME).challenge(), "be2345063365390e");
        assert_eq!(exchange(3, PRIME).challenge(), "8");
    }

    #[test]
    fn the_shared_number_has_javas_zero_in_front_where_the_first_bit_is_set() {
        let prepend = encode::number("112233445566778899aabbccddeeff").unwrap();
        let prepend = [&[0][..], &prepend].concat();
        for (response, key, token) in [
            ("bf353d25a53dfc32", "6d62420f1c80ba55", "Tr8i5H39Ro8Cm4JrSWONw+oNaXE="),
            ("095512d644620cbb", "00a5a4997fcf755d09", "EeSu5xh55jGSREpq8fGJnyX7ux0="),
            ("95512d644620cbb", "00a5a4997fcf755d09", "EeSu5xh55jGSREpq8fGJnyX7ux0="),
        ] {
            let shared = exchange(0x1234_5678_90ab_cdef, PRIME).shared(response).unwrap();
            assert_eq!(hex(&shared).as_str(), key);
            let made = live_session_token(&shared, &prepend).unwrap();
            assert_eq!(Base64::encode_string(&made), token);
        }
    }

    #[test]
    fn java_writes_zero_as_one_byte_and_short_numbers_short() {
        for (number, written) in [("00", "00"), ("7f", "7f"), ("80", "0080"), ("0001", "01")] {
            let bytes = encode::number(number).unwrap();
            let number = BoxedUint::from_be_slice(&bytes, 128).unwrap();
            assert_eq!(hex(&java_bytes(&number)).as_str(), written);
        }
    }

    #[test]
    fn answers_that_would_make_a_known_key_are_refused() {
        for response in
            ["", "0", "1", "ffffffffffffffc4", PRIME, "ffffffffffffffff", "10000000000000000", "zz"]
        {
            let refused = exchange(77, PRIME).shared(response).err();
            assert_eq!(refused, Some(SessionError::Response), "{response}");
        }
        assert!(exchange(77, PRIME).shared("2").is_ok());
        assert!(exchange(77, PRIME).shared("ffffffffffffffc3").is_ok());
    }

    #[test]
    fn an_exchange_cannot_be_printed() {
        assert_eq!(format!("{:?}", exchange(77, PRIME)), "Exchange(…)");
    }

    proptest! {
        #[test]
        fn both_sides_come_to_the_same_number(ours in 2_u64.., theirs in 2_u64..) {
            let (a, b) = (exchange(ours, PRIME), exchange(theirs, PRIME));
            let (from_a, from_b) = (a.challenge().to_owned(), b.challenge().to_owned());
            prop_assert_eq!(a.shared(&from_b), b.shared(&from_a));
        }
    }
}
