//! A gateway that an `ibd` before us has started is taken over, if it is ours beyond doubt.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Java, Setup, WATCH, answers, look_at, running, stop};
use crate::gateway::key::Key;

/// A running gateway is given so long to show that it is ours.
const ADOPT: Duration = Duration::from_secs(30);

/// What became of the gateway of an earlier `ibd`.
pub(super) enum Adopted {
    /// It is ours: the same process, the owner of its port, in possession of our key.
    Yes(Box<Java>),
    /// There is none, or none that could hold a login for us.
    Nothing,
    /// It runs, and it cannot be told whether it is of use.
    Unclear(String),
}

pub(super) async fn adopt(setup: &Setup) -> Adopted {
    let Some(record) = running(&setup.home) else { return Adopted::Nothing };
    let upstream =
        if setup.is_any_adopted { record.upstream.as_deref() } else { setup.upstream.as_deref() };
    let Some(key) = Key::read(&setup.home).filter(|_| record.upstream.as_deref() == upstream)
    else {
        // Configured for something else now, or without its key: nothing may be left behind.
        tracing::warn!(pid = record.pid, "the running gateway is of no use and is ended");
        return match stop(&setup.home, None).await {
            Ok(_) => Adopted::Nothing,
            Err(why) => Adopted::Unclear(why),
        };
    };
    let deadline = Instant::now() + ADOPT;
    loop {
        let seen = look_at(record.pid).await;
        if !record.is_alive(&seen) {
            return Adopted::Nothing;
        }
        if record.is_ours(&seen, upstream) && answers(setup, record.port, &key.pin).await {
            tracing::info!(
                pid = record.pid,
                port = record.port,
                "the running gateway was taken over"
            );
            let pin = key.pin;
            return Adopted::Yes(Box::new(Java { child: None, record, pin, is_adopted: true }));
        }
        if !seen.listens.is_empty() && !seen.listens.contains(&record.port) {
            // It serves somewhere else than we would ever ask.
            tracing::warn!(
                pid = record.pid,
                "the running gateway is not where it should be; it is ended"
            );
            return match stop(&setup.home, None).await {
                Ok(_) => Adopted::Nothing,
                Err(why) => Adopted::Unclear(why),
            };
        }
        // It may be busy, or the system's tables could not be read: it holds a login, so nothing is ended
        // on such evidence.
        if Instant::now() > deadline {
            return Adopted::Unclear(format!(
                "the gateway of an earlier ibd (pid {}) does not answer; `ibctl gateway stop` ends it",
                record.pid
            ));
        }
        sleep(WATCH).await;
    }
}
