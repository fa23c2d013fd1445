//! Trust in a gateway's certificate.
//!
//! The gateway's certificate is self-signed, expired and names nobody, so no authority can vouch for
//! it. A gateway that we started shows the certificate that we made for it; of another one on loopback
//! the configuration may name the fingerprint, and if it does not, the first certificate seen is pinned
//! for this daemon's life, byte for byte. Any other one is refused. Off loopback a certificate must be an
//! ordinary valid one, or have the configured fingerprint.

use std::sync::{Arc, OnceLock};

use rustls::DigitallySignedStruct;
use rustls::Error as TlsError;
use rustls::OtherError;
use rustls::SignatureScheme;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::BuilderVerifierExt;

/// The peer's certificate is not the one that is pinned; found again in the chain of causes.
#[derive(Debug, thiserror::Error)]
#[error("not the pinned certificate")]
pub(crate) struct NotPinned;

/// The certificate of one gateway, known beforehand or once seen. Clones share what is seen.
#[derive(Debug, Clone, Default)]
pub struct Pin {
    seen: Arc<OnceLock<Vec<u8>>>,
    /// SHA-256 that the first one must have, in hex.
    expected: Option<String>,
}

impl Pin {
    /// The certificate with this SHA-256 in lower-case hex, and no other.
    pub fn fingerprint(sha256: &str) -> Self {
        Self { expected: Some(sha256.to_owned()), ..Self::default() }
    }

    /// The certificate in this PEM text, and no other. `None`: there is none in it.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        Some(Self::fingerprint(&sha256(&certificate)))
    }

    /// The certificate in DER, if one has been seen.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.seen.get().map(Vec::as_slice)
    }

    /// The SHA-256 that was expected or seen, in lower-case hex.
    pub fn sha256(&self) -> Option<String> {
        self.expected.clone().or_else(|| self.certificate().map(sha256))
    }

    /// Whether it was known before anybody connected.
    pub fn is_expected(&self) -> bool {
        self.expected.is_some()
    }

    fn admits(&self, certificate: &[u8]) -> bool {
        let is_expected =
            self.expected.as_ref().is_none_or(|expected| *expected == sha256(certificate));
        is_expected && self.seen.get_or_init(|| certificate.to_vec()) == certificate
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ::ring::digest::digest(&::ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// TLS settings that accept exactly the pinned certificate.
pub(crate) fn tls(pin: Pin) -> Result<rustls::ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Verifier { pin, provider: provider.clone() });
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// TLS settings that accept what this machine's own store of authorities vouches for.
pub(crate) fn tls_of_authorities() -> Result<rustls::ClientConfig, TlsError> {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if self.pin.admits(end_entity) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(TlsError::Other(OtherError(Arc::new(NotPinned))))
        }
    }

    // That the other end holds the key of the certificate is checked as always.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_is_pinned_and_no_other_passes() {
        let pin = Pin::default();
        assert!(pin.admits(b"first"));
        assert!(pin.clone().admits(b"first"));
        assert!(!pin.admits(b"second"));
        assert_eq!(pin.certificate(), Some(&b"first"[..]));
    }

    #[test]
    fn an_expected_fingerprint_admits_that_certificate_only() {
        // The digest is the well-known one of "abc".
        let pin =
            Pin::fingerprint("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(!pin.admits(b"abd"));
        assert!(pin.certificate().is_none(), "what was refused is not pinned");
        assert!(pin.admits(b"abc"));
    }
}
