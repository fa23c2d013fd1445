//! How a client that nobody asks for anything, but that follows something, comes back to a daemon. Pure.

use std::time::Duration;

use ibd_protocol::DrainReason;

/// The first pause; doubles.
const FIRST: Duration = Duration::from_millis(250);
/// Between two starts of a daemon.
const LONGEST: Duration = Duration::from_secs(30);
/// Between two looks whether somebody else has started one.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// How far one goes for a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Starts one if there is none.
    Start,
    /// Only takes one that is there.
    Look,
}

/// What is known of daemons before.
#[derive(Debug, Default)]
pub(super) struct Comeback {
    /// Tries since the last good connection.
    tries: u32,
    /// Why the last one went, if it said so.
    left: Option<DrainReason>,
}

impl Comeback {
    /// There is a connection.
    pub(super) fn connected(&mut self) {
        self.left = None;
    }

    /// The daemon says that it goes.
    pub(super) fn leaves(&mut self, reason: DrainReason) {
        self.left = Some(reason);
    }

    /// The connection is gone, after it lasted so long.
    pub(super) fn lost(&mut self, lasted: Duration) {
        self.tries = if lasted >= GOOD { 0 } else { self.tries.saturating_add(1) };
    }

    /// There was none to be had.
    pub(super) fn failed(&mut self) {
        self.tries = self.tries.saturating_add(1);
    }

    /// Until the next try.
    pub(super) fn pause(&self) -> Duration {
        let longest = match self.reach() {
            Reach::Start => LONGEST,
            Reach::Look => LONGEST_LOOK,
        };
        let doublings = self.tries.saturating_sub(1).min(10);
        (FIRST * 2_u32.pow(doublings)).min(longest)
    }

    /// How far the next try goes. One that was killed is missed. Whoever ended a daemon wants none; and whoever
    /// replaces it starts the next one, in an environment and of a build that may be others than ours.
    pub(super) fn reach(&self) -> Reach {
        match self.left {
            None => Reach::Start,
            Some(
                DrainReason::Stop
                | DrainReason::Signal
                | DrainReason::Idle
                | DrainReason::Restart
                | DrainReason::Upgrade,
            ) => Reach::Look,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_said_that_it_goes_is_not_started_and_one_that_died_is() {
        for (left, expected) in [
            (None, Reach::Start),
            (Some(DrainReason::Restart), Reach::Look),
            (Some(DrainReason::Upgrade), Reach::Look),
            (Some(DrainReason::Stop), Reach::Look),
            (Some(DrainReason::Signal), Reach::Look),
            (Some(DrainReason::Idle), Reach::Look),
        ] {
            let mut comeback = Comeback::default();
            comeback.connected();
            left.into_iter().for_each(|reason| comeback.leaves(reason));
            comeback.lost(Duration::from_secs(1));
            assert_eq!(comeback.reach(), expected, "{left:?}");
            comeback.connected();
            assert_eq!(comeback.reach(), Reach::Start, "what an earlier one said is over");
        }
    }

    #[test]
    fn pauses_grow_until_a_connection_lasts() {
        let mut comeback = Comeback::default();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            comeback.failed();
            pauses.push(comeback.pause().as_millis());
        }
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        comeback.leaves(DrainReason::Stop);
        assert_eq!(comeback.pause(), LONGEST_LOOK);
        comeback.lost(GOOD);
        assert_eq!(comeback.pause(), FIRST);
    }
}
