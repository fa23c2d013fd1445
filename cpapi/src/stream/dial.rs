//! From an address to an open websocket, with the same trust as every other request.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::client::Address;
use crate::direct::Ticket;
use crate::failure::{Failure, classify, clean};
use crate::pin;
use crate::unreachable::{self, Cause};

/// The gateway lets 64 KiB through; a gateway of another build may let more.
const MAX_FRAME: usize = 1 << 20;

/// Something to speak over.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) type Connection = Box<dyn Io>;

/// With a ticket where requests are signed.
pub(super) async fn dial(
    address: &Address,
    ticket: Option<&Ticket>,
) -> Result<WebSocketStream<Connection>, Failure> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await;
    let tcp = tcp.map_err(|error| Failure::Unreachable(error.into()))?;
    let tls =
        if address.is_pinned() { pin::tls(address.pin.clone()) } else { pin::tls_of_authorities() };
    let tls = tls.map_err(|error| unreached(&error))?;
    let name = ServerName::try_from(address.host.clone()).map_err(|error| unreached(&error))?;
    let secured = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await;
    let secured = secured.map_err(|error| unreached(&error))?;
    let query = ticket.map(|ticket| ticket.query.as_str()).unwrap_or_default();
    let url = format!("wss{}/v1/api/ws{query}", address.url().trim_start_matches("https"));
    shake_hands(url, ticket, Box::new(secured)).await
}

pub(super) async fn shake_hands(
    url: String,
    ticket: Option<&Ticket>,
    connection: Connection,
) -> Result<WebSocketStream<Connection>, Failure> {
    let mut request = url.into_client_request().map_err(unshaken)?;
    let agent = concat!("ibd/", env!("CARGO_PKG_VERSION"));
    let agent = tungstenite::http::HeaderValue::from_static(agent);
    request.headers_mut().insert("user-agent", agent);
    if let Some(ticket) = ticket {
        let cookie = tungstenite::http::HeaderValue::from_str(&ticket.cookie);
        let mut cookie = cookie.map_err(|error| unreached(&error))?;
        cookie.set_sensitive(true);
        request.headers_mut().insert("cookie", cookie);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_FRAME));
    let (socket, _) =
        client_async_with_config(request, connection, Some(config)).await.map_err(unshaken)?;
    Ok(socket)
}

fn unshaken(error: Error) -> Failure {
    match error {
        Error::Http(response) => {
            let status = response.status().as_u16();
            let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            // A success without a switch of protocols is none.
            let refused = || Failure::Refused { status, text: clean(&body) };
            classify(status, &body).unwrap_or_else(refused)
        }
        error => unreached(&error),
    }
}

fn unreached(error: &(dyn std::error::Error + 'static)) -> Failure {
    match unreachable::cause(error) {
        Cause::OtherCertificate => Failure::OtherCertificate,
        Cause::Unreachable(why) => Failure::Unreachable(why),
    }
}
