//! How late IBKR's word of orders may be: what everything that compares times here goes by.

use std::time::Duration;

use ibd_cpapi::faults;
use jiff::SignedDuration;

/// IBKR answers its lists of orders and of trades once in five seconds, and gives an earlier answer again until then:
/// what was taken is in a list that is asked for so long after it.
pub const LIST: Duration = Duration::from_millis(5_050);
/// How long after the no to its question an order was seen to come alive, at most: until then a list that does not
/// have it proves nothing.
pub const RISE: Duration = Duration::from_secs(3);
/// How old what a list shows may be at most: it is late by the above, and its answer may be on its way for the rest.
pub const LIST_AT_MOST: Duration = Duration::from_secs(12);
/// How long an order's own page, which is never late, may be on its way.
pub const PAGE: Duration = Duration::from_secs(3);
/// What asking for an order's page may take: IBKR needs five seconds to say that it does not know one.
pub const PAGE_ANSWER: Duration = Duration::from_secs(10);

/// A time as it is compared with the clock; shorter where a test makes all times shorter.
pub fn scaled(time: Duration) -> SignedDuration {
    SignedDuration::try_from(faults::scaled(time)).unwrap_or_default()
}
