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
        let mut last =
            Last { number, size: bytes.len() as u64, append: format::HEAD..format::HEAD };
        loop {
            let at = last.append.end;
            match next(bytes, at, self.link).map_err(|(at, why)| self.broken(number, at, why))? {
                Next::Append(entries, end) => {
                    for entry in entries {
                        self.link = Link { seq: entry.seq + 1, prev: entry.hash };
                        self.oldest.get_or_insert(entry.at);
                        self.newest = Some(entry.at);
                        each(entry);
                    }
                    last.append = at..end;
                }
                Next::End => break,
                Next::Torn(bytes) => {
                    self.torn = Some(Torn { segment: number, at: at as u64, bytes });
                    break;
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

    /// `seq` is the record that should have been there.
    fn broken(&self, segment: u32, at: impl TryInto<u64>, why: Why) -> Broken {
        Broken { segment, seq: self.link.seq, at_byte: at.try_into().unwrap_or(u64::MAX), why }
    }
}

/// What stands at the end of the last whole append.
enum Next {
    /// The records of one more, and where it ends.
    Append(Vec<Entry>, usize),
    /// Nothing but zeros.
    End,
    /// What is left of an interrupted one: bytes up to the last that is not zero.
    Torn(u64),
}

fn next(bytes: &[u8], at: usize, link: Link) -> Result<Next, (usize, Why)> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(last) = rest.iter().rposition(|byte| *byte != 0) else { return Ok(Next::End) };
    let (mut entries, mut end, mut link) = (Vec::new(), at, link);
    let first = link.seq;
    loop {
        match record(bytes, end, first, link) {
            Ok(record) => {
                end = record.end;
                link = Link { seq: link.seq + 1, prev: record.entry.hash };
                entries.push(record.entry);
                if record.is_last {
                    return Ok(Next::Append(entries, end));
                }
            }
            Err(Bad::Unsound(extent)) => {
                if is_acknowledged(bytes, end, first) {
                    return Err((end, Why::FollowedBy));
                }
                return match has_hole(bytes, extent) {
                    true => Ok(Next::Torn(last as u64 + 1)),
                    false => Err((end, Why::Changed)),
                };
            }
            Err(Bad::Wrong(why)) => return Err((end, why)),
        }
    }
}

struct Record {
    entry: Entry,
    end: usize,
    /// Of its append.
    is_last: bool,
}

enum Bad {
    /// A checksum says no. The bytes that are known to belong to the record.
    Unsound(Range<usize>),
    /// The checksums are right, and yet this record does not belong here.
    Wrong(Why),
}

fn record(bytes: &[u8], at: usize, first: u64, link: Link) -> Result<Record, Bad> {
    let extent_of_head = at..bytes.len().min(at + RECORD_HEAD);
    let rest = bytes.get(at..).unwrap_or_default();
    let (Some(head), Some(raw)) = (RecordHead::decode(rest), rest.first_chunk()) else {
        return Err(Bad::Unsound(extent_of_head));
    };
    let Some(whole) = rest.get(..head.len) else { return Err(Bad::Wrong(Why::Overlong)) };
    if head.prev != link.prev || head.seq != link.seq || head.first_of_append() != first {
        return Err(Bad::Wrong(Why::Chain));
    }
    let payload = &whole[RECORD_HEAD..];
    if crc32fast::hash(payload) != head.body_crc {
        return Err(Bad::Unsound(at..at + head.len));
    }
    let Ok(when) = Timestamp::from_microsecond(head.at) else {
        return Err(Bad::Wrong(Why::Chain));
    };
    let hash = format::hash(raw, payload);
    Ok(Record {
        entry: Entry { seq: head.seq, at: when, hash, payload: payload.to_vec() },
        end: at + head.len,
        is_last: head.index + 1 == head.count,
    })
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
