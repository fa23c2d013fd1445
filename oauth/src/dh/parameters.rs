//! The prime that both sides count with, and the files it comes in.

use crypto_bigint::BoxedUint;
use crypto_primes::{Flavor, is_prime};
use der::asn1::UintRef;
use der::pem::LineEnding;
use der::{Document, Encode, EncodeValue, Length, Reader, Sequence, SliceReader, Writer};
use thiserror::Error;

use crate::encode;
use crate::key::{KeyError, MODULUS_BITS, bits};
use crate::pem;

/// The label of the file that `openssl dhparam` writes.
const LABEL: &str = "DH PARAMETERS";
/// Larger ones make an exchange take seconds, and nobody has them by intention.
const MOST_BITS: u32 = 8192;

/// The prime of 2048 bits of RFC 3526 ("group 14").
const GROUP_14: &str = "\
ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd\
ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f\
83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b\
e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510\
15728e5a8aacaa68ffffffffffffffff";

/// Why a text gives no Diffie-Hellman parameters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DhError {
    /// The file is none, or damaged.
    #[error(transparent)]
    File(#[from] KeyError),
    /// It is neither a PEM file nor a hexadecimal number.
    #[error("this is neither a file `BEGIN DH PARAMETERS` nor a prime in hexadecimal")]
    NotHex,
    /// The prime is too short to be safe.
    #[error("the prime has {found} bits; at least {MODULUS_BITS} are needed")]
    TooSmall {
        /// Bits that it has.
        found: u32,
    },
    /// The prime is too long to work with.
    #[error("the prime has {found} bits; no more than {MOST_BITS} are supported")]
    TooLarge {
        /// Bits that it has.
        found: u32,
    },
    /// It is no prime: most often digits are missing or doubled.
    #[error("the number is not a prime: it was not copied whole")]
    NotPrime,
    /// The file says another generator than 2.
    #[error(
        "the generator is {found}; IBKR counts with 2: make the file with `openssl dhparam 2048`"
    )]
    Generator {
        /// The first byte of it, or 0 if it is longer.
        found: u8,
    },
    /// They could not be written.
    #[error("the parameters could not be written")]
    NotWritten,
}

/// A prime, and 2 as the generator.
#[derive(Clone, PartialEq, Eq)]
pub struct DhParameters {
    /// Big-endian, without leading zeros.
    prime: Vec<u8>,
}

impl DhParameters {
    /// IBKR's instructions know no other, and its side is not told which one we use.
    pub(crate) const GENERATOR: u8 = 2;

    /// The ones for whoever makes new keys: the prime of RFC 3526, group 14.
    ///
    /// IBKR only asks that a prime be uploaded. Finding a safe one of 2048 bits takes minutes, and would gain nothing:
    /// what makes an exchange secret is the number drawn for it, and this prime has been looked at by everybody for
    /// twenty years, was made from digits of pi so that nobody could choose it, and 2 generates its large subgroup, so
    /// that not even one bit of the secret number shows. Who wants a prime of their own makes it with openssl; it is
    /// read as it is.
    pub fn group_14() -> Self {
        Self { prime: encode::number(GROUP_14).unwrap_or_default() }
    }

    /// Reads a PEM file's text, or the bare prime in hexadecimal (also with the colons of `openssl -text`).
    ///
    /// # Errors
    /// If it is neither, or not a prime that can be used.
    pub fn read(text: &str) -> Result<Self, DhError> {
        let prime = if text.contains("-----BEGIN ") { from_pem(text)? } else { from_hex(text)? };
        check(&prime)?;
        Ok(Self { prime })
    }

    /// The text of the file that is kept and uploaded.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_pem(&self) -> Result<String, DhError> {
        let generator = [Self::GENERATOR];
        let written = || {
            let (prime, generator) = (UintRef::new(&self.prime)?, UintRef::new(&generator)?);
            Document::encode_msg(&Pkcs3 { prime, generator })?.to_pem(LABEL, LineEnding::LF)
        };
        written().map_err(|_: der::Error| DhError::NotWritten)
    }

    /// The prime in hexadecimal, as other programs' settings want it.
    pub fn to_hex(&self) -> String {
        encode::hex(&self.prime).trim_start_matches('0').to_owned()
    }

    pub(crate) fn prime(&self) -> &[u8] {
        &self.prime
    }

    #[cfg(test)]
    pub(crate) fn unchecked(prime: Vec<u8>) -> Self {
        Self { prime }
    }
}

impl std::fmt::Debug for DhParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DhParameters({} bits)", bits(&self.prime))
    }
}

