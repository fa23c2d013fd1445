//! The append-only, hash-chained, synced file that is the truth for orders and the audit trail.
//!
//! Promises:
//!
//! - What [`Journal::append`] returned is there after any crash and any power cut, in order, unless
//!   the disk lies about its syncs.
//! - Nothing is there that was not appended, and the records of one append are there together or
//!   not at all.
//! - What [`Journal::open`] returned is as durable as what was acknowledged: a record that survived a
//!   crash by luck is made to stay before anybody acts on it.
//! - An append that was never acknowledged may be found, whole, or not.
//! - Damage is never repaired and never passed over: opening fails, and so trading stays closed.
//! - Records are chained by SHA-256: whoever changes one has to change all after it, and the head.
//!   That is no signature. It shows only against a head that was kept elsewhere: [`HeadFile`] keeps
//!   one, and [`Journal::open_after`] takes a journal that ends before it for damage.
//! - Nothing is appended to a file that is no longer the one under its name.
//!
//! `recover` holds the rules of what is an interrupted append and what is damage.

use jiff::Timestamp;

mod audit;
mod disk;
mod error;
#[cfg(feature = "faults")]
mod faults;
mod format;
mod hash;
mod head;
mod journal;
mod points;
mod recover;
mod segment;

pub use audit::{Verified, read, verify, verify_after};
pub use disk::{Disk, RealDisk};
pub use error::{AppendError, Broken, OpenError, Why};
pub use hash::Hash;
pub use head::{Head, HeadFile, Kept};
pub use journal::{Journal, Opened};
#[cfg(feature = "faults")]
pub use points::set_point_hook;
pub use segment::SEGMENT_BYTES;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 1 for the first record of a journal, and no gaps.
    pub seq: u64,
    /// When it was appended, by the wall clock, to the microsecond. Clocks are set: this may go back.
    pub at: Timestamp,
    /// Vouches for this record and all before it.
    pub hash: Hash,
    /// What was appended: JSON text, by convention.
    pub payload: Vec<u8>,
}

/// What a crash left of an append that nobody was told of. It is not a record and never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// Number of the segment.
    pub segment: u32,
    /// Offset in the file.
    pub at: u64,
    /// Bytes from there to the last one that was not zero.
    pub bytes: u64,
}
