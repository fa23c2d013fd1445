//! What a journal's bytes say: decided here, without a disk.
//!
//! The hard question is what bad bytes at the end mean. They are either an append that a crash
//! interrupted, which nobody was told of and which is dropped, or damage to what somebody relies on,
//! and then nothing may be dropped. What tells them apart:
//!
//! - An append is written only after the one before it is durable, over zeros that are durable. So a
//!   crash leaves bytes of **one** append, and after them zeros. A sound record of a later append
//!   proves that this one was acknowledged.
//! - A disk writes a sector whole or not at all, and a program that dies in the middle of a write has
//!   written its beginning. So an interrupted append has **holes**: sectors, or an end, still zero.
//!   A bad record without a hole was once whole and has changed since.
//! - The records of one append are in it whole or not at all, however many of them are sound.
//!
//! What cannot be told from here: a disk that loses a whole sector of the very last append after
//! having said that it was durable, and a folder put back to an earlier state. Who must know
//! compares [`Journal::head`](crate::Journal::head) with a head kept elsewhere.

use std::ops::Range;

use jiff::Timestamp;

use crate::format::{self, HeadFault, RECORD_HEAD, RecordHead, SECTOR, SegmentHead, is_zero};
use crate::{Broken, Entry, Hash, Torn, Why};

/// Reads segments in order, each checked against the ones before it.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// The number the next segment must have.
    number: u32,
    link: Link,
    torn: Option<Torn>,
    last: Option<Last>,
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
}

/// What the next record must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
}

/// The segment that is appended to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) number: u32,
    /// Bytes of the whole file.
    pub(crate) size: u64,
    /// The bytes of its last whole append; empty, at the end of the head, if it has none.
    pub(crate) append: Range<usize>,
}

/// What all segments together say.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) link: Link,
    pub(crate) torn: Option<Torn>,
    /// `None`: there is no segment.
    pub(crate) last: Option<Last>,
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) newest: Option<Timestamp>,
}

impl Recovery {
    /// From the first record on.
    pub(crate) fn new() -> Self {
        Self::from(1, Link { seq: 1, prev: Hash::GENESIS })
    }

    /// From a later segment on, taking its word for what was before.
    pub(crate) fn starting_at(number: u32, bytes: &[u8]) -> Result<Self, Broken> {
        let head = SegmentHead::decode(bytes).map_err(|fault| Broken {
            segment: number,
            seq: 0,
            at_byte: 0,
            why: fault.into(),
        })?;
        Ok(Self::from(number, Link { seq: head.first_seq, prev: head.prev }))
    }

    fn from(number: u32, link: Link) -> Self {
        Self { number, link, torn: None, last: None, newest: None, oldest: None }
    }

    /// Reads the next segment; `each` gets the records of whole appends, in order.
    pub(crate) fn add(
        &mut self,
        number: u32,
        bytes: &[u8],
        mut each: impl FnMut(Entry),
    ) -> Result<(), Broken> {
        // A segment is left for the next only when its last append was acknowledged.
        if let Some(torn) = self.torn {
            return Err(self.broken(torn.segment, torn.at, Why::NotAtTheEnd));
        }
        if number != self.number {
            return Err(self.broken(self.number, 0, Why::Missing));
        }
        self.check_head(bytes).map_err(|why| self.broken(number, 0, why))?;
        let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let size = bytes.len() as u64;
        let mut last = Last { number, size, append: format::HEAD..format::HEAD };
        while self.torn.is_none() && last.append.end < written {
            let at = last.append.end;
            let found = next(bytes, at, self.link).map_err(|bad| bad.in_segment(number))?;
            match found {
                Next::Append(entries, end) => {
                    for entry in entries {
                        self.link = Link { seq: entry.seq.saturating_add(1), prev: entry.hash };
                        self.oldest.get_or_insert(entry.at);
                        self.newest = Some(entry.at);
                        each(entry);
                    }
                    last.append = at..end;
                }
                Next::Torn => {
                    let bytes = (written - at) as u64;
                    self.torn = Some(Torn { segment: number, at: at as u64, bytes });
                }
            }
        }
        self.number += 1;
        self.last = Some(last);
        Ok(())
    }

    pub(crate) fn finish(self) -> Recovered {
        let Self { link, torn, last, oldest, newest, .. } = self;
        Recovered { link, torn, last, oldest, newest }
    }

