//! The websocket: what the broker tells by itself about orders, executions and the session.
//!
//! It counts against no request budget. It is a hint and not the truth: subscriptions die with the
//! socket and with every new brokerage session, orders have no first snapshot, and a socket can live
//! while its order feed is dead. So whoever listens also asks, after each connection.

mod dial;
mod frame;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::{Deserialize, Deserializer};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::Client;
use crate::endpoint::{Endpoint, Lane, Path};
use crate::failure::Failure;
use crate::faults::{patience, scaled};
use crate::id::Conid;
use crate::pace::Window;
use crate::snapshot::Field;
use crate::trades::MAX_DAYS;

pub use frame::{OrderDelta, Update};

/// The broker's server sends a heartbeat every ten seconds; longer than this without a word is death.
/// (The gateway answers pings by itself, so they prove nothing.)
const SILENCE: Duration = Duration::from_secs(25);
/// Between two `tic`, which keep the session of the socket alive.
const TIC: Duration = Duration::from_secs(60);
/// A frame that does not leave in this time goes into a dead connection.
const SEND: Duration = Duration::from_secs(5);

/// So many are handed on at once.
const TOGETHER: usize = 256;
/// IBKR ends a subscription of quotes after a quarter of an hour (since April 2026).
const QUOTES_LAST: Duration = Duration::from_secs(15 * 60);

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Changes of orders (`sor`). A filtered REST list silences it; [`crate::orders::GetOrders`] never
    /// filters.
    Orders,
    /// Executions (`str`): first those of the last trading days, then each as it happens, often more
    /// than once.
    Executions {
        /// 1 is today; at most [`MAX_DAYS`].
        days: u8,
    },
    /// Values of a contract (`smd`): first all of [`QUOTED`], then what changes. Each takes one of the market-data
    /// lines that also snapshots take.
    Quotes {
        /// The contract.
        conid: Conid,
    },
}

/// What a subscription of quotes tells, and what a snapshot is asked for.
pub const QUOTED: &[Field] = &[
    Field::Last,
    Field::Bid,
    Field::Ask,
    Field::BidSize,
    Field::AskSize,
    Field::High,
    Field::Low,
    Field::Open,
    Field::Change,
    Field::ChangePercent,
    Field::Mark,
    Field::PriorClose,
    Field::Volume,
    Field::Availability,
    Field::Symbol,
    Field::Delta,
    Field::Gamma,
    Field::Theta,
    Field::Vega,
    Field::ImpliedVolatility,
    Field::OpenInterest,
];

impl Topic {
    /// After how long the broker ends it by itself. `None`: not while the session lasts.
    pub fn lasts(self) -> Option<Duration> {
        match self {
            Self::Orders | Self::Executions { .. } => None,
            Self::Quotes { .. } => Some(QUOTES_LAST),
        }
    }

    /// Whether an update is one of this topic.
    pub fn tells(self, update: &Update) -> bool {
        match (self, update) {
            (Self::Orders, Update::Orders(_))
            | (Self::Executions { .. }, Update::Executions(_)) => true,
            (Self::Quotes { conid }, Update::Quotes(row)) => row.conid == conid,
            _ => false,
        }
    }

