//! MCP over streamable HTTP, for clients that cannot launch a program: asked for on the command line, and never else.
//!
//! Whoever asks needs the token, and is only read to unless the person who started this allows more. The SDK speaks the
//! protocol of both eras; here is who is let in, how many, and for how long.

pub(crate) mod arguments;
mod connections;
mod exchange;
mod names;
mod patient;
mod servers;
mod sessions;
mod tls;
pub(crate) mod token;

use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ibd_protocol::Places;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::link::Setup;
use arguments::{Asked, Writes};
use connections::{Connections, Visitor};
use exchange::{Exchange, MOST_BYTES, PATH};
use names::{Names, Reach};
use patient::Patient;
use servers::Servers;
use sessions::Sessions;
use token::Token;

/// A request's head is there after so long, also the next one over a connection that stays open.
const HEAD: Duration = Duration::from_secs(20);
/// Longest head, in bytes.
const HEAD_BYTES: usize = 64 << 10;
/// TLS is agreed on after so long.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Between two looks at what nobody uses, and whether the token is still the same.
const LOOK: Duration = Duration::from_secs(5);
/// After a failure to accept: there are no descriptors left, and soon there will be.
const PAUSE: Duration = Duration::from_millis(100);
/// What somebody is told for whom there is no room, before anything is read.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A server that listens.
pub(crate) struct Listening {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    exchange: Arc<Exchange>,
    servers: Arc<Servers>,
    connections: Arc<Connections>,
    /// By what the token was known when it was last looked at.
    hash: String,
}

/// Makes a new token; the words for the person who asked.
pub(crate) fn new_token(places: &Places) -> Result<String, String> {
    places.make().map_err(|error| error.to_string())?;
    let token = Token::of(places).make().map_err(|error| format!("no token was made: {error}"))?;
    Ok(token.expose().to_owned())
}

impl Listening {
    /// Listens, or says why not.
    pub(crate) async fn start(asked: Asked, mut setup: Setup) -> Result<Self, String> {
        let places = setup.places.clone()?;
        let tls = asked.certificate.as_ref().map(tls::acceptor).transpose()?;
        let token = Token::of(&places);
        let hash = known(&token, &places)?;
        let listener = TcpListener::bind(asked.address)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", asked.address))?;
        if asked.writes == Writes::Hidden {
            setup.wishes.read_only = Some(true);
        }
        // Who asks is not at this machine's screen, as far as is known.
        setup.wishes.has_display = false;
        let reach = if asked.address.ip().is_loopback() { Reach::Machine } else { Reach::Network };
        let servers = Arc::new(Servers::new(setup));
        let manager = manager();
        let exchange = Exchange {
            sdk: sdk(&servers, &manager),
            sessions: Arc::new(Sessions::new(manager)),
            names: Names::new(reach, asked.names),
            token,
        };
        Ok(Self {
            listener,
            tls,
            exchange: Arc::new(exchange),
            servers,
            connections: Arc::default(),
            hash,
        })
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> Result<String, String> {
        let address: SocketAddr = self.listener.local_addr().map_err(|error| error.to_string())?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{address}{PATH}"))
    }

    /// Serves for as long as the process lives.
    pub(crate) async fn serve(mut self) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => self.welcome(stream),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        sleep(PAUSE).await;
                    }
                },
                _ = look.tick() => self.look().await,
            }
        }
    }

    fn welcome(&self, stream: TcpStream) {
        if !self.connections.make_room() {
            // Nobody waits for whoever does not take it.
            let _ = stream.try_write(if self.tls.is_none() { FULL } else { b"" });
            return;
        }
        let (tls, exchange) = (self.tls.clone(), Arc::clone(&self.exchange));
        self.connections.serve(|visitor| serve(stream, tls, (exchange, visitor)));
    }

    /// Ends what nobody uses; and everything, once the token is another one.
    async fn look(&mut self) {
        let hash = self.exchange.token.hash().unwrap_or_default();
        if hash != self.hash {
            tracing::warn!("the token is another one: whoever was let in by the one before is not");
            self.hash = hash;
            self.connections.end();
            self.exchange.sessions.end().await;
            self.servers.end();
        }
        self.exchange.sessions.sweep().await;
        self.servers.sweep();
    }
}

/// The hash of the token that there is. One is made for a person who reads what is said; a log is no place for it.
fn known(token: &Token, places: &Places) -> Result<String, String> {
    let wrong = |error: io::Error| format!("the token cannot be used: {error}");
    match token.hash() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !io::stderr().is_terminal() {
                return Err(format!(
                    "there is no token yet: `ib-mcp --new-token{}` makes one and shows it once",
                    of_profile(places)
                ));
            }
            eprintln!("ib-mcp: the token, shown this once: {}", new_token(places)?);
            token.hash().map_err(wrong)
        }
        found => found.map_err(wrong),
    }
}

fn of_profile(places: &Places) -> String {
    match places.profile.as_str() {
        "default" => String::new(),
        profile => format!(" --ib-profile {profile}"),
    }
}

fn manager() -> Arc<LocalSessionManager> {
    let mut manager = LocalSessionManager::default();
    // What nobody uses is ended here: the SDK would take what it tells nobody for use.
    manager.session_config.keep_alive = None;
    Arc::new(manager)
}

fn sdk(servers: &Arc<Servers>, manager: &Arc<LocalSessionManager>) -> exchange::Sdk {
    let servers = Arc::clone(servers);
    // Who may ask was looked at before the SDK is asked.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(MOST_BYTES);
    StreamableHttpService::new(move || Ok(servers.serve()), Arc::clone(manager), config)
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, who: (Arc<Exchange>, Visitor)) {
    // Small answers should not wait for more.
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, who).await,
        Some(acceptor) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                talk(stream, who).await;
            }
        }
    }
}

/// Speaks HTTP/1.1 until either side has enough. An error is a client that went, or was too slow.
async fn talk<S>(stream: S, (exchange, visitor): (Arc<Exchange>, Visitor))
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let visitor = Arc::new(visitor);
    let service = service_fn(move |request| {
        let (exchange, visitor) = (Arc::clone(&exchange), Arc::clone(&visitor));
        async move { Ok::<_, Infallible>(exchange.answer(request, &visitor).await) }
    });
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream)), service)
        .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
