#![allow(clippy::unwrap_used)]
use super::*;
use crate::format::{HEAD, Place, encode};

const SIZE: usize = 4_096;

/// Segments made by hand.
struct Written {
    segments: Vec<Vec<u8>>,
    /// Where the records of the last segment begin, and where the last one ends.
    edges: Vec<usize>,
    link: Link,
}

impl Written {
    fn new() -> Self {
        let link = Link { seq: 1, prev: Hash::GENESIS };
        let mut written = Self { segments: Vec::new(), edges: Vec::new(), link };
        written.roll();
        written
    }

    fn roll(&mut self) {
        let number = u32::try_from(self.segments.len()).unwrap() + 1;
        let Link { seq, prev } = self.link;
        let head = SegmentHead { number, size: SIZE as u64, first_seq: seq, prev };
        let mut segment = head.encode().to_vec();
        segment.resize(SIZE, 0);
        self.segments.push(segment);
        self.edges = vec![HEAD];
    }

    fn append(&mut self, payloads: &[&[u8]]) {
        let count = u16::try_from(payloads.len()).unwrap();
        for (index, payload) in (0..count).zip(payloads) {
            let Link { seq, prev } = self.link;
            let at = Timestamp::from_microsecond(1_790_000_000_000_000).unwrap();
            self.put(Place { index, count, seq, at, prev }, payload);
        }
    }

    fn put(&mut self, place: Place, payload: &[u8]) {
        let mut bytes = Vec::new();
        let prev = encode(&mut bytes, place, payload).unwrap();
        let at = *self.edges.last().unwrap();
        self.last()[at..at + bytes.len()].copy_from_slice(&bytes);
        self.edges.push(at + bytes.len());
        self.link = Link { seq: place.seq + 1, prev };
    }

    fn last(&mut self) -> &mut Vec<u8> {
        self.segments.last_mut().unwrap()
    }
}

/// Payloads, and whether the end is torn.
fn recover(segments: &[Vec<u8>]) -> Result<(Vec<Vec<u8>>, bool), Broken> {
    let (mut recovery, mut payloads) = (Recovery::new(), Vec::new());
    for (number, bytes) in (1..).zip(segments) {
        recovery.add(number, bytes, |entry| payloads.push(entry.payload))?;
    }
    Ok((payloads, recovery.finish().torn.is_some()))
}

const LONG: &[u8] = &[b'x'; 700];

/// Two single appends and one of three; the last is at `edges[2]..edges[5]`.
fn example() -> Written {
    let mut written = Written::new();
    written.append(&[b"one"]);
    written.append(&[LONG]);
    written.append(&[b"three", LONG, b"five"]);
    written
}

type Change = fn(&mut [u8], &[usize]);
/// How many records, and whether the end is torn.
type Outcome = Result<(usize, bool), Why>;

#[test]
fn what_is_a_torn_end_and_what_is_damage() {
    let torn = |records| Ok((records, true));
    let table: &[(&str, Change, Outcome)] = &[
        ("nothing", |_, _| {}, Ok((5, false))),
        ("the last append not written", |b, e| b[e[2]..].fill(0), Ok((2, false))),
        ("its end missing", |b, e| b[e[4] + 10..].fill(0), torn(2)),
        ("its last byte missing", |b, e| b[e[5] - 1] = 0, torn(2)),
        ("its last record missing", |b, e| b[e[4]..].fill(0), torn(2)),
        ("its beginning missing", |b, e| b[e[2]..(e[2] / 512 + 1) * 512].fill(0), torn(2)),
        ("a sector in it missing", |b, e| b[(e[3] / 512 + 1) * 512..][..512].fill(0), torn(2)),
        ("only its last record there", |b, e| b[e[2]..e[4]].fill(0), torn(2)),
        ("a stray byte far behind", |b, e| b[e[5] + 900] = 7, torn(5)),
        ("an append changed in its first record", |b, e| b[e[2] + 65] ^= 1, Err(Why::Changed)),
        ("an append changed in its last record", |b, e| b[e[5] - 1] ^= 1, Err(Why::Changed)),
        ("its length changed", |b, e| b[e[2]] ^= 1, Err(Why::Changed)),
        ("an earlier record changed", |b, e| b[e[1] + 80] ^= 1, Err(Why::FollowedBy)),
        ("an earlier record gone", |b, e| b[e[1]..e[2]].fill(0), Err(Why::FollowedBy)),
        ("an earlier sector gone", |b, _| b[1_024..1_536].fill(0), Err(Why::FollowedBy)),
        ("a record again", |b, e| b.copy_within(e[0]..e[1], e[5]), Err(Why::Chain)),
        ("the head changed", |b, _| b[20] ^= 1, Err(Why::Head)),
        ("the head's empty part changed", |b, _| b[500] ^= 1, Err(Why::Head)),
        ("garbage behind", |b, e| b[e[5]..].fill(0xAA), Err(Why::Changed)),
    ];
    for (what, change, wanted) in table {
        let Written { mut segments, edges, .. } = example();
        change(&mut segments[0], &edges);
        let found = recover(&segments).map(|(payloads, torn)| (payloads.len(), torn));
        assert_eq!(found.map_err(|broken| broken.why), *wanted, "{what}");
    }
}

