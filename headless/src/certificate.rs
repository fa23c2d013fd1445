//! The pinned certificate, in the form in which Chromium can be told to trust it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;

/// SHA-256 of a certificate's SubjectPublicKeyInfo, or nothing if it is not an X.509 version 3
/// certificate.
pub fn spki_sha256(certificate_der: &[u8]) -> Option<[u8; 32]> {
    let der = CertificateDer::from(certificate_der);
    let certificate = EndEntityCert::try_from(&der).ok()?;
    Some(Sha256::digest(certificate.subject_public_key_info()).into())
}

/// As in `--ignore-certificate-errors-spki-list`.
pub(crate) fn in_base64(spki_sha256: &[u8; 32]) -> String {
    STANDARD.encode(spki_sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hashed_as_openssl_hashes_it() {
        // openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
        let der = include_bytes!("../fixtures/gateway.der");
        let expected = include_str!("../fixtures/gateway.spki").trim();
        assert_eq!(spki_sha256(der).map(|hash| in_base64(&hash)).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_certificate_has_no_hash() {
        assert_eq!(spki_sha256(b"not a certificate"), None);
        assert_eq!(spki_sha256(b""), None);
    }
}
