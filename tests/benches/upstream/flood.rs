//! A websocket that tells as many quotes a second as it is asked to, each one message as IBKR writes it.
//!
//! The last price is the moment at which it was told, so that whoever reads one knows how old it is.
//! Each benchmark uses its part.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::front::{Said, Spoken, spoken};

/// Between two times that something is told.
const TICK: Duration = Duration::from_millis(5);
/// What is told at one time at most: ten ticks at a hundred thousand a second. What a daemon that does not keep up is
/// not told is not made up for; how much it was told is part of the result.
const MOST: usize = 5_000;
/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(5);
/// So many of a price's hundredths are a second: a price is in milliseconds.
const A_SECOND: f64 = 100_000.0;

/// How much is told, and what was.
#[derive(Debug)]
pub(crate) struct Flood {
    begun: Instant,
    /// Milliseconds of the epoch then.
    epoch: u64,
    /// Messages a second.
    rate: AtomicU64,
    count: AtomicU64,
    /// By contract the last price that was told, in hundredths.
    lasts: Mutex<BTreeMap<u64, u64>>,
}

impl Flood {
    /// It tells this many a second, until it is told otherwise.
    pub(crate) fn at(rate: u64) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Self {
            begun: Instant::now(),
            epoch: u64::try_from(since.as_millis()).unwrap(),
            rate: AtomicU64::new(rate),
            count: AtomicU64::new(0),
            lasts: Mutex::default(),
        }
    }

    pub(crate) fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// Messages told so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// By contract what was told last, in hundredths.
    pub(crate) fn lasts(&self) -> BTreeMap<u64, u64> {
        self.lasts.lock().unwrap().clone()
    }

    /// The price of this moment, in hundredths. The first one is not zero, which is IBKR's word for "none".
    pub(crate) fn now(&self) -> u64 {
        (self.begun.elapsed().as_secs_f64() * A_SECOND) as u64 + 1
    }

    /// Tells on one websocket, until it is closed.
    pub(crate) async fn tell<S>(&self, near: S, said: &Said) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut socket = accept_async(near).await?;
        said.opened();
        let welcome = r#"{"topic":"system","success":"simpaper","isFT":false,"isPaper":true}"#;
        socket.send(Message::binary(welcome)).await?;
        let now = Instant::now();
        let mut talk = Talk {
            socket,
            flood: self,
            contracts: Vec::new(),
            next: 0,
            owed: 0.0,
            told_at: now,
            beat_at: now,
        };
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                message = talk.socket.next() => {
                    let Some(message) = message else { return Ok(()) };
                    let message = message?;
                    said.note(&message);
                    talk.hear(&message);
                }
                _ = ticks.tick() => talk.tell().await?,
            }
        }
    }
}

/// What a price says, in hundredths.
pub(crate) fn hundredths(price: f64) -> u64 {
    (price * 100.0).round() as u64
}

/// How old a price is at a moment.
pub(crate) fn age(price: f64, now: u64) -> Duration {
    Duration::from_secs_f64(now.saturating_sub(hundredths(price)) as f64 / A_SECOND)
}

/// A message as they are told.
pub(crate) fn sample() -> String {
    message(&Contract::new(265_598), 1_790_000_000_123, 2_715_512)
}

/// Somebody wants this one.
#[derive(Debug)]
struct Contract {
    conid: u64,
    /// How its messages begin.
    head: String,
    last: u64,
}

impl Contract {
    fn new(conid: u64) -> Self {
        let head = format!(
            r#"{{"topic":"smd+{conid}","conid":{conid},"conidEx":"{conid}","server_id":"q12","6119":"q12","_updated":"#
        );
        Self { conid, head, last: 0 }
    }
}

fn message(of: &Contract, updated: u64, last: u64) -> String {
    let (head, bid, ask) = (&of.head, last, last + 2);
    format!(
        r#"{head}{updated},"31":"{}.{:02}","84":"{}.{:02}","86":"{}.{:02}"}}"#,
        last / 100,
        last % 100,
        bid / 100,
        bid % 100,
        ask / 100,
        ask % 100,
    )
}

/// One websocket.
struct Talk<'f, S> {
    socket: WebSocketStream<S>,
    flood: &'f Flood,
    contracts: Vec<Contract>,
    /// Whose turn it is.
    next: usize,
    /// Messages that are due; of the one that is not whole yet a part.
    owed: f64,
    told_at: Instant,
    beat_at: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<'_, S> {
    fn hear(&mut self, message: &Message) {
        match spoken(message) {
            Some(Spoken::Begin(conid)) if self.contracts.iter().all(|one| one.conid != conid) => {
                self.contracts.push(Contract::new(conid));
            }
            Some(Spoken::End(conid)) => self.contracts.retain(|one| one.conid != conid),
            Some(Spoken::Begin(_)) | None => {}
        }
    }

    /// What is due.
    async fn tell(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let rate = self.flood.rate.load(Ordering::Relaxed) as f64;
        self.owed += rate * now.duration_since(self.told_at).as_secs_f64();
        self.told_at = now;
        let due = self.owed as usize;
        self.owed -= due as f64;
        let count = if self.contracts.is_empty() { 0 } else { due.min(MOST) };
        for _ in 0..count {
            let message = self.quote();
            self.socket.feed(Message::binary(message)).await?;
        }
        if now.duration_since(self.beat_at) >= BEAT {
            self.beat_at = now;
            let beat = format!(r#"{{"topic":"system","hb":{}}}"#, self.flood.epoch);
            self.socket.feed(Message::binary(beat)).await?;
        }
        self.socket.flush().await?;
        self.flood.count.fetch_add(count as u64, Ordering::Relaxed);
        if count > 0 {
            let lasts = self.contracts.iter().map(|one| (one.conid, one.last));
            *self.flood.lasts.lock().unwrap() = lasts.collect();
        }
        Ok(())
    }

    /// Of the contract whose turn it is.
    fn quote(&mut self) -> String {
        let at = self.next % self.contracts.len();
        self.next = at + 1;
        let (now, contract) = (self.flood.now(), &mut self.contracts[at]);
        contract.last = now;
        message(contract, self.flood.epoch + now / 100, now)
    }
}
