//! What answers at an address. Nothing secret is sent, and no answer is believed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Of an answer only its head is of interest, in bytes.
const HEAD: usize = 8 << 10;

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
}

/// What was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// No connection, and why.
    Nobody(String),
    /// A connection, and no TLS on it.
    NoTls,
    /// A connection, and with TLS where that is wanted.
    Somebody(Box<Answer>),
}

/// What somebody showed and said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// SHA-256 of the certificate, in lower-case hex.
    pub(super) certificate: Option<String>,
    /// The status of the request; absent if that is no HTTP.
    pub(super) status: Option<u16>,
    /// What time it is there, as the answer says it.
    pub(super) date: Option<String>,
}

impl Address {
    /// Of an address such as `https://localhost:5000`.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (is_tls, usual) = match scheme {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return None,
        };
        let rest = rest.split('/').next().filter(|rest| !rest.is_empty())?;
        // The colons of an address of the newer internet stand in brackets.
        let (host, port) = match rest.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (rest, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { host, port, is_tls })
    }

    /// Whether it is this machine.
    pub(super) fn is_here(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "::1") || self.host.starts_with("127.")
    }

    fn request(&self, method: &str) -> String {
        let Self { host, port, .. } = self;
        format!("{method} / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Connects, and asks for the first page, `GET` or only its `HEAD`.
pub(super) async fn visit(address: &Address, method: &str, patience: Duration) -> Heard {
    let at = (address.host.as_str(), address.port);
    let stream = match timeout(patience, TcpStream::connect(at)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Heard::Nobody(ibd_disk::plainly(&error)),
        Err(_) => return Heard::Nobody("no answer in time".to_owned()),
    };
    let request = address.request(method);
    if !address.is_tls {
        let answer = timeout(patience, answer(stream, &request)).await.unwrap_or_default();
        return Heard::Somebody(Box::new(answer));
    }
    match timeout(patience, greeted(address, stream)).await {
        Ok(Some(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(|all| all.first());
            let certificate = shown.map(|one| sha256(one));
            let answer = timeout(patience, answer(stream, &request)).await.unwrap_or_default();
            Heard::Somebody(Box::new(Answer { certificate, ..answer }))
        }
        _ => Heard::NoTls,
    }
}

type Tls = tokio_rustls::client::TlsStream<TcpStream>;

async fn greeted(address: &Address, stream: TcpStream) -> Option<Tls> {
    let name = ServerName::try_from(address.host.clone()).ok()?;
    connector().ok()?.connect(name, stream).await.ok()
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Answer {
    let mut head = Vec::with_capacity(HEAD);
    if stream.write_all(request.as_bytes()).await.is_ok() {
        while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD {
            match stream.read_buf(&mut head).await {
                Ok(1..) => {}
                _ => break,
            }
        }
    }
    let _ = stream.shutdown().await;
    let head = String::from_utf8_lossy(&head);
    Answer { certificate: None, status: status_in(&head), date: date_in(&head) }
}

/// The status that a request gets at an address of this machine. `None`: nobody answers there.
pub(super) async fn status_of(
    tls: &TlsConnector,
    at: SocketAddr,
    request: &str,
    patience: Duration,
) -> Option<u16> {
    let asked = async {
        let stream = TcpStream::connect(at).await.ok()?;
        let stream = tls.connect(ServerName::from(at.ip()), stream).await.ok()?;
        // The gateway has few places for websockets, and gives one back when it is closed.
        answer(stream, request).await.status
    };
    timeout(patience, asked).await.ok().flatten()
}

fn status_in(head: &str) -> Option<u16> {
    let mut words = head.split_whitespace();
    words.next().filter(|protocol| protocol.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}

fn date_in(head: &str) -> Option<String> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut dates = fields.filter(|(name, _)| name.eq_ignore_ascii_case("date"));
    dates.next().map(|(_, date)| date.trim().to_owned())
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ::ring::digest::digest(&::ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// TLS with whoever answers.
pub(super) fn connector() -> Result<TlsConnector, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_host_port_and_whether_it_is_this_machine() {
        let of =
            |url: &str| Address::of(url).map(|one| (one.to_string(), one.is_tls, one.is_here()));
        let is = |text: &str, is_tls, is_here| Some((text.to_owned(), is_tls, is_here));
        assert_eq!(of("https://localhost:5000"), is("localhost:5000", true, true));
        assert_eq!(of("https://127.0.0.1:5000/"), is("127.0.0.1:5000", true, true));
        assert_eq!(of("https://[::1]:5000"), is("::1:5000", true, true));
        assert_eq!(of("https://[::1]"), is("::1:443", true, true));
        assert_eq!(of("https://api.ibkr.com"), is("api.ibkr.com:443", true, false));
        assert_eq!(of("http://127.0.0.1:7001"), is("127.0.0.1:7001", false, true));
        for none in ["", "localhost:5000", "ftp://x", "https://", "https://x:many"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn the_first_line_of_an_answer_tells_its_status_and_a_field_the_time() {
        assert_eq!(status_in("HTTP/1.1 101 Switching Protocols\r\n"), Some(101));
        assert_eq!(status_in("HTTP/1.0 404\r\n"), Some(404));
        assert_eq!(status_in("SSH-2.0-x 200"), None);
        assert_eq!(status_in(""), None);
        let head = "HTTP/1.1 302 Found\r\nDATE: Mon, 23 Nov 2026 07:30:00 GMT\r\nX: y\r\n\r\n";
        assert_eq!(date_in(head).as_deref(), Some("Mon, 23 Nov 2026 07:30:00 GMT"));
        assert_eq!(date_in("HTTP/1.1 200 OK\r\n\r\n"), None);
    }

    #[test]
    fn a_certificate_has_the_hash_that_others_show() {
        let none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), none);
    }
}
