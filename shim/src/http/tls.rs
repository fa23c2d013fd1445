//! The certificate that HTTP is served with off this machine.

use std::sync::Arc;

use ibd_protocol::files;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::arguments::Certificate;

/// More than a chain or a key has, in bytes.
const LONGEST: u64 = 1 << 20;

/// What agrees on TLS with this certificate, or why it cannot.
pub(crate) fn acceptor(certificate: &Certificate) -> Result<TlsAcceptor, String> {
    let (chain, key) = (read_chain(certificate)?, read_key(certificate)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let wrong = |error: rustls::Error| format!("--cert and --key cannot be used: {error}");
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_chain(certificate: &Certificate) -> Result<Vec<CertificateDer<'static>>, String> {
    let path = certificate.chain.display();
    let text = files::read_text(&certificate.chain, LONGEST)
        .map_err(|error| format!("--cert {path} cannot be read: {error}"))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(format!("--cert {path} holds no certificate in PEM")),
    }
}

fn read_key(certificate: &Certificate) -> Result<PrivateKeyDer<'static>, String> {
    let path = certificate.key.display();
    let text = files::read_private(&certificate.key, LONGEST)
        .map_err(|error| format!("--key {path} cannot be read: {error}"))?;
    PrivateKeyDer::from_pem_slice(text.expose().as_bytes())
        .map_err(|_| format!("--key {path} holds no private key in PEM"))
}
