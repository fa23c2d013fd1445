//! What lies between the daemon and `ib-sim`, which shows no frames and cannot tell a hundred thousand a second: requests
//! go through as they are; the websocket goes through and is listened to, or the benchmark itself tells on it.
//! Each benchmark uses its part.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use ibd_tests::World;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, copy_bidirectional, join, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, client_async};

use crate::flood::Flood;

/// Why a connection is over. Nobody looks at it.
type Over = Box<dyn std::error::Error + Send + Sync>;

/// Who tells on the websocket.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// `ib-sim`.
    Simulator,
    /// The benchmark.
    Flood(Arc<Flood>),
}

/// What a daemon takes for its gateway. It lives as long as the benchmark.
#[derive(Debug)]
pub(crate) struct Front {
    port: u16,
    said: Said,
}

impl Front {
    /// Before the simulator at this port, which has no TLS. It has a thread of its own, so that readers do not
    /// delay what is told.
    pub(crate) fn start(sim: u16, source: Source) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = Said::default();
        let way = Way { sim, source, said: said.clone(), acceptor: acceptor() };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(accept(listener, way));
        });
        Self { port, said }
    }

    /// A home whose clients attach to it.
    pub(crate) fn world(&self) -> World {
        World::empty()
            .with("IB_GATEWAY_HOST", "127.0.0.1")
            .with("IB_GATEWAY_PORT", &self.port.to_string())
    }

    /// What the daemon said on its websockets.
    pub(crate) fn said(&self) -> Noted {
        self.said.0.lock().unwrap().clone()
    }
}

/// What was said on the websockets so far, as far as it is about quotes. (The rest holds a session's name.)
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    /// Websockets that were opened.
    pub(crate) sockets: usize,
    /// How often each contract was subscribed to.
    pub(crate) begun: BTreeMap<u64, usize>,
    /// Subscriptions that were ended.
    pub(crate) ended: usize,
}

/// Where it is noted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Noted>>);

impl Said {
    pub(crate) fn opened(&self) {
        self.0.lock().unwrap().sockets += 1;
    }

    pub(crate) fn note(&self, message: &Message) {
        let mut noted = self.0.lock().unwrap();
        match spoken(message) {
            Some(Spoken::Begin(conid)) => *noted.begun.entry(conid).or_default() += 1,
            Some(Spoken::End(_)) => noted.ended += 1,
            None => {}
        }
    }
}

/// Something about quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spoken {
    /// `smd+CONID+{…}`
    Begin(u64),
    /// `umd+CONID+{}`
    End(u64),
}

pub(crate) fn spoken(message: &Message) -> Option<Spoken> {
    let Message::Text(text) = message else { return None };
    let mut words = text.as_str().split('+');
    let (topic, conid) = (words.next()?, words.next()?.parse::<u64>().ok()?);
    match topic {
        "smd" => Some(Spoken::Begin(conid)),
        "umd" => Some(Spoken::End(conid)),
        _ => None,
    }
}

#[derive(Clone)]
struct Way {
    sim: u16,
    source: Source,
    said: Said,
    acceptor: TlsAcceptor,
}

async fn accept(listener: std::net::TcpListener, way: Way) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let way = way.clone();
        tokio::spawn(async move {
            let _ = serve(stream, way).await;
        });
    }
}

/// One connection, until either side has enough of it. The daemon opens one of its own for the websocket.
async fn serve(stream: TcpStream, way: Way) -> Result<(), Over> {
    stream.set_nodelay(true)?;
    let (mut reader, writer) = split(way.acceptor.accept(stream).await?);
    let head = head(&mut reader).await?;
    let is_socket = head.starts_with(b"GET /v1/api/ws ");
    let mut near = join(Cursor::new(head).chain(reader), writer);
    if !is_socket {
        let mut far = TcpStream::connect(("127.0.0.1", way.sim)).await?;
        far.set_nodelay(true)?;
        copy_bidirectional(&mut near, &mut far).await?;
        return Ok(());
    }
    match &way.source {
        Source::Simulator => pass_on(near, way.sim, &way.said).await,
        Source::Flood(flood) => Ok(flood.tell(near, &way.said).await?),
    }
}

/// The first request up to its empty line, and what came with it.
async fn head(reader: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Over> {
    let mut head: Vec<u8> = Vec::new();
    let mut some = [0_u8; 4_096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match reader.read(&mut some).await? {
            0 => return Err("nothing was asked".into()),
            count => head.extend_from_slice(&some[..count]),
        }
    }
    Ok(head)
}

/// A websocket between the daemon and the simulator.
async fn pass_on<S>(near: S, sim: u16, said: &Said) -> Result<(), Over>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let far = TcpStream::connect(("127.0.0.1", sim)).await?;
    far.set_nodelay(true)?;
    let (mut far, _) = client_async(format!("ws://127.0.0.1:{sim}/v1/api/ws"), far).await?;
    let mut near = accept_async(near).await?;
    said.opened();
    loop {
        tokio::select! {
            message = near.next() => {
                let Some(message) = message else { return Ok(()) };
                let message = message?;
                said.note(&message);
                far.send(message).await?;
            }
            message = far.next() => {
                let Some(message) = message else { return Ok(()) };
                near.send(message?).await?;
            }
        }
    }
}

/// With a certificate that names nobody, as the gateway's.
fn acceptor() -> TlsAcceptor {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
