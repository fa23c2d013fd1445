//! Which topics are wanted and which the socket has. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ibd_cpapi::stream::Topic;

/// So long before the broker ends a subscription it is asked for again.
const EARLY: Duration = Duration::from_secs(3 * 60);

/// What is to be said on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// Tell this from now on, or go on telling it.
    Subscribe(Topic),
    /// Tell this no more.
    Unsubscribe(Topic),
}

/// The topics that the socket was asked for, and when.
#[derive(Debug, Default)]
pub(super) struct Placed(BTreeMap<Topic, Instant>);

impl Placed {
    /// What is to be said so that the socket tells what is wanted and nothing else.
    pub(super) fn toward(&mut self, wanted: &BTreeSet<Topic>, now: Instant) -> Vec<Say> {
        let gone = self.0.keys().copied().filter(|topic| !wanted.contains(topic));
        let mut say: Vec<Say> = gone.map(Say::Unsubscribe).collect();
        let is_due = |topic: &Topic| {
            self.0.get(topic).is_none_or(|at| renewal(*topic, *at).is_some_and(|due| due <= now))
        };
        say.extend(wanted.iter().copied().filter(is_due).map(Say::Subscribe));
        self.0.retain(|topic, _| wanted.contains(topic));
        for one in &say {
            if let Say::Subscribe(topic) = one {
                self.0.insert(*topic, now);
            }
        }
        say
    }

    /// When the next of them must be asked for again.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.iter().filter_map(|(topic, at)| renewal(*topic, *at)).min()
    }

    /// The broker tells nothing of this any more: it is to be asked for again.
    pub(super) fn forget(&mut self, topic: Topic) {
        self.0.remove(&topic);
    }

    /// The socket is gone, and with it all that it told.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn renewal(topic: Topic, at: Instant) -> Option<Instant> {
    topic.lasts().map(|lasts| at + lasts.saturating_sub(EARLY))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn quotes(conid: &str) -> Topic {
        Topic::Quotes { conid: conid.parse().unwrap() }
    }

    #[test]
    fn what_is_wanted_is_subscribed_once_and_what_nobody_wants_any_more_is_ended() {
        let (mut placed, now) = (Placed::default(), Instant::now());
        let both = BTreeSet::from([Topic::Orders, quotes("1")]);
        let said = placed.toward(&both, now);
        assert_eq!(said, [Say::Subscribe(Topic::Orders), Say::Subscribe(quotes("1"))]);
        assert_eq!(placed.toward(&both, now), []);
        let one = BTreeSet::from([Topic::Orders]);
        assert_eq!(placed.toward(&one, now), [Say::Unsubscribe(quotes("1"))]);
        // After a reconnect everything is asked for anew, and nothing is taken back.
        placed.clear();
        assert_eq!(placed.toward(&one, now), [Say::Subscribe(Topic::Orders)]);
    }

    #[test]
    fn quotes_are_asked_for_again_before_the_broker_ends_them_and_orders_never() {
        let (mut placed, start) = (Placed::default(), Instant::now());
        let both = BTreeSet::from([Topic::Orders, quotes("1")]);
        placed.toward(&both, start);
        let due = placed.next_due().unwrap();
        assert_eq!(due - start, Duration::from_secs(12 * 60));
        assert_eq!(placed.toward(&both, due - Duration::from_secs(1)), []);
        assert_eq!(placed.toward(&both, due), [Say::Subscribe(quotes("1"))]);
        assert_eq!(placed.next_due(), Some(due + Duration::from_secs(12 * 60)));
        assert_eq!(Placed::default().next_due(), None);
        placed.forget(quotes("1"));
        assert_eq!(
            placed.toward(&both, due),
            [Say::Subscribe(quotes("1"))],
            "it had ended in silence"
        );
    }
}
