//! Orders that the broker was known to have and that its lists no longer show. A list can be short for a
//! moment, so only what is missing for long, and from a thorough look, too, is believed to be gone.

use std::collections::HashMap;
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::id::OrderId;
use tokio::time::Instant;

/// Missing for so long, and from so many looks, it is looked for thoroughly; found nowhere then, it is gone.
const LONG: Duration = Duration::from_secs(10 * 60);
const LOOKS: u32 = 10;

/// Which orders are missing, since when, and from how many looks.
#[derive(Debug, Default)]
pub struct Unlisted(HashMap<OrderId, (Instant, u32)>);

impl Unlisted {
    /// A list, or its own endpoint, has it.
    pub fn is_listed(&mut self, order: OrderId) {
        self.0.remove(&order);
    }

    /// A list does not have it; whether that is so for the first time.
    pub fn is_missing(&mut self, order: OrderId, now: Instant) -> bool {
        let (_, looks) = self.0.entry(order).or_insert((now, 0));
        *looks += 1;
        *looks == 1
    }

    /// Whether it is missing for so long that a thorough look settles it.
    pub fn is_long_missing(&self, order: OrderId, now: Instant) -> bool {
        let is_long = |since: Instant| now.duration_since(since) >= scaled(LONG);
        self.0.get(&order).is_some_and(|(since, looks)| is_long(*since) && *looks >= LOOKS)
    }

    /// Those that a thorough look settles.
    pub fn long_missing(&self, now: Instant) -> Vec<OrderId> {
        self.0.keys().copied().filter(|order| self.is_long_missing(*order, now)).collect()
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
        for _ in 2..LOOKS {
            assert!(!unlisted.is_missing(order, start + LONG / 2));
        }
        assert!(!unlisted.is_long_missing(order, start + LONG), "too few looks");
        assert!(!unlisted.is_missing(order, start + LONG / 2));
        assert!(!unlisted.is_long_missing(order, start + LONG - Duration::from_secs(1)));
        assert_eq!(unlisted.long_missing(start + LONG), [order]);
        unlisted.is_listed(order);
        assert!(unlisted.long_missing(start + LONG).is_empty());
        assert!(unlisted.is_missing(order, start + LONG), "from the beginning again");
        assert!(!unlisted.is_long_missing(order, start + LONG));
    }
}
