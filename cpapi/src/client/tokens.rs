//! Where requests are signed: the request for the token that signs all others.

use std::time::Duration;

use ibd_oauth::Authorization;
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use tokio::time::{Instant, timeout_at};

use super::wire::{self, Received};
use super::{Client, Inner, after};
use crate::direct::{self, Begun, Denial, Need, Signer};
use crate::endpoint::{Endpoint, Lane};
use crate::failure::{Failure, classify, clean};
use crate::faults::scaled;
use crate::pace::Want;
use crate::session::OpenBrokerage;

/// For logs.
const NAME: &str = "oauth/live_session_token";
const PATH: &str = "/oauth/live_session_token";

/// Why one request for a token brought none.
enum Turned {
    /// It would be so again.
    Away(Failure),
    /// The time of the request was wrong, and what it is has been learnt.
    Late(Failure),
    /// 429.
    Limited(Option<Duration>),
}

impl Client {
    /// Who signs its requests; `None`: a gateway is asked.
    pub fn signer(&self) -> Option<&Signer> {
        self.0.signer.as_ref()
    }

    /// Makes sure that there is a session token, by `deadline`. For a gateway's client there is nothing to do.
    ///
    /// # Errors
    /// If there is none, and why: [`Failure::Denied`] names whose mistake it is. That one which still lives could not be
    /// replaced is none.
    pub async fn begin_session(&self, deadline: Instant) -> Result<Begun, Failure> {
        let Some(signer) = self.signer() else { return Ok(Begun::There) };
        let need = signer.need(Timestamp::now());
        if need == Need::Nothing {
            return Ok(Begun::There);
        }
        let started = Instant::now();
        let asked = timeout_at(deadline, self.token(signer)).await;
        match asked.unwrap_or_else(|_| Err(Failure::Silent(started.elapsed()))) {
            Ok(()) => Ok(Begun::New),
            Err(failure) if need == Need::Next => {
                tracing::warn!(%failure, "the session token was not replaced; it lives on for now");
                signer.keep();
                Ok(Begun::There)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn token(&self, signer: &Signer) -> Result<(), Failure> {
        let want = Want { endpoint: NAME, window: None, lane: Lane::Vital };
        let pass = self.0.door.enter(want).await?;
        // After the door: whoever is under way needs nothing more of it.
        let _alone = signer.alone().await;
        let turned = match self.exchange(signer).await {
            // With IBKR's time, and once.
            Err(Turned::Late(_)) => self.exchange(signer).await,
            first => first,
        };
        match turned {
            Ok(()) => Ok(()),
            Err(Turned::Away(failure) | Turned::Late(failure)) => Err(failure),
            Err(Turned::Limited(wait)) => {
                pass.rate_limited(wait);
                let wait = wait.unwrap_or(scaled(Duration::from_secs(10)));
                Err(Failure::RateLimited(after(wait)))
            }
        }
    }

    /// One request for a token. It has no body, and is signed with the private key.
    async fn exchange(&self, signer: &Signer) -> Result<(), Turned> {
        let address = format!("{}{PATH}", self.0.base);
        let sent = Timestamp::now();
        let asking = signer.asking(&address, sent).map_err(Turned::Away)?;
        let header = header(asking.authorization()).map_err(Turned::Away)?;
        let builder = self.0.http.post(&address);
        let builder = builder.header("authorization", header).header("content-length", "0");
        let received = wire::send(builder, NAME).await;
        let received = received.map_err(|broken| Turned::Away(broken.failure))?;
        let Received { status, retry_after, date, body } = received;
        let is_corrected = signer.measure(date.as_deref(), sent, Timestamp::now());
        if status == 429 {
            return Err(Turned::Limited(retry_after));
        }
        if let Some(failure) = refused(status, &body) {
            let may_be = matches!(failure, Failure::Denied(denial) if denial.may_be_the_clock());
            return Err(if may_be && is_corrected {
                Turned::Late(failure)
            } else {
                Turned::Away(failure)
            });
        }
        let answer = direct::answer(&body);
        let answer =
            answer.map_err(|what| Turned::Away(Failure::Garbled { endpoint: NAME, what }))?;
        let session = asking.answer(&answer).map_err(|error| {
            tracing::warn!(%error, "IBKR's answer begins no session");
            Turned::Away(Failure::Denied(Denial::Exchange))
        })?;
        signer.begin(session);
        Ok(())
    }
}

/// What a status that is no success means.
fn refused(status: u16, body: &str) -> Option<Failure> {
    if (200..=299).contains(&status) {
        return None;
    }
    let denied = Denial::of(status, body).map(Failure::Denied);
    let otherwise = || match classify(status, body) {
        // Nobody is: that is what was asked for.
        Some(Failure::NotLoggedIn) | None => Failure::Refused { status, text: clean(body) },
        Some(failure) => failure,
    };
    Some(denied.unwrap_or_else(otherwise))
}

/// A header that is not shown.
pub(super) fn header(authorization: &Authorization) -> Result<HeaderValue, Failure> {
    // Only letters that a header takes are in it.
    let mut value =
        HeaderValue::from_str(authorization.expose()).map_err(|_| Failure::NotLoggedIn)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Inner {
    /// What an answer means, where it may be that the token is over: then nothing more is signed with it.
    pub(super) fn settle(
        &self,
        (endpoint, token): (&'static str, Option<u64>),
        status: u16,
        failure: Option<Failure>,
    ) -> Option<Failure> {
        let (Some(signer), Some(token)) = (&self.signer, token) else { return failure };
        let is_gone = status == 410;
        if is_gone || failure == Some(Failure::NotLoggedIn) {
            signer.void(token);
        }
        // Whoever opens the trading session is told in IBKR's words.
        if is_gone && endpoint != OpenBrokerage::NAME {
            return Some(Failure::NotLoggedIn);
        }
        failure
    }
}
