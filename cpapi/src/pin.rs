//! Trust in a gateway's certificate.
//!
//! The gateway's certificate is self-signed, expired and names nobody, so no authority can vouch for
//! it. On loopback the first certificate seen is pinned for this daemon's life, byte for byte; any
//! other one is refused. Off loopback nothing but an ordinary valid certificate is accepted.

use std::sync::{Arc, OnceLock};

use rustls::DigitallySignedStruct;
use rustls::Error as TlsError;
use rustls::SignatureScheme;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

/// Text by which a refusal is recognised in an error chain.
pub(crate) const REFUSED: &str = "not the pinned certificate";

/// The certificate of one gateway, once seen. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Pin(Arc<OnceLock<Vec<u8>>>);

impl Pin {
    /// The pinned certificate in DER, if one has been seen.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.0.get().map(Vec::as_slice)
    }

    fn admits(&self, certificate: &[u8]) -> bool {
        self.0.get_or_init(|| certificate.to_vec()) == certificate
    }
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
        match self.pin.admits(end_entity) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(TlsError::General(REFUSED.to_owned())),
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
}
