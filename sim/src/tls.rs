//! A certificate in the spirit of the real gateway's: self-signed, without names, long expired.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::StartError;

/// Makes a new certificate and an acceptor for it. HTTP/2 is not offered.
pub(crate) fn acceptor() -> Result<TlsAcceptor, StartError> {
    let wrong = |error: &dyn std::fmt::Display| StartError::Certificate(error.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| wrong(&e))?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "ib-sim");
    params.distinguished_name.push(DnType::CommonName, "Client Portal Web API");
    params.not_before = date_time_ymd(2017, 5, 11);
    params.not_after = date_time_ymd(2019, 5, 11);
    let certificate = params.self_signed(&key).map_err(|e| wrong(&e))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&e))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .map_err(|e| wrong(&e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
