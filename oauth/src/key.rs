//! The two RSA keys: one signs the request for a session, the other decrypts the access-token secret.

use der::Decode;
use der::pem::LineEnding;
use rsa::pkcs1::{self, DecodeRsaPrivateKey, RsaPrivateKeyRef};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use rsa::{PrivateKey, traits::PublicKeyParts};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::encode::without_zeros;
use crate::nonce::Randomness;
use crate::pem::{self, Pem};

/// Bits of the modulus of a key that is made here: what IBKR's own instructions make.
pub const MODULUS_BITS: u32 = 2048;
/// Larger ones make each signature take seconds, and nobody has them by intention.
const MOST_BITS: u32 = 8192;

/// Why a text is not the RSA key that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no PEM block at all.
    #[error("this is no PEM file: it has no line `-----BEGIN …-----`")]
    NoPem,
    /// The block has no end.
    #[error("the file is cut off: `-----END {0}-----` is missing; copy it again, whole")]
    CutOff(String),
    /// Between the lines is something else.
    #[error("the lines between BEGIN and END are not base64; copy the file again")]
    NotBase64,
    /// It is protected by a passphrase.
    #[error(
        "the key is encrypted with a passphrase; take it off with `openssl rsa -in FILE -out PLAIN` \
         and keep the result readable for you alone"
    )]
    Encrypted,
    /// It is another kind of thing.
    #[error("this is {found}; wanted is {wanted}")]
    WrongKind {
        /// What the file says that it is.
        found: String,
        /// What belongs here.
        wanted: &'static str,
    },
    /// The right kind, but its numbers do not make a key.
    #[error("the contents are damaged: they do not make a key; copy the file again")]
    Damaged,
    /// Too short to be safe; IBKR refuses it too.
    #[error("the key has {found} bits; at least {MODULUS_BITS} are needed")]
    TooSmall {
        /// Bits of its modulus.
        found: u32,
    },
    /// Too long to work with.
    #[error("the key has {found} bits; no more than {MOST_BITS} are supported")]
    TooLarge {
        /// Bits of its modulus.
        found: u32,
    },
    /// No key could be made or written.
    #[error("no key could be made")]
    NotMade,
}

/// What is wanted, for the error about what is there instead.
const WANTED: &str = "a private RSA key (`BEGIN PRIVATE KEY` or `BEGIN RSA PRIVATE KEY`)";

/// The private key that signs.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(PrivateKey);

/// The private key that decrypts.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionKey(PrivateKey);

impl SigningKey {
    /// Reads it from a PEM file's text, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// If it is anything but such a key, of a usual size, without a passphrase.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        read(text).map(Self)
    }

    /// Makes a new one.
    ///
    /// # Errors
    /// None that is known of.
    pub fn generate(randomness: &mut Randomness) -> Result<Self, KeyError> {
        generate(randomness).map(Self)
    }

    /// The text of the file that is kept.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        private_pem(&self.0)
    }

    /// The text of the file that is uploaded.
    ///
    /// # Errors
    /// None that is known of.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        public_pem(&self.0)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256. The randomness only hides how long it takes.
    pub(crate) fn sign(&self, text: &str, randomness: &mut Randomness) -> Option<Vec<u8>> {
        let generator = randomness.generator();
        self.0.pkcs1v15_sign_with_rng::<Sha256, _>(generator, text.as_bytes()).ok()
    }
}

impl EncryptionKey {
    /// Reads it from a PEM file's text, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// If it is anything but such a key, of a usual size, without a passphrase.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        read(text).map(Self)
    }

    /// Makes a new one.
    ///
    /// # Errors
    /// None that is known of.
    pub fn generate(randomness: &mut Randomness) -> Result<Self, KeyError> {
        generate(randomness).map(Self)
    }

    /// The text of the file that is kept.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        private_pem(&self.0)
    }

    /// The text of the file that is uploaded.
    ///
    /// # Errors
    /// None that is known of.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        public_pem(&self.0)
    }

    /// True if both were read from the same file, which is a mistake that IBKR only answers with a refusal.
    pub fn is_also(&self, other: &SigningKey) -> bool {
        self.0.n() == other.0.n()
    }

    pub(crate) fn inner(&self) -> &PrivateKey {
        &self.0
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

fn read(text: &str) -> Result<PrivateKey, KeyError> {
    let pem = pem::read(text)?;
    let body = body(&pem)?;
    let parts = RsaPrivateKeyRef::from_der(body).map_err(|_| KeyError::Damaged)?;
    // Said before the numbers are held against one another, which would say less.
    check_size(bits(parts.modulus.as_bytes()))?;
    PrivateKey::from_pkcs1_der(body).map_err(|_| KeyError::Damaged)
}

/// The PKCS#1 structure, unwrapped from PKCS#8 if it is in that.
fn body(pem: &Pem) -> Result<&[u8], KeyError> {
    match pem.label.as_str() {
        "RSA PRIVATE KEY" => Ok(pem.der.as_slice()),
        "PRIVATE KEY" => {
            let info = PrivateKeyInfoRef::try_from(pem.der.as_slice());
            let info = info.map_err(|_| KeyError::Damaged)?;
            if info.algorithm.oid != pkcs1::ALGORITHM_OID {
                let found = format!("a private key of another algorithm ({})", info.algorithm.oid);
                return Err(KeyError::WrongKind { found, wanted: WANTED });
            }
            Ok(info.private_key.as_bytes())
        }
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
        label => {
            let found = match label {
                "PUBLIC KEY" | "RSA PUBLIC KEY" => "the public half, which is for IBKR".to_owned(),
                other => format!("`BEGIN {other}`"),
            };
            Err(KeyError::WrongKind { found, wanted: WANTED })
        }
    }
}

fn check_size(found: u32) -> Result<(), KeyError> {
    match found {
        ..MODULUS_BITS => Err(KeyError::TooSmall { found }),
        MODULUS_BITS..=MOST_BITS => Ok(()),
        _ => Err(KeyError::TooLarge { found }),
    }
}

/// How many bits a number has.
pub(crate) fn bits(bytes: &[u8]) -> u32 {
    let digits = without_zeros(bytes);
    let unused = digits.first().map_or(0, |first| first.leading_zeros());
    u32::try_from(digits.len()).unwrap_or(u32::MAX / 8).saturating_mul(8) - unused
}

fn generate(randomness: &mut Randomness) -> Result<PrivateKey, KeyError> {
    PrivateKey::new(randomness.generator(), MODULUS_BITS as usize).map_err(|_| KeyError::NotMade)
}

/// PKCS#8, as present versions of openssl write it.
fn private_pem(key: &PrivateKey) -> Result<Zeroizing<String>, KeyError> {
    key.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::NotMade)
}

/// With plain line ends everywhere: IBKR answers an upload with CRLF with a 403.
fn public_pem(key: &PrivateKey) -> Result<String, KeyError> {
    key.to_public_key().to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::NotMade)
}
