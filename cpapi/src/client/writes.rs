//! The one place from which order writes leave.

use tokio::sync::OwnedRwLockReadGuard;
use tokio::time::{Instant, timeout_at};

use super::wire::Outgoing;
use super::{Client, check_length, wire};
use crate::door::Pass;
use crate::endpoint::{Lane, Method, Write};
use crate::failure::{Failure, classify};
use crate::faults;
use crate::pace::Want;

/// What became of an order write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is certain that nothing left: no turn in time, a penalty, no connection, no TLS.
    NotSent(Failure),
    /// Something answered. Whether that was IBKR, and what it means, is for
    /// [`crate::orders::read_answer`].
    Answered {
        /// HTTP status; also 401, 429 and 5xx.
        status: u16,
        /// As it came.
        body: String,
    },
    /// It was handed to the wire and there is no answer. It may have been done.
    Ambiguous(Failure),
}

impl Client {
    /// Sends an order write once, by `deadline`, and never a second time.
    ///
    /// Dropping this future while it waits for its turn leaves the queue. Afterwards the request goes
    /// on without its caller, until it is answered or given up, so that it keeps its place in the
    /// pacing budget as long as the gateway is busy with it.
    pub async fn send<W: Write>(&self, write: &W, deadline: Instant) -> Sent {
        let path = write.path();
        if let Err(failure) = check_length(&path, W::NAME) {
            return Sent::NotSent(failure);
        }
        let want = Want { endpoint: W::NAME, window: None, lane: Lane::Vital };
        let pass = match timeout_at(deadline, self.0.door.enter(want)).await {
            Ok(Ok(pass)) => pass,
            Ok(Err(failure)) => return Sent::NotSent(failure),
            Err(_) => return Sent::NotSent(Failure::Queued),
        };
        let Ok(held) = timeout_at(deadline, self.0.hold()).await else {
            return Sent::NotSent(Failure::Queued);
        };
        let started = Instant::now();
        if started >= deadline {
            // A turn that comes too late is none.
            return Sent::NotSent(Failure::Queued);
        }
        let outgoing = match wire::request(&self.0, W::METHOD, &path, write.body()) {
            Ok(outgoing) => outgoing,
            Err(failure) => return Sent::NotSent(failure),
        };
        // The task owns all it needs and ends by itself, at the latest when the wire gives up.
        let task = tokio::spawn(self.clone().carry::<W>(outgoing, (pass, held)));
        match timeout_at(deadline, task).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) => Sent::Ambiguous(Failure::Broke),
            Err(_) => Sent::Ambiguous(Failure::Silent(started.elapsed())),
        }
    }

    async fn carry<W: Write>(
        self,
        Outgoing { builder, token }: Outgoing,
        (pass, held): (Pass, Option<OwnedRwLockReadGuard<()>>),
    ) -> Sent {
        // An end of an order can be asked for as often as anybody likes.
        if W::METHOD == Method::Post {
            self.0.door.order_leaves();
        }
        faults::point("http.before");
        let outcome = wire::send_telling(builder, W::NAME, || faults::point("http.sent")).await;
        faults::point("http.answered");
        match outcome {
            Ok(wire::Received { status, retry_after, body, .. }) => {
                if status == 429 {
                    pass.rate_limited(retry_after);
                }
                self.0.settle((W::NAME, token), status, classify(status, &body));
                drop(held);
                Sent::Answered { status, body }
            }
            Err(broken) if broken.is_unsent => Sent::NotSent(broken.failure),
            Err(broken) => Sent::Ambiguous(broken.failure),
        }
    }
}
