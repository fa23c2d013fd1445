//! Readers of quotes at the daemon's socket, as shims are, and without the shims: it is the daemon that is measured.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ibd_protocol::version::Role;
use ibd_protocol::wire::WireError;
use ibd_protocol::{Call, Connection, Outcome, ToClient, ToDaemon};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::flood::{Flood, age};
use crate::hundred::{HUNDRED, column};

/// Contracts of one reader; each is read by ten.
const EACH: usize = 10;
/// Between two questions of one reader.
const EVERY: Duration = Duration::from_secs(1);
/// Who does not read must be cut off in this time.
const CUT: Duration = Duration::from_secs(30);
/// Between two calls of who does not read.
const HASTE: Duration = Duration::from_millis(2);

/// One reader.
pub(crate) struct Reader {
    connection: Connection,
    number: usize,
    arguments: String,
    calls: u64,
}

/// What readers were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How old each value was when it came.
    pub(crate) ages: Vec<Duration>,
    /// How long each call took.
    pub(crate) calls: Vec<Duration>,
    /// Calls that were refused or cut short, and values that were missing.
    pub(crate) failed: usize,
}

impl Reader {
    /// The reader of this number: its ten contracts overlap with those of the numbers around it.
    pub(crate) async fn open(socket: &Path, number: usize, contracts: &[u64]) -> Self {
        let wanted = (0..EACH).map(|step| contracts[(number + step) % contracts.len()]);
        let arguments = json!({ "conids": wanted.collect::<Vec<u64>>() }).to_string();
        let connection = Connection::open(socket, Role::Shim).await.unwrap();
        Self { connection, number, arguments, calls: 0 }
    }

    fn next_call(&mut self) -> (u64, ToDaemon) {
        self.calls += 1;
        let call = Call {
            id: self.calls,
            key: format!("reader-{}-{}", self.number, self.calls),
            tool: "get_market_data".to_owned(),
            arguments: self.arguments.clone(),
            deadline_ms: 45_000,
            resumes: None,
        };
        (self.calls, ToDaemon::Call(call))
    }

    async fn ask(&mut self) -> Result<Outcome, WireError> {
        let (asked, call) = self.next_call();
        self.connection
            .ask(&call, |answer| match answer {
                ToClient::Done(id, outcome) if id == asked => Some(outcome),
                _ => None,
            })
            .await
    }

    /// Asks once a second, not all at the same moment, until it is over.
    pub(crate) async fn read(mut self, flood: Arc<Flood>, over: Arc<AtomicBool>) -> Told {
        let mut told = Told::default();
        let mut next = Instant::now() + EVERY.mul_f64(self.number as f64 / HUNDRED as f64);
        loop {
            sleep_until(next).await;
            if over.load(Ordering::Relaxed) {
                return told;
            }
            let begun = Instant::now();
            let outcome = self.ask().await;
            let now = flood.now();
            told.calls.push(begun.elapsed());
            match outcome {
                Ok(Outcome::Result(text)) => told.take(&text, now),
                Ok(_) => told.failed += 1,
                // Its connection is gone.
                Err(_) => {
                    told.failed += 1;
                    return told;
                }
            }
            next = Instant::now().max(next + EVERY);
        }
    }

    /// Calls on and on and reads nothing: after how many calls and what time it was cut off, if it was.
    pub(crate) async fn stall(mut self) -> Option<(u64, Duration)> {
        let begun = Instant::now();
        while begun.elapsed() < CUT {
            let (_, call) = self.next_call();
            match timeout(CUT, self.connection.outgoing.send(&call)).await {
                Ok(Ok(())) => sleep(HASTE).await,
                Ok(Err(_)) => return Some((self.calls, begun.elapsed())),
                Err(_) => return None,
            }
        }
        None
    }
}

impl Told {
    fn take(&mut self, answer: &str, now: u64) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let prices = column(&answer, "last").into_iter().filter_map(Value::as_f64);
        let before = self.ages.len();
        self.ages.extend(prices.map(|price| age(price, now)));
        self.failed += EACH.saturating_sub(self.ages.len() - before);
    }

    /// Together with what another one was told.
    pub(crate) fn add(&mut self, other: Self) {
        self.ages.extend(other.ages);
        self.calls.extend(other.calls);
        self.failed += other.failed;
    }
}
