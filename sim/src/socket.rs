//! The websocket: greeting, heartbeats, what becomes of the session, and what was subscribed to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::header::{
    CONNECTION, COOKIE, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE,
    USER_AGENT,
};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Interval, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::api::socket as words;
use crate::feeds::Feeds;
use crate::flow::Outgoing;
use crate::oauth;
use crate::state::Shared;

/// Simulated milliseconds between two heartbeats.
const BEAT_MS: i64 = 10_000;
/// Between two looks at the world.
const LOOK: Duration = Duration::from_millis(50);
/// A client that takes longer to switch protocols has gone.
const SWITCH: Duration = Duration::from_secs(10);
/// The broker answers one `tic` this often.
const TIC_COPIES: usize = 4;

/// Where an exchange leaves the socket that its connection is to become.
pub(crate) type Slot = Arc<Mutex<Option<OnUpgrade>>>;

/// True for a request to become a websocket.
pub(crate) fn is_wanted<B>(request: &Request<B>) -> bool {
    matches!(request.uri().path(), "/v1/api/ws" | "/v1/portal/ws" | "/ws")
        && request.headers().contains_key(SEC_WEBSOCKET_KEY)
}

/// Answers such a request, and leaves the socket in the slot if it is granted.
pub(crate) fn grant<B>(
    shared: &Shared,
    slot: &Slot,
    mut request: Request<B>,
) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::default());
    let key = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let accept = key.and_then(|key| HeaderValue::from_str(&key).ok());
    let Some(accept) = accept.filter(|_| may_open(shared, &request)) else {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return response;
    };
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(hyper::upgrade::on(&mut request));
    response
}

/// There is a login; and where requests are signed, this one comes from whoever signs them.
fn may_open<B>(shared: &Shared, request: &Request<B>) -> bool {
    let text = |name: HeaderName| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let query = request.uri().query().unwrap_or_default();
    let world = shared.caught_up();
    world.session.sso && oauth::may_open_socket(&world, query, (text(COOKIE), text(USER_AGENT)))
}

/// Serves what the slot holds, if anything, until either side has enough.
pub(crate) async fn serve(slot: Slot, shared: Arc<Shared>) {
    let left = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(upgrade) = left else { return };
    let Ok(Ok(io)) = timeout(SWITCH, upgrade).await else { return };
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
    let (look, feeds) = (interval(LOOK), Feeds::default());
    let talk = Talk { socket, seen: false, beat_at: 0, look, feeds, shared };
    // An error is a client that went.
    let _ = talk.run().await;
}

/// One websocket.
struct Talk<S> {
    socket: WebSocketStream<S>,
    shared: Arc<Shared>,
    /// The client was told that the brokerage session is there.
    seen: bool,
    /// Simulated milliseconds at which the next heartbeat is due.
    beat_at: i64,
    look: Interval,
    feeds: Feeds,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn run(mut self) -> Result<(), Error> {
        self.greet().await?;
        loop {
            tokio::select! {
                message = self.socket.next() => match message {
                    Some(message) => self.hear(message?).await?,
                    None => return Ok(()),
                },
                _ = self.look.tick() => {
                    if !self.watch().await? {
                        return self.socket.close(None).await;
                    }
                    self.beat().await?;
                }
            }
        }
    }

    async fn greet(&mut self) -> Result<(), Error> {
        let greeting = {
            let world = self.shared.caught_up();
            self.seen = world.session.is_authenticated();
            self.beat_at = world.now() + BEAT_MS;
            words::greeting(&world)
        };
        self.say_all(&greeting).await
    }

    /// Tells of a brokerage session that came or went; false when the login is over.
    async fn watch(&mut self) -> Result<bool, Error> {
        let (sso, there, status) = {
            let world = self.shared.caught_up();
            (world.session.sso, world.session.is_authenticated(), words::status(&world))
        };
        if there != self.seen {
            self.seen = there;
            let lost = json!({ "topic": "sts", "args": { "authenticated": false } });
            self.say(if there { &status } else { &lost }).await?;
        }
        let news = self.feeds.news(&self.shared.caught_up());
        self.say_all(&news).await?;
        Ok(sso)
    }

    async fn beat(&mut self) -> Result<(), Error> {
        let beat = {
            let world = self.shared.caught_up();
            let is_due = world.now() >= self.beat_at;
            if is_due {
                self.beat_at = world.now() + BEAT_MS;
            }
            is_due.then(|| words::heartbeat(&world))
        };
        match beat {
            Some(beat) => self.say(&beat).await,
            None => Ok(()),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Error> {
        let Message::Text(text) = message else { return Ok(()) };
        if text.starts_with("ech") {
            return self.socket.send(Message::Text(text)).await;
        }
        if text.starts_with("tic") {
            let tic = words::tic(&self.shared.caught_up());
            for _ in 0..TIC_COPIES {
                self.say(&tic).await?;
            }
            return Ok(());
        }
        // The name of the session, which comes first, is as good as a password.
        if !text.starts_with('{') {
            self.shared.caught_up().record.say(&text);
        }
        let answer = self.feeds.hear(&self.shared.caught_up(), &text);
        self.say_all(&answer).await
    }

    async fn say_all(&mut self, messages: &[Value]) -> Result<(), Error> {
        for message in messages {
            self.say(message).await?;
        }
        Ok(())
    }

    async fn say(&mut self, message: &Value) -> Result<(), Error> {
        self.socket.send(Message::text(message.to_string())).await
    }
}