    fn subscription(self) -> String {
        match self {
            Self::Orders => "sor+{}".to_owned(),
            Self::Executions { days } => {
                let days = days.clamp(1, MAX_DAYS);
                format!(r#"str+{{"realtimeUpdatesOnly":false,"days":{days}}}"#)
            }
            Self::Quotes { conid } => {
                let fields: Vec<String> =
                    QUOTED.iter().map(|field| format!("\"{}\"", field.number())).collect();
                format!(r#"smd+{conid}+{{"fields":[{}]}}"#, fields.join(","))
            }
        }
    }

    fn end(self) -> String {
        match self {
            Self::Orders => "uor+{}".to_owned(),
            Self::Executions { .. } => "utr".to_owned(),
            Self::Quotes { conid } => format!("umd+{conid}+{{}}"),
        }
    }
}

/// An open websocket. Dropping it closes it.
pub struct Stream {
    socket: WebSocketStream<dial::Connection>,
    /// Read, and not handed on yet.
    read: VecDeque<Update>,
    heard: Instant,
    next_tic: Instant,
    over: Option<Failure>,
}

impl Stream {
    /// Connects, and waits until the broker's side is there: the gateway takes the connection before
    /// it has one itself, and what is sent meanwhile is lost.
    ///
    /// The session may still be not authenticated; [`Update::Status`] tells.
    pub async fn open(client: &Client, deadline: Instant) -> Result<Self, Failure> {
        let session = client.ask(&AskSession, deadline).await?.value.session;
        let session = session.ok_or(Failure::NotLoggedIn)?;
        let started = Instant::now();
        let connecting = async {
            let ticket = client.ticket(&session.0);
            let socket = dial::dial(client.address(), ticket.as_ref()).await?;
            Self::begin(socket, &session).await
        };
        let silent = |_| Failure::Silent(started.elapsed());
        timeout_at(deadline, connecting).await.map_err(silent)?
    }

    /// The conversation's beginning.
    async fn begin(
        socket: WebSocketStream<dial::Connection>,
        session: &SessionName,
    ) -> Result<Self, Failure> {
        let now = Instant::now();
        let read = VecDeque::new();
        let next_tic = now + scaled(TIC);
        let mut stream = Self { socket, read, heard: now, next_tic, over: None };
        while !stream.hear().await? {}
        // Serialising a map of two texts cannot fail, and a name that did not go is found out soon.
        let name = serde_json::json!({ "session": session.0 }).to_string();
        stream.say(name).await?;
        Ok(stream)
    }

    /// Subscribes. Most topics are not confirmed; [`Update::Error`] may say no.
    pub async fn subscribe(&mut self, topic: Topic) -> Result<(), Failure> {
        self.say(topic.subscription()).await
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&mut self, topic: Topic) -> Result<(), Failure> {
        self.say(topic.end()).await
    }

    /// The next thing that is told. Must be called all the time: it also keeps the socket alive. May be
    /// dropped at any point without losing anything. After an error the stream is over, and says so
    /// again.
    pub async fn next(&mut self) -> Result<Update, Failure> {
        if let Some(update) = self.read.pop_front() {
            return Ok(update);
        }
        if let Some(failure) = &self.over {
            return Err(failure.clone());
        }
        let told = self.wait().await;
        self.over = told.as_ref().err().cloned();
        told
    }

    /// The next thing that is told, and what has come with it.
    pub async fn all(&mut self) -> Result<Vec<Update>, Failure> {
        let mut told = vec![self.next().await?];
        while told.len() < TOGETHER {
            if let Some(update) = self.read.pop_front() {
                told.push(update);
                continue;
            }
            match self.hear().now_or_never() {
                Some(Ok(_)) => {}
                // What came before it counts; the next call says it.
                Some(Err(failure)) => self.over = Some(failure),
                None => break,
            }
            if self.over.is_some() {
                break;
            }
        }
        Ok(told)
    }

    async fn wait(&mut self) -> Result<Update, Failure> {
        loop {
            if let Some(update) = self.read.pop_front() {
                return Ok(update);
            }
            let dead = self.heard + patience(SILENCE);
            if Instant::now() >= dead {
                return Err(Failure::Silent(patience(SILENCE)));
            }
            let tic = self.next_tic;
            tokio::select! {
                heard = self.hear() => { heard?; }
                () = sleep_until(dead) => {}
                () = sleep_until(tic) => {
                    self.next_tic = Instant::now() + scaled(TIC);
                    self.say("tic".to_owned()).await?;
                }
            }
        }
    }

    /// Takes one message from the socket; whether it was one of the broker's server.
    async fn hear(&mut self) -> Result<bool, Failure> {
        let message = match self.socket.next().await {
            Some(message) => message.map_err(|error| broken(&error))?,
            None => return Err(Failure::Broke),
        };
        let bytes = match message {
            Message::Text(text) => text.into(),
            // All that comes through the gateway is binary.
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return Err(Failure::Broke),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(false),
        };
        self.heard = Instant::now();
        self.read.push_back(frame::read(&String::from_utf8_lossy(&bytes)));
        Ok(true)
    }

    async fn say(&mut self, text: String) -> Result<(), Failure> {
        match timeout(patience(SEND), self.socket.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| broken(&error)),
            Err(_) => Err(Failure::Silent(patience(SEND))),
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("read", &self.read.len()).finish_non_exhaustive()
    }
}

/// The words of the error are for the log: that it is over is all that a caller can use.
fn broken(error: &Error) -> Failure {
    tracing::debug!(%error, "the websocket broke");
    Failure::Broke
}

/// Asks for the name of the web session: [`crate::session::Tickle`], read for its secret.
struct AskSession;

#[derive(Deserialize)]
struct Session {
    #[serde(default)]
    session: Option<SessionName>,
}

/// The name of a session, which is as good as a password: nothing can print it, and it lives only until
/// the socket is open.
struct SessionName(String);

impl<'de> Deserialize<'de> for SessionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Endpoint for AskSession {
    type Reply = Session;
    const NAME: &'static str = "tickle";
    const WINDOW: Option<Window> = Some(Window::one_in(1));
    const LANE: Lane = Lane::Tickle;

    fn path(&self) -> Path {
        Path::new("/tickle")
    }
}
