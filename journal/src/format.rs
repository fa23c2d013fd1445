//! What the bytes mean. Integers are little-endian.
//!
//! A segment is a file of fixed size: a head of one sector, then records without gaps, then zeros.
//!
//! ```text
//! head    magic 8 | version u32 | segment u32 | size u64 | first_seq u64 | prev_hash 32 | crc u32 | zeros to 512
//! record  len u32 | head_crc u32 | body_crc u32 | index u16 | count u16 | seq u64 | at i64 | prev_hash 32 | payload
//! ```
//!
//! - `len` counts the whole record, so that it is never zero: a zero there is the end.
//! - `head_crc` covers the record's head without itself. It is apart from `body_crc`, the payload's,
//!   so that `len` can be believed when the payload cannot: see `recover`.
//! - `index` of `count`: the record's place among those of one append. They stand or fall together.
//! - `at`: microseconds since 1970, by the wall clock.
//! - `prev_hash`: SHA-256 over the record before without its two CRCs; zeros before the first.

use jiff::Timestamp;

use crate::Hash;

/// Bytes before the first record. A sector of its own: no append ever rewrites it.
pub(crate) const HEAD: usize = 512;
/// Bytes of a record before its payload.
pub(crate) const RECORD_HEAD: usize = 64;
/// The smallest piece a disk writes whole or not at all.
pub(crate) const SECTOR: usize = 512;

const MAGIC: &[u8; 8] = b"ibdjrnl\n";
const VERSION: u32 = 1;

/// The first sector of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) number: u32,
    /// Bytes of the whole file.
    pub(crate) size: u64,
    /// What the first record here has, or will have.
    pub(crate) first_seq: u64,
    /// Hash of the last record of the segment before.
    pub(crate) prev: Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadFault {
    Unsound,
    Version(u32),
}

impl SegmentHead {
    pub(crate) fn encode(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[32..64].copy_from_slice(self.prev.as_bytes());
        let crc = crc32fast::hash(&bytes[..64]);
        bytes[64..68].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<SegmentHead, HeadFault> {
        let bytes: &[u8; HEAD] = bytes.first_chunk().ok_or(HeadFault::Unsound)?;
        let crc = crc32fast::hash(&bytes[..64]);
        if &bytes[..8] != MAGIC || u32_at(bytes, 64) != crc {
            return Err(HeadFault::Unsound);
        }
        // Before the padding, which another version may use.
        match u32_at(bytes, 8) {
            VERSION => {}
            other => return Err(HeadFault::Version(other)),
        }
        if !is_zero(&bytes[68..]) {
            return Err(HeadFault::Unsound);
        }
        Ok(SegmentHead {
            number: u32_at(bytes, 12),
            size: u64_at(bytes, 16),
            first_seq: u64_at(bytes, 24),
            prev: Hash::from(array(bytes, 32)),
        })
    }
}

/// A record without its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHead {
    /// Bytes of the whole record; at least `RECORD_HEAD`.
    pub(crate) len: usize,
    pub(crate) body_crc: u32,
    pub(crate) index: u16,
    /// Greater than `index`.
    pub(crate) count: u16,
    /// Greater than `index`: a journal's first record is number 1.
    pub(crate) seq: u64,
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) prev: Hash,
}

impl RecordHead {
    /// `None`: no sound head of a record starts here.
    pub(crate) fn decode(bytes: &[u8]) -> Option<RecordHead> {
        let bytes: &[u8; RECORD_HEAD] = bytes.first_chunk()?;
        // The cheap questions first: recovery asks this at every byte of a torn tail.
        let len = usize::try_from(u32_at(bytes, 0)).ok().filter(|len| *len >= RECORD_HEAD)?;
        let head = RecordHead {
            len,
            body_crc: u32_at(bytes, 8),
            index: u16::from_le_bytes(array(bytes, 12)),
            count: u16::from_le_bytes(array(bytes, 14)),
            seq: u64_at(bytes, 16),
            at: u64_at(bytes, 24).cast_signed(),
            prev: Hash::from(array(bytes, 32)),
        };
        let possible = head.index < head.count && head.seq > u64::from(head.index);
        (possible && head_crc(bytes) == u32_at(bytes, 4)).then_some(head)
    }

    /// The sequence number of the first record of the same append.
    pub(crate) fn first_of_append(&self) -> u64 {
        self.seq - u64::from(self.index)
    }
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) prev: Hash,
}

/// Adds a record to `to` and returns its hash. `None`: the record is longer than `u32::MAX`.
pub(crate) fn encode(to: &mut Vec<u8>, place: Place, payload: &[u8]) -> Option<Hash> {
    let len = u32::try_from(RECORD_HEAD + payload.len()).ok()?;
    let mut head = [0; RECORD_HEAD];
    head[..4].copy_from_slice(&len.to_le_bytes());
    head[8..12].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    head[12..14].copy_from_slice(&place.index.to_le_bytes());
    head[14..16].copy_from_slice(&place.count.to_le_bytes());
    head[16..24].copy_from_slice(&place.seq.to_le_bytes());
    head[24..32].copy_from_slice(&place.at.as_microsecond().to_le_bytes());
    head[32..].copy_from_slice(place.prev.as_bytes());
    let crc = head_crc(&head);
    head[4..8].copy_from_slice(&crc.to_le_bytes());
    to.extend_from_slice(&head);
    to.extend_from_slice(payload);
    Some(hash(&head, payload))
}

/// Of a whole record.
pub(crate) fn hash(head: &[u8; RECORD_HEAD], payload: &[u8]) -> Hash {
    Hash::of(&[&head[..4], &head[12..], payload])
}

pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn head_crc(head: &[u8; RECORD_HEAD]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head[..4]);
    crc.update(&head[8..]);
    crc.finalize()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}