    fn check_head(&self, bytes: &[u8]) -> Result<(), Why> {
        let head = SegmentHead::decode(bytes)?;
        if head.size != bytes.len() as u64 {
            return Err(Why::Length);
        }
        let link = Link { seq: head.first_seq, prev: head.prev };
        if head.number != self.number || link != self.link {
            return Err(Why::Chain);
        }
        Ok(())
    }

    fn broken(&self, segment: u32, at_byte: u64, why: Why) -> Broken {
        Broken { segment, seq: self.link.seq, at_byte, why }
    }
}

/// What stands after the last whole append.
enum Next {
    /// The records of one more, and where it ends.
    Append(Vec<Entry>, usize),
    /// What is left of an interrupted one.
    Torn,
}

/// A place where nothing can be made of the bytes.
struct Bad {
    at: usize,
    /// The record that should be there.
    seq: u64,
    why: Why,
}

impl Bad {
    fn in_segment(self, segment: u32) -> Broken {
        Broken { segment, seq: self.seq, at_byte: self.at as u64, why: self.why }
    }
}

fn next(bytes: &[u8], at: usize, link: Link) -> Result<Next, Bad> {
    let first = link.seq;
    let (mut entries, mut end, mut link) = (Vec::new(), at, link);
    let mut count = None;
    loop {
        let bad = |why| Bad { at: end, seq: link.seq, why };
        match record(bytes, end, link) {
            Ok(Found::Record { head, entry }) => {
                let count = *count.get_or_insert(head.count);
                if head.first_of_append() != first || head.count != count {
                    return Err(bad(Why::Chain));
                }
                end += head.len;
                link = Link { seq: link.seq.saturating_add(1), prev: entry.hash };
                entries.push(entry);
                if head.index + 1 == count {
                    return Ok(Next::Append(entries, end));
                }
            }
            Ok(Found::Unsound(_)) if is_acknowledged(bytes, end, first) => {
                return Err(bad(Why::FollowedBy));
            }
            Ok(Found::Unsound(extent)) if has_hole(bytes, extent.clone()) => return Ok(Next::Torn),
            Ok(Found::Unsound(_)) => return Err(bad(Why::Changed)),
            Err(why) => return Err(bad(why)),
        }
    }
}

enum Found {
    Record {
        head: RecordHead,
        entry: Entry,
    },
    /// A checksum says no. The bytes that are known to belong to the record.
    Unsound(Range<usize>),
}

/// What stands at `at`. An error: its checksums are right, and yet it does not belong there.
fn record(bytes: &[u8], at: usize, link: Link) -> Result<Found, Why> {
    let rest = bytes.get(at..).unwrap_or_default();
    let (Some(head), Some(raw)) = (RecordHead::decode(rest), rest.first_chunk()) else {
        return Ok(Found::Unsound(at..bytes.len().min(at + RECORD_HEAD)));
    };
    if (Link { seq: head.seq, prev: head.prev }) != link {
        return Err(Why::Chain);
    }
    let payload = rest.get(RECORD_HEAD..head.len).ok_or(Why::Overlong)?;
    if crc32fast::hash(payload) != head.body_crc {
        return Ok(Found::Unsound(at..at + head.len));
    }
    let when = Timestamp::from_microsecond(head.at).map_err(|_| Why::Time)?;
    let hash = format::hash(raw, payload);
    let entry = Entry { seq: head.seq, at: when, hash, payload: payload.to_vec() };
    Ok(Found::Record { head, entry })
}

/// Whether a sound record of another append than the one that begins with `first` is there: it was
/// written only once that one was acknowledged.
fn is_acknowledged(bytes: &[u8], from: usize, first: u64) -> bool {
    (from..bytes.len()).any(|at| {
        RecordHead::decode(&bytes[at..])
            .is_some_and(|head| at + head.len <= bytes.len() && head.first_of_append() != first)
    })
}

/// Whether an interrupted write explains what is wrong with `extent`.
fn has_hole(bytes: &[u8], extent: Range<usize>) -> bool {
    let mut at = extent.start;
    while at < extent.end {
        let end = extent.end.min((at / SECTOR + 1) * SECTOR);
        if is_zero(&bytes[at..end]) {
            return true;
        }
        at = end;
    }
    // Cut at any byte, by a program that died writing: then nothing at all follows.
    is_zero(&bytes[extent.end.saturating_sub(1)..])
}

impl From<HeadFault> for Why {
    fn from(fault: HeadFault) -> Self {
        match fault {
            HeadFault::Unsound => Why::Head,
            HeadFault::Version(version) => Why::Version(version),
        }
    }
}

#[cfg(test)]
mod tests;
