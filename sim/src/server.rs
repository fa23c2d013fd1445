//! The accept loops: the broker's port, with or without TLS, and the control port.

use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::exchange;
use crate::socket::{self, Slot};
use crate::state::Shared;

/// Accepts connections for the simulated broker until it is dropped.
pub(crate) async fn broker(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut peers = JoinSet::new();
    while let Some(stream) = next(&listener, &mut peers).await {
        peers.spawn(peer(stream, tls.clone(), Arc::clone(&shared)));
    }
}

/// Accepts connections for the control API until it is dropped.
pub(crate) async fn control(listener: TcpListener, shared: Arc<Shared>) {
    let mut peers = JoinSet::new();
    while let Some(stream) = next(&listener, &mut peers).await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| exchange::control(Arc::clone(&shared), request));
        peers.spawn(async move {
            // A client that goes away is its own business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The next connection; finished ones are forgotten meanwhile. `None` when accepting is over.
async fn next(listener: &TcpListener, peers: &mut JoinSet<()>) -> Option<TcpStream> {
    loop {
        tokio::select! {
            accepted = listener.accept() => return accepted.ok().map(|(stream, _)| stream),
            Some(_) = peers.join_next(), if !peers.is_empty() => {}
        }
    }
}

async fn peer(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Small replies should not wait for more.
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, shared).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                talk(stream, shared).await;
            }
        }
    }
}

/// Speaks HTTP/1.1 until either side has enough. An error is a client that went, or a drop on purpose.
/// If the connection becomes a websocket, that is served afterwards, by the same task.
async fn talk<S>(stream: S, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let slot = Slot::default();
    let (world, left) = (Arc::clone(&shared), Arc::clone(&slot));
    let service =
        service_fn(move |request| exchange::serve(Arc::clone(&world), Arc::clone(&left), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.with_upgrades().await;
    socket::serve(slot, shared).await;
}
