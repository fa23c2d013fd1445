//! Orders that the broker was known to have and that its lists no longer show. A list can be short for a
//! moment, so only what is missing for long, and from a thorough look, too, is believed to be gone.

use std::collections::HashMap;
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::id::OrderId;
use tokio::time::Instant;

/// Missing for so long, it is looked for thoroughly; found nowhere then, it is gone.
const LONG: Duration = Duration::from_secs(10 * 60);

/// Since when which orders are missing.
#[derive(Debug, Default)]
pub struct Unlisted(HashMap<OrderId, Instant>);

impl Unlisted {
    /// A list has it.
    pub fn is_listed(&mut self, order: OrderId) {
        self.0.remove(&order);
    }

    /// A list does not have it; whether that is so for the first time.
    pub fn is_missing(&mut self, order: OrderId, now: Instant) -> bool {
        let mut is_first = false;
        self.0.entry(order).or_insert_with(|| {
            is_first = true;
            now
        });
        is_first
    }

    /// Whether it is missing for so long that a thorough look settles it.
    pub fn is_long_missing(&self, order: OrderId, now: Instant) -> bool {
        self.0.get(&order).is_some_and(|since| now.duration_since(*since) >= scaled(LONG))
    }

    /// Whether anything is.
    pub fn wants_thorough_look(&self, now: Instant) -> bool {
        self.0.keys().any(|order| self.is_long_missing(*order, now))
    }

    /// Lists of another session say nothing about those of this one.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_what_is_missing_without_a_break_is_missing_for_long() {
        let (mut unlisted, start) = (Unlisted::default(), Instant::now());
        let order: OrderId = "7".parse().unwrap();
        assert!(unlisted.is_missing(order, start));
        assert!(!unlisted.is_missing(order, start + LONG / 2));
        assert!(!unlisted.is_long_missing(order, start + LONG - Duration::from_secs(1)));
        assert!(unlisted.wants_thorough_look(start + LONG));
        unlisted.is_listed(order);
        assert!(!unlisted.wants_thorough_look(start + LONG));
        assert!(unlisted.is_missing(order, start + LONG), "from the beginning again");
        assert!(!unlisted.is_long_missing(order, start + LONG));
    }
}
