//! What a person sees while it takes time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two reports of one stage: a screen shows no more.
const PAUSE: Duration = Duration::from_millis(50);

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Another install has to end first.
    Waiting,
    /// Bytes come over the network.
    Downloading,
    /// Files are being read, hashed or tried.
    Checking,
    /// Files are being written.
    Unpacking,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes done, of this stage.
    pub done: u64,
    /// Bytes to do, if known.
    pub total: Option<u64>,
}

type Listener = dyn Fn(Progress) + Send + Sync;

/// Tells a listener how far it is, not more often than anybody can see.
#[derive(Clone)]
pub(crate) struct Reporter {
    listener: Arc<Listener>,
    last: Arc<Mutex<Option<(Stage, Instant)>>>,
}

impl Reporter {
    /// Tells `listener`.
    pub fn new(listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { listener: Arc::new(listener), last: Arc::default() }
    }

    /// Tells nobody.
    #[cfg(test)]
    pub fn silent() -> Self {
        Self::new(|_| ())
    }

    /// Tells it, if it is new: another stage, the end of one, or some time since the last report.
    pub fn tell(&self, stage: Stage, done: u64, total: Option<u64>) {
        if self.is_due(stage, total == Some(done)) {
            (self.listener)(Progress { stage, done, total });
        }
    }

    fn is_due(&self, stage: Stage, is_end: bool) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = match *last {
            Some((before, at)) => is_end || before != stage || at.elapsed() >= PAUSE,
            None => true,
        };
        if is_due {
            *last = Some((stage, Instant::now()));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_hears_every_stage_and_every_end_but_not_every_byte() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = heard.clone();
        let reporter = Reporter::new(move |progress| ear.lock().unwrap().push(progress));
        for done in 0..=100_000 {
            reporter.tell(Stage::Downloading, done, Some(100_000));
        }
        reporter.tell(Stage::Checking, 0, None);
        let heard = heard.lock().unwrap();
        assert!(heard.len() < 1_000, "{}", heard.len());
        assert_eq!(heard[0].done, 0);
        assert!(heard.iter().any(|p| p.stage == Stage::Downloading && p.done == 100_000));
        assert_eq!(heard.last().unwrap().stage, Stage::Checking);
    }
}
