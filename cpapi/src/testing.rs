//! A gateway in the same process: TLS with a certificate of its own, and answers as the test wants them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::client::{Address, Client};
use crate::door::Door;
use crate::pin::Pin;

/// What is done with a request that has been read in full.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// This status and body.
    Answer(u16, &'static str),
    /// The same, later.
    AnswerAfter(Duration, &'static str),
    /// The connection is dropped.
    Drop,
    /// The head of an answer, and no more.
    DropInside,
    /// An answer in chunks that never ends.
    Endless,
    /// Nothing, ever.
    Hang,
    /// It becomes a websocket.
    Socket,
}

/// Where a test's gateway listens, and what it was asked.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    pub(crate) requests: mpsc::UnboundedReceiver<String>,
}

impl Gateway {
    /// Listens, and does the same with every request.
    pub(crate) async fn start(then: Then) -> Self {
        Self::start_with(move |_| then).await
    }

    /// Listens, and does with each request what `then` says.
    pub(crate) async fn start_with(then: impl Fn(&str) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, requests) = mpsc::unbounded_channel();
        let (acceptor, then) = (acceptor(), Arc::new(then));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, told, then) = (acceptor.clone(), told.clone(), then.clone());
                tokio::spawn(async move {
                    // A client that does not trust us leaves here.
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    serve(tls, &told, &*then).await;
                });
            }
        });
        Self { port, requests }
    }

    pub(crate) fn client(&self, pin: Pin) -> (Client, Arc<Door>) {
        client(self.port, pin)
    }

    /// How many requests came so far.
    pub(crate) fn count(&mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }
}

pub(crate) fn client(port: u16, pin: Pin) -> (Client, Arc<Door>) {
    let door = Arc::new(Door::default());
    let address = Address { host: "127.0.0.1".into(), port, pin };
    (Client::new(&address, door.clone()).unwrap(), door)
}

/// Waits until it is so; that it ever is, is what the test says.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(tokio::time::Instant::now() < limit, "it never came to that");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn acceptor() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec!["gateway".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(
    mut tls: TlsStream<TcpStream>,
    told: &mpsc::UnboundedSender<String>,
    then: &(impl Fn(&str) -> Then + Sync),
) {
    while let Some(request) = read(&mut tls).await {
        let what = then(&request);
        let _ = told.send(request.clone());
        match what {
            Then::Answer(status, body) => answer(&mut tls, status, body).await,
            Then::AnswerAfter(wait, body) => {
                tokio::time::sleep(wait).await;
                answer(&mut tls, 200, body).await;
            }
            Then::Drop => return,
            Then::DropInside => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{";
                let _ = tls.write_all(head.as_bytes()).await;
                let _ = tls.flush().await;
                return;
            }
            Then::Endless => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
                let mut sent = tls.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = tls.write_all(chunk.as_bytes()).await;
                }
                return;
            }
            Then::Hang => std::future::pending().await,
            Then::Socket => return crate::stream::tests::serve(tls, &request).await,
        }
    }
}

/// Head and body of one request; none when the client is gone.
async fn read(tls: &mut TlsStream<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let count = tls.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        text += std::str::from_utf8(&bytes[..count]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Some(text);
        }
    }
}

async fn answer(tls: &mut TlsStream<TcpStream>, status: u16, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
    let _ = tls.write_all(text.as_bytes()).await;
    let _ = tls.flush().await;
}
