//! What can go wrong, and what to do about it.

use std::io;

/// Where and why a journal cannot be trusted. Nothing has been changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal is damaged in segment {segment:08}, byte {at_byte}, at record {seq}: {why}")]
pub struct Broken {
    /// Number of the segment: its file's name.
    pub segment: u32,
    /// The record that should be there. The ones before it are sound.
    pub seq: u64,
    /// Offset in the file.
    pub at_byte: u64,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The segment's first sector.
    #[error("the file's head is not a journal's")]
    Head,
    /// A later version of this program wrote it.
    #[error("version {0} of the format is newer than this program")]
    Version(u32),
    /// The file is shorter or longer than it was made.
    #[error("the file does not have the length it was made with")]
    Length,
    /// There are later segments.
    #[error("the file is missing")]
    Missing,
    /// A record is unsound, and one that was appended later is not.
    #[error("a record is unreadable, and later ones are there")]
    FollowedBy,
    /// A record is unsound in a way that no interrupted write explains.
    #[error("a record was changed after it was written")]
    Changed,
    /// Sequence number or hash are not those of a record that belongs here.
    #[error("the record does not continue the one before it")]
    Chain,
    /// A sound record with a time that cannot be.
    #[error("the record's time is out of all bounds")]
    Time,
    /// A sound record that says it is longer than its file.
    #[error("the record is longer than its file")]
    Overlong,
    /// An unfinished append in a segment that another one follows.
    #[error("an append is unfinished, and a later file is there")]
    NotAtTheEnd,
    /// A head that was kept elsewhere names a later record: what was acknowledged is gone.
    #[error(
        "it ends at record {0}, and a later one was acknowledged: it was emptied, cut, put back or moved away"
    )]
    Behind(u64),
    /// A head that was kept elsewhere names another record of this number.
    #[error("another record was acknowledged under this number: this is another journal")]
    Another,
    /// The system could not read the file.
    #[error("it cannot be read ({0})")]
    Unreadable(io::ErrorKind),
}

/// Why a journal could not be opened. Whoever gets this does not trade.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has it open.
    #[error("the journal is in use by another process")]
    InUse,
    /// What is there cannot be trusted; it was left as it is.
    #[error(transparent)]
    Damaged(#[from] Broken),
    /// The disk refused. Nothing that was acknowledged is lost by that; try again.
    #[error("the journal cannot be opened: {0}")]
    Io(#[from] io::Error),
}

/// Why nothing was appended, or why nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// More than a segment holds. Nothing was written and the journal is as good as before.
    #[error("{bytes} bytes do not fit: one append holds at most {most}")]
    TooLarge {
        /// Bytes of the append, with 64 for each record's head.
        bytes: u64,
        /// Bytes that would have fitted.
        most: u64,
    },
    /// More records than `u16::MAX`. Nothing was written and the journal is as good as before.
    #[error("{0} records do not fit: one append holds at most 65535")]
    TooMany(usize),
    /// The disk refused. The records of this append are **not acknowledged**: the next open finds
    /// all of them or none. Until then every append fails with `Poisoned`.
    #[error("the journal could not be written: {0}")]
    Io(#[from] io::Error),
    /// The file under the journal's name is not the one that is open. Nothing was written: nobody
    /// would find it there.
    #[error("the journal's file or folder was removed, moved or replaced while it was in use")]
    Displaced,
    /// An earlier append failed. Nothing was written. Open the journal again.
    #[error("the journal could not be written before, and must be opened again")]
    Poisoned,
}