#[test]
fn damage_is_told_with_its_place() {
    let Written { mut segments, edges, .. } = example();
    segments[0][edges[3] + 100] ^= 1;
    let broken = recover(&segments).unwrap_err();
    let wanted = Broken { segment: 1, seq: 4, at_byte: edges[3] as u64, why: Why::Changed };
    assert_eq!(broken, wanted);
    assert_eq!(
        broken.to_string(),
        format!(
            "the journal is damaged in segment 00000001, byte {}, at record 4: a record was \
             changed after it was written",
            edges[3]
        )
    );
}

#[test]
fn only_the_last_segment_may_be_torn() {
    let mut written = example();
    written.roll();
    assert_eq!(recover(&written.segments).unwrap().0.len(), 5);
    written.append(&[b"six"]);
    let (first, last) = (written.segments[0].clone(), written.edges[1] - 1);
    written.segments[1][last] = 0;
    assert!(recover(&written.segments).unwrap().1);
    written.segments[0][SIZE - 1] = 1;
    assert_eq!(recover(&written.segments).unwrap_err().why, Why::NotAtTheEnd);
    // One append too few.
    written.segments[0] = first;
    let end = written.segments[0].iter().rposition(|byte| *byte != 0).unwrap();
    written.segments[0][HEAD + 67..=end].fill(0);
    assert_eq!(recover(&written.segments).unwrap_err().why, Why::Chain);
}

/// With checksums that are right: not by chance, but by somebody who rewrote a record.
#[test]
fn a_record_that_does_not_continue_the_chain_is_damage() {
    let good = example();
    let at = Timestamp::from_microsecond(5).unwrap();
    let Link { seq, prev } = good.link;
    let fits = Place { index: 0, count: 1, seq, at, prev };
    for (place, fits) in [
        (fits, true),
        (Place { seq: seq + 1, ..fits }, false),
        (Place { seq: seq - 1, ..fits }, false),
        (Place { prev: Hash::GENESIS, ..fits }, false),
        (Place { index: 1, count: 2, ..fits }, false),
    ] {
        let mut written = example();
        written.put(place, b"{}");
        let found = recover(&written.segments).map(|(payloads, _)| payloads.len());
        assert_eq!(found.is_ok(), fits, "{place:?}");
        assert!(found.is_ok() || found.is_err_and(|broken| broken.why == Why::Chain));
    }
}

/// Also where no record is there to tell.
#[test]
fn a_segment_that_does_not_continue_the_one_before_it_is_damage() {
    let good = example();
    let Link { seq, prev } = good.link;
    let fits = SegmentHead { number: 2, size: SIZE as u64, first_seq: seq, prev };
    for (head, fits) in [
        (fits, true),
        (SegmentHead { number: 3, ..fits }, false),
        (SegmentHead { first_seq: seq + 1, ..fits }, false),
        (SegmentHead { prev: Hash::GENESIS, ..fits }, false),
    ] {
        let mut segments = good.segments.clone();
        let mut second = head.encode().to_vec();
        second.resize(SIZE, 0);
        segments.push(second);
        let found = recover(&segments);
        assert_eq!(found.is_ok(), fits, "{head:?}");
        assert!(found.is_ok() || found.is_err_and(|broken| broken.why == Why::Chain));
    }
}

#[test]
fn the_records_of_one_append_agree_on_how_many_they_are() {
    let mut written = example();
    let at = Timestamp::from_microsecond(5).unwrap();
    for (index, count) in [(0, 3), (1, 2)] {
        let Link { seq, prev } = written.link;
        written.put(Place { index, count, seq, at, prev }, b"{}");
    }
    assert_eq!(recover(&written.segments).unwrap_err().why, Why::Chain);
}

#[test]
fn a_later_format_is_named() {
    let mut bytes =
        SegmentHead { number: 1, size: 512, first_seq: 1, prev: Hash::GENESIS }.encode();
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..64]);
    bytes[64..68].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(recover(&[bytes.to_vec()]).unwrap_err().why, Why::Version(2));
}

/// Files that people have are readable for ever. `BLESS=1` rewrites the example: only together with
/// a new version of the format.
#[test]
fn the_format_stays_as_it_is() {
    let Written { segments, link, .. } = example();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1.journal");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &segments[0]).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == segments[0], "other bytes than {path}");
    assert_eq!(link.seq, 6);
    let head = "4da2ac8a23ab1521d908cf88320d5f3a719c12cb94b99caa63e55f8d343c60ad";
    assert_eq!(link.prev.to_string(), head);
}
