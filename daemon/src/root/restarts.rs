//! The restart table: which actors there are, and what the failure of one leads to.

use std::time::Duration;

use tokio::time::Instant;

/// First pause before a failed actor is started again; doubles with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After so long without a failure the count begins anew.
pub(super) const QUIET: Duration = Duration::from_secs(600);

/// The actors that the root starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    Gateway,
    Session,
    Stream,
    Market,
    Orders,
    Flex,
    Alerts,
    Ipc,
}

/// What a failure leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    RestartAfter(Duration),
    End,
}

/// The restart table. `failures`: in a row, this one included.
pub(super) fn on_failure(child: Child, failures: u32) -> Reaction {
    match child {
        // A process is disposable.
        Child::Gateway => Reaction::RestartAfter(pause(failures)),
        // The truth is at the broker: a new actor asks for it.
        Child::Session => Reaction::RestartAfter(pause(failures)),
        // Who wants what is known besides it.
        Child::Stream => Reaction::RestartAfter(pause(failures)),
        // What is followed is kept besides it.
        Child::Market => Reaction::RestartAfter(pause(failures)),
        // A new actor reads the journal, asks the broker, and opens trading again; not for long if it goes
        // on failing, because this is money.
        Child::Orders => Reaction::RestartAfter(pause(failures)),
        // What was under way is in the store.
        Child::Flex => Reaction::RestartAfter(pause(failures)),
        // What there is, and who has heard what, is on the disk.
        Child::Alerts => Reaction::RestartAfter(pause(failures)),
        // Nothing is left to supervise; the service manager, or the next shim, starts us again.
        Child::Ipc => Reaction::End,
    }
}

/// Twice within [`QUIET`]: trading stays closed until a person restarts the daemon.
pub(super) fn stays_closed(failed: &[Instant]) -> Option<String> {
    let lately = failed.iter().filter(|at| at.elapsed() < QUIET).count();
    (lately >= 2).then(|| {
        "the part of the daemon that owns orders failed twice in ten minutes; `ibctl restart` opens it again".to_owned()
    })
}

fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_restart_table() {
        let restarted = [
            Child::Gateway,
            Child::Session,
            Child::Stream,
            Child::Market,
            Child::Orders,
            Child::Flex,
            Child::Alerts,
        ];
        for child in restarted {
            assert_eq!(on_failure(child, 1), Reaction::RestartAfter(FIRST_PAUSE));
            assert_eq!(on_failure(child, 3), Reaction::RestartAfter(FIRST_PAUSE * 4));
            assert_eq!(on_failure(child, 99), Reaction::RestartAfter(LONGEST_PAUSE));
        }
        assert_eq!(on_failure(Child::Ipc, 1), Reaction::End);
    }
}
