//! Orders of which news is expected at any moment are asked for one by one: soon, and again while they
//! stand as before. The next look at everything may be far away.

use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::id::OrderId;
use tokio::time::Instant;

/// How long after what was sent, and then after each peek that showed nothing new.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// What news is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// The broker has really taken it.
    Settled,
    /// The same, but it is asked once in any case.
    Asked,
    /// It is over.
    Over,
}

/// Which orders are asked for, and when.
#[derive(Debug, Default)]
pub struct Peeks(Vec<Peek>);

#[derive(Debug)]
struct Peek {
    order: OrderId,
    until: Until,
    due: Instant,
    step: usize,
}

impl Peeks {
    /// News of this order is expected.
    pub fn expect(&mut self, order: OrderId, until: Until, now: Instant) {
        let due = now + scaled(PAUSES[0]);
        match self.0.iter_mut().find(|peek| peek.order == order) {
            Some(peek) if until <= peek.until => peek.due = peek.due.min(due),
            Some(peek) => *peek = Peek { order, until, due, step: 0 },
            None => self.0.push(Peek { order, until, due, step: 0 }),
        }
    }

    /// This order is asked for as soon as possible, once in any case.
    pub fn expect_now(&mut self, order: OrderId, now: Instant) {
        self.expect(order, Until::Asked, now);
        if let Some(peek) = self.0.iter_mut().find(|peek| peek.order == order) {
            peek.until = peek.until.max(Until::Asked);
            peek.due = now;
        }
    }

    /// What is to be asked now; each is due again after a longer pause, a few times.
    pub fn take_due(&mut self, now: Instant) -> Vec<OrderId> {
        let mut due = Vec::new();
        self.0.retain_mut(|peek| {
            if peek.due > now {
                return true;
            }
            due.push(peek.order);
            peek.step += 1;
            if peek.until == Until::Asked {
                peek.until = Until::Settled;
            }
            let Some(pause) = PAUSES.get(peek.step) else { return false };
            peek.due = now + scaled(*pause);
            true
        });
        due
    }

    /// When the next is due.
    pub fn next(&self) -> Option<Instant> {
        self.0.iter().map(|peek| peek.due).min()
    }

    /// Forgets those of which there was news. `settled(order, until)` says so.
    pub fn forget(&mut self, settled: impl Fn(OrderId, Until) -> bool) {
        self.0.retain(|peek| !settled(peek.order, peek.until));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn order(id: &str) -> OrderId {
        id.parse().unwrap()
    }

    #[test]
    fn an_order_is_asked_for_when_it_is_due_and_then_ever_more_rarely() {
        let (mut peeks, start) = (Peeks::default(), Instant::now());
        peeks.expect(order("7"), Until::Settled, start);
        assert!(peeks.take_due(start).is_empty(), "a tick that comes too early takes nothing");
        let mut at = start;
        for pause in PAUSES {
            assert!(peeks.take_due(at + pause - Duration::from_millis(1)).is_empty());
            at += pause;
            assert_eq!(peeks.next(), Some(at));
            assert_eq!(peeks.take_due(at), [order("7")]);
        }
        assert_eq!(peeks.next(), None, "the looks at everything take over");
    }

    #[test]
    fn what_settled_is_forgotten_and_an_end_is_waited_for_longer() {
        let (mut peeks, now) = (Peeks::default(), Instant::now());
        peeks.expect(order("7"), Until::Settled, now);
        peeks.expect(order("8"), Until::Settled, now);
        peeks.expect(order("8"), Until::Over, now);
        peeks.expect(order("8"), Until::Settled, now);
        peeks.forget(|_, until| until == Until::Settled);
        assert_eq!(peeks.take_due(now + PAUSES[0]), [order("8")]);
        peeks.forget(|_, _| true);
        assert_eq!(peeks.next(), None);
    }

    #[test]
    fn what_must_be_asked_is_asked_once() {
        let (mut peeks, now) = (Peeks::default(), Instant::now());
        peeks.expect(order("7"), Until::Asked, now);
        peeks.forget(|_, until| until == Until::Settled);
        assert_eq!(peeks.take_due(now + PAUSES[0]), [order("7")]);
        peeks.forget(|_, until| until == Until::Settled);
        assert_eq!(peeks.next(), None);
    }

    #[test]
    fn news_that_is_expected_again_while_it_is_expected_does_not_put_it_off() {
        let (mut peeks, now) = (Peeks::default(), Instant::now());
        peeks.expect(order("7"), Until::Settled, now);
        peeks.expect(order("7"), Until::Settled, now + Duration::from_millis(300));
        assert_eq!(peeks.next(), Some(now + PAUSES[0]));
    }
}
