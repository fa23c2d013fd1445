//! On the real file system.

use ibd_journal::{Journal, OpenError, read, verify};

#[test]
fn what_was_appended_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("state/journal");
    let mut journal = Journal::open(&folder).unwrap().journal;
    let first = journal.append(&[b"one"]).unwrap();
    let rest = journal.append(&[b"two", b"three"]).unwrap();
    let head = journal.head();
    assert_eq!(head, rest[1]);
    assert_eq!(head.0, 3);
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
    assert_eq!(verify(folder.path()).unwrap().head, journal.head().1);
    drop(journal);
    Journal::open(folder.path()).unwrap();
}
