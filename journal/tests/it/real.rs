//! On the real file system.

use ibd_journal::{Hash, Journal, OpenError, RealDisk, SEGMENT_BYTES, Why, read, verify};

#[test]
fn what_was_appended_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("state/journal");
    let mut journal = Journal::open(&folder).unwrap().journal;
    let first = journal.append(&[b"one"]).unwrap();
    let rest = journal.append(&[b"two", b"three"]).unwrap();
    let head = journal.head();
    assert_eq!((head.seq, head.hash), rest[1]);
    assert_eq!(head.seq, 3);
    drop(journal);

    let opened = Journal::open(&folder).unwrap();
    assert_eq!(opened.journal.head(), head);
    assert_eq!(opened.torn, None);
    let payloads: Vec<_> = opened.entries.iter().map(|entry| &entry.payload[..]).collect();
    assert_eq!(payloads, [&b"one"[..], b"two", b"three"]);
    assert_eq!((opened.entries[0].seq, opened.entries[0].hash), first[0]);
}

#[test]
fn a_second_writer_is_refused_and_readers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap().journal;
    journal.append(&[b"one"]).unwrap();
    assert!(matches!(Journal::open(folder.path()), Err(OpenError::InUse)));
    assert_eq!(read(folder.path(), 10).unwrap().len(), 1);
    assert_eq!(verify(folder.path()).unwrap().head, journal.head().hash);
    drop(journal);
    Journal::open(folder.path()).unwrap();
}

#[test]
fn the_newest_records_are_read_without_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::writer(folder.path()).unwrap();
    let mut journal = Journal::open_sized(disk, 4_096).unwrap().journal;
    let payload = |number: u64| format!("{number:0500}").into_bytes();
    (1..=40).for_each(|number| drop(journal.append(&[&payload(number)]).unwrap()));
    for (most, first) in [(0, 41), (1, 40), (5, 36), (25, 16), (40, 1), (usize::MAX, 1)] {
        let entries = read(folder.path(), most).unwrap();
        assert!(entries.iter().map(|entry| entry.seq).eq(first..=40), "{most}");
        assert!(entries.iter().all(|entry| entry.payload == payload(entry.seq)));
    }
    let verified = verify(folder.path()).unwrap();
    assert_eq!((verified.records, verified.segments, verified.head), (40, 7, journal.head().hash));
    assert!(verified.first.unwrap() < verified.last.unwrap());

    // Damage in the first file: seen by who reads it.
    let first = folder.path().join("00000001.journal");
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[700] ^= 1;
    std::fs::write(first, bytes).unwrap();
    assert_eq!(read(folder.path(), 5).unwrap().len(), 5);
    assert_eq!(read(folder.path(), 40).unwrap_err().segment, 1);
    assert_eq!(verify(folder.path()).unwrap_err().why, Why::FollowedBy);
}

#[test]
fn a_folder_that_is_not_there_is_a_journal_without_records() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let verified = verify(&nowhere).unwrap();
    assert_eq!((verified.records, verified.segments, verified.head), (0, 0, Hash::GENESIS));
    assert_eq!(read(&nowhere, 10).unwrap(), []);
    assert!(!nowhere.exists());
}

/// No reader takes an append under way for damage.
#[test]
fn readers_see_a_sound_journal_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::writer(folder.path()).unwrap();
    let mut journal = Journal::open_sized(disk, 16_384).unwrap().journal;
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let part = [b'x'; 1_500];
            (0..400).for_each(|_| drop(journal.append(&[&part, &part]).unwrap()));
        });
        let mut seen = 0;
        while !writer.is_finished() {
            let records = read(folder.path(), usize::MAX).unwrap().len() as u64;
            assert!(seen <= records && records.is_multiple_of(2));
            seen = verify(folder.path()).unwrap().records;
            assert!(records <= seen);
        }
    });
    assert_eq!(verify(folder.path()).unwrap().records, 800);
}

#[cfg(unix)]
#[test]
fn only_this_user_may_look_into_it() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("journal");
    Journal::open(&folder).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("00000001.journal")), 0o600);
    assert_eq!(folder.join("00000001.journal").metadata().unwrap().len(), SEGMENT_BYTES);
}