/// `DHParameter` of PKCS#3, without its third, optional number.
struct Pkcs3<'a> {
    prime: UintRef<'a>,
    generator: UintRef<'a>,
}

impl EncodeValue for Pkcs3<'_> {
    fn value_len(&self) -> der::Result<Length> {
        self.prime.encoded_len()? + self.generator.encoded_len()?
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.prime.encode(writer)?;
        self.generator.encode(writer)
    }
}

impl Sequence<'_> for Pkcs3<'_> {}

fn from_pem(text: &str) -> Result<Vec<u8>, DhError> {
    let pem = pem::read(text)?;
    if pem.label != LABEL {
        let (found, wanted) = (format!("`BEGIN {}`", pem.label), "`BEGIN DH PARAMETERS`");
        return Err(KeyError::WrongKind { found, wanted }.into());
    }
    let (prime, generator) = numbers(&pem.der).map_err(|_| KeyError::Damaged)?;
    if generator != [DhParameters::GENERATOR] {
        let found = if let [found] = generator { *found } else { 0 };
        return Err(DhError::Generator { found });
    }
    Ok(prime.to_vec())
}

/// Prime and generator; how long the secret number should be is left to us.
fn numbers(bytes: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(bytes)?;
    let numbers = reader.sequence(|reader| {
        let (prime, generator): (UintRef<'_>, UintRef<'_>) = (reader.decode()?, reader.decode()?);
        if !reader.is_finished() {
            let _length: u32 = reader.decode()?;
        }
        Ok::<_, der::Error>((prime.as_bytes(), generator.as_bytes()))
    })?;
    reader.finish()?;
    Ok(numbers)
}

fn from_hex(text: &str) -> Result<Vec<u8>, DhError> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    encode::number(&digits).ok_or(DhError::NotHex)
}

fn check(prime: &[u8]) -> Result<(), DhError> {
    let found = bits(prime);
    if found < MODULUS_BITS {
        return Err(DhError::TooSmall { found });
    }
    if found > MOST_BITS {
        return Err(DhError::TooLarge { found });
    }
    let number = BoxedUint::from_be_slice_vartime(prime);
    // Any prime: IBKR took what was uploaded, so whether it is a safe one is settled. This is for the digits that get
    // lost in copying, which otherwise show only as a proof that does not match.
    if is_prime(Flavor::Any, &number) { Ok(()) } else { Err(DhError::NotPrime) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_14_is_a_safe_prime_whose_large_subgroup_2_generates() {
        let prime = DhParameters::group_14().prime;
        assert_eq!((bits(&prime), prime.last().map(|byte| byte % 8)), (2048, Some(7)));
        assert!(is_prime(Flavor::Safe, &BoxedUint::from_be_slice_vartime(&prime)));
    }

    #[test]
    fn what_is_written_is_read_again_in_every_form() {
        let ours = DhParameters::group_14();
        let (pem, hex) = (ours.to_pem().unwrap(), ours.to_hex());
        assert!(pem.starts_with("-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA"), "{pem}");
        let colons: Vec<&str> =
            hex.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap()).collect();
        let forms = [
            pem.replace('\n', "\r\n"),
            hex.to_uppercase(),
            format!("0x{hex}\n"),
            format!("00:{}", colons.join(":\n    ")),
            pem,
            hex,
        ];
        for form in forms {
            assert_eq!(DhParameters::read(&form), Ok(ours.clone()), "{form}");
        }
    }

    #[test]
    fn a_prime_that_lost_a_digit_is_none_any_more() {
        let hex = DhParameters::group_14().to_hex();
        let (doubled, even) = (hex.replacen("c90f", "c9f0f", 1), hex.replace("68ffff", "68fffe"));
        assert_eq!(DhParameters::read(&doubled), Err(DhError::NotPrime));
        assert_eq!(DhParameters::read(&even), Err(DhError::NotPrime));
        assert_eq!(DhParameters::read(&hex[1..]), Err(DhError::TooSmall { found: 2044 }));
        assert_eq!(DhParameters::read("no prime"), Err(DhError::NotHex));
        assert_eq!(DhParameters::read(""), Err(DhError::NotHex));
    }

    #[test]
    fn another_generator_is_refused() {
        let ours = DhParameters::group_14();
        let (prime, generator) = (UintRef::new(&ours.prime).unwrap(), UintRef::new(&[5]).unwrap());
        let document = Document::encode_msg(&Pkcs3 { prime, generator }).unwrap();
        let pem = document.to_pem(LABEL, LineEnding::LF).unwrap();
        assert_eq!(DhParameters::read(&pem), Err(DhError::Generator { found: 5 }));
    }
}
